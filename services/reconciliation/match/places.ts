import type { TopicPartition } from '../../../libs/adapters/event-log/event-log.ts';

/** The partition of a key that partitionKey made; the store has such keys too. */
export function placeOf(key: string): TopicPartition {
  const slash = key.lastIndexOf('/');
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
}
