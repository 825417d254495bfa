import { TallyError } from '../errors/tally-error.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NOT_A_DIGIT = 255;
const VALUES = digitValues();

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  let index = 0;
  for (; index + 2 < bytes.length; index += 3) {
    const group = (at(bytes, index) << 16) | (at(bytes, index + 1) << 8) | at(bytes, index + 2);
    text += digit(group >> 18) + digit(group >> 12) + digit(group >> 6) + digit(group);
  }
  const left = bytes.length - index;
  if (left === 1) {
    const group = at(bytes, index) << 16;
    text += `${digit(group >> 18) + digit(group >> 12)}==`;
  } else if (left === 2) {
    const group = (at(bytes, index) << 16) | (at(bytes, index + 1) << 8);
    text += `${digit(group >> 18) + digit(group >> 12) + digit(group >> 6)}=`;
  }
  return text;
}

/**
 * The bytes of canonical base64: with padding, without blanks, unused bits zero. Throws BASE64_INVALID for anything else, and for another
 * length than `bytes` where that is given.
 */
export function fromBase64(text: string, bytes?: number): Uint8Array {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const result = new Uint8Array(Math.ceil(text.length / 4) * 3 - padding);
  if (text.length % 4 !== 0 || (bytes !== undefined && result.length !== bytes)) throw invalid(bytes);
  let held = 0;
  let heldBits = 0;
  let written = 0;
  for (let index = 0; index < digits; index++) {
    const value = VALUES[text.charCodeAt(index)] ?? NOT_A_DIGIT;
    if (value === NOT_A_DIGIT) throw invalid(bytes);
    held = ((held << 6) | value) & 0xffff;
    heldBits += 6;
    if (heldBits >= 8) {
      heldBits -= 8;
      result[written++] = (held >> heldBits) & 0xff;
    }
  }
  // Canonical: the bits of the last digit that belong to no byte are zero.
  if ((held & ((1 << heldBits) - 1)) !== 0 || written !== result.length) throw invalid(bytes);
  return result;
}

function invalid(bytes: number | undefined): TallyError {
  const length = bytes === undefined ? '' : ` of ${bytes} bytes`;
  return new TallyError('BASE64_INVALID', `expected canonical standard base64 with padding${length}`, {
    expectedBytes: bytes ?? null,
  });
}

function at(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}

function digit(value: number): string {
  return ALPHABET.charAt(value & 63);
}

function digitValues(): Uint8Array {
  const values = new Uint8Array(256).fill(NOT_A_DIGIT);
  for (let value = 0; value < ALPHABET.length; value++) values[ALPHABET.charCodeAt(value)] = value;
  return values;
}
