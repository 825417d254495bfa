import { SHORT_TEXT_BYTES, shortText } from '../../bytes/short-text.ts';
import type { LogRecord } from '../event-log.ts';

/** Records in order. Those at hand are few: each is made when it is its turn. */
export interface RecordCursor {
  /** The next record; null behind the last. */
  peek(): LogRecord | null;
  /** Moves behind the next record. */
  skip(): void;
}

/** A record batch without compression, transaction or control record, checked to its end. */
interface PlainBatch {
  readonly start: number;
  readonly count: number;
  readonly firstOffset: number;
  readonly firstTimeMs: number;
  /** Of all its records, where the log's own time is what counts. */
  readonly appendTimeMs: number | null;
}

/** Of a record batch, before its first record. */
export const BATCH_HEADER_BYTES = 61;
const [ATTRIBUTES_AT, FIRST_TIME_AT, LAST_TIME_AT, COUNT_AT] = [21, 27, 35, 57];
/** Of a batch's attributes: its compression, transactions, control records; and that its time is that of its append. */
const NOT_PLAIN = 0x37;
const IS_APPEND_TIME = 0x08;
const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/**
 * The records of one partition in a broker's answer (Kafka protocol guide, "Record Batch"). They are checked as they come, and stay bytes
 * until each is wanted: what is read ahead waits for some rounds, and so many objects would be copied by each garbage collection.
 */
export class PlainRecords implements Iterable<LogRecord> {
  /** Of the last record; -1 where there is none. */
  lastOffset = -1;
  count = 0;
  /** Of all values together. */
  valueBytes = 0;
  readonly #bytes: Buffer;
  readonly #batches: PlainBatch[] = [];

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes the batch from `start` to `end`. False where it is not plain, or not what it says: nothing of this object means anything then. */
  add(start: number, end: number): boolean {
    const bytes = this.#bytes;
    const attributes = bytes.readInt16BE(start + ATTRIBUTES_AT);
    if ((attributes & NOT_PLAIN) !== 0) return false;
    const batch: PlainBatch = {
      start: start + BATCH_HEADER_BYTES,
      count: bytes.readInt32BE(start + COUNT_AT),
      firstOffset: int64At(bytes, start),
      firstTimeMs: int64At(bytes, start + FIRST_TIME_AT),
      appendTimeMs: (attributes & IS_APPEND_TIME) === 0 ? null : int64At(bytes, start + LAST_TIME_AT),
    };
    const reader = new RecordReader(bytes, batch.start);
    for (let index = 0; index < batch.count && reader.isPlain; index += 1) reader.passOver(end);
    if (!reader.isPlain || reader.at !== end) return false;
    if (batch.count <= 0) return true;
    this.#batches.push(batch);
    this.count += batch.count;
    this.valueBytes += reader.valueBytes;
    this.lastOffset = batch.firstOffset + reader.offsetDelta;
    return true;
  }

  cursor(): RecordCursor {
    return new BatchCursor(this.#bytes, this.#batches);
  }

  *[Symbol.iterator](): Iterator<LogRecord> {
    const cursor = this.cursor();
    for (let record = cursor.peek(); record !== null; record = cursor.peek()) {
      yield record;
      cursor.skip();
    }
  }
}

/** The same of records that are made already. */
export class ListCursor implements RecordCursor {
  readonly #records: readonly LogRecord[];
  #at = 0;

  constructor(records: readonly LogRecord[]) {
    this.#records = records;
  }

  peek(): LogRecord | null {
    return this.#records[this.#at] ?? null;
  }

  skip(): void {
    this.#at += 1;
  }
}

class BatchCursor implements RecordCursor {
  readonly #bytes: Buffer;
  readonly #batches: readonly PlainBatch[];
  #batch = -1;
  /** Of the batch, not made yet. */
  #left = 0;
  #reader: RecordReader;
  #next: LogRecord | null = null;

