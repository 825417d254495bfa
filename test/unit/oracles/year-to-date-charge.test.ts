import { describe, expect, it } from 'vitest';
import { localDate } from '../../../libs/core/calendar/local-date.ts';
import { taxYear } from '../../../libs/core/calendar/tax-calendar.ts';
import { type FullPaymentSubmission, monthOfSubmission, yearToDateCharges } from '../../oracles/year-to-date-charge.ts';

const YEAR = taxYear('2026-27');
const fps = (
  paymentDate: string,
  tax: number,
  changes: Partial<FullPaymentSubmission> = {},
): FullPaymentSubmission => ({
  worksNumber: '1',
  paymentDate: localDate(paymentDate),
  received: null,
  toDatePence: { tax, ee: 0, er: 0, sl: 0, pgl: 0 },
  oldWorksNumber: null,
  ...changes,
});
const taxOf = (...submissions: readonly FullPaymentSubmission[]) =>
  [...yearToDateCharges(YEAR, submissions)].map(([month, { tax }]) => [month, tax]);

describe('the month that a submission belongs to', () => {
  it.each([
    ['2026-04-30', null, 1],
    ['2026-04-30', '2026-05-19', 1],
    ['2026-04-30', '2026-05-20', 2],
    ['2026-04-30', '2026-06-19', 2],
    ['2026-04-30', '2026-06-20', 3],
    ['2026-05-31', '2026-04-25', 2],
    ['2027-04-05', '2027-04-19', 12],
    ['2026-04-30', '2027-12-31', 12],
  ])('paid %s, received %s: month %i', (paid, received, month) => {
    expect(monthOfSubmission(YEAR, localDate(paid), received === null ? null : localDate(received))).toBe(month);
  });
});

describe('charges from figures to date', () => {
  it('are the movement from month to month, a fall included', () => {
    expect(taxOf(fps('2026-04-30', 10_000), fps('2026-05-31', 25_000), fps('2026-06-30', 20_000))).toEqual([
      [1, 10_000],
      [2, 15_000],
      [3, -5_000],
    ]);
  });

  it('a duplicate has no effect, a correction in time replaces', () => {
    const first = fps('2026-04-30', 10_000);
    expect(taxOf(first, first)).toEqual([[1, 10_000]]);
    expect(taxOf(first, fps('2026-04-30', 12_000, { received: localDate('2026-05-10') }))).toEqual([[1, 12_000]]);
  });

  it('a correction of an old pay date moves nothing while a later pay date is on file', () => {
    const late = fps('2026-04-30', 12_000, { received: localDate('2026-06-10') });
    expect(taxOf(fps('2026-04-30', 10_000), fps('2026-05-31', 20_000), late)).toEqual([
      [1, 10_000],
      [2, 10_000],
    ]);
  });

  it('a changed works number goes on with the old one’s figures; unmarked it is a second employment', () => {
    const moved = fps('2026-05-31', 20_000, { worksNumber: '2', oldWorksNumber: '1' });
    expect(taxOf(fps('2026-04-30', 10_000), moved)).toEqual([
      [1, 10_000],
      [2, 10_000],
    ]);
    expect(taxOf(fps('2026-04-30', 10_000), { ...moved, oldWorksNumber: null })).toEqual([
      [1, 10_000],
      [2, 20_000],
    ]);
  });

  it('works numbers that name each other end nowhere worse than one employment', () => {
    const a = fps('2026-04-30', 10_000, { worksNumber: '1', oldWorksNumber: '2' });
    const b = fps('2026-05-31', 15_000, { worksNumber: '2', oldWorksNumber: '1' });
    expect(taxOf(a, b)).toHaveLength(2);
  });

  it('a date of another year is refused', () => {
    expect(() => taxOf(fps('2027-04-06', 1))).toThrow(
      expect.objectContaining({ code: 'PAYMENT_DATE_OUTSIDE_TAX_YEAR' }),
    );
  });
});
