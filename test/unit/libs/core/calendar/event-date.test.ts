import { describe, expect, it } from 'vitest';
import { isEventDate, isEventDay } from '../../../../../libs/core/calendar/event-date.ts';
import { dayNumber, localDate, yearOfDayNumber } from '../../../../../libs/core/calendar/local-date.ts';
import { londonDayNumber } from '../../../../../libs/core/calendar/london-time.ts';

describe('a date that an event may name', () => {
  it.each(['1900-01-01', '1973-04-01', '2026-02-28', '2999-12-31'])('is %s', (text) => {
    expect(isEventDate(text)).toBe(true);
    expect(isEventDay(dayNumber(localDate(text)))).toBe(true);
  });

  it.each(['0001-01-01', '1899-12-31', '3000-01-01', '9999-12-31'])('is not %s, which the calendar has', (text) => {
    expect(isEventDate(text)).toBe(false);
    expect(isEventDay(dayNumber(localDate(text)))).toBe(false);
  });

  it('is nothing that is no date', () => {
    for (const value of ['2026-02-29', '', '2026-1-1', null, 20261121, Number.NaN])
      expect(isEventDate(value)).toBe(false);
    expect(isEventDay(Number.NaN)).toBe(false);
  });
});

describe('the day of an instant', () => {
  it('is told beyond the calendar too: what is asked of it is no error but a refusal', () => {
    const last = Date.parse('9999-12-31T23:59:59Z');
    expect(londonDayNumber(last)).toBe(dayNumber(localDate('9999-12-31')));
    // 24 hours later it is the first day of a year that no text of ten characters can say.
    expect(yearOfDayNumber(londonDayNumber(last + 86_400_000))).toBe(10_000);
    expect(yearOfDayNumber(londonDayNumber(Date.parse('0001-01-01T00:00:00Z') - 1))).toBe(0);
  });
});
