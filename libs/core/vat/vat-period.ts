import { addDays, dateOf, dateOfDayNumber, daysInMonth, type LocalDate, partsOf } from '../calendar/local-date.ts';

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
const DUE_DAYS_AFTER_MONTH_END = 7;
const remembered = new Map<number, VatPeriod>();

/** The period of a tax point. `day` is days since 1970-01-01. */
export function vatPeriodOfDay(day: number, stagger: Stagger): VatPeriod {
  const key = day * 4 + stagger;
  const known = remembered.get(key);
  if (known !== undefined) return known;
  const period = vatPeriodOf(dateOfDayNumber(day), stagger);
  if (remembered.size >= REMEMBERED_DAYS_MAX) remembered.clear();
  remembered.set(key, period);
  return period;
}

/** The quarter of a tax point. */
export function vatPeriodOf(date: LocalDate, stagger: Stagger): VatPeriod {
  const { year, month } = partsOf(date);
  // Months since year 0; the last month of a quarter of stagger 1 leaves 2 when divided by 3, of stagger 2 leaves 0, of 3 leaves 1.
  const months = year * 12 + month - 1;
  const last = months + ((((stagger + 1 - (months % 3)) % 3) + 3) % 3);
  const end = endOfMonth(Math.floor(last / 12), (last % 12) + 1);
  const first = last - 2;
  const start = dateOf(Math.floor(first / 12), (first % 12) + 1, 1);
  return { start, end, text: `${start}/${end}` };
}

/**
 * When return and payment of a period are due, nominally: one calendar month and seven days after its end (28 February: 7 April). A
 * payment on account is due at the end of the month after, without the seven days (vat.md sections 5 and 7.2).
 */
export function vatDueDate(periodEnd: LocalDate, paymentOnAccount: boolean): LocalDate {
  const { year, month, day } = partsOf(periodEnd);
  const [nextYear, nextMonth] = month === 12 ? [year + 1, 1] : [year, month + 1];
  // A period that does not end at a month's end is due a month and seven days after its own day (collection.md 2.3).
  const atMonthEnd = day === daysInMonth(year, month);
  const monthLater = atMonthEnd
    ? endOfMonth(nextYear, nextMonth)
    : dateOf(nextYear, nextMonth, Math.min(day, daysInMonth(nextYear, nextMonth)));
  return paymentOnAccount ? monthLater : addDays(monthLater, DUE_DAYS_AFTER_MONTH_END);
}

function endOfMonth(year: number, month: number): LocalDate {
  return dateOf(year, month, daysInMonth(year, month));
}
