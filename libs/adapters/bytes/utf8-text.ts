/** A text where it stands among other bytes, as UTF-8: so that what is printed once into a message need not be made again as a string. */
export class Utf8Text {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;

  constructor(bytes: Buffer, start: number, end: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
  }

  toString(): string {
    return this.bytes.toString('utf8', this.start, this.end);
  }
}
