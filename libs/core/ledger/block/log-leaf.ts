import { uint64 } from '../../encoding/hash-input.ts';
import { type HmacSha256, hmacSha256, SHA256_BYTES } from '../../encoding/sha256.ts';

/** Bytes of a leaf's data in the public log: `slotTag ‖ blockHash`. */
export const LOG_LEAF_BYTES = 2 * SHA256_BYTES;

/** `HMAC(tagKey, seq)`: strangers see that no tag repeats, and learn nothing else (ledger.md section 4). */
export function slotTagOf(tagKey: Uint8Array, seq: number, hmac: HmacSha256 = hmacSha256): Uint8Array {
  return hmac(tagKey, uint64(seq));
}

/** Data of the public log's leaf for a block. */
export function logLeafOf(slotTag: Uint8Array, blockHash: Uint8Array): Uint8Array {
  const leaf = new Uint8Array(LOG_LEAF_BYTES);
  leaf.set(slotTag, 0);
  leaf.set(blockHash, SHA256_BYTES);
  return leaf;
}
