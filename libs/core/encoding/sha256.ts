import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';

/** SHA-256 of bytes or of a text's UTF-8, 32 bytes. Core's own is noble's; a server passes node:crypto's in (libs/adapters/crypto/node-crypto.ts). */
export type Sha256 = (data: Uint8Array | string) => Uint8Array;
/** HMAC-SHA-256, 32 bytes. */
export type HmacSha256 = (key: Uint8Array, message: Uint8Array) => Uint8Array;
/** HKDF-SHA-256 with empty salt (ledger.md, conventions). */
export type HkdfSha256 = (secret: Uint8Array, info: Uint8Array, bytes: number) => Uint8Array;

export const SHA256_BYTES = 32;
const ENCODER = new TextEncoder();

export const sha256: Sha256 = (data) => nobleSha256(typeof data === 'string' ? ENCODER.encode(data) : data);
export const hmacSha256: HmacSha256 = (key, message) => hmac(nobleSha256, key, message);
export const hkdfSha256: HkdfSha256 = (secret, info, bytes) =>
  hkdf(nobleSha256, secret, new Uint8Array(0), info, bytes);
