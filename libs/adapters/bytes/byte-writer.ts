import type { StateForm } from '../../core/decisions/state-form.ts';
import { codeAt } from '../../core/encoding/code-at.ts';
import { assert } from '../../core/errors/assert.ts';
import { TallyError } from '../../core/errors/tally-error.ts';

const LENGTH_BYTES = 2;
const TWO_BYTE_LENGTH_MIN = 64;
const TWO_BYTE_LENGTH_MAX = 8_191;
const NO_DIGIT = 16;
/** What a character is worth as a hex digit of either case, by its code; 16: none. */
const HEX_DIGITS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? NO_DIGIT : digit;
});
const BILLION = 1_000_000_000;
const BILLION_DIGITS = 9;
const [QUOTE, BACKSLASH, COMMA, COLON, ZERO] = [0x22, 0x5c, 0x2c, 0x3a, 0x30];
const [OPENING_BRACKET, CLOSING_BRACKET, OPENING_BRACE, CLOSING_BRACE] = [0x5b, 0x5d, 0x7b, 0x7d];

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

  /** @param position where to begin: what stands before it means nothing. */
  reset(position = 0): void {
    this.#ensure(position);
    this.#position = position;
  }

  /** Bytes since the last reset. */
  get position(): number {
    return this.#position;
  }

  /** Copies what was written since the last reset into other bytes. */
  copyTo(bytes: Buffer, at: number): void {
    this.#buffer.copy(bytes, at, 0, this.#position);
  }

  /** A copy of what was written since the last reset. */
  copy(): Buffer {
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
    const buffer = this.#buffer;
    const start = this.#position;
    let isHex = hex.length === bytes * 2;
    for (let index = 0; isHex && index < bytes; index += 1) {
      const high = HEX_DIGITS[codeAt(hex, 2 * index)] ?? NO_DIGIT;
      const low = HEX_DIGITS[codeAt(hex, 2 * index + 1)] ?? NO_DIGIT;
      isHex = (high | low) < NO_DIGIT;
      buffer[start + index] = (high << 4) | low;
    }
    if (!isHex) throw new TallyError('HEX_LENGTH', `expected ${bytes * 2} hex digits`, { bytes });
    this.#position = start + bytes;
  }

  /**
   * A string: the JSON text of a value, byte for byte as JSON.stringify has it, printed where it stands. Where the value is not a plain
   * one (no object, array, string, number, boolean or null) that function is asked.
   *
   * @param form short names of the value's members, where it has a form: the text is that of `storedState`.
   * @returns how many bytes the text takes; it ends at the writer's position.
   */
  writeJsonString(value: unknown, form?: StateForm): number {
    // Most texts have a length of two bytes; where it takes another number, what was printed is moved.
    this.#ensure(LENGTH_BYTES);
    const start = this.#position + LENGTH_BYTES;
    this.#position = start;
    this.#writeJson(value, form);
    const length = this.#position - start;
    this.#ensure(10);
    this.#position = start - LENGTH_BYTES;
    if (length >= TWO_BYTE_LENGTH_MIN && length <= TWO_BYTE_LENGTH_MAX) {
      this.writeLong(length);
      this.#position = start + length;
      return length;
    }
    const moved = this.#position + lengthBytes(length);
    this.#buffer.copyWithin(moved, start, start + length);
    this.writeLong(length);
    this.#position = moved + length;
    return length;
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

  #writeJson(value: unknown, form: StateForm | undefined): void {
    // One comparison each, since a switch over `typeof` makes the name of the type first.
    if (typeof value === 'string') this.#writeJsonText(value);
    else if (typeof value === 'number') this.#writeJsonNumber(value);
    else if (Array.isArray(value)) this.#writeJsonArray(value as readonly unknown[], form);
    else if (typeof value === 'object' && value !== null && hasPlainPrototype(value)) {
      this.#writeJsonObject(value as Readonly<Record<string, unknown>>, form);
    } else {
      // As an item of an array; members that have no text are left out before they come here.
      this.#writePlain(JSON.stringify(value) ?? 'null');
    }
  }

  #writeJsonArray(items: readonly unknown[], form: StateForm | undefined): void {
    this.#writeCharacter(OPENING_BRACKET);
    for (let index = 0; index < items.length; index += 1) {
      if (index > 0) this.#writeCharacter(COMMA);
      this.#writeJson(items[index], form);
    }
    this.#writeCharacter(CLOSING_BRACKET);
  }

  #writeJsonObject(members: Readonly<Record<string, unknown>>, form: StateForm | undefined): void {
    this.#writeCharacter(OPENING_BRACE);
    let isFirst = true;
    for (const name in members) {
      const value = members[name];
      if (value === undefined || typeof value === 'function' || typeof value === 'symbol') continue;
      if (isFirst) isFirst = false;
      else this.#writeCharacter(COMMA);
      this.#writeJsonText(form === undefined ? name : (form.shortNames.get(name) ?? name));
      this.#writeCharacter(COLON);
      const isNested = form !== undefined && typeof value === 'object';
      this.#writeJson(value, isNested ? form.parts.get(name) : undefined);
    }
    this.#writeCharacter(CLOSING_BRACE);
  }

  /** Printable ASCII without quote and backslash, as nearly every text is, stands as it is. */
  #writeJsonText(text: string): void {
    const length = text.length;
    this.#ensure(length + 2);
    const buffer = this.#buffer;
    let at = this.#position;
    buffer[at++] = QUOTE;
    for (let index = 0; index < length; index += 1) {
      const code = codeAt(text, index);
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) {
        this.#writePlain(JSON.stringify(text));
        return;
      }
      buffer[at++] = code;
    }
    buffer[at++] = QUOTE;
    this.#position = at;
  }

  #writeJsonNumber(value: number): void {
    if (value < 0 || value > Number.MAX_SAFE_INTEGER || !Number.isInteger(value)) {
      this.#writePlain(Number.isFinite(value) ? String(value) : 'null');
      return;
    }
    this.#ensure(16);
    if (value < BILLION) {
      this.#writeDigits(value | 0, digitsOf(value | 0));
      return;
    }
    const billions = Math.floor(value / BILLION);
    this.#writeDigits(billions, digitsOf(billions));
    this.#writeDigits(value - billions * BILLION, BILLION_DIGITS);
  }

  /** So many digits of a whole number below 2^31, from the last one on. */
  #writeDigits(value: number, digits: number): void {
    const buffer = this.#buffer;
    const end = this.#position + digits;
    let rest = value;
    for (let at = end - 1; at >= this.#position; at -= 1) {
      const tenth = (rest / 10) | 0;
      buffer[at] = ZERO + rest - tenth * 10;
      rest = tenth;
    }
    this.#position = end;
  }

  #writeCharacter(code: number): void {
    this.#ensure(1);
    this.#buffer[this.#position++] = code;
  }

  #writePlain(text: string): void {
    this.#ensure(text.length * 3);
    this.#position += this.#buffer.write(text, this.#position, 'utf8');
  }

  #writeShortAscii(text: string, length: number): boolean {
    const buffer = this.#buffer;
    const start = this.#position;
    buffer[start] = length << 1;
    for (let index = 0; index < length; index += 1) {
      const code = codeAt(text, index);
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

function lengthBytes(length: number): number {
  let bytes = 1;
  for (let rest = length * 2; rest > 0x7f; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

function digitsOf(value: number): number {
  let digits = 1;
  for (let rest = value; rest >= 10; rest = (rest / 10) | 0) digits += 1;
  return digits;
}

/** What JSON.stringify prints by its members: no date, no other object with a text of its own. */
function hasPlainPrototype(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function notSafe(value: number): TallyError {
  return new TallyError('NOT_SAFE_INTEGER', `${value} is not a whole number within the safe integers`, { value });
}
