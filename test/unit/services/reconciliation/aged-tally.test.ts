import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AgedTally } from '../../../../services/reconciliation/aged-tally.ts';
import { countOf } from '../../../../services/reconciliation/tally.ts';

const HOUR_MS = 3_600_000;

describe('AgedTally', () => {
  it('splits what is unmatched at the cutoff', () => {
    const aged = new AgedTally();
    aged.add(10_000, [1, 100]);
    aged.add(70_000, [2, 50]);
    const { inFlight, overdue, oldestMs } = aged.split(60_000);
    expect(overdue.slice(0, 2)).toEqual([1, 100]);
    expect(inFlight.slice(0, 2)).toEqual([2, 50]);
    expect(oldestMs).toBe(10_000);
  });

  it('calls nothing overdue while nothing is known', () => {
    const aged = new AgedTally();
    aged.add(10_000, [1]);
    expect(countOf(aged.split(null).overdue)).toBe(0);
    expect(countOf(aged.split(null).inFlight)).toBe(1);
  });

  it('keeps a month of unmatched seconds in some thousands of rows, and takes each out again', () => {
    const aged = new AgedTally();
    const monthSeconds = 30 * 24 * 3_600;
    for (let second = 0; second < monthSeconds; second += 20) {
      aged.add(second * 1000, [1, second]);
      if (second % 36_000 === 0) aged.split(second * 1000);
    }
    aged.split(monthSeconds * 1000);
    expect(aged.size).toBeLessThan(5_000);
    for (let second = 0; second < monthSeconds; second += 20) aged.remove(second * 1000, [1, second]);
    expect(aged.size).toBe(0);
    expect(aged.split(monthSeconds * 1000).oldestMs).toBeNull();
  });

  it('is empty again after any order of additions, removals, splits and restarts, whatever the ages', () => {
    const item = fc.record({ atMs: fc.integer({ min: 0, max: 20 * HOUR_MS }), amount: fc.integer() });
    fc.assert(
      fc.property(
        fc.array(item, { maxLength: 50 }),
        fc.array(fc.integer({ min: 0, max: 30 * HOUR_MS })),
        (items, cutoffs) => {
          let aged = new AgedTally();
          for (const [index, { atMs, amount }] of items.entries()) {
            aged.add(atMs, [1, amount]);
            const cutoff = cutoffs[index];
            if (cutoff !== undefined) aged.split(cutoff);
          }
          const { inFlight, overdue } = aged.split(cutoffs.at(-1) ?? null);
          expect(countOf(inFlight) + countOf(overdue)).toBe(items.length);
          aged = new AgedTally(JSON.parse(JSON.stringify(aged.snapshot())));
          for (const { atMs, amount } of items) aged.remove(atMs, [1, amount]);
          expect(aged.size).toBe(0);
        },
      ),
    );
  });
});
