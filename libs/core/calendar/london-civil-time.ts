import { TallyError } from '../errors/tally-error.ts';
import { addDays, dateOf, dayNumber, type LocalDate, localDate, partsOf } from './local-date.ts';

const CIVIL_TIME = /^(\d{4}-\d{2}-\d{2})[T ]([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/;

/**
 * A civil time of the United Kingdom (`2010-12-01 08:26:00`, seconds optional) as RFC 3339 with its offset. British Summer Time runs
 * from 01:00 GMT on the last Sunday of March to 01:00 GMT on the last Sunday of October (Summer Time Order 2002, SI 2002/262). The hour
 * that comes twice in October is taken as its first, in summer time. Throws TIME_INVALID.
 */
export function rfc3339OfLondonTime(text: string): string {
  const match = CIVIL_TIME.exec(text.trim());
  if (match === null) throw new TallyError('TIME_INVALID', 'expected a civil time such as 2026-11-21 14:05:00', {});
  const date = localDate(match[1] ?? '');
  const clock = `${match[2]}:${match[3]}:${match[4] ?? '00'}`;
  return `${date}T${clock}${isSummerTime(date, Number(match[2])) ? '+01:00' : 'Z'}`;
}

function isSummerTime(date: LocalDate, hour: number): boolean {
  const { year } = partsOf(date);
  const begins = lastSunday(year, 3);
  const ends = lastSunday(year, 10);
  if (date > begins && date < ends) return true;
  if (date === begins) return hour >= 1;
  return date === ends && hour < 2;
}

function lastSunday(year: number, month: 3 | 10): LocalDate {
  const last = dateOf(year, month, 31);
  // 1970-01-01, day 0, was a Thursday: Sunday is where (day + 4) is a multiple of 7.
  const pastSunday = (dayNumber(last) + 4) % 7;
  return addDays(last, -pastSunday);
}
