import type { EventLog, LogRecord, PartitionPosition } from './event-log.ts';

/** The record at exactly this offset, or null where there is none (outside the log, or an offset without a record). */
export async function readAt(position: PartitionPosition, log: EventLog): Promise<LogRecord | null> {
  const { low, high } = await log.bounds(position);
  if (position.offset < low || position.offset >= high) {
    return null;
  }
  const reader = log.reader([position]);
  try {
    const batches = await reader.poll({ maxBytes: 1, maxRecords: 1, waitMs: 5_000 });
    return batches[0]?.records.find((record) => record.offset === position.offset) ?? null;
  } finally {
    await reader.close();
  }
}
