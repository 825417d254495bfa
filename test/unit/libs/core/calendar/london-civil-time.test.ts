import { describe, expect, it } from 'vitest';
import { rfc3339OfLondonTime } from '../../../../../libs/core/calendar/london-civil-time.ts';

describe('civil time of the United Kingdom', () => {
  it.each([
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00Z'],
    ['2026-07-01 12:00', '2026-07-01T12:00:00+01:00'],
    // 29 March 2026 is the last Sunday of March: clocks go from 01:00 to 02:00.
    ['2026-03-29 00:59:59', '2026-03-29T00:59:59Z'],
    ['2026-03-29 02:00:00', '2026-03-29T02:00:00+01:00'],
    // 25 October 2026 is the last Sunday of October: 01:30 comes twice, and is taken as its first.
    ['2026-10-25 01:30:00', '2026-10-25T01:30:00+01:00'],
    ['2026-10-25 02:00:00', '2026-10-25T02:00:00Z'],
    ['2011-03-27T03:00:00', '2011-03-27T03:00:00+01:00'],
  ])('%s is %s', (civil, rfc3339) => {
    expect(rfc3339OfLondonTime(civil)).toBe(rfc3339);
  });

  it('agrees with the time zone database of the runtime for every day of 1996 to 2037 at noon', () => {
    const format = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/London', hour: '2-digit', hourCycle: 'h23' });
    for (let ms = Date.UTC(1996, 0, 1, 12); ms < Date.UTC(2038, 0, 1); ms += 86_400_000) {
      const day = new Date(ms).toISOString().slice(0, 10);
      const summer = format.format(ms) === '13';
      expect(rfc3339OfLondonTime(`${day} 12:00:00`), day).toBe(`${day}T12:00:00${summer ? '+01:00' : 'Z'}`);
    }
  });

  it.each(['2026-02-30 10:00:00', '2026-01-01', '2026-01-01 24:00:00', '1/12/2010 8:26'])('refuses "%s"', (text) => {
    expect(() => rfc3339OfLondonTime(text)).toThrowError();
  });
});
