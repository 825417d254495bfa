import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Moment } from '../../../../../libs/adapters/time/clock.ts';
import { AgedTally } from '../../../../../services/reconciliation/count/aged-tally.ts';
import { countOf } from '../../../../../services/reconciliation/count/tally.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A moment of a machine whose clock was never set: both times are the same. */
const at = (ms: number): Moment => ({ civilMs: ms, elapsedMs: ms });

describe('AgedTally', () => {
  it('splits what is unmatched at the cutoff', () => {
    const aged = new AgedTally();
    aged.add(10_000, [1, 100]);
    aged.add(70_000, [2, 50]);
    const { inFlight, overdue, oldestAgeMs } = aged.split(60_000, at(80_000));
    expect(overdue.slice(0, 2)).toEqual([1, 100]);
    expect(inFlight.slice(0, 2)).toEqual([2, 50]);
    expect(oldestAgeMs).toBe(70_000);
  });

  it('calls nothing overdue while nothing is known', () => {
    const aged = new AgedTally();
    aged.add(10_000, [1]);
    expect(countOf(aged.split(null, at(20_000)).overdue)).toBe(0);
    expect(countOf(aged.split(null, at(20_000)).inFlight)).toBe(1);
  });

  it('keeps a month of unmatched seconds in some thousands of rows, and takes each out again', () => {
    const aged = new AgedTally();
    const monthSeconds = 30 * 24 * 3_600;
    for (let second = 0; second < monthSeconds; second += 20) {
      aged.add(second * 1000, [1, second]);
      if (second % 36_000 === 0) aged.split(second * 1000, at(second * 1000));
    }
    aged.split(monthSeconds * 1000, at(monthSeconds * 1000));
    expect(aged.size).toBeLessThan(5_000);
    for (let second = 0; second < monthSeconds; second += 20) aged.remove(second * 1000, [1, second]);
    expect(aged.size).toBe(0);
    expect(aged.split(monthSeconds * 1000, at(monthSeconds * 1000)).oldestAgeMs).toBeNull();
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
            if (cutoff !== undefined) aged.split(cutoff, at(cutoff));
          }
          const { inFlight, overdue } = aged.split(cutoffs.at(-1) ?? null, at(30 * HOUR_MS));
          expect(countOf(inFlight) + countOf(overdue)).toBe(items.length);
          aged = new AgedTally(JSON.parse(JSON.stringify(aged.snapshot())));
          for (const { atMs, amount } of items) aged.remove(atMs, [1, amount]);
          expect(aged.size).toBe(0);
        },
      ),
    );
  });

  for (const [how, byMs] of [
    ['3 hours forward', 3 * HOUR_MS],
    ['40 days forward', 40 * DAY_MS],
    ['a year back', -365 * DAY_MS],
  ] as const) {
    it(`calls overdue what has been unmatched for a minute, no more and no less, where the clock was set ${how} and is put right again`, () => {
      const civilMs = Date.UTC(2026, 10, 30);
      const aged = new AgedTally();
      const moment = (elapsedMs: number, setMs: number): Moment => ({
        civilMs: civilMs + elapsedMs + setMs,
        elapsedMs,
      });
      const overdueAt = (elapsedMs: number, setMs: number): number =>
        countOf(aged.split(elapsedMs - 60_000, moment(elapsedMs, setMs)).overdue);
      aged.add(civilMs + 1_000, [1]);
      aged.see(moment(1_000, 0));
      expect(overdueAt(2_000, byMs), 'what waits is not overdue by the clock alone').toBe(0);
      aged.add(civilMs + 10_000 + byMs, [1]);
      aged.see(moment(10_000, byMs));
      expect(overdueAt(20_000, 0), 'nor what was received while it was wrong').toBe(0);
      aged.add(civilMs + 30_000, [1]);
      aged.see(moment(30_000, 0));
      expect([62_000, 71_000, 91_000].map((elapsedMs) => overdueAt(elapsedMs, 0))).toEqual([1, 2, 3]);
      expect(aged.split(31_000, moment(91_000, 0)).oldestAgeMs).toBe(90_000);
      expect(aged.isOverdue(civilMs + 10_000 + byMs, 31_000)).toBe(true);
      for (const atMs of [1_000, 10_000 + byMs, 30_000]) aged.remove(civilMs + atMs, [1]);
      expect(aged.size).toBe(0);
    });
  }

  it('keeps what comes after a clock that was 40 days ahead by the second, though older rows are coarse', () => {
    const aged = new AgedTally();
    aged.add(0, [1]);
    aged.split(0, at(0));
    const later: Moment = { civilMs: 2 * HOUR_MS + 40 * DAY_MS, elapsedMs: 2 * HOUR_MS };
    aged.split(later.elapsedMs, later);
    const back = 2 * HOUR_MS + 1_000;
    aged.add(back, [1]);
    aged.add(back + 61_000, [1]);
    aged.see(at(back + 61_000));
    expect(countOf(aged.split(back + 2_000, at(back + 62_000)).overdue)).toBe(2);
    expect(countOf(aged.split(back + 2_000, at(back + 62_000)).inFlight)).toBe(1);
  });

  it('opens what earlier versions stored: rows before a second are of ten minutes each', () => {
    const aged = new AgedTally({
      fineFromSecond: 1_200,
      buckets: [
        [600, [2, 70]],
        [1_300, [1, 5]],
      ],
    });
    aged.remove(700_000, [1, 30]);
    aged.remove(1_100_000, [1, 40]);
    aged.remove(1_300_000, [1, 5]);
    expect(aged.size).toBe(0);
  });
});
