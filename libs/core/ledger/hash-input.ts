import { assert } from '../errors/assert.ts';

const ENCODER = new TextEncoder();
const UINT32_RANGE = 2 ** 32;

/**
 * One part of what is hashed, MACed or given to HKDF: a text stands as UTF-8 behind its 4-byte big-endian length, a number (seq, index) as
 * 8 bytes big-endian, bytes of a fixed length stand bare (ledger.md, conventions).
 */
export type HashPart = string | number | Uint8Array;

/** The message of the parts in order. */
export function hashInput(...parts: readonly HashPart[]): Uint8Array {
  const pieces = parts.map(bytesOfPart);
  const message = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    message.set(piece, offset);
    offset += piece.length;
  }
  return message;
}

/** 8 bytes big-endian of a safe integer that is not negative. */
export function uint64(value: number): Uint8Array {
  assert(Number.isSafeInteger(value) && value >= 0, 'a seq or index is a safe integer from 0', { value });
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(value / UINT32_RANGE));
  view.setUint32(4, value % UINT32_RANGE);
  return bytes;
}

/** UTF-8 of a text. */
export function utf8(text: string): Uint8Array {
  return ENCODER.encode(text);
}

function bytesOfPart(part: HashPart): Uint8Array {
  if (typeof part === 'number') return uint64(part);
  if (typeof part !== 'string') return part;
  const text = utf8(part);
  const framed = new Uint8Array(4 + text.length);
  new DataView(framed.buffer).setUint32(0, text.length);
  framed.set(text, 4);
  return framed;
}
