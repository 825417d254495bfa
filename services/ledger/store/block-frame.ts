import { assert } from '../../../libs/core/errors/assert.ts';

/** A block for the store, which keeps it under its log index: whose it is, and what its hashes are over. */
export interface StoredBlock {
  /** Number of its chain in this store. */
  readonly chainNumber: number;
  readonly header: string;
  readonly totals: string;
  readonly entries: readonly Uint8Array[];
}

/** The same as it is read: bytes, which are views of the frame. */
export interface BlockBytes {
  readonly chainNumber: number;
  readonly header: Buffer;
  readonly totals: Buffer;
  readonly entries: readonly Buffer[];
}

const FRAME_VERSION = 1;
const FIXED_BYTES = 1 + 4 * 4;

/** version (1), chain number, bytes of header, bytes of totals, count of entries (4 each, big-endian), bytes of each entry (4 each), then all of them. */
export function encodeFrame(block: StoredBlock): Buffer {
  const headerBytes = Buffer.byteLength(block.header);
  const totalsBytes = Buffer.byteLength(block.totals);
  let total = FIXED_BYTES + 4 * block.entries.length + headerBytes + totalsBytes;
  for (const entry of block.entries) total += entry.length;
  const frame = Buffer.allocUnsafe(total);
  frame[0] = FRAME_VERSION;
  frame.writeUInt32BE(block.chainNumber, 1);
  frame.writeUInt32BE(headerBytes, 5);
  frame.writeUInt32BE(totalsBytes, 9);
  frame.writeUInt32BE(block.entries.length, 13);
  let at = FIXED_BYTES;
  for (const entry of block.entries) at = frame.writeUInt32BE(entry.length, at);
  at += frame.write(block.header, at, 'utf8');
  at += frame.write(block.totals, at, 'utf8');
  for (const entry of block.entries) {
    frame.set(entry, at);
    at += entry.length;
  }
  return frame;
}

/** Whose block a frame is, without the rest; undefined where it is no frame. */
export function chainNumberOfFrame(frame: Buffer): number | undefined {
  return frame.length >= FIXED_BYTES && frame[0] === FRAME_VERSION ? frame.readUInt32BE(1) : undefined;
}

/** The block of a frame. Fails the assertion where the frame is not whole: the caller names the block damaged. */
export function decodeFrame(frame: Buffer): BlockBytes {
  assert(frame.length >= FIXED_BYTES && frame[0] === FRAME_VERSION, 'a frame begins with its version');
  const headerBytes = frame.readUInt32BE(5);
  const totalsBytes = frame.readUInt32BE(9);
  const count = frame.readUInt32BE(13);
  let at = FIXED_BYTES + 4 * count;
  assert(at + headerBytes + totalsBytes <= frame.length, 'a frame holds its texts');
  const header = frame.subarray(at, at + headerBytes);
  at += headerBytes;
  const totals = frame.subarray(at, at + totalsBytes);
  at += totalsBytes;
  const entries: Buffer[] = [];
  for (let index = 0; index < count; index += 1) {
    const end = at + frame.readUInt32BE(FIXED_BYTES + 4 * index);
    assert(end <= frame.length, 'a frame holds its entries');
    entries.push(frame.subarray(at, end));
    at = end;
  }
  assert(at === frame.length, 'nothing follows in a frame');
  return { chainNumber: frame.readUInt32BE(1), header, totals, entries };
}
