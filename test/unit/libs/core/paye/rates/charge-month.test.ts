import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { monthOpenAt, monthOpenUntil, taxPeriodOf } from '../../../../../../libs/core/paye/rates/charge-month.ts';

describe('a tax month', () => {
  it.each([
    [1, '2026-05-19'],
    [8, '2026-12-19'],
    [9, '2027-01-19'],
    [12, '2027-04-19'],
  ])('%i of 2026-27 is open to what is received by %s', (month, last) => {
    expect(monthOpenUntil('2026-27', month)).toBe(last);
  });

  it.each([
    // DMBM519235: by the 19th, its own month; the day after, the next.
    [1, '2026-04-06', 1],
    [1, '2026-05-19', 1],
    [1, '2026-05-20', 2],
    [1, '2026-06-19', 2],
    [2, '2026-06-20', 3],
    [11, '2027-04-19', 12],
    [12, '2030-01-01', 12],
  ])('%i, received on %s, counts in month %i', (month, received, counted) => {
    expect(monthOpenAt('2026-27', month, localDate(received))).toBe(counted);
  });

  it('is named with two digits', () => {
    expect(taxPeriodOf('2026-27', 8)).toBe('2026-27/M08');
  });
});
