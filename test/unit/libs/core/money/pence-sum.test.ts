import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addSums,
  approximately,
  formatPenceSum,
  negateSum,
  type PenceSum,
  parsePenceSum,
  subtractSums,
  totalOf,
} from '../../../../../libs/core/money/pence-sum.ts';

const MAX = Number.MAX_SAFE_INTEGER;
const anySum = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });
const sumOf = (value: bigint): PenceSum => parsePenceSum(String(value));

describe('a sum of pence', () => {
  it('is a number while it is a safe integer, and its decimal digits beyond', () => {
    expect(addSums(MAX, 0)).toBe(MAX);
    expect(addSums(MAX, 1)).toBe('9007199254740992');
    expect(addSums(-MAX, -2)).toBe('-9007199254740993');
    expect(subtractSums(addSums(MAX, 5), 5)).toBe(MAX);
  });

  it('of any amounts in any order is what whole numbers without end come to', () => {
    fc.assert(
      fc.property(fc.array(anySum, { maxLength: 12 }), (values) => {
        const expected = values.reduce((sum, value) => sum + value, 0n);
        expect(String(totalOf(values.map(sumOf)))).toBe(String(expected));
        expect(totalOf([...values].reverse().map(sumOf))).toBe(totalOf(values.map(sumOf)));
      }),
    );
  });

  it('is never negative zero, and minus itself is nothing', () => {
    expect(Object.is(negateSum(0), 0)).toBe(true);
    fc.assert(
      fc.property(anySum, (value) => {
        expect(addSums(sumOf(value), negateSum(sumOf(value)))).toBe(0);
      }),
    );
  });

  it('is kept by JSON as it is', () => {
    const sums = [0, -1, MAX, addSums(MAX, 1), negateSum(addSums(MAX, 1))];
    expect(JSON.parse(JSON.stringify(sums))).toEqual(sums);
  });

  it.each(['01', '+1', '-0', '1.0', '', '1e5', ' 1', '9'.repeat(31)])('is not read from %j', (text) => {
    expect(() => parsePenceSum(text)).toThrow(expect.objectContaining({ code: 'DECIMAL_INVALID' }));
  });

  it('is shown in pounds to the penny', () => {
    expect(formatPenceSum(-123_456)).toBe('-1,234.56');
    expect(formatPenceSum(7)).toBe('0.07');
    expect(formatPenceSum(parsePenceSum('-9007199254740993'))).toBe('-90,071,992,547,409.93');
    expect(approximately(parsePenceSum('9007199254740993'))).toBeCloseTo(2 ** 53, -1);
  });
});
