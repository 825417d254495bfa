import { assert } from '../errors/assert.ts';

const ENCODER = new TextEncoder();
const TEXT_LENGTH_BYTES = 4;

/**
 * One part of what is hashed, MACed or given to HKDF: a text stands as UTF-8 behind its 4-byte big-endian length, a number (seq, index) as
 * 8 bytes big-endian, bytes of a fixed length stand bare (ledger.md, conventions).
 */
export type HashPart = string | number | Uint8Array;

/** The message of the parts in order. */
export function hashInput(...parts: readonly HashPart[]): Uint8Array {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const part of parts) {
    const piece = typeof part === 'number' ? uint64(part) : typeof part === 'string' ? utf8(part) : part;
    pieces.push(piece);
    length += typeof part === 'string' ? TEXT_LENGTH_BYTES + piece.length : piece.length;
  }
  const message = new Uint8Array(length);
  let offset = 0;
  for (const [index, piece] of pieces.entries()) {
    if (typeof parts[index] === 'string') offset = writeTextLength(message, offset, piece.length);
    message.set(piece, offset);
    offset += piece.length;
  }
  return message;
}

/** 8 bytes big-endian of a safe integer that is not negative. */
export function uint64(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, 'a seq or index is a safe integer from 0', { value });
  const bytes = new Uint8Array(8);
  let rest = value;
  for (let index = 7; rest > 0; index -= 1) {
    bytes[index] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return bytes;
}

/** UTF-8 of a text. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

/** Gives where the text itself begins. */
function writeTextLength(into: Uint8Array, offset: number, length: number): number {
  into[offset] = length >>> 24;
  into[offset + 1] = length >>> 16;
  into[offset + 2] = length >>> 8;
  into[offset + 3] = length;
  return offset + TEXT_LENGTH_BYTES;
}
