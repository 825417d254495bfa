import type { TopicPartition } from '../event-log.ts';

/** A partition as this log keeps it: its records are those of the offsets [low, high). */
export interface Partition extends TopicPartition {
  readonly topicId: number;
  low: number;
  high: number;
}

const KEY_BYTES = 16;

/** The key of the chunk that begins at an offset: topic, partition (4 bytes each) and offset (8 bytes), big-endian, so that keys sort by them. */
export function chunkKey(partition: Partition, offset: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt32BE(partition.topicId, 0);
  key.writeUInt32BE(partition.partition, 4);
  key.writeUInt32BE(Math.floor(offset / 2 ** 32), 8);
  key.writeUInt32BE(offset % 2 ** 32, 12);
  return key;
}

/** A prefix that sorts before every key of the partition and after all of the one before. */
export function partitionPrefix(partition: Partition): Buffer {
  return chunkKey(partition, 0).subarray(0, 8);
}

/** The offset in a key. */
export function offsetOfKey(key: Uint8Array): number {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return bytes.readUInt32BE(8) * 2 ** 32 + bytes.readUInt32BE(12);
}