  constructor(bytes: Buffer, batches: readonly PlainBatch[]) {
    this.#bytes = bytes;
    this.#batches = batches;
    this.#reader = new RecordReader(bytes, 0);
  }

  peek(): LogRecord | null {
    if (this.#next !== null) return this.#next;
    if (this.#left === 0) {
      this.#batch += 1;
      this.#reader = new RecordReader(this.#bytes, this.#batches[this.#batch]?.start ?? 0);
      this.#left = this.#batches[this.#batch]?.count ?? 0;
    }
    const batch = this.#batches[this.#batch];
    if (batch === undefined) return null;
    this.#left -= 1;
    this.#next = this.#reader.read(batch);
    return this.#next;
  }

  skip(): void {
    this.peek();
    this.#next = null;
  }
}

/** Reads records one after another; whatever is odd about them ends in `isPlain` being false, and what was read means nothing then. */
class RecordReader {
  isPlain = true;
  at: number;
  /** Of the records passed over: offset of the last beyond that of its batch, and bytes of all values. */
  offsetDelta = 0;
  valueBytes = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** Checks a record of a batch that ends at `batchEnd`. */
  passOver(batchEnd: number): void {
    const end = this.#varint() + this.at;
    // Attributes of a record mean nothing yet.
    this.at += 1;
    this.#varint();
    this.offsetDelta = this.#varint();
    this.#passOverBytes(end);
    this.valueBytes += this.#passOverBytes(end);
    for (let headers = this.#varint(); headers > 0 && this.isPlain; headers -= 1) {
      this.#passOverBytes(end);
      this.#passOverBytes(end);
    }
    if (this.at !== end || end > batchEnd) this.isPlain = false;
  }

  /** A record that was checked. */
  read(batch: PlainBatch): LogRecord {
    this.#varint();
    this.at += 1;
    const timestampMs = this.#varint() + batch.firstTimeMs;
    const offset = this.#varint() + batch.firstOffset;
    const key = this.#text();
    const value = this.#value();
    const headers = this.#headers();
    return { offset, timestampMs: batch.appendTimeMs ?? timestampMs, key, value, headers };
  }

  /** Moves behind a length and as many bytes, and gives the length: 0 for null. */
  #passOverBytes(end: number): number {
    const length = this.#varint();
    if (length < 0) return 0;
    this.at += length;
    if (this.at > end) this.isPlain = false;
    return length;
  }

  #text(): string | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.at;
    this.at = start + length;
    return length < SHORT_TEXT_BYTES
      ? shortText(this.#bytes, start, length)
      : this.#bytes.toString('utf8', start, start + length);
  }

  #value(): Buffer | null {
    const length = this.#varint();
    if (length < 0) return null;
    const start = this.at;
    this.at = start + length;
    return this.#bytes.subarray(start, start + length);
  }

  #headers(): Readonly<Record<string, string>> {
    const count = this.#varint();
    if (count <= 0) return NO_HEADERS;
    const headers: Record<string, string> = {};
    for (let index = 0; index < count; index += 1) {
      const name = this.#text() ?? '';
      // Twice the same name: the last one counts.
      headers[name] = this.#text() ?? '';
    }
    return headers;
  }

  /** A zigzag number of seven bits a byte, the lowest first; exact up to the safe integers. */
  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.at++] ?? 0;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    const isNegative = (byte & 1) === 1;
    let magnitude = (byte & 0x7f) >>> 1;
    for (let scale = 64; byte > 0x7f; scale *= 128) {
      if (scale > 2 ** 53 || this.at >= bytes.length) {
        this.isPlain = false;
        return 0;
      }
      byte = bytes[this.at++] ?? 0;
      magnitude += (byte & 0x7f) * scale;
    }
    return isNegative ? -magnitude - 1 : magnitude;
  }
}

/** A signed number of eight bytes, the highest first; exact up to the safe integers. */
export function int64At(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
