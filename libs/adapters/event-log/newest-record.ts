import type { EventLog, PartitionPosition } from './event-log.ts';
import { partitionKey } from './partition-key.ts';

const POLL = { maxBytes: 4 * 1024 * 1024, maxRecords: 1_000, waitMs: 500 } as const;
/** It is for a warning: a log that does not answer in so many polls says nothing. */
const POLLS_MAX = 10;

/** The log's time of the newest of the last records of these topics' partitions, milliseconds since 1970; null where they hold none. */
export async function newestRecordMs(log: EventLog, topics: readonly string[]): Promise<number | null> {
  const last: PartitionPosition[] = [];
  for (const topic of topics) {
    const partitions = await log.partitionCount(topic);
    for (let partition = 0; partition < partitions; partition += 1) {
      const { low, high } = await log.bounds({ topic, partition });
      if (high > low) last.push({ topic, partition, offset: high - 1 });
    }
  }
  if (last.length === 0) return null;
  const reader = log.reader(last);
  const left = new Set(last.map(partitionKey));
  let newestMs: number | null = null;
  try {
    for (let polls = 0; polls < POLLS_MAX && left.size > 0; polls += 1) {
      for (const { topic, partition, records } of await reader.poll(POLL)) {
        left.delete(partitionKey({ topic, partition }));
        for (const { timestampMs } of records) newestMs = Math.max(newestMs ?? timestampMs, timestampMs);
      }
    }
  } finally {
    await reader.close();
  }
  return newestMs;
}
