import { codeAt } from '../encoding/code-at.ts';
import { TallyError } from '../errors/tally-error.ts';

/** A civil date `YYYY-MM-DD` of the proleptic Gregorian calendar. Comparable as text. */
export type LocalDate = string & { readonly __brand: 'LocalDate' };

const HYPHEN = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const DATE_CHARACTERS = 10;

/** By its characters, not by a regular expression: each event's dates come through here several times. */
export function isLocalDate(text: string): text is LocalDate {
  if (text.length !== DATE_CHARACTERS || codeAt(text, 4) !== HYPHEN || codeAt(text, 7) !== HYPHEN) return false;
  // What is no digit makes NaN, of which every comparison is false.
  return isCivil(numberAt(text, 0, 4), numberAt(text, 5, 7), numberAt(text, 8, 10));
}

function isCivil(year: number, month: number, day: number): boolean {
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);
}

/** The number that the characters [from, until) are in decimal; NaN where one is no digit. */
function numberAt(text: string, from: number, until: number): number {
  let value = 0;
  for (let at = from; at < until; at += 1) {
    const code = codeAt(text, at);
    if (code < ZERO || code > NINE) return Number.NaN;
    value = value * 10 + (code - ZERO);
  }
  return value;
}

/** Throws DATE_INVALID unless the text is a real civil date. */
export function localDate(text: string): LocalDate {
  if (!isLocalDate(text)) throw new TallyError('DATE_INVALID', `"${text}" is not a civil date YYYY-MM-DD`, { text });
  return text;
}

export function dateOf(year: number, month: number, day: number): LocalDate {
  return localDate(`${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`);
}

const TWO_DIGITS: readonly string[] = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));

function twoDigits(value: number): string {
  return TWO_DIGITS[value] ?? String(value);
}

export interface DateParts {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

export function partsOf(date: LocalDate): DateParts {
  return { year: numberAt(date, 0, 4), month: numberAt(date, 5, 7), day: numberAt(date, 8, 10) };
}

export function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

/** Days of a month 1..12. */
export function daysInMonth(year: number, month: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
}

/** Days since 1970-01-01. */
export function dayNumber(date: LocalDate): number {
  const { year, month, day } = partsOf(date);
  return dayNumberOf(year, month, day);
}

/** Days since 1970-01-01 of a real civil date by its parts (Howard Hinnant's days_from_civil). */
export function dayNumberOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

const last = { days: 0, date: '1970-01-01' as LocalDate };

/** The civil date of a number of days since 1970-01-01. The one asked for last is kept: most events are of the day of the one before. */
export function dateOfDayNumber(days: number): LocalDate {
  if (days !== last.days) {
    last.date = civilOf(days);
    last.days = days;
  }
  return last.date;
}

/** The year of a number of days since 1970-01-01, of the calendar's ten thousand years and of any other. */
export function yearOfDayNumber(days: number): number {
  return civilPartsOf(days).year;
}

function civilOf(days: number): LocalDate {
  const { year, month, day } = civilPartsOf(days);
  return dateOf(year, month, day);
}

/** Howard Hinnant's civil_from_days. */
function civilPartsOf(days: number): DateParts {
  const z = days + 719468;
  const era = Math.floor(z / 146097);
  const dayOfEra = z - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1;
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return dateOfDayNumber(dayNumber(date) + days);
}

/** The same day so many months later; the last of the month where it has no such day (29 February: 28 February a year later). */
export function addMonths(date: LocalDate, count: number): LocalDate {
  const { year, month, day } = partsOf(date);
  const months = year * 12 + month - 1 + count;
  const [toYear, toMonth] = [Math.floor(months / 12), (((months % 12) + 12) % 12) + 1];
  return dateOf(toYear, toMonth, Math.min(day, daysInMonth(toYear, toMonth)));
}

/** Dates as text sort as they follow one another. */
export function laterDate(a: LocalDate, b: LocalDate): LocalDate {
  return a > b ? a : b;
}

export function earlierDate(a: LocalDate, b: LocalDate): LocalDate {
  return a > b ? b : a;
}

/** Whole days from a to b. */
export function daysBetween(a: LocalDate, b: LocalDate): number {
  return dayNumber(b) - dayNumber(a);
}
