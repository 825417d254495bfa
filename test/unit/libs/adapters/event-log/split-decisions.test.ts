import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordBatch } from '../../../../../libs/adapters/event-log/event-log.ts';
import { splitDecisions } from '../../../../../libs/adapters/event-log/split-decisions.ts';

function batch(topic: string, fromOffset: number, nextOffset: number): RecordBatch {
  return { topic, partition: 3, records: [], fromOffset, nextOffset, highOffset: nextOffset };
}
/** Decisions as they are, of so many bytes each. */
const sized =
  (bytesOf: (decision: { readonly offset: number }) => number) =>
  <D extends { readonly offset: number }>(decisions: readonly D[]) => ({
    decisions,
    bytes: decisions.reduce((sum, one) => sum + bytesOf(one), 0),
  });
const decisionsOf = (topic: string, from: number, next: number) =>
  Array.from({ length: next - from }, (_, index) => ({ topic, offset: from + index }));

describe('cutting decisions into messages', () => {
  it('covers each input up to the last decision of a part, and everything with the last part', () => {
    const batches = [batch('a', 10, 13), batch('b', 5, 9)];
    const decisions = [...decisionsOf('a', 10, 13), ...decisionsOf('b', 5, 7)];
    const parts = splitDecisions(
      batches,
      decisions,
      sized(() => 40),
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
    expect(
      splitDecisions(
        [batch('a', 4, 9)],
        [],
        sized(() => 1),
      ),
    ).toEqual([{ covers: [{ topic: 'a', partition: 3, next: 9 }], decisions: [] }]);
    expect(
      splitDecisions(
        [batch('a', 4, 4)],
        [],
        sized(() => 1),
      ),
    ).toEqual([]);
    expect(
      splitDecisions(
        [],
        [],
        sized(() => 1),
      ),
    ).toEqual([]);
  });

  it('lets a decision that is larger than a message stand alone', () => {
    const parts = splitDecisions(
      [batch('a', 0, 3)],
      decisionsOf('a', 0, 3),
      sized(({ offset }) => (offset === 1 ? 500 : 10)),
      100,
    );
    expect(parts.map((part) => part.decisions.map(({ offset }) => offset))).toEqual([[0], [1], [2]]);
  });

  it('keeps every decision once, in order, in parts of the size asked for, with coverage that never goes back', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 10, max: 100 }), (bytes, maxBytes) => {
        const decisions = decisionsOf('a', 0, bytes.length);
        const size = ({ offset }: { offset: number }) => bytes[offset] ?? 0;
        const parts = splitDecisions([batch('a', 0, bytes.length)], decisions, sized(size), maxBytes);
        expect(parts.flatMap((part) => part.decisions)).toEqual(decisions);
        for (const part of parts) {
          const sum = part.decisions.reduce((total, decision) => total + size(decision), 0);
          expect(sum <= maxBytes || part.decisions.length === 1).toBe(true);
          expect(part.covers[0]?.next).toBe((part.decisions.at(-1)?.offset ?? -1) + 1);
        }
      }),
    );
  });
});
