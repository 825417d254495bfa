import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { type PaidCharge, penaltiesOfCharge } from '../../../../../../libs/core/vat/standing/vat-penalties.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const late = (due: string, paidOn: string, start: string | null = null) => {
  const periodStart = start === null ? null : localDate(start);
  const paid = [{ on: localDate(paidOn), pence: 1_000_000 }];
  const charge = { amountPence: 1_000_000, due: localDate(due), periodStart, paid };
  const { firstPence, secondPence } = penaltiesOfCharge(charge, localDate(paidOn), RULES);
  return [firstPence, secondPence];
};

describe('a late payment of £10,000.00', () => {
  it('costs nothing to day 15, then 3%, from day 31 6% and 10% a year by day', () => {
    expect(late('2026-08-07', '2026-08-22')).toEqual([0, 0]);
    expect(late('2026-08-07', '2026-08-23')).toEqual([30_000, 0]);
    expect(late('2026-08-07', '2026-09-06')).toEqual([30_000, 0]);
    // 10,000 x 10% / 365 = 2.7397 -> 2.74 for day 31.
    expect(late('2026-08-07', '2026-09-07')).toEqual([60_000, 274]);
  });

  it('has the rates of the day its period began: January to March 2025 stays at 2%, 2% and 4%', () => {
    // 2% + 2%; 10,000 x 4% x 2 / 365 = 2.19.
    expect(late('2025-05-07', '2025-06-08', '2025-01-01')).toEqual([40_000, 219]);
    expect(late('2025-05-07', '2025-06-08')).toEqual([40_000, 219]);
    expect(late('2025-08-07', '2025-08-23', '2025-04-01')).toEqual([30_000, 0]);
    // Where the period is not told, what is due from 31 May 2025 began on or after 1 April.
    expect(late('2025-05-30', '2025-06-15')).toEqual([20_000, 0]);
    expect(late('2025-05-31', '2025-06-16')).toEqual([30_000, 0]);
  });
});

describe('the penalties of a charge on a day', () => {
  const of = (due: string, asOf: string, more: Partial<PaidCharge> = {}) => {
    const charge = { amountPence: 1_000_000, due: localDate(due), periodStart: null, paid: [], ...more };
    return penaltiesOfCharge(charge, localDate(asOf), RULES);
  };
  const paid = (on: string, amount: number) => ({ on: localDate(on), pence: amount });

  // Cases of ../shared/vectors/collection: due, as of, paid on, first, second penalty.
  it.each([
    ['2026-08-07', '2026-11-21', '2026-08-22', 0, 0],
    ['2026-08-07', '2026-11-21', '2026-08-23', 30_000, 0],
    ['2026-08-07', '2026-11-21', '2026-09-07', 60_000, 274],
    ['2026-08-07', '2026-11-21', '2026-11-20', 60_000, 20_548],
    ['2024-08-07', '2025-01-01', '2024-09-21', 40_000, 1_644],
    ['2025-05-30', '2025-07-20', null, 40_000, 2_301],
    ['2025-05-31', '2025-07-20', null, 60_000, 5_479],
    ['2026-08-07', '2026-09-06', null, 30_000, 0],
    ['2027-12-07', '2028-03-31', null, 60_000, 23_288],
  ])('due %s, on %s, paid %s, are %i and %i', (due, asOf, paidOn, first, second) => {
    const more = paidOn === null ? {} : { paid: [paid(paidOn, 1_000_000)] };
    expect(of(due, asOf, more)).toMatchObject({ firstPence: first, secondPence: second });
  });

  it('go by what is unpaid on days 15 and 30, and by each part to the day on which it was paid', () => {
    const parts = [paid('2026-08-22', 400_000), paid('2026-09-06', 100_000), paid('2026-09-16', 200_000)];
    // 3% of 6,000.00 and of 5,000.00; 2,000.00 for 10 days and 3,000.00 for 15 at 10%: 5.479 + 12.329.
    expect(of('2026-08-07', '2026-09-21', { paid: parts })).toEqual({
      day15Pence: 600_000,
      day30Pence: 500_000,
      day15Rate: 300,
      day30Rate: 300,
      dailyRate: 1_000,
      firstPence: 33_000,
      dailyDays: 15,
      secondPence: 1_781,
    });
  });

  it('are none while a day is not over, and none of a period before the regime', () => {
    expect(of('2026-08-07', '2026-08-22')).toMatchObject({ day15Pence: 0, firstPence: 0 });
    expect(of('2026-08-07', '2026-08-01')).toMatchObject({ day15Pence: 0, secondPence: 0, dailyDays: 0 });
    const old = { periodStart: localDate('2022-10-01') };
    expect(of('2023-02-07', '2026-08-01', old)).toMatchObject({ firstPence: 0, secondPence: 0 });
  });
});
