import { packedInvalid, UnpackedBytes } from './unpacked-bytes.ts';

const MAGIC = 0x184d2204;
const VERSION = 1;
/** Bits of the frame's flags. */
const HAS_BLOCK_CHECKSUMS = 0x10;
const HAS_CONTENT_SIZE = 0x08;
const HAS_CONTENT_CHECKSUM = 0x04;
const HAS_DICTIONARY = 0x01;
const CHECKSUM_BYTES = 4;
/** Set in the size of a block that is stored as it is. */
const IS_STORED = 0x80000000;
/** A length of 15 in the token goes on in the bytes behind it. */
const LONG = 15;
const MATCH_BYTES_MIN = 4;

/**
 * Unpacks a batch of records packed with LZ4: one frame (lz4, doc/lz4_Frame_format.md and lz4_Block_format.md). Written here because the
 * packages for it bound nothing or are native code. Checksums are passed over: the broker has checked the batch's own. Throws
 * PACKED_INVALID, UNPACKED_TOO_LARGE.
 */
export function unpackLz4(packed: Buffer, bytesMax: number): Buffer {
  const unpacked = new UnpackedBytes('lz4', bytesMax);
  const { at: blocksAt, blockTailBytes, frameTailBytes } = readHeader(packed);
  let at = blocksAt;
  for (;;) {
    const size = readUint32(packed, at);
    at += 4;
    if (size === 0) break;
    const bytes = size % IS_STORED;
    if (at + bytes > packed.length) throw packedInvalid('lz4', 'it ends too early');
    if (size >= IS_STORED) unpacked.literals(packed, at, bytes);
    else unpackBlock(packed.subarray(at, at + bytes), unpacked);
    at += bytes + blockTailBytes;
  }
  if (at + frameTailBytes !== packed.length) throw packedInvalid('lz4', 'it is not one frame');
  return unpacked.taken();
}

interface FrameHeader {
  /** Where the blocks begin. */
  readonly at: number;
  readonly blockTailBytes: number;
  readonly frameTailBytes: number;
}

function readHeader(packed: Buffer): FrameHeader {
  if (readUint32(packed, 0) !== MAGIC) throw packedInvalid('lz4', 'it is no frame');
  const flags = packed[4] ?? 0;
  if (flags >> 6 !== VERSION) throw packedInvalid('lz4', 'its version is another');
  if ((flags & HAS_DICTIONARY) !== 0) throw packedInvalid('lz4', 'it needs a dictionary');
  // magic, flags, largest block, size of the content, checksum of the header
  return {
    at: 6 + ((flags & HAS_CONTENT_SIZE) === 0 ? 0 : 8) + 1,
    blockTailBytes: (flags & HAS_BLOCK_CHECKSUMS) === 0 ? 0 : CHECKSUM_BYTES,
    frameTailBytes: (flags & HAS_CONTENT_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES,
  };
}

/** Literals and matches by turns; the last ones are literals. Matches may go back into earlier blocks. */
function unpackBlock(block: Buffer, unpacked: UnpackedBytes): void {
  let at = 0;
  const lengthOf = (inToken: number): number => {
    let length = inToken;
    for (let more = inToken === LONG; more; at += 1) {
      const byte = block[at];
      if (byte === undefined) throw packedInvalid('lz4', 'it ends too early');
      length += byte;
      more = byte === 0xff;
    }
    return length;
  };
  for (;;) {
    const token = block[at];
    if (token === undefined) throw packedInvalid('lz4', 'it ends too early');
    at += 1;
    const literals = lengthOf(token >> 4);
    unpacked.literals(block, at, literals);
    at += literals;
    if (at === block.length) return;
    if (at + 2 > block.length) throw packedInvalid('lz4', 'it ends too early');
    const distance = block.readUInt16LE(at);
    at += 2;
    unpacked.match(distance, MATCH_BYTES_MIN + lengthOf(token & LONG));
  }
}

function readUint32(packed: Buffer, at: number): number {
  if (at + 4 > packed.length) throw packedInvalid('lz4', 'it ends too early');
  return packed.readUInt32LE(at);
}
