import { addDays, dateOf, dateOfDayNumber, daysInMonth, type LocalDate, partsOf } from '../../calendar/local-date.ts';
import type { VatCadence } from '../../events/vat-events.ts';

/**
 * Which quarters a trader accounts for (vat.md 7.2). 1: ending March, June, September, December; 2: January, April, July, October;
 * 3: February, May, August, November.
 */
export type Stagger = 1 | 2 | 3;

/** What applies until a trader says otherwise. */
export const DEFAULT_STAGGER: Stagger = 1;

export interface VatPeriod {
  readonly start: LocalDate;
  readonly end: LocalDate;
  /** `2026-10-01/2026-12-31`, as entries name it. */
  readonly text: string;
}

const REMEMBERED_DAYS_MAX = 4_096;
const CADENCES = 32;
const DUE_DAYS_AFTER_MONTH_END = 7;
const remembered = new Map<number, VatPeriod>();

/** The period of a tax point. `day` is days since 1970-01-01. */
export function vatPeriodOfDay(day: number, stagger: Stagger): VatPeriod {
  return rememberedPeriod(day, stagger, () => vatPeriodOf(dateOfDayNumber(day), stagger));
}

/** A cadence as a number: 1 to 3 the staggers, 4 monthly, 11 to 22 annual by the month in which the year ends. */
const MONTHLY = 4;
const ANNUAL = 10;

/** The period of a tax point by the calendar. `day` is days since 1970-01-01; `annualEndMonth` 1..12 is for annual periods. */
export function cadencePeriodOfDay(day: number, cadence: VatCadence, annualEndMonth: number | null): VatPeriod {
  switch (cadence) {
    case 'stagger1':
      return vatPeriodOfDay(day, 1);
    case 'stagger2':
      return vatPeriodOfDay(day, 2);
    case 'stagger3':
      return vatPeriodOfDay(day, 3);
    case 'monthly':
      return rememberedPeriod(day, MONTHLY, () => monthsEnding(dateOfDayNumber(day), 1, 0));
    case 'annual': {
      const endMonth = annualEndMonth ?? 12;
      return rememberedPeriod(day, ANNUAL + endMonth, () => monthsEnding(dateOfDayNumber(day), 12, endMonth - 1));
    }
  }
}

/** So many months, the last of which leaves `remainder` when months since year 0 are divided by their count. */
function monthsEnding(date: LocalDate, count: number, remainder: number): VatPeriod {
  const { year, month } = partsOf(date);
  const months = year * 12 + month - 1;
  const last = months + ((((remainder - (months % count)) % count) + count) % count);
  const first = last - count + 1;
  const start = dateOf(Math.floor(first / 12), (first % 12) + 1, 1);
  const end = endOfMonth(Math.floor(last / 12), (last % 12) + 1);
  return { start, end, text: `${start}/${end}` };
}

function rememberedPeriod(day: number, cadence: number, make: () => VatPeriod): VatPeriod {
  const key = day * CADENCES + cadence;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const period = make();
  if (remembered.size >= REMEMBERED_DAYS_MAX) remembered.clear();
  remembered.set(key, period);
  return period;
}

/** The quarter of a tax point. */
export function vatPeriodOf(date: LocalDate, stagger: Stagger): VatPeriod {
  // Months since year 0: the last month of a quarter of stagger 1 leaves 2 when divided by 3, of stagger 2 leaves 0, of 3 leaves 1.
  return monthsEnding(date, 3, (stagger + 1) % 3);
}

/** How a trader accounts: as most do, with payments on account (very large traders), or once a year (annual accounting scheme). */
export type Accounting = 'standard' | 'payment_on_account' | 'annual';

/**
 * When return and payment of a period are due, nominally (vat.md sections 5 and 7.2): one calendar month and seven days after its end
 * (28 February: 7 April); a payment on account at the end of the month after, without the seven days; annual accounting at the end of the
 * second month after.
 */
export function vatDueDate(periodEnd: LocalDate, accounting: Accounting): LocalDate {
  switch (accounting) {
    case 'standard':
      return addDays(monthsAfter(periodEnd, 1), DUE_DAYS_AFTER_MONTH_END);
    case 'payment_on_account':
      return monthsAfter(periodEnd, 1);
    case 'annual':
      return monthsAfter(periodEnd, 2);
  }
}

/** The end of a month leads to the end of a month; another day to the same day (a period that is no calendar month, collection.md 2.3). */
function monthsAfter(date: LocalDate, count: number): LocalDate {
  const { year, month, day } = partsOf(date);
  const months = year * 12 + month - 1 + count;
  const [laterYear, laterMonth] = [Math.floor(months / 12), (months % 12) + 1];
  const end = endOfMonth(laterYear, laterMonth);
  if (day === daysInMonth(year, month)) return end;
  return dateOf(laterYear, laterMonth, Math.min(day, partsOf(end).day));
}

function endOfMonth(year: number, month: number): LocalDate {
  return dateOf(year, month, daysInMonth(year, month));
}
