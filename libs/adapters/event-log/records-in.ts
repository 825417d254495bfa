import type { EventLog } from './event-log.ts';

/** Names the first of some topics that holds records, for a sentence ("the event log's blocks.v1"); null where none does. Throws TOPIC_UNKNOWN. */
export async function recordsIn(log: EventLog, topics: readonly string[]): Promise<string | null> {
  for (const topic of topics) {
    const partitions = Array.from({ length: await log.partitionCount(topic) }, (_, partition) => partition);
    const bounds = await Promise.all(partitions.map((partition) => log.bounds({ topic, partition })));
    if (bounds.some(({ high }) => high > 0)) return `the event log's ${topic}`;
  }
  return null;
}
