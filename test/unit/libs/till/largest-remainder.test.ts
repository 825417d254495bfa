import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addPenniesByRemainder, shareByLargestRemainder } from '../../../../libs/till/largest-remainder.ts';

describe('sharing by largest remainder', () => {
  it('6.00, 1.50, 1.50 and 6.00 sold for 10.00 are 4, 1, 1 and 4 pounds (VATVAL03800)', () => {
    expect(shareByLargestRemainder(1_000, [600, 150, 150, 600])).toEqual([400, 100, 100, 400]);
  });

  it('gives a tied penny to the first', () => {
    expect(shareByLargestRemainder(1, [100, 100])).toEqual([1, 0]);
    expect(shareByLargestRemainder(100, [1, 1, 1])).toEqual([34, 33, 33]);
  });

  it('sums exactly, each part within a penny of its exact share', () => {
    const amount = fc.integer({ min: 0, max: 10 ** 13 });
    const weights = fc.array(fc.integer({ min: 0, max: 10 ** 13 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(amount, weights, (total, by) => {
        const sum = by.reduce((a, b) => a + b, 0);
        fc.pre(sum > 0);
        const parts = shareByLargestRemainder(total, by);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(total);
        parts.forEach((part, index) => {
          const floor = Number((BigInt(total) * BigInt(by[index] ?? 0)) / BigInt(sum));
          expect([floor, floor + 1]).toContain(part);
        });
      }),
    );
  });

  it('of nothing over nothing is nothing; of something over nothing is refused', () => {
    expect(shareByLargestRemainder(0, [0, 0])).toEqual([0, 0]);
    expect(() => shareByLargestRemainder(1, [0, 0])).toThrow(expect.objectContaining({ code: 'E_APPORTION_ZERO' }));
  });

  it('raises whole parts by their remainders', () => {
    // 20.8 + 1.65 cut to 22: 20 and 1, the penny to the .8.
    expect(addPenniesByRemainder([20, 1], [80n, 65n], 22)).toEqual([21, 1]);
  });
});
