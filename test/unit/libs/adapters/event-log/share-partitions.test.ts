import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Holder, sharePartitions } from '../../../../../libs/adapters/event-log/share-partitions.ts';

function member(id: string, held: readonly (readonly [number, number])[] = []): Holder {
  return { id, held: new Map(held) };
}

describe('sharing partitions among members', () => {
  it('gives one member everything and two of them halves', () => {
    expect(sharePartitions([member('a')], 3)).toEqual(new Map([['a', [0, 1, 2]]]));
    expect(sharePartitions([member('b'), member('a')], 5)).toEqual(
      new Map([
        ['a', [0, 1, 2]],
        ['b', [3, 4]],
      ]),
    );
  });

  it('leaves with each what it holds, as far as that is its share', () => {
    const a = member(
      'a',
      [3, 4, 5].map((partition) => [partition, 1] as const),
    );
    const b = member(
      'b',
      [0, 1, 2].map((partition) => [partition, 1] as const),
    );
    expect(sharePartitions([a, b, member('c')], 6)).toEqual(
      new Map([
        ['a', [3, 4]],
        ['b', [0, 1]],
        ['c', [2, 5]],
      ]),
    );
  });

  it('believes the later assignment where two claim a partition, and nobody who claims one that is not there', () => {
    const a = member('a', [
      [0, 10],
      [7, 99],
    ]);
    const b = member('b', [
      [0, 11],
      [1, 11],
    ]);
    expect(sharePartitions([a, b], 4)).toEqual(
      new Map([
        ['b', [0, 1]],
        ['a', [2, 3]],
      ]),
    );
  });

  it('gives every partition to exactly one member, in shares that differ by one at most, in whatever order members come', () => {
    const held = fc.array(fc.tuple(fc.integer({ min: -1, max: 30 }), fc.nat(50)), { maxLength: 20 });
    const members = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 4 }), held), {
      selector: ([id]) => id,
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(members, fc.integer({ min: 1, max: 25 }), (described, count) => {
        const holders = described.map(([id, pairs]) => member(id, pairs));
        const shares = sharePartitions(holders, count);
        const sizes = [...shares.values()].map((share) => share.length);
        expect([...shares.values()].flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, p) => p));
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
        expect(new Map([...sharePartitions([...holders].reverse(), count)].sort())).toEqual(
          new Map([...shares].sort()),
        );
      }),
    );
  });
});
