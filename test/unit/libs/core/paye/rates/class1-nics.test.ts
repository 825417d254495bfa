import { describe, expect, it } from 'vitest';
import type { NiCategory, PayFrequency } from '../../../../../../libs/core/events/paye-events.ts';
import {
  type Class1Terms,
  class1BandsOf,
  employeeNicsPence,
  employerNicsPence,
} from '../../../../../../libs/core/paye/rates/class1-nics.ts';
import { rulesAtYearEnd } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();

function terms(letter: NiCategory, frequency: PayFrequency = 'M1', year = '2026-27'): Class1Terms {
  const found = rulesAtYearEnd(RULES, year).frequencies[frequency].letters[letter];
  if (found === undefined) throw new Error(`no letter ${letter} in ${year}`);
  return found;
}

describe('Class 1 of an earnings period', () => {
  it('takes 8% between the primary threshold and the upper earnings limit, 2% above, each rounded by itself', () => {
    // (4,189 - 1,048) * 8% = 251.28; (5,000 - 4,189) * 2% = 16.22; employer (4,189 - 417) * 15% = 565.80 and 811 * 15% = 121.65.
    expect(employeeNicsPence(terms('A'), 500_000)).toBe(25_128 + 1_622);
    expect(employerNicsPence(terms('A'), 500_000)).toBe(56_580 + 12_165);
  });

  it('rounds the third decimal 0 to 5 down and 6 to 9 up', () => {
    // One pound seven pence over 242 a week at 8%: 0.0856 -> third decimal 5 -> 0.08; 0.07 at 8% is 0.0056 -> 0.00; 0.12: 0.0096 -> 0.01.
    expect([24_307, 24_207, 24_212].map((earnings) => employeeNicsPence(terms('A', 'W1'), earnings))).toEqual([
      8, 0, 1,
    ]);
  });

  it.each([
    ['A', 13_616, 34_995],
    ['B', 3_149, 34_995],
    ['C', 0, 34_995],
    ['J', 3_404, 34_995],
    ['F', 13_616, 10_005],
    ['I', 3_149, 10_005],
    ['L', 3_404, 10_005],
    ['S', 0, 10_005],
    ['N', 13_616, 10_005],
    ['E', 3_149, 10_005],
    ['D', 3_404, 10_005],
    ['K', 0, 10_005],
    ['M', 13_616, 0],
    ['Z', 3_404, 0],
    ['H', 13_616, 0],
    ['V', 13_616, 0],
    ['X', 0, 0],
  ] as const)('letter %s on 2,750.00 a month: employee %i, employer %i pence', (letter, employee, employer) => {
    expect([employeeNicsPence(terms(letter), 275_000), employerNicsPence(terms(letter), 275_000)]).toEqual([
      employee,
      employer,
    ]);
  });

  it('pays nothing on negative earnings', () => {
    expect([employeeNicsPence(terms('A'), -1), employerNicsPence(terms('A'), -1)]).toEqual([0, 0]);
  });

  it('multiples have thresholds from the annual figure up to the pound, and lower limits by multiplication', () => {
    // 2025-26: 5,000 * 2 / 52 = 192.3 -> 193; 12,570 * 2 / 52 = 483.46 -> 484; 50,270 * 2 / 52 = 1,933.46 -> 1,934; 2 * 125.
    expect(terms('A', 'W2', '2025-26')).toMatchObject({
      lowerEarningsLimitPence: 25_000,
      employerFromPence: 19_300,
      primaryThresholdPence: 48_400,
      upperEarningsLimitPence: 193_400,
    });
    expect(terms('F', 'W4', '2025-26').employerFromPence).toBe(192_400);
    expect(terms('A', 'MA', '2025-26').lowerEarningsLimitPence).toBe(650_000);
  });
});

describe('bands that an FPS reports', () => {
  it('are all zero below the lower earnings limit, although the employer owes', () => {
    expect(employerNicsPence(terms('A'), 50_000)).toBe(1_245);
    expect(class1BandsOf(terms('A'), 50_000)).toEqual({
      atLowerEarningsLimitPence: 0,
      toPrimaryThresholdPence: 0,
      toUpperEarningsLimitPence: 0,
      abovePence: 0,
    });
  });

  it('add up to the earnings', () => {
    const bands = class1BandsOf(terms('A'), 512_345);
    expect(Object.values(bands ?? {}).reduce((sum, value) => sum + value, 0)).toBe(512_345);
  });

  it('are zero for letter X', () => {
    expect(class1BandsOf(terms('X'), 512_345)?.atLowerEarningsLimitPence).toBe(0);
  });
});
