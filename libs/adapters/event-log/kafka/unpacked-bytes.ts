import { TallyError } from '../../../core/errors/tally-error.ts';

const FIRST_BYTES = 64 * 1024;

/** The output of a decoder of the Lempel-Ziv family: it grows with what is really there, whatever the packed bytes say of it, up to a bound. */
export class UnpackedBytes {
  readonly #codec: string;
  readonly #bytesMax: number;
  #bytes: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  constructor(codec: string, bytesMax: number) {
    this.#codec = codec;
    this.#bytesMax = bytesMax;
  }

  get length(): number {
    return this.#length;
  }

  /** Appends bytes as they stand in the packed ones. Throws PACKED_INVALID where they are not all there, UNPACKED_TOO_LARGE. */
  literals(from: Buffer, start: number, count: number): void {
    if (start + count > from.length) throw packedInvalid(this.#codec, 'it ends too early');
    this.#reserve(count);
    from.copy(this.#bytes, this.#length, start, start + count);
    this.#length += count;
  }

  /** Appends what stands `distance` bytes back; it may overlap with itself. Throws PACKED_INVALID where nothing stands there, UNPACKED_TOO_LARGE. */
  match(distance: number, count: number): void {
    if (distance < 1 || distance > this.#length) throw packedInvalid(this.#codec, 'it goes back too far');
    this.#reserve(count);
    const bytes = this.#bytes;
    let at = this.#length;
    this.#length += count;
    if (distance >= count) {
      bytes.copyWithin(at, at - distance, at - distance + count);
      return;
    }
    for (; at < this.#length; at += 1) bytes[at] = bytes[at - distance] as number;
  }

  taken(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed > this.#bytesMax) {
      const facts = { codec: this.#codec, bytesMax: this.#bytesMax };
      throw new TallyError('UNPACKED_TOO_LARGE', `it unpacks to more than ${this.#bytesMax} bytes`, facts);
    }
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(needed, 2 * this.#bytes.length)));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}

/** PACKED_INVALID: what should be packed with `codec` is not. */
export function packedInvalid(codec: string, why: string, cause?: unknown): TallyError {
  return new TallyError(
    'PACKED_INVALID',
    `these bytes are not packed with ${codec}: ${why}`,
    { codec, why },
    { cause },
  );
}
