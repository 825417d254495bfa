import { TallyError } from '../errors/tally-error.ts';
import { codeAt } from './code-at.ts';

const DIGITS: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
const NOT_A_DIGIT = 255;
const VALUES = nibbleValues();

/** Lower-case hex of the bytes. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length === 16) return hexOf16(bytes, 0);
  if (bytes.length === 32) return hexOf16(bytes, 0) + hexOf16(bytes, 16);
  let text = '';
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

const DIGIT_CODES = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const CODES = new Array<number>(32).fill(0);

/** Lower-case hex of the 16 bytes at an offset: ids and pseudonyms, several an entry. One text at once, not one that is put together of sixteen. */
export function hexOf16(bytes: Uint8Array, offset: number): string {
  for (let index = 0; index < 16; index++) {
    const byte = bytes[offset + index] ?? 0;
    CODES[2 * index] = DIGIT_CODES[byte >> 4] ?? 0;
    CODES[2 * index + 1] = DIGIT_CODES[byte & 15] ?? 0;
  }
  return String.fromCharCode.apply(null, CODES);
}

/** The bytes of lower-case hex. Throws HEX_INVALID for anything else (capitals, an odd digit, another length than `bytes`). */
export function fromHex(text: string, bytes: number): Uint8Array {
  const result = new Uint8Array(bytes);
  writeHex(text, result, 0, bytes);
  return result;
}

/** Writes `bytes` bytes of lower-case hex into a buffer at an offset. Throws HEX_INVALID. */
export function writeHex(text: string, into: Uint8Array, offset: number, bytes: number): void {
  let seen = 0;
  if (text.length === 2 * bytes) {
    for (let index = 0; index < bytes; index++) {
      const high = VALUES[codeAt(text, 2 * index)] ?? NOT_A_DIGIT;
      const low = VALUES[codeAt(text, 2 * index + 1)] ?? NOT_A_DIGIT;
      seen |= high | low;
      into[offset + index] = (high << 4) | low;
    }
    if (seen < 16) return;
  }
  throw new TallyError('HEX_INVALID', `expected ${2 * bytes} lower-case hex digits, got ${text.length} characters`, {
    expectedBytes: bytes,
  });
}

function nibbleValues(): Uint8Array {
  const values = new Uint8Array(256).fill(NOT_A_DIGIT);
  for (let value = 0; value < 16; value++) values[value.toString(16).charCodeAt(0)] = value;
  return values;
}
