import { describe, expect, it } from 'vitest';
import { rulesAtYearEnd, rulesOfYear } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();

describe('rules of a year', () => {
  it.each([
    ['2022-23', 'restOfUk', [37_700, 150_000], [2_000, 4_000, 4_500]],
    ['2023-24', 'scotland', [2_162, 13_118, 31_092, 125_140], [1_900, 2_000, 2_100, 4_200, 4_700]],
    ['2026-27', 'wales', [37_700, 125_140], [2_000, 4_000, 4_500]],
    ['2026-27', 'scotland', [3_967, 16_956, 31_092, 62_430, 125_140], [1_900, 2_000, 2_100, 4_200, 4_500, 4_800]],
  ] as const)('%s %s has bands to %o at %o basis points', (year, nation, topsPounds, ratesBasisPoints) => {
    expect(rulesAtYearEnd(RULES, year).scales[nation]).toMatchObject({ topsPounds, ratesBasisPoints });
  });

  it('investment zone letters begin on 6 April 2024', () => {
    expect(Object.keys(rulesAtYearEnd(RULES, '2023-24').frequencies.M1.letters).join('')).toBe('ABCFHIJLMSVXZ');
    expect(Object.keys(rulesAtYearEnd(RULES, '2024-25').frequencies.M1.letters)).toHaveLength(17);
  });

  it('directors have rates of their own where the ordinary ones changed within the year', () => {
    const [first] = rulesOfYear(RULES, '2022-23');
    expect(first?.directorTerms[52]?.B).toMatchObject({
      primaryThresholdPence: 1_190_800,
      employeeBasisPoints: 658,
      employeeAboveBasisPoints: 273,
      employerBasisPoints: 1_453,
    });
    expect(rulesAtYearEnd(RULES, '2023-24').directorTerms[52]?.B?.employeeBasisPoints).toBe(535);
  });

  it('what is assumed is a parameter of the card', () => {
    const { poolsIncomeTax, poolsClass1, poolsLoans, letterOrder } = rulesAtYearEnd(RULES, '2026-27');
    expect({ poolsIncomeTax, poolsClass1, poolsLoans, order: letterOrder.join('') }).toEqual({
      poolsIncomeTax: true,
      poolsClass1: true,
      poolsLoans: true,
      order: 'BMAZJCHVFILSDEKN',
    });
  });
});
