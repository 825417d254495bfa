import type { Router } from 'express';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { createEventStream } from '../../libs/adapters/http/event-stream.ts';
import type { ClientRegistry } from '../../libs/adapters/runtime/clients.ts';
import { NODE_HASHES } from '../../libs/adapters/runtime/node-crypto.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../libs/core/identity/account.ts';
import { openBooks } from './books.ts';
import { listExceptions } from './exceptions.ts';
import { Reconciler, type ReconcilerOptions, runReconciler } from './reconcile.ts';
import { createReconciliationMetrics } from './reconciliation-metrics.ts';
import { reconciliationRoutes } from './reconciliation-routes.ts';
import { openReconciliationStore } from './reconciliation-store.ts';
import { cutoffsOf, type Summary, summaryOf } from './summary.ts';

export interface ReconciliationOptions extends Partial<ReconcilerOptions> {
  /** Its own folder: a cache of the log, that may be deleted while it is stopped. */
  readonly folder: string;
  /** Forget what is stored and read everything again. */
  readonly rebuild?: boolean;
  /** Unmatched for less is in flight, for longer overdue. */
  readonly overdueAfterMs?: number;
  /** How often the live stream tells. */
  readonly liveEveryMs?: number;
}

export interface ReconciliationDependencies {
  readonly log: EventLog;
  readonly clients: ClientRegistry;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly nowMs?: () => number;
}

export interface Reconciliation {
  /** Where it answers: mount it once started. */
  readonly router: Router;
  summary(): Summary;
  /** Told a summary once a second. Gives the way to stop that. */
  subscribe(listener: (summary: Summary) => void): () => void;
  /** Throws RECONCILIATION_HALTED (fact `code`): the readiness of the service. */
  assertReady(): void;
  /** Ends live streams, so that the HTTP server can stop. */
  endStreams(): void;
  /** Resolves with the error that ended it; never for a clean stop. */
  readonly failed: Promise<unknown>;
  /** Finishes the round under way and stores what was counted. Idempotent. */
  stop(): Promise<void>;
}

const DEFAULTS: ReconcilerOptions = {
  pollMaxBytes: 4 * 1024 ** 2,
  pollMaxRecords: 5_000,
  idleWaitMs: 100,
  commitEveryMs: 1_000,
  commitEveryChanges: 50_000,
};
const OVERDUE_AFTER_MS = 60_000;
const LIVE_EVERY_MS = 1_000;

/** Opens its store and begins to read. Throws TOPIC_UNKNOWN where a topic is missing. */
export async function createReconciliation(
  options: ReconciliationOptions,
  dependencies: ReconciliationDependencies,
): Promise<Reconciliation> {
  const { log, clients, logger, metrics, nowMs = Date.now } = dependencies;
  const store = await openReconciliationStore({ folder: options.folder, rebuild: options.rebuild ?? false });
  const ages = { overdueAfterMs: options.overdueAfterMs ?? OVERDUE_AFTER_MS };
  const observe = { copied: (_tax: Tax, _seconds: number): void => undefined };
  const books = openBooks(store, (tax, seconds) => observe.copied(tax, seconds));
  const reconciler = new Reconciler({ ...DEFAULTS, ...options }, { log, store, books, hashes: NODE_HASHES, nowMs });
  try {
    await reconciler.open();
  } catch (error) {
    await store.close();
    throw error;
  }

  let failure: unknown = null;
  const summary = (): Summary =>
    summaryOf(books, reconciler.evidence(), nowMs(), { ...ages, halted: failure !== null });
  observe.copied = createReconciliationMetrics(metrics, summary).observeCopied;
  const live = createLive(summary, options.liveEveryMs ?? LIVE_EVERY_MS);
  const abort = new AbortController();
  const running = runReconciler(reconciler, abort.signal, (error) => logger.warn({ err: error }, 'trying again')).catch(
    (error: unknown) => {
      failure = error;
      logger.fatal({ err: error }, 'the reconciliation halted');
    },
  );

  return {
    router: reconciliationRoutes({
      clients,
      nowMs,
      summary,
      stream: live.stream,
      exceptions: (account, limit) => {
        if (failure === null) reconciler.commit();
        return listExceptions(books, { account, limit, cutoffs: cutoffsOf(reconciler.evidence(), ages) });
      },
    }),
    summary,
    subscribe: live.subscribe,
    assertReady: () => {
      if (failure === null) return;
      const code = failure instanceof TallyError ? failure.code : 'INTERNAL';
      throw new TallyError('RECONCILIATION_HALTED', 'the reconciliation halted', { code }, { cause: failure });
    },
    endStreams: live.stop,
    failed: running.then(() => (failure === null ? new Promise<never>(() => undefined) : failure)),
    stop: once(async () => {
      live.stop();
      abort.abort();
      await running;
      // What a halted round left half counted is not stored: the next start reads it again.
      if (failure === null) reconciler.commit();
      await reconciler.close();
      await store.close();
    }),
  };
}

/** One summary a second for everybody who listens. */
function createLive(summary: () => Summary, everyMs: number) {
  const stream = createEventStream({ replayEventsMax: 1 });
  const listeners = new Set<(summary: Summary) => void>();
  let id = 0;
  const timer = setInterval(() => {
    if (listeners.size === 0 && stream.readers === 0) return;
    const data = summary();
    id++;
    stream.publish({ event: 'summary', id, data });
    for (const listener of listeners) listener(data);
  }, everyMs);
  timer.unref();
  return {
    stream,
    subscribe: (listener: (summary: Summary) => void): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: (): void => {
      clearInterval(timer);
      stream.close();
    },
  };
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | null = null;
  return () => {
    done ??= work();
    return done;
  };
}
