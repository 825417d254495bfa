import { TallyError } from '../errors/tally-error.ts';
import { codeAt } from './code-at.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const NOT_A_DIGIT = 255;
const VALUES = digitValues();
const DIGIT_CODES = Uint8Array.from(ALPHABET, (digit) => digit.charCodeAt(0));
const PADDING_CODE = '='.charCodeAt(0);
/** Bytes that are printed at a time, and for each number of groups of three among them the characters being printed. */
const PIECE_BYTES = 96;
const CODES: readonly number[][] = Array.from({ length: PIECE_BYTES / 3 + 1 }, (_, groups) =>
  new Array<number>(4 * groups).fill(0),
);

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  if (bytes.length <= PIECE_BYTES) return pieceToBase64(bytes, 0, bytes.length);
  let text = '';
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    text += pieceToBase64(bytes, from, Math.min(from + PIECE_BYTES, bytes.length));
  }
  return text;
}

/** Encodes groups of three bytes, the last one perhaps shorter, into one flat text instead of a chain of joined digits. */
function pieceToBase64(bytes: Uint8Array, from: number, to: number): string {
  const groups = Math.ceil((to - from) / 3);
  const codes = CODES[groups] ?? [];
  for (let group = 0; group < groups; group++) {
    const index = from + 3 * group;
    const value = (at(bytes, index) << 16) | (at(bytes, index + 1) << 8) | at(bytes, index + 2);
    codes[4 * group] = digitCode(value >> 18);
    codes[4 * group + 1] = digitCode(value >> 12);
    codes[4 * group + 2] = index + 1 < to ? digitCode(value >> 6) : PADDING_CODE;
    codes[4 * group + 3] = index + 2 < to ? digitCode(value) : PADDING_CODE;
  }
  return String.fromCharCode.apply(null, codes);
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
    const value = VALUES[codeAt(text, index)] ?? NOT_A_DIGIT;
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

function digitCode(value: number): number {
  return DIGIT_CODES[value & 63] ?? 0;
}

function digitValues(): Uint8Array {
  const values = new Uint8Array(256).fill(NOT_A_DIGIT);
  for (let value = 0; value < ALPHABET.length; value++) values[ALPHABET.charCodeAt(value)] = value;
  return values;
}
