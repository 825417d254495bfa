import type { EventLog, PartitionPosition } from '../../../libs/adapters/event-log/event-log.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import type { LogEnd, PendingReceipt } from '../store/reservation.ts';
import type { ReservationStore } from '../store/reservation-store.ts';
import { compareWithLog } from './compare-with-log.ts';
import type { OpenReceipt } from './plan-group.ts';
import { readEvents } from './read-logged-events.ts';
import { FoundEvents } from './recount-receipts.ts';

export interface RestoreDependencies {
  readonly log: EventLog;
  readonly store: ReservationStore;
  /** Partitions of each event topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** The id of the log (log-register.ts). */
  readonly logId: string;
  readonly logger: Logger;
}

/**
 * Brings the store to what the log holds, so that a receipt is answered only for what stands in it. Where the store is new, was lost, is from
 * before it knew its log, or is ahead of the log, the whole of the event topics is read; else what came to stand in them since the store was
 * last settled: after a crash that, in a store restored from an older backup more. Gives the receipts that are open: a repeat of theirs
 * is appended as it was reserved. Throws LOG_NOT_OF_THIS_STORE.
 */
export async function restoreReservations(dependencies: RestoreDependencies): Promise<Map<number, OpenReceipt>> {
  const standing = await compareWithLog(dependencies);
  if (standing === 'atOrBehind') await catchUp(dependencies);
  else await recount(dependencies, standing === 'ahead');
  const open = new Map<number, OpenReceipt>();
  for (const [number, pending] of dependencies.store.pending()) {
    open.set(number, { from: pending.from, appended: new Set(pending.appended), size: pending.size });
  }
  return open;
}

/** Reads all that the log holds: what the store has beyond it is open again. */
async function recount(dependencies: RestoreDependencies, isAhead: boolean): Promise<void> {
  const { store, log, logId, logger } = dependencies;
  await store.beginRecount();
  const starts = await Promise.all(
    placesOf(dependencies.partitions).map(async (place) => ({ ...place, offset: (await log.bounds(place)).low })),
  );
  const found = new FoundEvents();
  let rebuilt = 0;
  const ends = await readEvents(log, starts, async (events) => {
    const unknown = events.filter(({ key, hash }) => {
      const known = store.reservation(key);
      if (known !== null && known.hash === hash) found.add(known.receipt, known.index);
      return known === null;
    });
    rebuilt += unknown.length;
    await store.restore(unknown);
  });
  const from = ends.map(withoutHash);
  const pending = new Map<number, PendingReceipt>();
  let lost = 0;
  for (const [number, size] of store.receiptSizes()) {
    const appended = found.of(number, size);
    if (appended.length === size) continue;
    pending.set(number, { from, appended, size });
    lost += size - appended.length;
  }
  await store.endRecount(logId, ends.filter(hasRecord), pending);
  const counts = { events: lost, receipts: pending.size, rebuilt };
  if (isAhead) {
    const what = 'the log holds less than this gateway appended: it is older. What is sent again is appended again';
    logger.warn({ code: 'LOG_OLDER_THAN_STORE', ...counts }, what);
  } else if (lost > 0 || rebuilt > 0) {
    logger.info(counts, 'the reservations were made from the log; events of receipts that are open are not in it');
  }
}

/** Reads what the log holds beyond what the store knows. */
async function catchUp({ store, log, partitions, logger }: RestoreDependencies): Promise<void> {
  const pending = new Map<number, PendingReceipt>(store.pending());
  const appended = new Map([...pending].map(([number, one]) => [number, new Set(one.appended)]));
  let restored = 0;
  const ends = await readEvents(log, beginnings(store, partitions, pending), async (events) => {
    const unknown = events.filter(({ key, hash }) => {
      const known = store.reservation(key);
      if (known !== null && known.hash === hash) appended.get(known.receipt)?.add(known.index);
      return known === null;
    });
    restored += unknown.length;
    await store.restore(unknown);
  });
  const from = ends.map(withoutHash);
  const done: number[] = [];
  for (const [number, { size }] of pending) {
    const known = [...(appended.get(number) ?? [])];
    // what was not found so far can only come to stand behind what was read
    if (known.length < size) pending.set(number, { from, appended: known, size });
    else {
      pending.delete(number);
      done.push(number);
    }
  }
  await store.settle(done, pending, ends.filter(hasRecord));
  if (restored === 0) return;
  const what =
    "this gateway's store is older than the log: what it lacked was taken from there. The vault has no National Insurance number of those events";
  logger.warn({ code: 'STORE_OLDER_THAN_LOG', events: restored }, what);
}

/** In each partition the place up to which the store knows everything. */
function beginnings(
  store: ReservationStore,
  partitions: ReadonlyMap<string, number>,
  pending: ReadonlyMap<number, PendingReceipt>,
): readonly PartitionPosition[] {
  const known = new Map<string, PartitionPosition>();
  for (const place of placesOf(partitions)) known.set(`${place.topic}/${place.partition}`, { ...place, offset: 0 });
  for (const { topic, partition, offset } of store.ends()) {
    known.set(`${topic}/${partition}`, { topic, partition, offset });
  }
  for (const { topic, partition, offset } of [...pending.values()].flatMap(({ from }) => from)) {
    const before = known.get(`${topic}/${partition}`);
    if (before === undefined || offset < before.offset) {
      known.set(`${topic}/${partition}`, { topic, partition, offset });
    }
  }
  return [...known.values()];
}

function placesOf(partitions: ReadonlyMap<string, number>) {
  return [...partitions].flatMap(([topic, count]) =>
    Array.from({ length: count }, (_, partition) => ({ topic, partition })),
  );
}

function withoutHash({ topic, partition, offset }: PartitionPosition): PartitionPosition {
  return { topic, partition, offset };
}

function hasRecord(end: PartitionPosition & { readonly hash: string | null }): end is LogEnd {
  return end.hash !== null;
}
