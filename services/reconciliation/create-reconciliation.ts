import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientRegistry } from '../../libs/adapters/access/clients.ts';
import { NODE_HASHES } from '../../libs/adapters/crypto/node-crypto.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import type { Service } from '../../libs/adapters/runtime/service.ts';
import { createEventStream } from '../../libs/adapters/server/event-stream.ts';
import type { Logger } from '../../libs/adapters/telemetry/logger.ts';
import type { Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { type Clock, momentOf, systemClock } from '../../libs/adapters/time/clock.ts';
import { repeatWork } from '../../libs/adapters/time/repeated-work.ts';
import { hasCode, TallyError } from '../../libs/core/errors/tally-error.ts';
import type { Tax } from '../../libs/core/identity/account.ts';
import { isLogOfPositions } from './compare-with-log.ts';
import { openReconciliationState, type ReconciliationState } from './count/reconciliation-state.ts';
import { openReconciliationStore, type ReconciliationStore } from './count/reconciliation-store.ts';
import { type Evidence, Reconciler, type ReconcilerOptions, runReconciler } from './match/reconcile.ts';
import { listExceptions } from './report/exceptions.ts';
import { createReconciliationMetrics } from './report/reconciliation-metrics.ts';
import { reconciliationRoutes } from './report/reconciliation-routes.ts';
import { cutoffsOf, type Summary, summaryOf } from './report/summary.ts';

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
  readonly clock?: Clock;
}

