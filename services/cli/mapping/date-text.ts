import { isLocalDate, type LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { rfc3339OfLondonTime } from '../../../libs/core/calendar/london-civil-time.ts';
import { epochMsOfRfc3339 } from '../../../libs/core/calendar/london-time.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { formOfText } from './form-of-text.ts';

/** How a file writes dates in figures, as a mapping says it under `dates`. Dates that begin with the year, or name the month, are read anyway. */
export const DATE_STYLES = ['YYYY-MM-DD', 'DD/MM/YYYY', 'MM/DD/YYYY'] as const;
export type DateStyle = (typeof DATE_STYLES)[number];

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const YEAR_FIRST = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})$/;
const IN_FIGURES = /^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d{2})$/;
const DAY_AND_NAME = /^(?:[a-z]{3,9},?\s+)?(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]{3,9})[\s,-]+(\d{4}|\d{2})$/i;
const NAME_AND_DAY = /^([a-z]{3,9})\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})$/i;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(am|pm)?\s*(z|utc|gmt|bst|[+-]\d{2}:?\d{2})?$/i;
const TIME_EXPECTED = 'expected a date and a time such as 2026-11-21 14:05:00';

/** A civil date. Throws BAD_DATE, which proposes the line of the mapping that reads it. */
export function dateOfText(text: string, style: DateStyle): LocalDate {
  const written = text.trim();
  const read = readDate(written, style);
  if (read !== null) return read;
  throw new TallyError('BAD_DATE', dateRefusal(written, style), {});
}

function dateRefusal(written: string, style: DateStyle): string {
  if (written === '') return 'it is empty, and a date is needed';
  const others = DATE_STYLES.filter((one) => one !== style && readDate(written, one) !== null);
  const what = `"${formOfText(written)}" is no date written as ${style}`;
  if (others.length === 0) return `${what}: correct it`;
  const lines = others.map((other) => `"dates": "${other}"`).join(' or ');
  return `${what}: where the file writes dates so, say ${lines} in the mapping`;
}

function readDate(written: string, style: DateStyle): LocalDate | null {
  const [, year, month, day] = YEAR_FIRST.exec(written) ?? [];
  if (year !== undefined) return civil(year, Number(month), day);
  const [, first, second, ofYear] = IN_FIGURES.exec(written) ?? [];
  if (first !== undefined) {
    if (style === 'DD/MM/YYYY') return civil(ofYear, Number(second), first);
    return style === 'MM/DD/YYYY' ? civil(ofYear, Number(first), second) : null;
  }
  const [, dayOf, name, yearOf] = DAY_AND_NAME.exec(written) ?? [];
  if (name !== undefined) return civil(yearOf, monthNamed(name), dayOf);
  const [, named, dayAfter, yearAfter] = NAME_AND_DAY.exec(written) ?? [];
  return named === undefined ? null : civil(yearAfter, monthNamed(named), dayAfter);
}

/** 0 for what names no month. */
function monthNamed(name: string): number {
  return MONTHS.indexOf(name.slice(0, 3).toLowerCase()) + 1;
}

/** A year of two figures is of this century. */
function civil(year: string | undefined, month: number, day: string | undefined): LocalDate | null {
  const full = year?.length === 2 ? `20${year}` : (year ?? '');
  const date = `${full}-${String(month).padStart(2, '0')}-${(day ?? '').padStart(2, '0')}`;
  return isLocalDate(date) ? date : null;
}

/** The civil day in the text of a time, however it is written; null where it cannot be read. */
export function dayOfTime(text: string, style: DateStyle): LocalDate | null {
  return readDate(
    text
      .trim()
      .replace(/[T ,]+\d{1,2}:.*$/, '')
      .replace(/,$/, ''),
    style,
  );
}

/**
 * The time of a sale, RFC 3339: with the offset that the text has, or a civil time of the United Kingdom. Throws TIME_INVALID, which
 * proposes the line of the mapping that reads it.
 */
export function timeOfText(text: string, style: DateStyle): string {
  const written = text.trim();
  const parts = /^(.*?\d{4}-\d{1,2}-\d{1,2}|.*?)[T ,]+(\d{1,2}:.*)$/.exec(written);
  if (parts === null) {
    const what = written === '' ? 'it is empty' : `"${formOfText(written)}" has no time of day`;
    throw new TallyError('TIME_INVALID', `${what}: ${TIME_EXPECTED}`, {});
  }
  const dateText = (parts[1] ?? '').replace(/,$/, '').trim();
  const date = readDate(dateText, style);
  if (date === null) throw new TallyError('TIME_INVALID', dateRefusal(dateText, style), {});
  const clock = clockOf(parts[2] ?? '');
  if (clock === null) {
    throw new TallyError('TIME_INVALID', `"${formOfText(parts[2] ?? '')}" is no time of day: ${TIME_EXPECTED}`, {});
  }
  const time =
    clock.offset === null ? rfc3339OfLondonTime(`${date} ${clock.time}`) : `${date}T${clock.time}${clock.offset}`;
  if (Number.isNaN(epochMsOfRfc3339(time))) throw new TallyError('TIME_INVALID', TIME_EXPECTED, {});
  return time;
}

function clockOf(text: string): { readonly time: string; readonly offset: string | null } | null {
  const [, hourText, minute, second = '00', half, zone] = CLOCK.exec(text.trim()) ?? [];
  if (hourText === undefined || minute === undefined) return null;
  let hour = Number(hourText);
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
  }
  if (hour > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  return { time: `${String(hour).padStart(2, '0')}:${minute}:${second}`, offset: offsetOf(zone) };
}

function offsetOf(zone: string | undefined): string | null {
  if (zone === undefined) return null;
  if (/^bst$/i.test(zone)) return '+01:00';
  if (/^[a-z]/i.test(zone)) return 'Z';
  const offset = zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  return /^[+-]00:00$/.test(offset) ? 'Z' : offset;
}
