import { describe, expect, it } from 'vitest';
import { addDays, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { financialRange, obligationsRange } from '../../../../../../libs/core/vat/mtd/date-range.ts';

const TODAY = localDate('2026-11-21');
const FROM = localDate('2025-01-01');

/** Status and code of a refusal, or the range itself. */
function said(answer: ReturnType<typeof obligationsRange>): unknown {
  return 'body' in answer ? [answer.status, answer.body.code] : answer;
}

describe('the dates of the obligations', () => {
  const dates = (from?: string, to?: string) => said(obligationsRange({ from, to }));

  it.each([
    [undefined, '2025-01-01', 'INVALID_DATE_FROM'],
    ['01/01/2025', '2025-01-01', 'INVALID_DATE_FROM'],
    ['2025-02-29', undefined, 'INVALID_DATE_FROM'],
    ['2025-01-01', undefined, 'INVALID_DATE_TO'],
    ['2025-01-01', '2025-13-01', 'INVALID_DATE_TO'],
    ['2025-01-02', '2025-01-01', 'INVALID_DATE_RANGE'],
    ['2025-01-01', '2025-01-01', 'INVALID_DATE_RANGE'],
    ['2025-01-01', '2026-01-02', 'INVALID_DATE_RANGE'],
    ['2024-01-01', '2025-01-02', 'INVALID_DATE_RANGE'],
  ])('from %s to %s: %s', (from, to, code) => {
    expect(dates(from, to)).toEqual([400, code]);
  });

  it('are two days or up to a year apart, in any year', () => {
    for (const [from, to] of [
      [FROM, addDays(FROM, 1)],
      [FROM, localDate('2026-01-01')],
      [localDate('2024-01-01'), localDate('2025-01-01')],
      [localDate('2016-04-01'), localDate('2016-06-30')],
      [localDate('2027-01-01'), localDate('2027-06-30')],
    ] as const) {
      expect(dates(from, to)).toEqual({ from, to });
    }
  });
});

describe('the dates of liabilities and payments', () => {
  const dates = (from?: string, to?: string) => said(financialRange({ from, to }, TODAY));

  it.each([
    [undefined, '2025-01-01', 'DATE_FROM_INVALID'],
    ['2025-1-1', '2025-01-01', 'DATE_FROM_INVALID'],
    ['2017-11-30', '2018-01-01', 'DATE_FROM_INVALID'],
    ['2025-01-01', undefined, 'DATE_TO_INVALID'],
    ['2025-01-01', '2025-02-30', 'DATE_TO_INVALID'],
    ['2026-01-01', '2026-11-22', 'DATE_TO_INVALID'],
    ['2025-01-02', '2025-01-01', 'DATE_RANGE_INVALID'],
    ['2025-01-01', '2025-01-01', 'DATE_RANGE_INVALID'],
    ['2025-01-01', '2026-01-01', 'DATE_RANGE_INVALID'],
    ['2024-01-01', '2025-01-01', 'DATE_RANGE_INVALID'],
  ])('from %s to %s: %s', (from, to, code) => {
    expect(dates(from, to)).toEqual([400, code]);
  });

  it('are from 1 December 2017 to today, up to 365 days with both ends', () => {
    for (const [from, to] of [
      [localDate('2017-12-01'), localDate('2017-12-02')],
      [FROM, localDate('2025-12-31')],
      [localDate('2024-01-01'), localDate('2024-12-31')],
      [addDays(TODAY, -1), TODAY],
    ] as const) {
      expect(dates(from, to)).toEqual({ from, to });
    }
  });
});
