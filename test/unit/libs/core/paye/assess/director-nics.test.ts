import { describe, expect, it } from 'vitest';
import { directorNics, directorWeeks } from '../../../../../../libs/core/paye/assess/director-nics.ts';
import { rulesAtYearEnd } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const { directorTerms, letterOrder } = rulesAtYearEnd(testPayeRules(), '2026-27');

describe('a director’s earnings period', () => {
  it.each([
    [null, 52],
    [1, 52],
    [27, 26],
    [52, 1],
    [53, 1],
  ])('appointed in week %s has %i weeks', (week, weeks) => {
    expect(directorWeeks(week)).toBe(weeks);
  });

  it('pro rata thresholds are up to the pound', () => {
    // 14 weeks: 6,708 * 14 / 52 = 1,806; 12,570 * 14 / 52 = 3,384.23 -> 3,385.
    expect(directorTerms[14]?.A).toMatchObject({ lowerEarningsLimitPence: 180_600, primaryThresholdPence: 338_500 });
  });
});

describe('NICs on the year’s earnings', () => {
  it('letters use up the annual bands in the order of HMRC’s calculator', () => {
    // M first: 20,000: (20,000 - 12,570) * 8% = 594.40, employer nothing below 50,270. A next: 20,000 to 60,000.
    const { byLetter, employeePence, employerPence } = directorNics(directorTerms[52] ?? {}, letterOrder, {
      A: 4_000_000,
      M: 2_000_000,
    });
    expect(byLetter.M).toEqual({ employeePence: 59_440, employerPence: 0 });
    // (50,270 - 20,000) * 8% + 9,730 * 2% = 2,421.60 + 194.60; 40,000 * 15%.
    expect(byLetter.A).toEqual({ employeePence: 242_160 + 19_460, employerPence: 600_000 });
    expect([employeePence, employerPence]).toEqual([321_060, 600_000]);
  });

  it('letter X stands outside', () => {
    expect(directorNics(directorTerms[52] ?? {}, letterOrder, { X: 9_000_000 })).toEqual({
      employeePence: 0,
      employerPence: 0,
      byLetter: {},
    });
  });

  it('earnings below zero use nothing up', () => {
    expect(directorNics(directorTerms[52] ?? {}, letterOrder, { B: -100, A: 1_300_000 }).employeePence).toBe(3_440);
  });
});
