import { packedInvalid, UnpackedBytes } from './unpacked-bytes.ts';

/** Of snappy-java's stream, in which Kafka's Java clients put their blocks; librdkafka sends one block as it is. */
const STREAM_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
/** Magic, then two version numbers of 4 bytes. */
const STREAM_HEADER_BYTES = 16;
const LENGTH_BYTES_MAX = 5;
/** The low bits of a tag. */
const LITERALS = 0;
const MATCH_NEAR = 1;
const MATCH_FAR = 2;
/** Lengths of literals from here on stand in the bytes behind the tag. */
const LONG_LITERALS = 60;

/**
 * Unpacks a batch of records packed with snappy (google/snappy, format_description.txt). Written here because what there is of it in
 * JavaScript makes room for as much as the packed bytes claim: ten bytes can claim 4 GiB. Throws PACKED_INVALID, UNPACKED_TOO_LARGE.
 */
export function unpackSnappy(packed: Buffer, bytesMax: number): Buffer {
  const unpacked = new UnpackedBytes('snappy', bytesMax);
  if (!packed.subarray(0, STREAM_MAGIC.length).equals(STREAM_MAGIC)) {
    unpackBlock(packed, unpacked);
    return unpacked.taken();
  }
  for (let at = STREAM_HEADER_BYTES; at < packed.length; ) {
    if (at + 4 > packed.length) throw packedInvalid('snappy', 'it ends too early');
    const end = at + 4 + packed.readUInt32BE(at);
    if (end > packed.length) throw packedInvalid('snappy', 'it ends too early');
    unpackBlock(packed.subarray(at + 4, end), unpacked);
    at = end;
  }
  return unpacked.taken();
}

function unpackBlock(block: Buffer, unpacked: UnpackedBytes): void {
  const begin = unpacked.length;
  const { value: bytes, at: bodyAt } = readLength(block);
  let at = bodyAt;
  while (at < block.length) {
    const tag = block[at] as number;
    const kind = tag & 3;
    at += 1;
    if (kind === LITERALS) {
      const extra = Math.max(0, (tag >> 2) - LONG_LITERALS + 1);
      const count = 1 + (extra === 0 ? tag >> 2 : readUint(block, at, extra));
      unpacked.literals(block, at + extra, count);
      at += extra + count;
    } else if (kind === MATCH_NEAR) {
      unpacked.match(((tag >> 5) << 8) | readUint(block, at, 1), 4 + ((tag >> 2) & 7));
      at += 1;
    } else {
      const width = kind === MATCH_FAR ? 2 : 4;
      unpacked.match(readUint(block, at, width), 1 + (tag >> 2));
      at += width;
    }
  }
  if (unpacked.length - begin !== bytes) throw packedInvalid('snappy', 'it is not as long as it says');
}

/** The length of a block, seven bits a byte, the lowest first. */
function readLength(block: Buffer): { readonly value: number; readonly at: number } {
  let value = 0;
  for (let at = 0; at < Math.min(block.length, LENGTH_BYTES_MAX); at += 1) {
    const byte = block[at] as number;
    value += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80) return { value, at: at + 1 };
  }
  throw packedInvalid('snappy', 'it has no length');
}

function readUint(block: Buffer, at: number, bytes: number): number {
  if (at + bytes > block.length) throw packedInvalid('snappy', 'it ends too early');
  return block.readUIntLE(at, bytes);
}
