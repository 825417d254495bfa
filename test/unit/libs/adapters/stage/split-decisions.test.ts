import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../../../../libs/adapters/event-log/event-log.ts';
import { splitDecisions } from '../../../../../libs/adapters/stage/split-decisions.ts';

function batch(topic: string, fromOffset: number, nextOffset: number): RecordBatch {
  return { topic, partition: 3, records: [], fromOffset, nextOffset, highOffset: nextOffset };
}
/** The offsets of decisions, each of so many bytes. */
const sized =
  (decisions: readonly { readonly offset: number }[], bytesOf: (offset: number) => number) =>
  (from: number, to: number) => {
    const offsets = decisions.slice(from, to).map(({ offset }) => offset);
    return { offsets, bytes: offsets.reduce((sum, offset) => sum + bytesOf(offset), 0) };
  };
const decisionsOf = (topic: string, from: number, next: number) =>
  Array.from({ length: next - from }, (_, index) => ({ topic, offset: from + index }));

describe('cutting decisions into messages', () => {
  it('covers each input up to the last decision of a part, and everything with the last part', () => {
    const batches = [batch('a', 10, 13), batch('b', 5, 9)];
    const decisions = [...decisionsOf('a', 10, 13), ...decisionsOf('b', 5, 7)];
    const parts = splitDecisions(
      batches,
      decisions,
      sized(decisions, () => 40),
      100,
    );
    expect(parts.map((part) => part.covers)).toEqual([
      [{ topic: 'a', partition: 3, next: 12 }],
      [
        { topic: 'a', partition: 3, next: 13 },
        { topic: 'b', partition: 3, next: 6 },
      ],
      [
        { topic: 'a', partition: 3, next: 13 },
        { topic: 'b', partition: 3, next: 9 },
      ],
    ]);
  });

  it('covers offsets that hold no record, and makes nothing of nothing', () => {
    const none = sized([], () => 1);
    expect(splitDecisions([batch('a', 4, 9)], [], none)).toEqual([
      { covers: [{ topic: 'a', partition: 3, next: 9 }], part: { offsets: [], bytes: 0 } },
    ]);
    expect(splitDecisions([batch('a', 4, 4)], [], none)).toEqual([]);
    expect(splitDecisions([], [], none)).toEqual([]);
  });

  it('lets a decision that is larger than a message stand alone', () => {
    const decisions = decisionsOf('a', 0, 3);
    const settle = sized(decisions, (offset) => (offset === 1 ? 500 : 10));
    const parts = splitDecisions([batch('a', 0, 3)], decisions, settle, 100);
    expect(parts.map(({ part }) => part.offsets)).toEqual([[0], [1], [2]]);
  });

  it('keeps every decision once, in order, in parts of the size asked for, with coverage that never goes back', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 10, max: 100 }), (bytes, maxBytes) => {
        const decisions = decisionsOf('a', 0, bytes.length);
        const settle = sized(decisions, (offset) => bytes[offset] ?? 0);
        const parts = splitDecisions([batch('a', 0, bytes.length)], decisions, settle, maxBytes);
        expect(parts.flatMap(({ part }) => part.offsets)).toEqual(decisions.map(({ offset }) => offset));
        for (const { covers, part } of parts) {
          expect(part.bytes <= maxBytes || part.offsets.length === 1).toBe(true);
          expect(covers[0]?.next).toBe((part.offsets.at(-1) ?? -1) + 1);
        }
      }),
    );
  });
});
