import { codeAt } from '../encoding/code-at.ts';
import { dateOfDayNumber, dayNumberOf, daysInMonth, type LocalDate, yearOfDayNumber } from './local-date.ts';

/** Why a text is not an instant: not RFC 3339 at all, or without the offset that would make it one instant. */
export type TimeFault = 'E_TIME_FORMAT' | 'E_TIME_NO_OFFSET';

const DAY_MS = 86_400_000;
const FRACTION_DIGITS_MAX = 9;
const [ZERO, NINE, DASH, COLON, POINT, PLUS] = [48, 57, 45, 58, 46, 43];
/** `YYYY-MM-DDTHH:MM:SS`. */
const SECONDS_END = 19;

/**
 * The instant of an RFC 3339 time with offset (`2026-06-24T23:30:00Z`, `…+01:00`), milliseconds since 1970, fractions of a
 * millisecond cut; or NaN for anything else (timeFault says why). No leap seconds. Hot: read by hand, nothing is allocated.
 */
export function epochMsOfRfc3339(text: string): number {
  const local = localMs(text);
  if (Number.isNaN(local)) return Number.NaN;
  const offsetAt = fractionEnd(text);
  if (offsetAt < 0 || offsetAt >= text.length) return Number.NaN;
  const offsetMinutes = offsetMinutesAt(text, offsetAt);
  return local + fractionMs(text, offsetAt) - offsetMinutes * 60_000;
}

/** What is wrong with a text that epochMsOfRfc3339 cannot read, or null. */
export function timeFault(text: string): TimeFault | null {
  if (!Number.isNaN(epochMsOfRfc3339(text))) return null;
  const complete = !Number.isNaN(localMs(text)) && fractionEnd(text) === text.length;
  return complete ? 'E_TIME_NO_OFFSET' : 'E_TIME_FORMAT';
}

/** The civil day in the United Kingdom (Europe/London) of any instant, as days since 1970-01-01. */
export function londonDayNumber(epochMs: number): number {
  const utcDay = Math.floor(epochMs / DAY_MS);
  // Summer time only matters in the last hour of the UTC day: at most then are the two days different.
  if (epochMs - utcDay * DAY_MS < DAY_MS - 3_600_000) return utcDay;
  return isSummerTime(epochMs, utcDay) ? utcDay + 1 : utcDay;
}

/** The civil date in the United Kingdom of an instant: the date of a tax point (vat.md section 3). Throws DATE_INVALID beyond the year 9999. */
export function londonDate(epochMs: number): LocalDate {
  return dateOfDayNumber(londonDayNumber(epochMs));
}

/** Civil time as if it were UTC, to the second, or NaN. */
function localMs(text: string): number {
  if (text.length < SECONDS_END) return Number.NaN;
  const separator = codeAt(text, 10) | 32;
  const punctuated =
    codeAt(text, 4) === DASH &&
    codeAt(text, 7) === DASH &&
    separator === 116 &&
    codeAt(text, 13) === COLON &&
    codeAt(text, 16) === COLON;
  if (!punctuated) return Number.NaN;
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  const second = twoDigits(text, 17);
  // A NaN of twoDigits fails each of these comparisons.
  const real =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysInMonth(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59;
  if (!real) return Number.NaN;
  return dayNumberOf(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000;
}

function twoDigits(text: string, at: number): number {
  const tens = codeAt(text, at);
  const units = codeAt(text, at + 1);
  if (tens < ZERO || tens > NINE || units < ZERO || units > NINE) return Number.NaN;
  return (tens - ZERO) * 10 + (units - ZERO);
}

/** Where the fraction of a second ends (where the offset should begin), or -1 for a point without digits or too many. */
function fractionEnd(text: string): number {
  if (codeAt(text, SECONDS_END) !== POINT) return SECONDS_END;
  let at = SECONDS_END + 1;
  while (at < text.length && codeAt(text, at) >= ZERO && codeAt(text, at) <= NINE) at += 1;
  const digits = at - SECONDS_END - 1;
  return digits >= 1 && digits <= FRACTION_DIGITS_MAX ? at : -1;
}

function fractionMs(text: string, end: number): number {
  let ms = 0;
  for (let place = 1; place <= 3; place += 1) {
    const at = SECONDS_END + place;
    ms = ms * 10 + (at < end ? codeAt(text, at) - ZERO : 0);
  }
  return ms;
}

/** Minutes ahead of UTC, or NaN. */
function offsetMinutesAt(text: string, at: number): number {
  const sign = codeAt(text, at);
  if ((sign | 32) === 122) return text.length === at + 1 ? 0 : Number.NaN;
  if (sign !== PLUS && sign !== DASH) return Number.NaN;
  if (text.length !== at + 6 || codeAt(text, at + 3) !== COLON) return Number.NaN;
  const hours = twoDigits(text, at + 1);
  const minutes = twoDigits(text, at + 4);
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN;
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes);
}

/**
 * British Summer Time: Summer Time Act 1972 and its orders (1996 on, SI 2002/262: from 01:00 UTC on the last Sunday of March to 01:00 UTC
 * on the last Sunday of October). Earlier years as the IANA time zone database has them, rules "GB-Eire" and "EU". Valid from 1972.
 */
function isSummerTime(epochMs: number, utcDay: number): boolean {
  const year = yearOfDayNumber(utcDay);
  const hour = year <= 1980 ? 2 : 1;
  const begins = year <= 1980 ? sundayFrom(year, 3, 16) : sundayFrom(year, 3, 25);
  const ends = sundayFrom(year, 10, year <= 1989 ? 23 : year <= 1995 ? 22 : 25);
  return epochMs >= begins * DAY_MS + hour * 3_600_000 && epochMs < ends * DAY_MS + hour * 3_600_000;
}

/** Day number of the first Sunday on or after a day of a month. */
function sundayFrom(year: number, month: number, day: number): number {
  const first = dayNumberOf(year, month, day);
  // 1970-01-01, day 0, was a Thursday: Sunday is where (day + 4) is a multiple of 7.
  return first + ((7 - ((first + 4) % 7)) % 7);
}
