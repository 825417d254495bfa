import { describe, expect, it } from 'vitest';
import type { Nation } from '../../../../../../libs/core/paye/rates/nation.ts';
import { rulesAtYearEnd } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { scaleOfNation } from '../../../../../../libs/core/paye/rates/rates-not-known.ts';
import { parseTaxCode } from '../../../../../../libs/core/paye/rates/tax-code.ts';
import {
  bandOf,
  flatRateOf,
  periodBandsOf,
  taxByBandsPence,
  taxScale,
} from '../../../../../../libs/core/paye/rates/tax-scale.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const DATED = rulesAtYearEnd(testPayeRules(), '2026-27');
const scaleOf = (nation: Nation) => scaleOfNation(DATED, nation);

describe('bands of a period', () => {
  it('are the annual ones by n / 12, cut to four decimals, and tested up to the pound', () => {
    const bands = periodBandsOf(scaleOf('restOfUk'), 'month', 1);
    // 37,700 / 12 = 3,141.66666…, 125,140 / 12 = 10,428.3333…; tax at the first top 7,540 / 12 = 628.3333….
    expect(bands).toEqual({
      tops: [31_416_666, 104_283_333],
      taxAtTops: [6_283_333, 35_430_000],
      testTopsPence: [314_200, 1_042_900],
    });
  });

  it('are made once', () => {
    expect(periodBandsOf(scaleOf('wales'), 'week', 7)).toBe(periodBandsOf(scaleOf('wales'), 'week', 7));
  });

  it('take taxable pay at the test value into the lower band', () => {
    const bands = periodBandsOf(scaleOf('restOfUk'), 'month', 1);
    expect([314_200, 314_201, 1_042_900, 1_042_901].map((taxable) => bandOf(bands, taxable))).toEqual([0, 1, 1, 2]);
  });

  it('tax nothing below zero', () => {
    expect(taxByBandsPence(scaleOf('scotland'), 'week', 1, -1)).toBe(0);
  });
});

describe('flat rates', () => {
  it.each([
    ['BR', 2_000],
    ['D0', 4_000],
    ['D1', 4_500],
    ['SBR', 2_000],
    ['SD0', 2_100],
    ['SD1', 4_200],
    ['SD2', 4_500],
    ['SD3', 4_800],
    ['CD1', 4_500],
  ])('%s is %i basis points', (text, rate) => {
    const code = parseTaxCode(text);
    expect(flatRateOf(scaleOf(code.nation), code)).toBe(rate);
  });

  it.each(['D2', 'CD2', 'SD4', 'D9'])('%s has no rate', (text) => {
    const code = parseTaxCode(text);
    expect(() => flatRateOf(scaleOf(code.nation), code)).toThrow(
      expect.objectContaining({ code: 'NO_RATE_FOR_D_CODE' }),
    );
  });
});

describe('a scale', () => {
  it.each([
    [0, [2_000], [100]],
    [0, [2_000, 4_000], [100, 50]],
    [2, [2_000, 4_000], [100]],
    [0, [2_000, 4_000], [100.5]],
  ])('is refused where bands and rates do not fit: %#', (basic, rates, tops) => {
    expect(() => taxScale(basic, rates, tops)).toThrow(expect.objectContaining({ code: 'RATE_CARD_INVALID' }));
  });
});
