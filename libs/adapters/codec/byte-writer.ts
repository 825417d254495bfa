import { assert } from '../../core/errors/assert.ts';
import { TallyError } from '../../core/errors/tally-error.ts';

/**
 * Writes Avro binary into one buffer that is used again and again: about five times as fast as a new buffer a value.
 * Longs are zigzag varints of safe integers; an array is one block and an end; both exactly as avsc writes them.
 */
export class ByteWriter {
  #buffer: Buffer;
  #position = 0;

  constructor(options: { readonly startBytes: number }) {
    this.#buffer = Buffer.allocUnsafeSlow(options.startBytes);
  }

  reset(): void {
    this.#position = 0;
  }

  /** A copy of what was written since the last reset. */
  take(): Buffer {
    const copy = Buffer.allocUnsafeSlow(this.#position);
    this.#buffer.copy(copy, 0, 0, this.#position);
    return copy;
  }

  /** Throws NOT_SAFE_INTEGER for a fraction or a number beyond the safe integers. */
  writeLong(value: number): void {
    this.#ensure(10);
    if (value >= -0x40000000 && value < 0x40000000) {
      if ((value | 0) !== value) throw notSafe(value);
      let rest = ((value << 1) ^ (value >> 31)) >>> 0;
      while (rest > 0x7f) {
        this.#buffer[this.#position++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      this.#buffer[this.#position++] = rest;
      return;
    }
    this.#writeBigLong(value);
  }

  writeBoolean(value: boolean): void {
    this.#ensure(1);
    this.#buffer[this.#position++] = value ? 1 : 0;
  }

  writeString(text: string): void {
    const length = text.length;
    this.#ensure(length * 3 + 10);
    if (length < 32 ? this.#writeShortAscii(text, length) : this.#writeAscii(text, length)) return;
    const bytes = Buffer.byteLength(text);
    this.writeLong(bytes);
    this.#position += this.#buffer.write(text, this.#position, 'utf8');
  }

  writeNullableString(text: string | null): void {
    this.writeBranch(text !== null);
    if (text !== null) this.writeString(text);
  }

  writeNullableLong(value: number | null): void {
    this.writeBranch(value !== null);
    if (value !== null) this.writeLong(value);
  }

  writeNullableHex(hex: string | null, bytes: number): void {
    this.writeBranch(hex !== null);
    if (hex !== null) this.writeHex(hex, bytes);
  }

  /** The branch of a union of null and one type. */
  writeBranch(present: boolean): void {
    this.#ensure(1);
    this.#buffer[this.#position++] = present ? 2 : 0;
  }

  /** A fixed of `bytes` bytes given as hex digits. Throws HEX_LENGTH for another length or other digits. */
  writeHex(hex: string, bytes: number): void {
    this.#ensure(bytes);
    const written = hex.length === bytes * 2 ? this.#buffer.write(hex, this.#position, bytes, 'hex') : -1;
    if (written !== bytes) throw new TallyError('HEX_LENGTH', `expected ${bytes * 2} hex digits`, { bytes });
    this.#position += bytes;
  }

  writeBytes(bytes: Uint8Array): void {
    this.writeLong(bytes.length);
    this.writeRaw(bytes);
  }

  /** Bytes without a length before them. */
  writeRaw(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#buffer.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  writeMap<Value>(entries: Readonly<Record<string, Value>>, writeValue: (value: Value) => void): void {
    const names = Object.keys(entries);
    if (names.length > 0) {
      this.writeLong(names.length);
      for (const name of names) {
        this.writeString(name);
        writeValue(entries[name] as Value);
      }
    }
    this.writeLong(0);
  }

  #writeShortAscii(text: string, length: number): boolean {
    const buffer = this.#buffer;
    const start = this.#position;
    buffer[start] = length << 1;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[start + 1 + index] = code;
    }
    this.#position = start + 1 + length;
    return true;
  }

  /** As if each character took one byte; where that is not so, nothing is written. */
  #writeAscii(text: string, length: number): boolean {
    const start = this.#position;
    this.writeLong(length);
    if (this.#buffer.write(text, this.#position, 'utf8') === length) {
      this.#position += length;
      return true;
    }
    this.#position = start;
    return false;
  }

  #writeBigLong(value: number): void {
    if (!Number.isSafeInteger(value)) throw notSafe(value);
    const negative = value < 0;
    const magnitude = negative ? -value - 1 : value;
    // the sign's bit and six of the magnitude, then seven a byte: in doubles, which are exact to 2^53
    this.#buffer[this.#position++] = ((magnitude % 64) << 1) | (negative ? 0x81 : 0x80);
    let rest = Math.floor(magnitude / 64);
    while (rest > 0x7f) {
      this.#buffer[this.#position++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#buffer[this.#position++] = rest;
  }

  #ensure(bytes: number): void {
    const needed = this.#position + bytes;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2));
    this.#buffer.copy(grown, 0, 0, this.#position);
    this.#buffer = grown;
    assert(grown.length >= needed, 'the writer grew enough');
  }
}

function notSafe(value: number): TallyError {
  return new TallyError('NOT_SAFE_INTEGER', `${value} is not a whole number within the safe integers`, { value });
}
