import { describe, expect, it } from 'vitest';
import { loanDeductionPence, loanThresholdPence } from '../../../../../../libs/core/paye/rates/loan-deductions.ts';

describe('loan thresholds', () => {
  it.each([
    // 26,065 / 52 = 501.25; / 12 = 2,172.0833 -> 2,172.08; 21,000 / 52 = 403.8461 -> 403.84, two weeks 807.6923 -> 807.69.
    [2_606_500, 1, 52, 50_125],
    [2_606_500, 1, 12, 217_208],
    [2_100_000, 1, 52, 40_384],
    [2_100_000, 2, 52, 80_769],
  ])('%i pence a year for %i of %i is %i, down to the penny', (annual, periods, inYear, threshold) => {
    expect(loanThresholdPence(annual, periods, inYear)).toBe(threshold);
  });
});

describe('loan deductions', () => {
  it.each([
    // (3,000.00 - 2,172.08) * 9% = 74.51 -> 74; exactly at the threshold nothing; 11.12 over at 9% is 1.0008 -> 1.
    [300_000, 217_208, 900, 7_400],
    [217_208, 217_208, 900, 0],
    [218_319, 217_208, 900, 0],
    [218_320, 217_208, 900, 100],
    [-1, 0, 900, 0],
  ])('on %i over %i at %i basis points: %i pence, down to the whole pound', (earnings, threshold, rate, deduction) => {
    expect(loanDeductionPence(earnings, threshold, rate)).toBe(deduction);
  });
});
