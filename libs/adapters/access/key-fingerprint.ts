import { createHash } from 'node:crypto';

const FINGERPRINT_BYTES = 16;

/**
 * The fingerprint by which data remembers the key that it was made with: the first 16 bytes of SHA-256 over the text
 * `tallystick/key-fingerprint/v1`, the name of the key's file and the key's bytes, each text ended by a line feed; 32 hex digits. It tells nothing of a
 * random key of 32 bytes, and of one key under two names it is not the same.
 */
export function keyFingerprint(name: string, key: Uint8Array): string {
  const digest = createHash('sha256').update(`tallystick/key-fingerprint/v1\n${name}\n`).update(key).digest();
  return digest.toString('hex', 0, FINGERPRINT_BYTES);
}
