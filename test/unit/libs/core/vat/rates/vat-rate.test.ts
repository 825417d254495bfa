import { describe, expect, it } from 'vitest';
import {
  basisPointsOfPercent,
  compareVatRates,
  percentText,
  rateOfKey,
  vatOnTop,
  vatRate,
  vatRateOfKey,
  vatWithin,
} from '../../../../../../libs/core/vat/rates/vat-rate.ts';

describe('a rate', () => {
  it('is a fraction of the gross in lowest terms: 1/6, 1/21, 7/47, 3/23, 1/9', () => {
    expect(
      [2_000, 500, 1_750, 1_500, 1_250, 0].map((points) => {
        const { numerator, denominator } = vatRate('S', points);
        return `${numerator}/${denominator}`;
      }),
    ).toEqual(['1/6', '1/21', '7/47', '3/23', '1/9', '0/1']);
  });

  it('rounds the VAT, never the net: of 3p at 20% 1p is VAT', () => {
    expect(vatWithin(3, vatRate('S', 2_000))).toBe(1);
    expect(vatWithin(-3, vatRate('S', 2_000))).toBe(-1);
  });

  it('of £100.00 without VAT at the standard rate is £20.00', () => {
    expect(vatOnTop(10_000, vatRate('S', 2_000))).toBe(2_000);
  });

  it('is named by a key in state, and read back from it', () => {
    expect(vatRateOfKey(vatRate('R', 1_250).key)).toEqual(vatRate('R', 1_250));
    expect(vatRateOfKey('X20')).toBeNull();
  });

  it('of the state is made once; a key that no rate has is a fault of our own', () => {
    expect(rateOfKey('S2000')).toEqual(vatRate('S', 2_000));
    expect(rateOfKey('S2000')).toBe(rateOfKey('S2000'));
    expect(() => rateOfKey('T2000')).toThrow(expect.objectContaining({ code: 'ASSERTION_FAILED' }));
    for (let points = 0; points < 600; points += 1) expect(rateOfKey(`S${points}`)).toEqual(vatRate('S', points));
  });

  it('stands in the order S R Z E O, then by falling rate', () => {
    const rates = [vatRate('O', 0), vatRate('R', 500), vatRate('E', 0), vatRate('R', 1_250), vatRate('Z', 0)];
    expect([...rates, vatRate('S', 2_000)].sort(compareVatRates).map(({ key }) => key)).toEqual([
      'S2000',
      'R1250',
      'R500',
      'Z0',
      'E0',
      'O0',
    ]);
  });
});

describe('a percentage', () => {
  it('is decimal text of at most two places', () => {
    expect(['20', '17.5', '0', '2.25', '100'].map(basisPointsOfPercent)).toEqual([2_000, 1_750, 0, 225, 10_000]);
    for (const text of ['', '-5', '5%', '1.234', '1e2', '.5']) expect(basisPointsOfPercent(text)).toBeNaN();
    expect([2_000, 1_750, 0, 225, 5].map(percentText)).toEqual(['20', '17.5', '0', '2.25', '0.05']);
  });
});
