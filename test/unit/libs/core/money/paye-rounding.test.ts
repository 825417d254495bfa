import { describe, expect, it } from 'vitest';
import {
  roundNicsProduct,
  shareDownPence,
  shareUpPence,
  taxOnTenThousandths,
} from '../../../../../libs/core/money/paye-rounding.ts';

describe('HMRC’s rounding of Class 1', () => {
  it.each([
    // pence x basis points: 0.0056, 0.0096, 0.085, 0.086, 0.0859 of a pound; 7 x 800 = 5,600 is 0.56 of a penny.
    [5_600, 0],
    [9_600, 1],
    [85_000, 8],
    [86_000, 9],
    [85_900, 8],
    [0, 0],
  ])('%i is %i pence: third decimal 0 to 5 down, 6 to 9 up', (product, pence) => {
    expect(roundNicsProduct(product)).toBe(pence);
  });
});

describe('shares', () => {
  it('go down or up to the penny', () => {
    expect([shareDownPence(101, 5_000), shareUpPence(101, 5_000), shareUpPence(100, 5_000)]).toEqual([50, 51, 50]);
    expect(shareDownPence(-101, 5_000)).toBe(-51);
  });

  it('are exact at any size', () => {
    for (const amount of [Number.MAX_SAFE_INTEGER - 1, 9_999, 10_000, -123_456_789_012_345]) {
      for (const rate of [0, 50, 850, 9_200, 10_000]) {
        const product = BigInt(amount) * BigInt(rate);
        const down = product / 10_000n - (product < 0n && product % 10_000n !== 0n ? 1n : 0n);
        expect(shareDownPence(amount, rate)).toBe(Number(down));
        expect(shareUpPence(amount, rate)).toBe(Number(product % 10_000n === 0n ? down : down + 1n));
      }
    }
  });
});

describe('tax on ten-thousandths of a pound', () => {
  it('equals the exact product cut to four decimals, at any size', () => {
    for (const amount of [0, 1, 9_999, 33_333, 123_456_789_123, 49_999_999_999_999]) {
      for (const rate of [1_900, 2_000, 4_800]) {
        expect(taxOnTenThousandths(amount, rate)).toBe(Number((BigInt(amount) * BigInt(rate)) / 10_000n));
      }
    }
  });
});
