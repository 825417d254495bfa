import { TallyError } from '../../core/errors/tally-error.ts';
import type { EventLog, LogRecord, PartitionPosition } from './event-log.ts';

const WAIT_MS = 5_000;
const TRIES = 6;

/**
 * The record at exactly this offset, or null where there is none (outside the log, or an offset without a record). An answer without
 * anything proves nothing: a process that was stopped wakes to a wait that is over while the record still lies in its socket. So it
 * is asked again. Throws LOG_UNAVAILABLE (retriable) where the record's place is in the log and can not be read.
 */
export async function readAt(position: PartitionPosition, log: EventLog): Promise<LogRecord | null> {
  const { topic, partition, offset } = position;
  const { low, high } = await log.bounds(position);
  if (offset < low || offset >= high) {
    return null;
  }
  const reader = log.reader([position]);
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const [batch] = await reader.poll({ maxBytes: 1, maxRecords: 1, waitMs: WAIT_MS });
      if (batch !== undefined && batch.nextOffset > offset) {
        return batch.records.find((record) => record.offset === offset) ?? null;
      }
    }
  } finally {
    await reader.close();
  }
  const message = `what stands in ${topic}/${partition} at offset ${offset} can not be read now`;
  throw new TallyError('LOG_UNAVAILABLE', message, { topic, partition, offset, high }, { retriable: true });
}
