import { dateOf, type LocalDate, partsOf } from '../../calendar/local-date.ts';
import { type TaxYear, taxMonthEnd } from '../../calendar/tax-calendar.ts';

/** The day of a calendar month by which what belongs to the tax month that ended in it must have been received (DMBM519235). */
const LAST_DAY_OF_RECEIPT = 19;
const MONTHS = 12;

/** The last day on which something received still belongs to a tax month: the 19th after its end (paye.md 7.7, 7.8). */
export function monthOpenUntil(year: TaxYear, month: number): LocalDate {
  const known = openUntilCache.get(year) ?? new Map<number, LocalDate>();
  const until = known.get(month);
  if (until !== undefined) return until;
  const end = partsOf(taxMonthEnd(year, month));
  const made = dateOf(end.year, end.month, LAST_DAY_OF_RECEIPT);
  openUntilCache.set(year, known.set(month, made));
  return made;
}

/** By year and month: every payment asks, a year has twelve answers, and only years with a rate card are asked for. */
const openUntilCache = new Map<TaxYear, Map<number, LocalDate>>();

/**
 * The tax month that something of a month belongs to by the day of its receipt: its own where received by the 19th after it ends; received
 * later, the month still open then; after 19 April following, month 12.
 */
export function monthOpenAt(year: TaxYear, month: number, received: LocalDate): number {
  // Tax month 1 ends in May; what comes by the 19th of a calendar month belongs to the tax month that ended in it.
  const { year: receivedYear, month: calendarMonth, day } = partsOf(received);
  const monthsSinceApril = (receivedYear - Number(year.slice(0, 4))) * 12 + calendarMonth - 4;
  const open = day <= LAST_DAY_OF_RECEIPT ? monthsSinceApril : monthsSinceApril + 1;
  return Math.min(MONTHS, Math.max(month, open));
}

/** `2026-27/M08`, as entries name it. */
export function taxPeriodOf(year: TaxYear, month: number): string {
  return `${year}/M${month < 10 ? '0' : ''}${month}`;
}
