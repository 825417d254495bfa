import { crc32 } from 'node:zlib';

/** CRC-32 as 8 hex digits. */
const SEAL_CHARACTERS = 8;

/** A text as it is stored under a key: behind the CRC-32 of key and text, so that one that was changed, or stands under another key, is found out. */
export function sealText(key: Uint8Array | string, text: string): string {
  return seal(crc32(text, crc32(key))) + text;
}

/** The text that was stored under the key; null where it is not what was written. */
export function openSealedText(key: Uint8Array | string, sealed: string): string | null {
  const text = sealed.slice(SEAL_CHARACTERS);
  return sealed.startsWith(seal(crc32(text, crc32(key)))) ? text : null;
}

/** The same of the bytes as they stand in the file. */
export function isSealedValue(key: Buffer, value: Buffer): boolean {
  const text = value.subarray(SEAL_CHARACTERS);
  return value.toString('latin1', 0, SEAL_CHARACTERS) === seal(crc32(text, crc32(key)));
}

function seal(checksum: number): string {
  return checksum.toString(16).padStart(SEAL_CHARACTERS, '0');
}
