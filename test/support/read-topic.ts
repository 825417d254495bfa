import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';

/** Every record that stands in a partition now, in order. */
export async function readTopic(log: EventLog, topic: string, partition: number): Promise<LogRecord[]> {
  const { low, high } = await log.bounds({ topic, partition });
  const records: LogRecord[] = [];
  const reader = log.reader([{ topic, partition, offset: low }]);
  try {
    for (let next = low; next < high; ) {
      for (const batch of await reader.poll({ maxBytes: 32 * 1024 * 1024, maxRecords: 100_000, waitMs: 1_000 })) {
        records.push(...batch.records);
        next = batch.nextOffset;
      }
    }
  } finally {
    await reader.close();
  }
  return records;
}
