import { describe, expect, it } from 'vitest';
import { NI_CATEGORIES } from '../../../../../../libs/core/events/paye-events.ts';
import {
  type PeriodPool,
  periodCode,
  periodTotalsOf,
  poolKeysOf,
  poolOf,
  setAsideIn,
  withCharacters,
  withoutCharacters,
  withPool,
} from '../../../../../../libs/core/paye/employment/period-pools.ts';

const pool = (key: string): PeriodPool => [key, 1, 2, 3];

describe('pools of earnings periods', () => {
  it('are found by letter and period, M1:1 not being M1:11', () => {
    const pools = [pool('AM1:11'), pool('BM1:1'), pool('AM1:1')];
    expect(poolOf(pools, 'AM1:1')?.[0]).toBe('AM1:1');
    expect(poolOf(pools, 'CM1:1')).toBeUndefined();
  });

  it('have a key for each letter', () => {
    const keys = poolKeysOf('W1:53');
    expect(Object.keys(keys)).toEqual([...NI_CATEGORIES]);
    expect(keys.V).toBe('VW1:53');
    expect(poolKeysOf('W1:53')).toBe(keys);
  });

  it('are replaced in place', () => {
    const pools = [pool('AM1:1'), pool('AM1:2')];
    const changed: PeriodPool = ['AM1:1', 9, 9, 9];
    expect(withPool(pools, pools[0], changed)).toEqual({ w: [changed, pools[1]], setAside: [] });
  });

  it('are handed out as replaced where the replaced one is among the oldest', () => {
    // Five come together where a late payment brought a pool of another letter back.
    const pools = [1, 2, 3, 4, 5].map((month) => pool(`AM1:${month}`));
    const changed: PeriodPool = ['AM1:1', 9, 9, 9];
    expect(withPool(pools, pools[0], changed)).toEqual({ w: pools.slice(1), setAside: [changed] });
    expect(pools[0]).toEqual(pool('AM1:1'));
  });

  it('keep the last four and hand the older ones out', () => {
    const pools = [1, 2, 3, 4].map((month) => pool(`AM1:${month}`));
    expect(withPool(pools, undefined, pool('AM1:5'))).toEqual({
      w: [...pools.slice(1), pool('AM1:5')],
      setAside: [pool('AM1:1')],
    });
  });

  it('add up over letters', () => {
    const pools: PeriodPool[] = [
      ['AM1:1', 5, 0, 0, 100, 20],
      ['CM1:1', 6, 0, 0, 50, 10, 4, 3],
      ['AM1:11', 0, 0, 0, 7, 7],
      pool('BM1:1'),
    ];
    expect(periodTotalsOf(pools, 'M1:1')).toEqual({
      earningsPence: 12,
      payPence: 150,
      taxPence: 30,
      studentLoanPence: 4,
      postgraduateLoanPence: 3,
    });
  });
});

describe('pools set aside', () => {
  const keys = ['W1', 'W2', 'W4', 'M1', 'M3', 'M6', 'MA'].flatMap((period) =>
    NI_CATEGORIES.flatMap((letter) => [1, 12, 53, 56].map((number) => `${letter}${period}:${number}`)),
  );

  it('have a character each, that survives JSON and leads back to the key', () => {
    const text = JSON.parse(JSON.stringify(withCharacters('', keys.map(pool)))) as string;
    expect(new Set(text).size).toBe(keys.length);
    for (const key of keys) expect(setAsideIn(text, periodCode(key.slice(1)))).toContain(key);
    expect(setAsideIn(text, periodCode('M1:2'))).toEqual([]);
  });

  it('are taken back', () => {
    const text = withCharacters('', [pool('AM1:1'), pool('BM1:1'), pool('AM1:2')]);
    expect(setAsideIn(text, periodCode('M1:1'))).toEqual(['AM1:1', 'BM1:1']);
    const rest = withoutCharacters(text, ['AM1:1', 'BM1:1']);
    expect(setAsideIn(rest, periodCode('M1:1'))).toEqual([]);
    expect(setAsideIn(rest, periodCode('M1:2'))).toEqual(['AM1:2']);
    expect(rest).toHaveLength(1);
  });

  it('are none before the first', () => {
    expect(setAsideIn(undefined, periodCode('M1:1'))).toEqual([]);
  });
});
