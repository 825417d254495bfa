import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { halfUpQuotient, halfUpShare } from '../../../../../libs/core/money/half-up.ts';

describe('a share rounded half up', () => {
  it.each([
    // 2/6 = 0.33, 3/6 = 0.5, 15/6 = 2.5, 999/6 = 166.5.
    [2, 1, 6, 0],
    [3, 1, 6, 1],
    [15, 1, 6, 3],
    [999, 1, 6, 167],
    [-3, 1, 6, -1],
    [-2, 1, 6, 0],
    [0, 1, 6, 0],
    // 1175 x 7/47 = 175.
    [1_175, 7, 47, 175],
    [Number.MAX_SAFE_INTEGER, 1, 1, Number.MAX_SAFE_INTEGER],
  ])('%i x %i/%i is %i', (amount, numerator, denominator, expected) => {
    expect(halfUpShare(amount, numerator, denominator)).toBe(expected);
  });

  it('is exact for every safe amount and any fraction up to 1, as bigint has it', () => {
    const whole = fc.integer({ min: 1, max: 2 ** 31 });
    fc.assert(
      fc.property(fc.maxSafeInteger(), whole, whole, (amount, a, b) => {
        const [numerator, denominator] = [Math.min(a, b), Math.max(a, b)];
        const exact = BigInt(Math.abs(amount)) * BigInt(numerator);
        const rounded = (2n * exact + BigInt(denominator)) / (2n * BigInt(denominator));
        expect(BigInt(halfUpShare(amount, numerator, denominator))).toBe(amount < 0 ? -rounded : rounded);
      }),
    );
  });

  it('never makes a negative zero', () => {
    expect(Object.is(halfUpShare(-1, 1, 6), 0)).toBe(true);
    expect(Object.is(halfUpQuotient(-1n, 6n), 0)).toBe(true);
  });

  it('refuses what leaves the safe integers, and a denominator of 0', () => {
    expect(() => halfUpShare(Number.MAX_SAFE_INTEGER, 3, 2)).toThrow('safe integers');
    expect(() => halfUpQuotient(1n, 0n)).toThrow('denominator');
  });
});
