import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import { workingDayOnOrBefore } from '../../../../../libs/core/calendar/working-days.ts';

describe('the last working day on or before a date', () => {
  it.each([
    ['2026-09-22', '2026-09-22', 'a Tuesday is itself'],
    ['2026-08-22', '2026-08-21', 'a Saturday'],
    ['2025-06-22', '2025-06-20', 'a Sunday'],
    ['2025-04-22', '2025-04-22', 'the day after Easter Monday'],
    ['2025-04-21', '2025-04-17', 'Easter Monday, over the weekend and Good Friday'],
    ['2025-04-19', '2025-04-17', 'Easter Saturday'],
    ['2027-12-28', '2027-12-24', 'Christmas on a weekend, kept on Monday and Tuesday'],
    ['2025-01-01', '2024-12-31', 'into the year before'],
  ])('of %s is %s: %s', (date, expected) => {
    expect(workingDayOnOrBefore(localDate(date))).toBe(expected);
  });

  it('is not known in a year whose bank holidays are not', () => {
    expect(workingDayOnOrBefore(localDate('2022-09-19'))).toBeNull();
    expect(workingDayOnOrBefore(localDate('2024-01-01'))).toBeNull();
  });
});