export interface Reconciliation extends Service {
  summary(): Summary;
  /** Told a summary once a second. Gives the way to stop that. */
  subscribe(listener: (summary: Summary) => void): () => void;
  /** Throws RECONCILIATION_HALTED (fact `code`). */
  assertReady(): void;
  endStreams(): void;
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
const CAUGHT_UP_LOOK_MS = 50;

/** Opens its store and begins to read. Throws TOPIC_UNKNOWN where a topic is missing. */
export async function openReconciliation(
  options: ReconciliationOptions,
  dependencies: ReconciliationDependencies,
): Promise<Reconciliation> {
  const { clients, logger, metrics, clock = systemClock } = dependencies;
  const ages = { overdueAfterMs: options.overdueAfterMs ?? OVERDUE_AFTER_MS };
  const observe = { copied: (_tax: Tax, _seconds: number): void => undefined };
  const openReading = (rebuild: boolean): Promise<Reading> =>
    Reading.open({ ...options, rebuild }, { ...dependencies, clock }, (tax, seconds) => observe.copied(tax, seconds));
  let reading = await openReading(options.rebuild ?? false);
  let failure: unknown = null;
  let tellFailed: (error: unknown) => void = () => undefined;
  const failed = new Promise<unknown>((resolve) => {
    tellFailed = resolve;
  });
  /** One change after the other: rebuilds that were asked for together, and the end. */
  let changing: Promise<unknown> = Promise.resolve();
  let isStopping = false;
  const fail = (error: unknown): void => {
    if (hasCode(error, 'STORE_DAMAGED') && !isStopping) {
      tellDiscarded(logger, error);
      changing = changing.then(rebuild).catch(fail);
      return;
    }
    failure = error;
    logger.fatal({ err: error }, 'the reconciliation halted');
    tellFailed(error);
  };
  const summary = (): Summary =>
    summaryOf(reading.books, reading.evidence(), momentOf(clock), { ...ages, halted: failure !== null });
  observe.copied = createReconciliationMetrics(metrics, summary).observeCopied;
  const live = createLive(summary, options.liveEveryMs ?? LIVE_EVERY_MS, logger);
  reading.start(fail);

  const rebuild = async (): Promise<void> => {
    if (isStopping || failure !== null) throw new TallyError('NOT_READY', 'the reconciliation does not read now');
    await reading.stop();
    reading = await openReading(true);
    reading.start(fail);
  };
  const caughtUp = async (sinceElapsedMs: number): Promise<void> => {
    while (!isStopping && failure === null && !reading.knowsSince(sinceElapsedMs)) await sleep(CAUGHT_UP_LOOK_MS);
  };
  return {
    router: reconciliationRoutes({
      clients,
      clock,
      summary,
      stream: live.stream,
      exceptions: (account, limit) => {
        if (failure === null) reading.commit();
        return listExceptions(reading.books, { account, limit, cutoffs: cutoffsOf(reading.evidence(), ages) });
      },
      rebuild: async () => {
        const startedMs = clock.elapsedMs();
        const rebuilt = changing.then(rebuild);
        changing = rebuilt.catch(() => undefined);
        await rebuilt;
        await caughtUp(startedMs);
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
    failed,
    stop: once(async () => {
      live.stop();
      isStopping = true;
      await changing;
      await reading.stop();
    }),
  };
}

type OpenDependencies = ReconciliationDependencies & { readonly clock: Clock };

function tellDiscarded(logger: Logger, error: unknown): void {
  logger.error({ err: error }, "the reconciliation's store is damaged: it is read again from the log");
}

/** The store where it was counted from this very log; else an empty one, for it is a cache of the log. Throws DATA_FOLDER_IN_USE. */
async function openStoreOfLog(
  { folder, rebuild }: ReconciliationOptions & { readonly rebuild: boolean },
  { log, logger }: Pick<OpenDependencies, 'log' | 'logger'>,
): Promise<ReconciliationStore> {
  const onDiscarded = (error: TallyError): void => tellDiscarded(logger, error);
  const store = await openReconciliationStore({ folder, rebuild, onDiscarded });
  try {
    if (store.stored === null || (await isLogOfPositions(store.stored.positions, log))) return store;
  } catch (error) {
    await store.close();
    throw error;
  }
  await store.close();
  const what =
    'the log is not the one that was counted: it was restored, or made anew. It is read again from its start';
  logger.warn({ code: 'LOG_NOT_OF_THIS_STORE' }, what);
  return await openReconciliationStore({ folder, rebuild: true, onDiscarded });
}

/** One store, and the reading of the log into it, from its opening to its end. */
class Reading {
  readonly books: ReconciliationState;
  readonly #reconciler: Reconciler;
  readonly #store: ReconciliationStore;
  readonly #logger: Logger;
  readonly #stopping = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #isSound = true;
  #isOpen = true;

  private constructor(books: ReconciliationState, reconciler: Reconciler, store: ReconciliationStore, logger: Logger) {
    this.books = books;
    this.#reconciler = reconciler;
    this.#store = store;
    this.#logger = logger;
  }

  /** Throws TOPIC_UNKNOWN, DATA_FOLDER_IN_USE. */
  static async open(
    options: ReconciliationOptions & { readonly rebuild: boolean },
    { log, logger, clock }: OpenDependencies,
    copied: (tax: Tax, seconds: number) => void,
  ): Promise<Reading> {
    const store = await openStoreOfLog(options, { log, logger });
    const books = openReconciliationState(store, copied);
    const reconciler = new Reconciler({ ...DEFAULTS, ...options }, { log, store, books, hashes: NODE_HASHES, clock });
    try {
      await reconciler.open();
    } catch (error) {
      await store.close();
      throw error;
    }
    return new Reading(books, reconciler, store, logger);
  }

  start(fail: (error: unknown) => void): void {
    const onRetry = (error: unknown): void => this.#logger.warn({ err: error }, 'trying again');
    this.#running = runReconciler(this.#reconciler, this.#stopping.signal, onRetry).catch((error: unknown) => {
      this.#isSound = false;
      fail(error);
    });
  }

  evidence(): Evidence {
    return this.#reconciler.evidence();
  }

  /** Whether all that the log said until that elapsed time is counted. */
  knowsSince(elapsedMs: number): boolean {
    const { decisionsElapsedMs, blocksElapsedMs } = this.evidence();
    const known = [decisionsElapsedMs, blocksElapsedMs];
    return known.every((untilMs) => untilMs !== null && untilMs >= elapsedMs);
  }

  /** Throws NOT_READY (retriable) where the store is being made anew. */
  commit(): void {
    if (!this.#isOpen) throw new TallyError('NOT_READY', 'the log is being read again', {}, { retriable: true });
    this.#reconciler.commit();
  }

  /** What a halted round left half counted is not stored: the next start reads it again. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    if (this.#isSound) this.#reconciler.commit();
    this.#isOpen = false;
    await this.#reconciler.close();
    await this.#store.close();
  }
}

/** One summary a second for everybody who listens. */
function createLive(summary: () => Summary, everyMs: number, logger: Logger) {
  const stream = createEventStream({ replayEventsMax: 1 });
  const listeners = new Set<(summary: Summary) => void>();
  let id = 0;
  const publish = (): void => {
    if (listeners.size === 0 && stream.readers === 0) return;
    const data = summary();
    id++;
    stream.publish({ event: 'summary', id, data });
    for (const listener of listeners) listener(data);
  };
  const repeated = repeatWork(everyMs, publish, (error) => {
    logger.error({ err: error }, 'a summary could not be made or sent: the next one is tried in its time');
  });
  return {
    stream,
    subscribe: (listener: (summary: Summary) => void): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: (): void => {
      repeated.stop();
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
