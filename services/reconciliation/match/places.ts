import type { TopicPartition } from '../../../libs/adapters/event-log/event-log.ts';

/** A partition as the key of a map, and in the store: `<topic>/<partition>`. */
export function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** The partition of such a key. */
export function placeOf(key: string): TopicPartition {
  const slash = key.lastIndexOf('/');
  return { topic: key.slice(0, slash), partition: Number(key.slice(slash + 1)) };
}
