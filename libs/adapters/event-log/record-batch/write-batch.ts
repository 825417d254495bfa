import type { AppendRecord } from '../event-log.ts';
import { compressGzip, KAFKA_CODECS, type KafkaCodec } from './codecs.ts';
import { crc32c } from './crc32c.ts';
import { BATCH_HEADER_BYTES } from './plain-records.ts';

export interface BatchOptions {
  readonly compression: KafkaCodec;
  readonly civilMs: number;
}

/** Attributes, lengths and deltas of a record, and those of a header, at most: a batch is below 1 MiB. */
export const RECORD_OVERHEAD_BYTES = 24;
export const HEADER_OVERHEAD_BYTES = 6;
const MAGIC = 2;
/** Of a batch, where each begins: its length counts from behind itself, its checksum is of what follows it. */
const BATCH_LENGTH_AT = 8;
const BATCH_CRC_AT = 17;
const BATCH_ATTRIBUTES_AT = 21;

/** Bytes that a record takes in a batch, at most. */
export function recordBytes({ key, value, headers }: AppendRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (value?.length ?? 0) + (key === null ? 0 : Buffer.byteLength(key));
  for (const name in headers) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '');
  }
  return bytes;
}

/** Writes the size of a record batch and the batch (Kafka protocol guide, "Record Batch"). */
export async function writeBatch(
  writer: RequestWriter,
  records: readonly AppendRecord[],
  options: BatchOptions,
): Promise<void> {
  const sizeAt = writer.skip(4);
  const begin = writer.skip(BATCH_HEADER_BYTES);
  for (let index = 0; index < records.length; index += 1) writeRecord(writer, records[index] as AppendRecord, index);
  if (options.compression === 'gzip') {
    const bodyAt = begin + BATCH_HEADER_BYTES;
    const packed = await compressGzip({ buffer: Buffer.from(writer.since(bodyAt)) });
    // Where packing makes it larger, by some bytes, there may be no room for it.
    writer.replaceSince(bodyAt, packed);
  }
  writeBatchHeader(writer, begin, records.length, options);
  writer.patchInt32(sizeAt, writer.at - begin);
}

function writeBatchHeader(writer: RequestWriter, begin: number, count: number, options: BatchOptions): void {
  const end = writer.at;
  writer.at = begin;
  writer.writeInt64(0n);
  writer.writeInt32(end - begin - BATCH_LENGTH_AT - 4);
  writer.writeInt32(0);
  writer.writeInt8(MAGIC);
  writer.writeInt32(0);
  writer.writeInt16(KAFKA_CODECS[options.compression]);
  writer.writeInt32(count - 1);
  const civilMs = BigInt(options.civilMs);
  writer.writeInt64(civilMs);
  writer.writeInt64(civilMs);
  // No producer id, epoch or sequence: appends are not idempotent, what is unknown is read back.
  writer.writeInt64(-1n);
  writer.writeInt16(0);
  writer.writeInt32(0);
  writer.writeInt32(count);
  writer.at = end;
  writer.patchInt32(begin + BATCH_CRC_AT, crc32c(writer.bytes, begin + BATCH_ATTRIBUTES_AT, end) | 0);
}

function writeRecord(writer: RequestWriter, { key, value, headers }: AppendRecord, offsetDelta: number): void {
  const keyBytes = key === null ? -1 : Buffer.byteLength(key);
  const valueBytes = value === null ? -1 : value.length;
  const names = headers === undefined ? [] : Object.keys(headers);
  let size = 2 + sizeOfVarint(offsetDelta) + sizeOfVarint(keyBytes) + sizeOfVarint(valueBytes);
  size += Math.max(keyBytes, 0) + Math.max(valueBytes, 0) + sizeOfVarint(names.length);
  for (const name of names) size += sizeOfText(name) + sizeOfText(headers?.[name] ?? '');
  writer.writeVarint(size);
  // Attributes and the delta of its time.
  writer.writeInt8(0);
  writer.writeInt8(0);
  writer.writeVarint(offsetDelta);
  writer.writeVarint(keyBytes);
  if (key !== null) writer.writeText(key);
  writer.writeVarint(valueBytes);
  if (value !== null) writer.writeBytes(value);
  writer.writeVarint(names.length);
  for (const name of names) {
    for (const text of [name, headers?.[name] ?? '']) {
      writer.writeVarint(Buffer.byteLength(text));
      writer.writeText(text);
    }
  }
}

function sizeOfText(text: string): number {
  const bytes = Buffer.byteLength(text);
  return bytes + sizeOfVarint(bytes);
}

function sizeOfVarint(value: number): number {
  let left = zigzag(value);
  let bytes = 1;
  for (; left > 0x7f; left >>>= 7) bytes += 1;
  return bytes;
}

/** Small numbers of either sign as small numbers. */
function zigzag(value: number): number {
  return ((value << 1) ^ (value >> 31)) >>> 0;
}

/** One buffer that is filled from its beginning; its room is known before. */
export class RequestWriter {
  bytes: Buffer;
  at = 0;

  constructor(room: number) {
    this.bytes = Buffer.allocUnsafe(room);
  }

  /** Leaves room, and gives where it begins. */
  skip(count: number): number {
    this.at += count;
    return this.at - count;
  }

  writeInt8(value: number): void {
    this.at = this.bytes.writeInt8(value, this.at);
  }

  writeInt16(value: number): void {
    this.at = this.bytes.writeInt16BE(value, this.at);
  }

  writeInt32(value: number): void {
    this.at = this.bytes.writeInt32BE(value, this.at);
  }

  writeInt64(value: bigint): void {
    this.at = this.bytes.writeBigInt64BE(value, this.at);
  }

  writeVarint(value: number): void {
    let left = zigzag(value);
    for (; left > 0x7f; left >>>= 7) {
      this.bytes[this.at] = (left & 0x7f) | 0x80;
      this.at += 1;
    }
    this.bytes[this.at] = left;
    this.at += 1;
  }

  writeText(text: string): void {
    this.at += this.bytes.write(text, this.at, 'utf8');
  }

  writeBytes(bytes: Buffer): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  patchInt32(at: number, value: number): void {
    this.bytes.writeInt32BE(value, at);
  }

  since(from: number): Buffer {
    return this.bytes.subarray(from, this.at);
  }

  /** Writes other bytes in the place of those since then; makes room where they are more. */
  replaceSince(from: number, bytes: Buffer): void {
    const more = from + bytes.length - this.at;
    if (more > 0) this.bytes = Buffer.concat([this.bytes, Buffer.allocUnsafe(more)]);
    this.at = from;
    this.writeBytes(bytes);
  }

  taken(): Buffer {
    return this.bytes.subarray(0, this.at);
  }
}
