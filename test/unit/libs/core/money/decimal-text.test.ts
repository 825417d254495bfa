import { describe, expect, it } from 'vitest';
import {
  exactPenceOfPounds,
  multiplyDecimal,
  parseDecimal,
  penceOfPounds,
} from '../../../../../libs/core/money/decimal-text.ts';

describe('decimal text', () => {
  it.each([
    ['2.55', 255],
    ['-11062.06', -1_106_206],
    ['0', 0],
    ['7', 700],
  ])('%s pounds are %i pence', (text, pence) => {
    expect(exactPenceOfPounds(parseDecimal(text))).toBe(pence);
  });

  it('12 at £0.001 is a penny: 1.2p rounds to 1p, half a penny goes away from zero on both sides', () => {
    expect(penceOfPounds(multiplyDecimal(parseDecimal('12'), parseDecimal('0.001')))).toBe(1);
    expect(penceOfPounds(parseDecimal('0.005'))).toBe(1);
    expect(penceOfPounds(parseDecimal('-0.005'))).toBe(-1);
    expect(penceOfPounds(parseDecimal('0.0049'))).toBe(0);
  });

  it('multiplies exactly where floating point does not: 1.1 × 1.1 = 1.21', () => {
    expect(multiplyDecimal(parseDecimal('1.1'), parseDecimal('1.1'))).toEqual({ units: 121n, scale: 2 });
  });

  it.each(['', '£5', '1,000.00', '1e3', 'NaN', '.5', '5.', '--1', '1234567890123456789'])('refuses "%s"', (text) => {
    expect(() => parseDecimal(text)).toThrowError(/not a decimal number/);
  });

  it('refuses a fraction of a penny where pence must be exact', () => {
    expect(() => exactPenceOfPounds(parseDecimal('1.005'))).toThrowError(/fraction of a penny/);
  });
});
