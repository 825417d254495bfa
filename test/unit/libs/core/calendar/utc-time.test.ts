import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseUtc, printUtc } from '../../../../../libs/core/calendar/utc-time.ts';

describe('times in UTC', () => {
  it('are what Date prints, to the millisecond, for any time of four centuries', () => {
    fc.assert(
      fc.property(fc.integer({ min: -2_208_988_800_000, max: 10_413_792_000_000 }), (timeMs) => {
        const printed = printUtc(timeMs, 'milliseconds');
        expect(printed).toBe(new Date(timeMs).toISOString());
        expect(parseUtc(printed, 'milliseconds')).toBe(timeMs);
        expect(parseUtc(printUtc(timeMs, 'seconds'), 'seconds')).toBe(Math.floor(timeMs / 1000) * 1000);
      }),
    );
  });

  it.each([
    '2026-11-21T09:45:00.000Z',
    '2026-11-21t09:45:00Z',
    '2026-11-21T09:45:00+00:00',
    '2026-02-30T09:45:00Z',
    '2026-11-21T24:00:00Z',
    '2026-11-21T23:59:60Z',
    '2026-11-21 09:45:00Z',
  ])('%s is not the one form of a time in seconds', (text) => {
    expect(() => parseUtc(text, 'seconds')).toThrow(expect.objectContaining({ code: 'TIME_INVALID' }));
  });
});
