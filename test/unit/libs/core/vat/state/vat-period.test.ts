import { describe, expect, it } from 'vitest';
import { addDays, dateOfDayNumber, dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  cadencePeriodOfDay,
  vatDueDate,
  vatPeriodOf,
  vatPeriodOfDay,
} from '../../../../../../libs/core/vat/state/vat-period.ts';

describe('a quarter', () => {
  it('of each stagger follows the one before without gap for fifty years', () => {
    for (const stagger of [1, 2, 3] as const) {
      let period = vatPeriodOf(localDate('1999-05-05'), stagger);
      for (let quarter = 0; quarter < 200; quarter += 1) {
        const next = vatPeriodOf(addDays(period.end, 1), stagger);
        expect(next.start).toBe(addDays(period.end, 1));
        expect(vatPeriodOf(next.end, stagger)).toEqual(next);
        period = next;
      }
    }
  });

  it('ends by its stagger', () => {
    const date = localDate('2026-11-21');
    expect(([1, 2, 3] as const).map((stagger) => vatPeriodOf(date, stagger).text)).toEqual([
      '2026-10-01/2026-12-31',
      '2026-11-01/2027-01-31',
      '2026-09-01/2026-11-30',
    ]);
  });

  it('of a day is that of its date, however many days were asked for', () => {
    const first = dayNumber(localDate('2000-01-01'));
    for (let day = first; day < first + 6_000; day += 1) {
      expect(vatPeriodOfDay(day, 2)).toEqual(vatPeriodOf(dateOfDayNumber(day), 2));
    }
  });
});

describe('the periods of a day', () => {
  it('are those of every cadence, whichever was asked for before', () => {
    const first = dayNumber(localDate('2026-01-01'));
    for (let day = first; day < first + 400; day += 1) {
      const date = dateOfDayNumber(day);
      expect(cadencePeriodOfDay(day, 'monthly', null).start).toBe(`${date.slice(0, 7)}-01`);
      for (const stagger of [1, 2, 3] as const) {
        expect(cadencePeriodOfDay(day, `stagger${stagger}`, null)).toEqual(vatPeriodOf(date, stagger));
      }
      for (let month = 1; month <= 12; month += 1) {
        const { start, end } = cadencePeriodOfDay(day, 'annual', month);
        expect(Number(end.slice(5, 7))).toBe(month);
        expect(start <= date && date <= end).toBe(true);
        expect(dayNumber(end) - dayNumber(start)).toBeGreaterThan(363);
      }
    }
  });

  it('of a year end in December where no month is said', () => {
    const day = dayNumber(localDate('2026-11-21'));
    expect(cadencePeriodOfDay(day, 'annual', null).text).toBe('2026-01-01/2026-12-31');
  });
});

describe('a due date', () => {
  it('is a month and seven days after the end: 28 February leads to 7 April', () => {
    expect(vatDueDate(localDate('2017-02-28'), 'standard')).toBe('2017-04-07');
    expect(vatDueDate(localDate('2026-12-31'), 'standard')).toBe('2027-02-07');
    // A period that ends within a month: a month and seven days after its own day.
    expect(vatDueDate(localDate('2026-01-30'), 'standard')).toBe('2026-03-07');
    expect(vatDueDate(localDate('2026-06-15'), 'standard')).toBe('2026-07-22');
  });

  it('has no seven days on account, and two months for annual accounting', () => {
    expect(vatDueDate(localDate('2026-09-30'), 'payment_on_account')).toBe('2026-10-31');
    expect(vatDueDate(localDate('2025-12-31'), 'annual')).toBe('2026-02-28');
  });
});
