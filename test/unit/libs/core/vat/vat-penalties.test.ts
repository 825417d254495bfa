import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import { latePaymentPenalties, lateReturnPoints } from '../../../../../libs/core/vat/vat-penalties.ts';
import { testVatRules } from '../../../../support/vat-rules.ts';

const RULES = testVatRules();
const late = (due: string, paidOn: string, periodStart: string | null = null) => {
  const start = periodStart === null ? null : localDate(periodStart);
  const { daysLate, firstPence, secondPence } = latePaymentPenalties(
    1_000_000,
    localDate(due),
    localDate(paidOn),
    start,
    RULES,
  );
  return [daysLate, firstPence, secondPence];
};

describe('a late payment of £10,000.00', () => {
  it('costs nothing to day 15, then 3%, from day 31 6% and 10% a year by day', () => {
    expect(late('2026-08-07', '2026-08-22')).toEqual([15, 0, 0]);
    expect(late('2026-08-07', '2026-08-23')).toEqual([16, 30_000, 0]);
    expect(late('2026-08-07', '2026-09-06')).toEqual([30, 30_000, 0]);
    // 10,000 x 10% / 365 = 2.7397 -> 2.74 for day 31.
    expect(late('2026-08-07', '2026-09-07')).toEqual([31, 60_000, 274]);
  });

  it('has the rates of the day its period began: January to March 2025 stays at 2%, 2% and 4%', () => {
    // 2% + 2%; 10,000 x 4% x 2 / 365 = 2.19.
    expect(late('2025-05-07', '2025-06-08', '2025-01-01')).toEqual([32, 40_000, 219]);
    expect(late('2025-05-07', '2025-06-08')).toEqual([32, 40_000, 219]);
    expect(late('2025-08-07', '2025-08-23', '2025-04-01')).toEqual([16, 30_000, 0]);
    // Where the period is not told, what is due from 31 May 2025 began on or after 1 April.
    expect(late('2025-05-30', '2025-06-15')).toEqual([16, 20_000, 0]);
    expect(late('2025-05-31', '2025-06-16')).toEqual([16, 30_000, 0]);
  });
});

describe('points for late returns', () => {
  it('stop at the threshold, where each costs 200', () => {
    const day = localDate('2026-11-21');
    const points = (count: number) => lateReturnPoints('quarterly', Array(count).fill(true), day, RULES);
    expect(points(3)).toEqual({ points: 3, penaltiesPence: 0, atThreshold: false });
    expect(points(4)).toEqual({ points: 4, penaltiesPence: 20_000, atThreshold: true });
    expect(points(6)).toEqual({ points: 4, penaltiesPence: 60_000, atThreshold: true });
    expect(lateReturnPoints('annual', [false, true], day, RULES).points).toBe(1);
  });
});
