import { codeAt } from '../../core/encoding/code-at.ts';
import { assert } from '../../core/errors/assert.ts';

/** The partition of a key among `count`, as Kafka's own clients have it: murmur2 of its UTF-8 bytes, made positive, modulo the count. */
export function partitionOf(key: string, count: number): number {
  assert(Number.isSafeInteger(count) && count > 0, 'a topic has at least one partition', { count });
  return (murmur2(bytesOf(key)) & 0x7fffffff) % count;
}

/** The key's bytes; ASCII, as every account is, without a buffer of its own. Good until the next call. */
function bytesOf(key: string): Uint8Array {
  const { length } = key;
  const bytes = SHORT_KEYS[length];
  if (bytes === undefined) return Buffer.from(key);
  for (let index = 0; index < length; index += 1) {
    const code = codeAt(key, index);
    if (code > 0x7f) return Buffer.from(key);
    bytes[index] = code;
  }
  return bytes;
}

/** The 32-bit murmur2 of Kafka (org.apache.kafka.common.utils.Utils), signed. */
export function murmur2(data: Uint8Array): number {
  const length = data.length;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let index = 0; index < whole; index += 4) {
    let word = at(data, index) | (at(data, index + 1) << 8) | (at(data, index + 2) << 16) | (at(data, index + 3) << 24);
    word = Math.imul(word, M);
    word ^= word >>> R;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = length - whole;
  if (rest === 3) hash ^= at(data, whole + 2) << 16;
  if (rest >= 2) hash ^= at(data, whole + 1) << 8;
  if (rest >= 1) hash = Math.imul(hash ^ at(data, whole), M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

const SEED = 0x9747b28c | 0;
const M = 0x5bd1e995;
const R = 24;
/** Room for a key of each length. */
const SHORT_KEYS: readonly Uint8Array[] = Array.from({ length: 64 }, (_, length) => new Uint8Array(length));

function at(data: Uint8Array, index: number): number {
  return data[index] ?? 0;
}
