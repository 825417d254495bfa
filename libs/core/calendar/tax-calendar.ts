import { TallyError } from '../errors/tally-error.ts';
import { addDays, dateOf, dayNumber, type LocalDate, partsOf } from './local-date.ts';

/** A tax year as text: `2026-27` runs from 6 April 2026 to 5 April 2027. */
export type TaxYear = `${number}-${number}`;

const PATTERN = /^(\d{4})-(\d{2})$/;

export function isTaxYear(text: string): text is TaxYear {
  const match = PATTERN.exec(text);
  return match !== null && Number(match[2]) === (Number(match[1]) + 1) % 100;
}

/** Throws UNSUPPORTED_TAX_YEAR unless the text is a tax year such as `2026-27`. */
export function taxYear(text: string): TaxYear {
  if (!isTaxYear(text)) {
    throw new TallyError('UNSUPPORTED_TAX_YEAR', `"${text}" is not a tax year such as 2026-27`, { taxYear: text });
  }
  return text;
}

/** The tax year that begins on 6 April of a calendar year. */
function taxYearStarting(year: number): TaxYear {
  const known = TAX_YEARS[year];
  if (known !== undefined) return known;
  const made = `${String(year).padStart(4, '0')}-${String((year + 1) % 100).padStart(2, '0')}` as TaxYear;
  TAX_YEARS[year] = made;
  return made;
}

/** By the year in which each begins, of four digits: made once. */
const TAX_YEARS: (TaxYear | undefined)[] = [];

/** The tax year of a date: 5 April is in the old one, 6 April in the new (paye.md, heading). */
export function taxYearOf(date: LocalDate): TaxYear {
  const { year, month, day } = partsOf(date);
  return taxYearStarting(month > 4 || (month === 4 && day >= 6) ? year : year - 1);
}

/** 6 April, its first day. */
export function taxYearStart(year: TaxYear): LocalDate {
  return dateOf(Number(year.slice(0, 4)), 4, 6);
}

/** 5 April, its last day. */
export function taxYearEnd(year: TaxYear): LocalDate {
  return dateOf(Number(year.slice(0, 4)) + 1, 4, 5);
}

/** Tax month 1..12 of a date: from the 6th to the 5th; 6 April to 5 May is 1 (paye.md 1.1). */
export function taxMonthOf(date: LocalDate): number {
  const { month, day } = partsOf(date);
  return ((month - 4 + 12 + (day >= 6 ? 0 : -1)) % 12) + 1;
}

/** Tax week 1..53 of a date: week 53 is the odd day (two in a leap year) after 52 weeks (paye.md 1.2). */
export function taxWeekOf(date: LocalDate): number {
  return Math.floor((dayNumber(date) - dayNumber(taxYearStart(taxYearOf(date)))) / 7) + 1;
}

/** The 5th on which a tax month 1..12 ends (paye.md 7.6). Throws BAD_TAX_MONTH. */
export function taxMonthEnd(year: TaxYear, month: number): LocalDate {
  if (!Number.isInteger(month) || month < 1 || month > 12) {
    throw new TallyError('BAD_TAX_MONTH', 'a tax month is 1 to 12', { taxMonth: String(month) });
  }
  const startYear = Number(year.slice(0, 4));
  return month <= 8 ? dateOf(startYear, month + 4, 5) : dateOf(startYear + 1, month - 8, 5);
}

/** The 6th on which a tax month 1..12 begins. Throws BAD_TAX_MONTH. */
export function taxMonthStart(year: TaxYear, month: number): LocalDate {
  return month === 1 ? taxYearStart(year) : addDays(taxMonthEnd(year, month - 1), 1);
}

/** The last month of the quarter that a tax month lies in: 3, 6, 9 or 12 (paye.md 7.6). */
export function quarterEndMonth(month: number): number {
  return Math.ceil(month / 3) * 3;
}
