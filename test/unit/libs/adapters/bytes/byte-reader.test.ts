import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader } from '../../../../../libs/adapters/bytes/byte-reader.ts';
import { ByteWriter } from '../../../../../libs/adapters/bytes/byte-writer.ts';

function roundTrip(value: number): number {
  const writer = new ByteWriter({ startBytes: 4 });
  writer.writeLong(value);
  return new ByteReader(writer.copy(), 0).readLong();
}

const reads = (hex: string) => new ByteReader(Buffer.from(hex, 'hex'), 0);

describe('ByteReader and ByteWriter', () => {
  it('carry every kind of long exactly, up to both ends of the safe integers', () => {
    const max = Number.MAX_SAFE_INTEGER;
    for (const value of [
      0,
      1,
      -1,
      63,
      64,
      -64,
      -65,
      2 ** 30,
      2 ** 30 - 1,
      -(2 ** 30),
      -(2 ** 30) - 1,
      2 ** 31,
      2 ** 32,
    ]) {
      expect(roundTrip(value)).toBe(value);
      expect(roundTrip(-value)).toBe(-value === 0 ? 0 : -value);
    }
    for (const value of [2 ** 52, 2 ** 52 + 1, max - 1, max]) {
      expect(roundTrip(value)).toBe(value);
      expect(roundTrip(-value)).toBe(-value);
    }
  });

  it.each([0.5, Number.NaN, 2 ** 53, -(2 ** 53), Number.POSITIVE_INFINITY])('refuse to write %d as a long', (value) => {
    expect(() => new ByteWriter({ startBytes: 16 }).writeLong(value)).toThrow(
      expect.objectContaining({ code: 'NOT_SAFE_INTEGER' }),
    );
  });

  it.each([
    ['2^53', '8080808080808020'],
    ['-(2^53)', 'ffffffffffffff1f'],
    ['2^63 - 1', 'feffffffffffffffff01'],
    ['a long of eleven bytes', '8080808080808080808001'],
    ['a long without its end', '8080'],
    ['nothing', ''],
  ])('refuse to read %s', (_, hex) => {
    expect(() => reads(hex).readLong()).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
  });

  it('read an array in each form that Avro allows: several blocks, and blocks that state their bytes', () => {
    // 2 items, then a block of -1 items that says it is 1 byte long, then the end
    const items = reads('04020401020600');
    expect(items.readArray(() => items.readLong())).toEqual([1, 2, 3]);
  });

  it('refuse a count or a length that is larger than what is left, before making room for it', () => {
    const huge = reads('feffffff0f');
    expect(() => huge.readArray(() => 0)).toThrow(/more items/);
    expect(() => reads('feffffff0f').readString()).toThrow(/length/);
    expect(() => reads('01').readString()).toThrow(/length/);
  });

  it('refuse hex of another length or with other digits', () => {
    const writer = new ByteWriter({ startBytes: 16 });
    for (const hex of ['', '00', 'zz'.repeat(16), `${'00'.repeat(15)}0g`, '00'.repeat(17)]) {
      expect(() => writer.writeHex(hex, 16)).toThrow(expect.objectContaining({ code: 'HEX_LENGTH' }));
    }
  });

  it('refuse a boolean of 2 and a branch of 1', () => {
    expect(() => reads('02').readBoolean()).toThrow(/boolean/);
    expect(() => reads('04').readBranch()).toThrow(/branch/);
    expect(() => reads('01').readBranch()).toThrow(/branch/);
  });

  it('carry text of every length and alphabet, and grow as they need to', () => {
    const writer = new ByteWriter({ startBytes: 4 });
    const texts = ['', 'a', '£', 'x'.repeat(31), 'x'.repeat(32), 'é'.repeat(31), 'x'.repeat(100_000), '🪵 tally'];
    for (const text of texts) writer.writeString(text);
    const reader = new ByteReader(writer.copy(), 0);
    for (const text of texts) expect(reader.readString()).toBe(text);
    reader.finish();
  });

  it('never let a map set the prototype of what it gives', () => {
    const writer = new ByteWriter({ startBytes: 64 });
    writer.writeLong(1);
    writer.writeString('__proto__');
    writer.writeLong(1);
    writer.writeLong(0);
    const reader = new ByteReader(writer.copy(), 0);
    expect(() => reader.readMap(() => reader.readLong())).toThrow(/map key/);
  });

  it('give a string that was guessed as it was guessed, and any other as it is', () => {
    for (const text of ['', 'vat.events.v1', 'vat.events.v2', 'é', 'x'.repeat(63), 'x'.repeat(64)]) {
      const writer = new ByteWriter({ startBytes: 16 });
      writer.writeString(text);
      writer.writeLong(5);
      const value = writer.copy();
      for (const guess of ['', 'vat.events.v1', 'Ã', 'é', 'x'.repeat(63), 'x'.repeat(64)]) {
        const reader = new ByteReader(value, 0);
        expect(reader.readStringLike(guess)).toBe(text);
        expect(reader.readLong()).toBe(5);
      }
    }
    // A byte that is no UTF-8 is not the character of its number.
    expect(reads('02e9').readStringLike('\u00e9')).toBe('\ufffd');
    expect(() => reads('0461').readStringLike('ab')).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
  });

  it('pass over what is not wanted to the same place as reading it', () => {
    const writer = new ByteWriter({ startBytes: 16 });
    for (const value of [0, -65, 2 ** 40]) writer.writeLong(value);
    writer.writeString('a longer text than fits the short way');
    writer.writeHex('00'.repeat(16), 16);
    writer.writeRaw(Buffer.from('04020401020600', 'hex'));
    const reader = new ByteReader(writer.copy(), 0);
    for (let count = 0; count < 3; count += 1) reader.skipLong();
    reader.skipString();
    reader.skipRaw(16);
    const items: number[] = [];
    reader.skipArray((of) => items.push(of.readLong()));
    expect(items).toEqual([1, 2, 3]);
    reader.finish();
    expect(() => reader.skipLong()).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
    expect(() => reader.skipRaw(1)).toThrow(expect.objectContaining({ code: 'RECORD_UNREADABLE' }));
    expect(() => reads('8080808080808080808001').skipLong()).toThrow(
      expect.objectContaining({ code: 'RECORD_UNREADABLE' }),
    );
  });

  it('carry any text, short or long, whatever was read before it', () => {
    const texts = fc.array(fc.oneof(fc.string({ maxLength: 70 }), fc.string({ unit: 'binary', maxLength: 70 })));
    const all = new ByteWriter({ startBytes: 16 });
    fc.assert(
      fc.property(texts, (some) => {
        all.reset();
        for (const text of some) all.writeString(text);
        const value = all.copy();
        const reader = new ByteReader(value, 0);
        for (const text of some) expect(reader.readString()).toBe(Buffer.from(text).toString());
        reader.finish();
      }),
      { numRuns: 1_000 },
    );
  });

  it('print values as JSON.stringify does, as strings of every length', () => {
    const writer = new ByteWriter({ startBytes: 4 });
    const printed = (value: unknown) => {
      writer.reset();
      writer.writeBoolean(true);
      const length = writer.writeJsonString(value);
      expect(writer.position).toBe(writer.copy().length);
      const reader = new ByteReader(writer.copy(), 1);
      const text = reader.readString();
      reader.finish();
      expect(length).toBe(Buffer.byteLength(text));
      return text;
    };
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.stringMatching(/^[ -~]{0,9000}$/));
    const value = fc.oneof(
      fc.jsonValue(),
      fc.array(text),
      fc.dictionary(text, fc.oneof(fc.double(), fc.maxSafeInteger())),
    );
    fc.assert(
      fc.property(value, (one) => {
        expect(printed(one)).toBe(JSON.stringify(one));
      }),
    );
    for (const odd of [-0, Number.NaN, 999_999_999, 1_000_000_000, 2 ** 53 - 1, 2 ** 53, -1, 1.5, 1e21]) {
      expect(printed([odd])).toBe(JSON.stringify([odd]));
    }
    const members = {
      absent: undefined,
      method: () => 1,
      at: new Date(0),
      list: [undefined, () => 1, new Date(0)],
      '"': null,
    };
    expect(printed(members)).toBe(JSON.stringify(members));
    for (const count of [0, 60, 61, 62, 63, 8_187, 8_188, 8_189, 8_190, 200_000]) {
      expect(printed('x'.repeat(count))).toBe(`"${'x'.repeat(count)}"`);
    }
    expect(() => printed([1n])).toThrow(TypeError);
  });
});
