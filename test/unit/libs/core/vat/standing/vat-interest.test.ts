import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  type BearingInterest,
  interestKnownTo,
  interestRateOn,
  vatInterest,
} from '../../../../../../libs/core/vat/standing/vat-interest.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const over = (from: string, to: string, pence: number): BearingInterest => ({
  from: localDate(from),
  to: localDate(to),
  pence,
});

describe('late payment interest', () => {
  // Day 1 is the night of the day it was due; each night has the rate of its first day.
  it.each([
    // 10,000.00 x 6.75% x 7 / 365 = 12.945
    ['2023-05-07', '2023-05-14', 1_000_000, 1_295],
    ['2026-08-07', '2026-08-08', 1_000_000, 212],
    // 15 nights at 7%, 16 at 8.5%.
    ['2025-03-22', '2025-04-22', 123_456, 815],
    ['2025-04-05', '2025-04-07', 2_500_000, 1_062],
    // Over a leap year and three rates: 211 nights at 7.75%, 98 at 7.5%, 57 at 7.25%.
    ['2024-01-22', '2025-01-22', 1_000_000, 76_260],
    ['2026-01-22', '2026-11-21', 1, 0],
    ['2026-05-22', '2026-06-08', 4_521, 16],
    ['2026-05-22', '2026-05-22', 50_000, 0],
  ])('from %s to %s on %i pence is %i', (from, to, amount, interest) => {
    expect(vatInterest([over(from, to, amount)], 'late', RULES)).toBe(interest);
  });

  it('of a balance that is paid in parts is rounded once', () => {
    // 3,000.00 for 5 nights at 8.25%, 2,000.00 for 34 and 500.00 for 22 at 8%.
    const parts = [
      over('2025-08-22', '2025-08-27', 100_000),
      over('2025-08-22', '2025-09-30', 150_000),
      over('2025-08-22', '2025-10-22', 50_000),
    ];
    expect(vatInterest(parts, 'late', RULES)).toBe(2_071);
    expect(vatInterest([...parts].reverse(), 'late', RULES)).toBe(2_071);
  });

  it('is none before the table begins', () => {
    expect(vatInterest([over('2022-01-01', '2022-11-22', 1_000_000)], 'late', RULES)).toBe(0);
    // One night at 5.5%: 1.5068.
    expect(vatInterest([over('2022-01-01', '2022-11-23', 1_000_000)], 'late', RULES)).toBe(151);
  });
});

describe('repayment interest', () => {
  it.each([
    ['2024-02-07', '2024-02-13', 2_400_000, 1_677],
    ['2026-08-20', '2026-09-01', 123_456, 112],
    ['2026-02-07', '2026-06-07', 250_000, 2_260],
  ])('from %s to %s on %i pence is %i', (from, to, amount, interest) => {
    expect(vatInterest([over(from, to, amount)], 'repayment', RULES)).toBe(interest);
  });
});

describe('the end of HMRC’s table', () => {
  it('is said of a rate of a later day, and of interest on a later night alone', () => {
    const day = (text: string) => interestRateOn('late', localDate(text), RULES);
    expect(day('2026-11-23')).toEqual({ basisPoints: 775, knownTo: null });
    expect(day('2026-11-24')).toEqual({ basisPoints: 775, knownTo: '2026-11-23' });
    const known = over('2026-10-22', '2026-11-24', 100);
    const later = over('2026-11-20', '2026-11-25', 100);
    expect(interestKnownTo([known], RULES)).toBeNull();
    expect(interestKnownTo([known, later], RULES)).toBe('2026-11-23');
    expect(interestKnownTo([{ ...later, pence: 0 }, over('2026-12-01', '2026-12-01', 100)], RULES)).toBeNull();
  });
});
