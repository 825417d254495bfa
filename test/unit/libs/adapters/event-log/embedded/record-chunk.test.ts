import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ChunkReader,
  packChunk,
  packedBytes,
} from '../../../../../../libs/adapters/event-log/embedded/record-chunk.ts';
import type { AppendRecord } from '../../../../../../libs/adapters/event-log/event-log.ts';

const records = fc.array(
  fc.record({
    key: fc.option(fc.string({ unit: 'binary', maxLength: 20 }), { nil: null }),
    value: fc.option(
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      { nil: null },
    ),
    headers: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 8 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  }),
  { minLength: 1, maxLength: 20 },
);

function pack(all: readonly AppendRecord[]): Buffer {
  return packChunk(
    all,
    all.reduce((sum, record) => sum + packedBytes(record), 0),
    1_790_000_000_123,
  );
}

describe('a chunk of records', () => {
  it('gives back what was packed, record by record', () => {
    fc.assert(
      fc.property(records, (all) => {
        const reader = new ChunkReader(pack(all), 1_000, {});
        expect(reader.count).toBe(all.length);
        for (const [index, { key, value, headers }] of all.entries()) {
          expect(reader.nextValueBytes).toBe(value?.length ?? 0);
          const read = reader.next();
          const bytes = read.value === null ? null : Buffer.from(read.value);
          expect({ ...read, value: bytes, headers: { ...read.headers } }).toEqual({
            offset: 1_000 + index,
            timestampMs: 1_790_000_000_123,
            key: key === null ? null : Buffer.from(key).toString(),
            value,
            headers: asStored(headers),
          });
        }
        expect(reader.done).toBe(true);
      }),
    );
  });

  it('refuses bytes that have changed anywhere', () => {
    const chunk = pack([{ key: 'k', value: Buffer.from('value') }]);
    for (let at = 0; at < chunk.length; at += 1) {
      const changed = Buffer.from(chunk);
      changed[at] = (changed[at] ?? 0) ^ 0x10;
      expect(() => new ChunkReader(changed, 7, { topic: 't' }), `byte ${at}`).toThrow(
        expect.objectContaining({ code: 'LOG_CORRUPT', facts: { topic: 't', offset: 7 } }),
      );
    }
    expect(() => new ChunkReader(chunk.subarray(0, 10), 0, {})).toThrow();
  });

  it('skips to an offset', () => {
    const chunk = pack(['a', 'b', 'c'].map((text) => ({ key: text, value: null })));
    const reader = new ChunkReader(chunk, 10, {});
    reader.skipTo(12);
    expect(reader.next()).toMatchObject({ offset: 12, key: 'c' });
  });
});

function asStored(headers: Readonly<Record<string, string>>): Record<string, string> {
  const through = (text: string) => Buffer.from(text).toString();
  return Object.fromEntries(Object.entries(headers).map(([name, text]) => [through(name), through(text)]));
}
