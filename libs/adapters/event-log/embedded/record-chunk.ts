import { crc32 } from 'node:zlib';
import { TallyError } from '../../../core/errors/tally-error.ts';
import type { AppendRecord, LogRecord } from '../event-log.ts';

/**
 * A chunk: neighbouring records of one partition, packed into one value of the embedded log. Layout, little-endian:
 * u32 CRC-32 of all that follows, u8 version (1), u32 count, f64 time of append (ms since 1970), then for each record
 * u16 length of its key (65,535: none), u32 length of its value (2^32-1: none), u8 number of headers, key, value,
 * for each header u16 and u16 lengths, name, text.
 */
const HEAD_BYTES = 17;
const RECORD_HEAD_BYTES = 7;
const NO_KEY = 0xffff;
const NO_VALUE = 0xffff_ffff;
const VERSION = 1;

/** Longest key, header name or header text, bytes. */
export const SHORT_TEXT_BYTES_MAX = 4096;
export const HEADERS_MAX = 64;

export function packedBytes(record: AppendRecord): number {
  let bytes = RECORD_HEAD_BYTES + (record.value?.length ?? 0);
  if (record.key !== null) {
    bytes += Buffer.byteLength(record.key);
  }
  for (const [name, text] of Object.entries(record.headers ?? {})) {
    bytes += 4 + Buffer.byteLength(name) + Buffer.byteLength(text);
  }
  return bytes;
}

/** Packs records whose packedBytes add up to `bytes`. */
export function packChunk(records: readonly AppendRecord[], bytes: number, timestampMs: number): Buffer {
  const chunk = Buffer.allocUnsafe(HEAD_BYTES + bytes);
  chunk.writeUInt8(VERSION, 4);
  chunk.writeUInt32LE(records.length, 5);
  chunk.writeDoubleLE(timestampMs, 9);
  let at = HEAD_BYTES;
  for (const record of records) {
    at = packRecord(chunk, at, record);
  }
  chunk.writeUInt32LE(crc32(chunk.subarray(4)), 0);
  return chunk;
}

function packRecord(chunk: Buffer, start: number, record: AppendRecord): number {
  let at = start + RECORD_HEAD_BYTES;
  let keyBytes = NO_KEY;
  if (record.key !== null) {
    keyBytes = chunk.write(record.key, at);
    at += keyBytes;
  }
  let valueBytes = NO_VALUE;
  if (record.value !== null) {
    valueBytes = record.value.length;
    chunk.set(record.value, at);
    at += valueBytes;
  }
  const headers = record.headers === undefined ? [] : Object.entries(record.headers);
  chunk.writeUInt16LE(keyBytes, start);
  chunk.writeUInt32LE(valueBytes, start + 2);
  chunk.writeUInt8(headers.length, start + 6);
  for (const [name, text] of headers) {
    const nameBytes = chunk.write(name, at + 4);
    const textBytes = chunk.write(text, at + 4 + nameBytes);
    chunk.writeUInt16LE(nameBytes, at);
    chunk.writeUInt16LE(textBytes, at + 2);
    at += 4 + nameBytes + textBytes;
  }
  return at;
}

/** Reads one chunk record by record; values are views of the chunk, never copies. Throws LOG_CORRUPT where the checksum differs. */
export class ChunkReader {
  readonly count: number;
  readonly #chunk: Buffer;
  readonly #timestampMs: number;
  readonly #baseOffset: number;
  #index = 0;
  #at = HEAD_BYTES;

  constructor(chunk: Buffer, baseOffset: number, place: Readonly<Record<string, unknown>>) {
    if (chunk.length < HEAD_BYTES || chunk[4] !== VERSION || crc32(chunk.subarray(4)) !== chunk.readUInt32LE(0)) {
      throw new TallyError('LOG_CORRUPT', 'a stored chunk of the event log does not have its checksum', {
        ...place,
        offset: baseOffset,
      });
    }
    this.#chunk = chunk;
    this.#baseOffset = baseOffset;
    this.count = chunk.readUInt32LE(5);
    this.#timestampMs = chunk.readDoubleLE(9);
  }

  /** Offset of the record that `next` gives. */
  get offset(): number {
    return this.#baseOffset + this.#index;
  }

  get done(): boolean {
    return this.#index >= this.count;
  }

  /** Bytes that the next record takes, key and headers' lengths apart. */
  get nextValueBytes(): number {
    const bytes = this.#chunk.readUInt32LE(this.#at + 2);
    return bytes === NO_VALUE ? 0 : bytes;
  }

  skipTo(offset: number): void {
    while (!this.done && this.offset < offset) {
      this.next();
    }
  }

  next(): LogRecord {
    const chunk = this.#chunk;
    const keyBytes = chunk.readUInt16LE(this.#at);
    const valueBytes = chunk.readUInt32LE(this.#at + 2);
    const headerCount = chunk.readUInt8(this.#at + 6);
    const offset = this.offset;
    let at = this.#at + RECORD_HEAD_BYTES;
    let key: string | null = null;
    if (keyBytes !== NO_KEY) {
      key = chunk.toString('utf8', at, at + keyBytes);
      at += keyBytes;
    }
    let value: Buffer | null = null;
    if (valueBytes !== NO_VALUE) {
      value = chunk.subarray(at, at + valueBytes);
      at += valueBytes;
    }
    this.#at = at;
    this.#index += 1;
    return { offset, timestampMs: this.#timestampMs, key, value, headers: this.#headers(headerCount) };
  }

  #headers(count: number): Readonly<Record<string, string>> {
    if (count === 0) {
      return NO_HEADERS;
    }
    const headers: Record<string, string> = {};
    for (let index = 0; index < count; index += 1) {
      const nameBytes = this.#chunk.readUInt16LE(this.#at);
      const textBytes = this.#chunk.readUInt16LE(this.#at + 2);
      const nameAt = this.#at + 4;
      const textAt = nameAt + nameBytes;
      headers[this.#chunk.toString('utf8', nameAt, textAt)] = this.#chunk.toString('utf8', textAt, textAt + textBytes);
      this.#at = textAt + textBytes;
    }
    return headers;
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});
