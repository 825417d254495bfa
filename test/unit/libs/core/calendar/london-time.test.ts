import { describe, expect, it } from 'vitest';
import { dateOfDayNumber } from '../../../../../libs/core/calendar/local-date.ts';
import {
  epochMsOfRfc3339,
  londonDate,
  londonDayNumber,
  timeFault,
} from '../../../../../libs/core/calendar/london-time.ts';

const LONDON = new Intl.DateTimeFormat('en-CA', {
  timeZone: 'Europe/London',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
});

describe('an RFC 3339 time', () => {
  it.each([
    '2026-06-24T23:30:00Z',
    '2026-06-24t23:30:00.5z',
    '2026-02-28T23:59:59.999999999+01:00',
    '1969-12-31T00:00:00.25-11:30',
    '2028-02-29T12:00:00-00:00',
  ])('%s is the instant that Date reads', (text) => {
    expect(epochMsOfRfc3339(text)).toBe(Math.floor(Date.parse(text.toUpperCase())));
    expect(timeFault(text)).toBeNull();
  });

  it.each(['2026-11-21T10:00:00', '2026-11-21T10:00:00.123'])('%s has no offset and is refused for it', (text) => {
    expect(epochMsOfRfc3339(text)).toBeNaN();
    expect(timeFault(text)).toBe('E_TIME_NO_OFFSET');
  });

  it.each([
    '',
    '2026-11-21',
    '2026-13-21T10:15:00Z',
    '2026-02-29T10:15:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T10:60:00Z',
    '2026-11-21T10:15:60Z',
    '2026-11-21 10:15:00Z',
    '2026-11-21T10:15:00.Z',
    '2026-11-21T10:15:00.0123456789Z',
    '2026-11-21T10:15:00Zulu',
    '2026-11-21T10:15:00+0100',
    '2026-11-21T10:15:00+24:00',
    '2026-11-21T10:15:00+01:00 ',
    '2026-1x-21T10:15:00Z',
    '0000-01-01T00:00:00Z',
  ])('"%s" is none', (text) => {
    expect(epochMsOfRfc3339(text)).toBeNaN();
    expect(timeFault(text)).toBe('E_TIME_FORMAT');
  });
});

describe('the civil date in the United Kingdom', () => {
  it('of 23:30 UTC on 24 June 2026 is 25 June, and of 23:30 UTC on 24 November the 24th', () => {
    expect(londonDate(Date.UTC(2026, 5, 24, 23, 30))).toBe('2026-06-25');
    expect(londonDate(Date.UTC(2026, 10, 24, 23, 30))).toBe('2026-11-24');
  });

  it('is that of the time zone database at 22:59:59, 23:00 and 23:59:59 UTC of every day from 1972 to 2037', () => {
    const wrong: string[] = [];
    for (let day = Math.floor(Date.UTC(1972, 0, 1) / 86_400_000); day < Date.UTC(2038, 0, 1) / 86_400_000; day += 1) {
      for (const ms of [82_799_000, 82_800_000, 86_399_000]) {
        const instant = day * 86_400_000 + ms;
        if (dateOfDayNumber(londonDayNumber(instant)) !== LONDON.format(instant))
          wrong.push(new Date(instant).toISOString());
      }
    }
    expect(wrong).toEqual([]);
  });
});
