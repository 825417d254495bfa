import { readEventStream } from '../../libs/adapters/http/read-event-stream.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { SummarySource } from './create-dashboard.ts';

export interface FollowSummariesOptions {
  /** Of the reconciliation service: `http://127.0.0.1:8084`. */
  readonly url: string;
  /** A client key with the role analyst. */
  readonly key: string;
  readonly retryMs?: number;
}

export interface FollowSummariesDependencies {
  readonly logger: Logger;
  readonly fetch?: typeof fetch;
}

export interface FollowedSummaries extends SummarySource {
  /** Throws SUMMARY_STALE where no summary has come for some seconds: the page would show what is no longer so. */
  assertFresh(): void;
  stop(): Promise<void>;
}

const RETRY_MS = 2_000;
const ANSWER_TIMEOUT_MS = 10_000;
/** Summaries come once a second. */
const STALE_AFTER_MS = 4_000;
/** A summary is some ten kilobytes; what is longer is no summary. */
const EVENT_CHARACTERS_MAX = 1_000_000;

/** Follows the reconciliation's live stream from another process, and comes back whenever it breaks off. */
export function followSummaries(
  options: FollowSummariesOptions,
  dependencies: FollowSummariesDependencies,
): FollowedSummaries {
  const listeners = new Set<(summary: unknown) => void>();
  const abort = new AbortController();
  let latest: unknown = null;
  let toldAtMs = Number.NEGATIVE_INFINITY;
  const told = (summary: unknown): void => {
    latest = summary;
    toldAtMs = systemClock.elapsedMs();
    for (const listener of listeners) listener(summary);
  };
  const running = follow(options, dependencies, abort.signal, told);
  return {
    latest: () => latest,
    assertFresh: () => {
      if (systemClock.elapsedMs() - toldAtMs <= STALE_AFTER_MS) return;
      const message = 'the reconciliation tells nothing now: look at its readiness; the page shows what was told last';
      throw new TallyError('SUMMARY_STALE', message, {}, { retriable: true });
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: async () => {
      abort.abort();
      await running;
    },
  };
}

async function follow(
  options: FollowSummariesOptions,
  { logger, fetch: get = fetch }: FollowSummariesDependencies,
  signal: AbortSignal,
  told: (summary: unknown) => void,
): Promise<void> {
  const refusal = async (response: Response): Promise<Error> => {
    await response.body?.cancel();
    return new Error(`the reconciliation answered ${response.status}`);
  };
  const { url, key: clientKey } = options;
  const stream = { server: 'the reconciliation', url, path: '/reconciliation/v1/live', clientKey, signal };
  const limits = { timeoutMs: ANSWER_TIMEOUT_MS, eventCharactersMax: EVENT_CHARACTERS_MAX };
  while (!signal.aborted) {
    try {
      for await (const lines of readEventStream({ ...stream, ...limits }, { fetch: get, refusal })) {
        const data = lines.filter((line) => line.startsWith('data: ')).map((line) => line.slice('data: '.length));
        if (data.length > 0) told(JSON.parse(data.join('\n')));
      }
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error }, 'the live stream of the reconciliation broke off');
    }
    await pause(options.retryMs ?? RETRY_MS, signal);
  }
}

function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, durationMs);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
