import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import type { EventLog, LogRecord, PartitionPosition } from '../../../libs/adapters/event-log/event-log.ts';
import { hasCode } from '../../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../../libs/core/events/tax-event.ts';
import { type NewReservation, reservationKey } from '../store/reservation.ts';
import { hashOfValue } from './compare-with-log.ts';

const POLL = { maxBytes: 4 * 1024 * 1024, maxRecords: 10_000, waitMs: 1_000 } as const;

/** Where a partition ended when it was read, and the SHA-256 of its newest value where one was read. */
export interface ReadEnd extends PartitionPosition {
  readonly hash: string | null;
}

/**
 * Reads the event topics from positions to where the partitions end now, as reservations without a receipt, and gives those ends. Records that
 * are no events are passed over: tax rejects them.
 */
export async function readEvents(
  log: EventLog,
  positions: readonly PartitionPosition[],
  onEvents: (events: readonly NewReservation[]) => Promise<void>,
): Promise<readonly ReadEnd[]> {
  const ends = new Map<string, ReadEnd>();
  const left = new Set<string>();
  for (const position of positions) {
    const { high } = await log.bounds(position);
    const place = `${position.topic}/${position.partition}`;
    ends.set(place, { topic: position.topic, partition: position.partition, offset: high, hash: null });
    if (position.offset < high) left.add(place);
  }
  const reader = log.reader(positions.filter(({ topic, partition }) => left.has(`${topic}/${partition}`)));
  try {
    while (left.size > 0) {
      for (const { topic, partition, records, nextOffset } of await reader.poll(POLL)) {
        await onEvents(records.flatMap(reservationOf));
        const place = `${topic}/${partition}`;
        const high = ends.get(place)?.offset ?? 0;
        const last = records.at(-1);
        if (last !== undefined) {
          ends.set(place, { topic, partition, offset: Math.max(high, nextOffset), hash: hashOfValue(last.value) });
        }
        if (nextOffset >= high) left.delete(place);
      }
    }
  } finally {
    await reader.close();
  }
  return [...ends.values()];
}

function reservationOf(record: LogRecord): NewReservation[] {
  const event = eventOfRecord(record);
  if (event === null) return [];
  const { account, eventId, receivedAtMs } = event;
  const key = reservationKey(account, eventId);
  return [{ key, receipt: 0, index: 0, receivedAtMs, hash: hashOfValue(record.value) }];
}

/** The event of a record; null where the record holds none. */
export function eventOfRecord({ value }: LogRecord): TaxEvent | null {
  if (value === null) return null;
  try {
    return decodeEvent(value);
  } catch (error) {
    if (hasCode(error, 'RECORD_UNREADABLE') || hasCode(error, 'SCHEMA_UNKNOWN')) return null;
    throw error;
  }
}
