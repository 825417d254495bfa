import { Decompress, decompress } from 'fzstd';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { packedInvalid } from './unpacked-bytes.ts';

const MAGIC = 0xfd2fb528;
/** What a decoder should support at least (RFC 8878, section 3.1.1.1.2): every level of zstd but the ultra ones. */
const WINDOW_BYTES_MAX = 8 * 1024 ** 2;
const WINDOW_BYTES_LOG_MIN = 10;
/** Bits of the frame's descriptor. */
const IS_SINGLE_SEGMENT = 0x20;
const HAS_CHECKSUM = 0x04;
const DICTIONARY = 0x03;
/** Bytes of the content's size by the two highest bits of the descriptor; without any, one where it is a single segment. */
const SIZE_BYTES = [0, 2, 4, 8] as const;
/** A size of two bytes begins there. */
const SIZE_OF_TWO_MIN = 256;
const CHECKSUM_BYTES = 4;
const BLOCK_HEADER_BYTES = 3;

/**
 * Unpacks a batch of records packed with Zstandard (RFC 8878): one frame. What the frame says of itself is bounded before anything is made
 * room for. Throws PACKED_INVALID, UNPACKED_TOO_LARGE.
 */
export function unpackZstd(packed: Buffer, bytesMax: number): Buffer {
  const header = readHeader(packed);
  const { windowBytes, contentBytes } = header;
  const bytes = contentBytes ?? windowBytes;
  if (contentBytes === null ? windowBytes > WINDOW_BYTES_MAX : contentBytes > bytesMax) throw tooLarge(bytes);
  // A second frame could say of itself what it likes.
  if (endOfFrame(packed, header) !== packed.length) throw packedInvalid('zstd', 'it is not one frame');
  try {
    if (contentBytes === null) return unpackParts(packed, bytesMax);
    const unpacked = Buffer.alloc(contentBytes);
    decompress(packed, unpacked);
    return unpacked;
  } catch (error) {
    throw error instanceof TallyError ? error : packedInvalid('zstd', 'it can not be unpacked', error);
  }
}

function unpackParts(packed: Buffer, bytesMax: number): Buffer {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const stream = new Decompress((part) => {
    bytes += part.length;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    parts.push(part);
  });
  stream.push(packed, true);
  return Buffer.concat(parts, bytes);
}

interface FrameHeader {
  /** How far back the frame may refer. */
  readonly windowBytes: number;
  /** Null where it does not say. */
  readonly contentBytes: number | null;
  readonly blocksAt: number;
  readonly tailBytes: number;
}

function readHeader(packed: Buffer): FrameHeader {
  if (packed.length < 6 || packed.readUInt32LE(0) !== MAGIC) throw packedInvalid('zstd', 'it is no frame');
  const descriptor = packed.readUInt8(4);
  if ((descriptor & DICTIONARY) !== 0) throw packedInvalid('zstd', 'it needs a dictionary');
  const isSingle = (descriptor & IS_SINGLE_SEGMENT) !== 0;
  const sizeBytes = SIZE_BYTES[descriptor >> 6] || (isSingle ? 1 : 0);
  const sizeAt = isSingle ? 5 : 6;
  if (sizeAt + sizeBytes > packed.length) throw packedInvalid('zstd', 'it ends too early');
  const contentBytes = sizeBytes === 0 ? null : readSize(packed, sizeAt, sizeBytes);
  const blocksAt = sizeAt + sizeBytes;
  const tailBytes = (descriptor & HAS_CHECKSUM) === 0 ? 0 : CHECKSUM_BYTES;
  if (isSingle) return { windowBytes: contentBytes ?? 0, contentBytes, blocksAt, tailBytes };
  const window = packed.readUInt8(5);
  const windowBytes = 2 ** (WINDOW_BYTES_LOG_MIN + (window >> 3)) * (1 + (window & 7) / 8);
  return { windowBytes, contentBytes, blocksAt, tailBytes };
}

/** Passes over the blocks: of each three bytes say whether it is the last, of which kind it is and how large. */
function endOfFrame(packed: Buffer, { blocksAt, tailBytes }: FrameHeader): number {
  for (let at = blocksAt; at + BLOCK_HEADER_BYTES <= packed.length; ) {
    const header = packed.readUIntLE(at, BLOCK_HEADER_BYTES);
    const isRepeatedByte = ((header >> 1) & 3) === 1;
    at += BLOCK_HEADER_BYTES + (isRepeatedByte ? 1 : header >> 3);
    if ((header & 1) === 1) return at + tailBytes;
  }
  throw packedInvalid('zstd', 'it ends too early');
}

function readSize(packed: Buffer, at: number, bytes: number): number {
  if (bytes === 8) return Number(packed.readBigUInt64LE(at));
  return packed.readUIntLE(at, bytes) + (bytes === 2 ? SIZE_OF_TWO_MIN : 0);
}

function tooLarge(bytes: number): TallyError {
  return new TallyError('UNPACKED_TOO_LARGE', 'it unpacks to more than there is room for', { codec: 'zstd', bytes });
}
