import { canonicalJson } from '../../encoding/canonical-json.ts';
import { toHex } from '../../encoding/hex.ts';
import type { Sha256 } from '../../encoding/sha256.ts';

/**
 * The hash of a till's event as the till sent it, 64 lower-case hex: SHA-256 of its RFC 8785 JSON, which the till's next event carries as
 * `prevHash`. Throws JSON_NOT_CANONICAL.
 */
export function tillEventHash(json: unknown, sha256: Sha256): string {
  return toHex(sha256(new TextEncoder().encode(canonicalJson(json))));
}
