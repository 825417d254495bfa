import { hash as digest } from 'node:crypto';
import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { EventLog, LogRecord, PartitionPosition } from '../../libs/adapters/event-log/event-log.ts';
import { hasCode } from '../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { type NewReservation, type ReservationStore, reservationKey } from './reservation-store.ts';
import type { OpenReceipt } from './take-events.ts';

const POLL = { maxBytes: 4 * 1024 * 1024, maxRecords: 10_000, waitMs: 1_000 } as const;

export interface RestoreDependencies {
  readonly log: EventLog;
  readonly store: ReservationStore;
  /** Partitions of each event topic. */
  readonly partitions: ReadonlyMap<string, number>;
}

/**
 * Brings the store to what the log holds: the whole of the event topics where the store is new or was lost; else what a crash between
 * reserve and settle left open. Gives the receipts that stay open: a retry of theirs is appended as it was reserved.
 */
export async function restoreReservations(dependencies: RestoreDependencies): Promise<Map<number, OpenReceipt>> {
  const { store } = dependencies;
  if (!store.isComplete) {
    await rebuild(dependencies);
    await store.setComplete();
  }
  const open = new Map<number, OpenReceipt>();
  for (const [number, pending] of store.pending()) {
    open.set(number, { from: pending.from, appended: new Set(pending.appended), size: pending.size });
  }
  if (open.size > 0) await settleOpen(dependencies, open);
  return open;
}

async function rebuild(dependencies: RestoreDependencies): Promise<void> {
  const all: PartitionPosition[] = [];
  for (const [topic, partitions] of dependencies.partitions) {
    for (let partition = 0; partition < partitions; partition += 1) {
      const { low } = await dependencies.log.bounds({ topic, partition });
      all.push({ topic, partition, offset: low });
    }
  }
  await readFrom(dependencies.log, all, async (events) => {
    await dependencies.store.restore(events.map(({ reservation }) => reservation));
  });
}

async function settleOpen(dependencies: RestoreDependencies, open: Map<number, OpenReceipt>): Promise<void> {
  const { store, log } = dependencies;
  const ends = await readFrom(log, earliest([...open.values()]), async (events) => {
    for (const { reservation } of events) {
      const known = store.reservation(reservation.key);
      if (known !== null && known.hash === reservation.hash) open.get(known.receipt)?.appended.add(known.index);
    }
  });
  const done = [...open].filter(([, { appended, size }]) => appended.size >= size).map(([number]) => number);
  for (const number of done) open.delete(number);
  // what was not found so far can only come to stand behind what was read
  for (const [number, receipt] of open) open.set(number, { ...receipt, from: ends });
  const stillPending = [...open].map(
    ([number, { from, appended, size }]) => [number, { from, appended: [...appended], size }] as const,
  );
  await store.settle(done, new Map(stillPending));
}

function earliest(receipts: readonly OpenReceipt[]): PartitionPosition[] {
  const found = new Map<string, PartitionPosition>();
  for (const position of receipts.flatMap(({ from }) => from)) {
    const place = `${position.topic} ${position.partition}`;
    const before = found.get(place);
    if (before === undefined || position.offset < before.offset) found.set(place, position);
  }
  return [...found.values()];
}

interface ReadEvent {
  readonly event: TaxEvent;
  readonly reservation: NewReservation;
}

/** Reads from positions to where the partitions end now, and gives those ends. Records that are no events are passed over: tax rejects them. */
async function readFrom(
  log: EventLog,
  positions: readonly PartitionPosition[],
  onEvents: (events: readonly ReadEvent[]) => Promise<void>,
): Promise<PartitionPosition[]> {
  const ends = await Promise.all(
    positions.map(async ({ topic, partition }) => ({
      topic,
      partition,
      offset: (await log.bounds({ topic, partition })).high,
    })),
  );
  const left = new Map(ends.map((end) => [`${end.topic} ${end.partition}`, end.offset]));
  for (const { topic, partition, offset } of positions) {
    const place = `${topic} ${partition}`;
    if (offset >= (left.get(place) ?? 0)) left.delete(place);
  }
  const reader = log.reader(positions.filter(({ topic, partition }) => left.has(`${topic} ${partition}`)));
  try {
    while (left.size > 0) {
      for (const { topic, partition, records, nextOffset } of await reader.poll(POLL)) {
        await onEvents(records.flatMap(eventsOf));
        const place = `${topic} ${partition}`;
        if (nextOffset >= (left.get(place) ?? 0)) left.delete(place);
      }
    }
  } finally {
    await reader.close();
  }
  return ends;
}

function eventsOf(record: LogRecord): ReadEvent[] {
  if (record.value === null) return [];
  const event = decoded(record.value);
  if (event === null) return [];
  const { account, eventId, receivedAtMs } = event;
  const hash = digest('sha256', record.value, 'hex');
  return [{ event, reservation: { key: reservationKey(account, eventId), receipt: 0, index: 0, receivedAtMs, hash } }];
}

function decoded(value: Buffer): TaxEvent | null {
  try {
    return decodeEvent(value);
  } catch (error) {
    if (hasCode(error, 'RECORD_UNREADABLE') || hasCode(error, 'SCHEMA_UNKNOWN')) return null;
    throw error;
  }
}
