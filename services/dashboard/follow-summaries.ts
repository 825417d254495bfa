import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
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
  stop(): Promise<void>;
}

const RETRY_MS = 2_000;
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
  const told = (summary: unknown): void => {
    latest = summary;
    for (const listener of listeners) listener(summary);
  };
  const running = follow(options, dependencies, abort.signal, told);
  return {
    latest: () => latest,
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
  const headers = { authorization: `Bearer ${options.key}`, accept: 'text/event-stream' };
  while (!signal.aborted) {
    try {
      const response = await get(`${options.url}/reconciliation/v1/live`, { headers, signal });
      if (!response.ok || response.body === null) throw new Error(`the reconciliation answered ${response.status}`);
      for await (const data of eventsOf(response.body)) told(JSON.parse(data));
    } catch (error) {
      if (signal.aborted) return;
      logger.warn({ err: error }, 'the live stream of the reconciliation broke off');
    }
    await pause(options.retryMs ?? RETRY_MS, signal);
  }
}

/** The data of each event of a stream of server-sent events. */
async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const bytes of body) {
    text += decoder.decode(bytes, { stream: true });
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    if (text.length > EVENT_CHARACTERS_MAX) throw new Error('an event of the stream is too long');
    for (const event of events) {
      const data = event.split('\n').filter((line) => line.startsWith('data: '));
      if (data.length > 0) yield data.map((line) => line.slice('data: '.length)).join('\n');
    }
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
