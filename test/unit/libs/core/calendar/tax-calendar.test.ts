import { describe, expect, it } from 'vitest';
import { addDays, localDate } from '../../../../../libs/core/calendar/local-date.ts';
import {
  isTaxYear,
  quarterEndMonth,
  taxMonthEnd,
  taxMonthOf,
  taxMonthStart,
  taxWeekOf,
  taxYear,
  taxYearEnd,
  taxYearOf,
  taxYearStart,
} from '../../../../../libs/core/calendar/tax-calendar.ts';

describe('the tax year', () => {
  it.each([
    ['2026-04-05', '2025-26'],
    ['2026-04-06', '2026-27'],
    ['2026-12-31', '2026-27'],
    ['2000-01-01', '1999-00'],
  ])('%s is in %s', (date, year) => {
    expect(taxYearOf(localDate(date))).toBe(year);
  });

  it('begins on 6 April and ends on 5 April', () => {
    const year = taxYear('2026-27');
    expect([taxYearStart(year), taxYearEnd(year)]).toEqual(['2026-04-06', '2027-04-05']);
  });

  it.each(['2026', '2026-28', '26-27', '2026-2027'])('"%s" is none', (text) => {
    expect(isTaxYear(text)).toBe(false);
    expect(() => taxYear(text)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_TAX_YEAR' }));
  });
});

describe('tax months and weeks', () => {
  it.each([
    ['2026-04-06', 1, 1],
    ['2026-04-12', 1, 1],
    ['2026-04-13', 1, 2],
    ['2026-05-05', 1, 5],
    ['2026-05-06', 2, 5],
    ['2027-01-05', 9, 40],
    ['2027-04-04', 12, 52],
    ['2027-04-05', 12, 53],
    ['2028-04-04', 12, 53],
    ['2028-04-05', 12, 53],
  ])('%s is in month %i and week %i', (date, month, week) => {
    expect([taxMonthOf(localDate(date)), taxWeekOf(localDate(date))]).toEqual([month, week]);
  });

  it('every day of a leap tax year lies between the bounds of its month', () => {
    const year = taxYear('2027-28');
    for (let date = taxYearStart(year); date <= taxYearEnd(year); date = addDays(date, 1)) {
      const month = taxMonthOf(date);
      expect(date >= taxMonthStart(year, month) && date <= taxMonthEnd(year, month), date).toBe(true);
    }
  });

  it('a month is 1 to 12', () => {
    expect(() => taxMonthEnd(taxYear('2026-27'), 13)).toThrow(expect.objectContaining({ code: 'BAD_TAX_MONTH' }));
  });

  it('quarters end with months 3, 6, 9 and 12', () => {
    expect([1, 3, 4, 9, 12].map(quarterEndMonth)).toEqual([3, 3, 6, 9, 12]);
  });
});
