import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import {
  type EmploymentState,
  isForgotten,
  type PeriodPool,
  periodTotalsOf,
  poolOf,
  seenBefore,
  seenMark,
  withPool,
  withSeen,
} from '../../../../../libs/core/paye/employment-state.ts';

const HASH = 'c0ffee00'.repeat(8);
const id = (n: number) => n.toString(16).padStart(32, '0');

describe('events seen', () => {
  it('are known by id and by the hash of their bytes', () => {
    const seen = withSeen(withSeen('', seenMark(id(1), HASH)), seenMark(id(2), HASH));
    expect(seenBefore(seen, seenMark(id(2), HASH))).toBe('repeat');
    expect(seenBefore(seen, seenMark(id(2), `0${HASH.slice(1)}`))).toBe('conflict');
    expect(seenBefore(seen, seenMark(id(3), HASH))).toBe('new');
  });

  it('ids that differ in any eight digits have marks that differ', () => {
    const marks = [0, 8, 16, 24].map((at) => {
      const digits = id(0).split('');
      digits[at] = '7';
      return seenMark(digits.join(''), HASH);
    });
    expect(new Set([seenMark(id(0), HASH), ...marks]).size).toBe(5);
  });

  it('do not match across the border of two marks', () => {
    const a = 'a'.repeat(24);
    const b = 'b'.repeat(24);
    expect(seenBefore(a + b, 'a'.repeat(12) + 'b'.repeat(12))).toBe('new');
  });

  it('are bounded: the oldest of a year of daily events is forgotten', () => {
    let seen = '';
    for (let n = 0; n <= 366; n += 1) seen = withSeen(seen, seenMark(id(n), HASH));
    expect(seen).toHaveLength(366 * 24);
    expect(seenBefore(seen, seenMark(id(0), HASH))).toBe('new');
    expect(seenBefore(seen, seenMark(id(1), HASH))).toBe('repeat');
  });
});

describe('earnings periods', () => {
  const pool = (key: string): PeriodPool => [key, 1, 2, 3];

  it('are found by letter and period, M1:1 not being M1:11', () => {
    const pools = [pool('AM1:11'), pool('BM1:1'), pool('AM1:1')];
    expect(poolOf(pools, 'A', 'M1:1')?.[0]).toBe('AM1:1');
    expect(poolOf(pools, 'C', 'M1:1')).toBeUndefined();
  });

  it('keep the last four; of a dropped one only that it was paid is known', () => {
    let pools: readonly PeriodPool[] = [];
    let o = '';
    for (const month of [1, 2, 3, 4, 5]) {
      const after = withPool(pools, undefined, pool(`AM1:${month}`));
      pools = after.w;
      o += after.dropped;
    }
    expect(pools.map(([key]) => key)).toEqual(['AM1:2', 'AM1:3', 'AM1:4', 'AM1:5']);
    const state: EmploymentState = {
      d: localDate('2026-04-30'),
      p: 0,
      t: 0,
      e: 0,
      n: 0,
      m: 0,
      s: 0,
      g: 0,
      h: '',
      w: pools,
      o,
    };
    expect([isForgotten(state, 'M1:1'), isForgotten(state, 'M1:2'), isForgotten(state, 'W1:1')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('are replaced in place', () => {
    const pools = [pool('AM1:1'), pool('AM1:2')];
    const changed: PeriodPool = ['AM1:1', 9, 9, 9];
    expect(withPool(pools, pools[0], changed)).toEqual({ w: [changed, pools[1]], dropped: '' });
  });

  it('add up over letters', () => {
    const pools: PeriodPool[] = [
      ['AM1:1', 0, 0, 0, 100, 20],
      ['CM1:1', 0, 0, 0, 50, 10],
      ['AM1:11', 0, 0, 0, 7, 7],
      pool('BM1:1'),
    ];
    expect(periodTotalsOf(pools, 'M1:1')).toEqual({
      earningsPence: 1,
      payPence: 150,
      taxPence: 30,
      studentLoanPence: 0,
      postgraduateLoanPence: 0,
    });
  });
});
