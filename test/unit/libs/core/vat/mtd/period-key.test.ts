import { describe, expect, it } from 'vitest';
import { addDays, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { mtdPeriodKey } from '../../../../../../libs/core/vat/mtd/period-key.ts';
import { vatPeriodOf } from '../../../../../../libs/core/vat/state/vat-period.ts';

const keyOf = (start: string, end: string): string => mtdPeriodKey({ start: localDate(start), end: localDate(end) });

describe('the key of a period', () => {
  it.each([
    ['2026-01-01', '2026-03-31', '26A1'],
    ['2026-10-01', '2026-12-31', '26A4'],
    ['2025-11-01', '2026-01-31', '26B1'],
    ['2025-12-01', '2026-02-28', '26C1'],
    ['2026-09-01', '2026-11-30', '26C4'],
    ['2026-11-01', '2026-11-30', '26AK'],
    ['2025-04-01', '2026-03-31', '26YC'],
  ])('from %s to %s is %s', (start, end, key) => {
    expect(keyOf(start, end)).toBe(key);
  });

  it('of a period that is no calendar period begins with # and comes of its first day', () => {
    expect(keyOf('2026-10-05', '2026-12-31')).toMatch(/^#[0-9A-Z]{3}$/);
    expect(keyOf('2026-10-05', '2026-12-31')).not.toBe(keyOf('2026-10-06', '2026-12-31'));
  });

  it('has that of a quarter, month or year only where whole calendar months make it up', () => {
    for (const [start, end] of [
      ['2026-10-01', '2026-12-15'],
      ['2026-10-05', '2026-12-31'],
      ['2026-10-01', '2026-11-30'],
      ['2026-11-01', '2026-11-29'],
      ['2026-01-02', '2026-12-31'],
      ['2026-01-01', '2026-12-30'],
    ] as const) {
      expect(keyOf(start, end)).toMatch(/^#/);
    }
    // Its day since 1970 in base 36: 20,454 = 15 x 1,296 + 28 x 36 + 6.
    expect(keyOf('2026-01-01', '2026-01-02')).toBe('#FS6');
    // Before 1970 it wraps at 46,656 = 36^3: -1 is ZZZ.
    expect(keyOf('1969-12-31', '1970-01-02')).toBe('#ZZZ');
  });

  it('is one of HMRC’s form, and of one period alone in a century, for quarters of every stagger and odd days', () => {
    const keys = new Map<string, string>();
    for (let day = localDate('2000-04-01'); day < localDate('2099-09-01'); day = addDays(day, 17)) {
      const periods = ([1, 2, 3] as const).map((stagger) => vatPeriodOf(day, stagger));
      for (const period of [...periods, { start: day, end: addDays(day, 40) }]) {
        const key = mtdPeriodKey(period);
        expect(key).toMatch(/^[#0-9A-Z]{4}$/);
        const name = `${period.start} ${period.end}`;
        expect(keys.get(key) ?? name, `two periods have ${key}`).toBe(name);
        keys.set(key, name);
      }
    }
  });
});
