import { codeAt } from '../../core/encoding/code-at.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import { SHORT_TEXT_BYTES, shortText } from './short-text.ts';

const LENGTH_OF_ONE_BYTE_MAX = 0x3f;
/** What an array says of its length is not believed beyond this. */
const SHORT_ARRAY = 64;

/**
 * Reads Avro binary strictly: nothing beyond the end, longs within the safe integers, booleans and branches of their two values.
 * Every fault is RECORD_UNREADABLE with the position at which it was found; never the bytes, which may be personal.
 */
export class ByteReader {
  readonly #buffer: Buffer;
  #position: number;

  constructor(buffer: Buffer, position: number) {
    this.#buffer = buffer;
    this.#position = position;
  }

  readLong(): number {
    const buffer = this.#buffer;
    let position = this.#position;
    let byte = buffer[position++] ?? this.#end();
    const negative = (byte & 1) === 1;
    // the sign bit is kept apart, so that the rest is exact in a double up to 2^53
    let magnitude = (byte & 0x7f) >> 1;
    for (let scale = 64; byte > 0x7f; scale *= 128) {
      if (scale > 2 ** 62) throw this.unreadable('a long of more than ten bytes');
      byte = buffer[position++] ?? this.#end();
      magnitude += (byte & 0x7f) * scale;
    }
    if (magnitude > Number.MAX_SAFE_INTEGER - (negative ? 1 : 0))
      throw this.unreadable('a long beyond the safe integers');
    this.#position = position;
    return negative ? -magnitude - 1 : magnitude;
  }

  readBoolean(): boolean {
    const byte = this.#buffer[this.#position] ?? this.#end();
    if (byte > 1) throw this.unreadable('a boolean that is neither 0 nor 1');
    this.#position += 1;
    return byte === 1;
  }

  readString(): string {
    const length = this.#readLength();
    const start = this.#position;
    this.#position = start + length;
    return length < SHORT_TEXT_BYTES
      ? shortText(this.#buffer, start, length)
      : this.#buffer.toString('utf8', start, start + length);
  }

  /** A string that is most likely `guess`: then `guess` itself, and nothing is made. */
  readStringLike(guess: string): string {
    const buffer = this.#buffer;
    const length = guess.length;
    const start = this.#position + 1;
    if (length > LENGTH_OF_ONE_BYTE_MAX || buffer[start - 1] !== length << 1) return this.readString();
    for (let index = 0; index < length; index += 1) {
      const code = codeAt(guess, index);
      if (buffer[start + index] !== code || code > 0x7f) return this.readString();
    }
    this.#position = start + length;
    return guess;
  }

  /** Moves behind a string that is not wanted. */
  skipString(): void {
    const length = this.#readLength();
    this.#position += length;
  }

  /** Moves behind a long that is not wanted. */
  skipLong(): void {
    const buffer = this.#buffer;
    let position = this.#position;
    let bytes = 1;
    while ((buffer[position++] ?? this.#end()) > 0x7f) {
      bytes += 1;
      if (bytes > 10) throw this.unreadable('a long of more than ten bytes');
    }
    this.#position = position;
  }

  /** Moves behind bytes of a known number. */
  skipRaw(bytes: number): void {
    if (this.#position + bytes > this.#buffer.length) this.#end();
    this.#position += bytes;
  }

  /** Moves behind an array whose items are not wanted. */
  skipArray(skipItem: (reader: ByteReader) => void): void {
    for (let count = this.#blockCount(); count > 0; count = this.#blockCount()) {
      for (let index = 0; index < count; index += 1) skipItem(this);
    }
  }

  /** A view of the record's bytes, not a copy. */
  readBytes(): Uint8Array {
    const length = this.#readLength();
    const start = this.#position;
    this.#position = start + length;
    return this.#buffer.subarray(start, start + length);
  }

  /** A fixed of `bytes` bytes: a view of the record's, not a copy. */
  readRaw(bytes: number): Uint8Array {
    const start = this.#position;
    if (start + bytes > this.#buffer.length) this.#end();
    this.#position = start + bytes;
    return this.#buffer.subarray(start, start + bytes);
  }

  /** A fixed of `bytes` bytes as lower-case hex digits. */
  readHex(bytes: number): string {
    const start = this.#position;
    if (start + bytes > this.#buffer.length) this.#end();
    this.#position = start + bytes;
    return this.#buffer.toString('hex', start, start + bytes);
  }

  /** True where a union of null and one type holds the value. */
  readBranch(): boolean {
    const byte = this.#buffer[this.#position] ?? this.#end();
    if (byte !== 0 && byte !== 2) throw this.unreadable('a branch that the union does not have');
    this.#position += 1;
    return byte === 2;
  }

  readNullableString(): string | null {
    return this.readBranch() ? this.readString() : null;
  }

  readNullableLong(): number | null {
    return this.readBranch() ? this.readLong() : null;
  }

  readNullableHex(bytes: number): string | null {
    return this.readBranch() ? this.readHex(bytes) : null;
  }

  /** All blocks of an array, in any of the forms that Avro allows. */
  readArray<Item>(readItem: () => Item): Item[] {
    const first = this.#blockCount();
    if (first === 0) return [];
    // Nearly every array is one block: a list that grows from nothing takes several times its room.
    const items: Item[] = first <= SHORT_ARRAY ? new Array<Item>(first) : [];
    for (let index = 0; index < first; index += 1) items[index] = readItem();
    for (let count = this.#blockCount(); count > 0; count = this.#blockCount()) {
      for (let index = 0; index < count; index += 1) items.push(readItem());
    }
    return items;
  }

  readMap<Value>(readValue: () => Value): Record<string, Value> {
    const entries: Record<string, Value> = {};
    for (let count = this.#blockCount(); count > 0; count = this.#blockCount()) {
      for (let index = 0; index < count; index += 1) {
        const name = this.readString();
        if (name === '__proto__') throw this.unreadable('a map key that is not allowed');
        entries[name] = readValue();
      }
    }
    return entries;
  }

  /** Throws RECORD_UNREADABLE unless everything was read: nothing may follow a record. */
  finish(): void {
    if (this.#position !== this.#buffer.length) throw this.unreadable('bytes behind the end of the record');
  }

  unreadable(what: string): TallyError {
    return new TallyError('RECORD_UNREADABLE', `the record holds ${what}`, { position: this.#position });
  }

  #blockCount(): number {
    const count = this.readLong();
    if (count < 0) this.readLong();
    const items = Math.abs(count);
    if (items > this.#buffer.length - this.#position) throw this.unreadable('more items than bytes are left');
    return items;
  }

  #readLength(): number {
    const length = this.readLong();
    if (length < 0 || length > this.#buffer.length - this.#position) throw this.unreadable('a length beyond its end');
    return length;
  }

  #end(): never {
    throw this.unreadable('fewer bytes than its schema says');
  }
}
