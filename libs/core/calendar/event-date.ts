import { dayNumber, isLocalDate, type LocalDate } from './local-date.ts';

/**
 * The first and the last civil date that an event may name. No VAT is older than 1 April 1973 and no PAYE than 1944; nobody states in advance
 * what happens in another millennium. Every period, deadline and interest day that the rules work out of such a date is a date of the
 * calendar too, which ends with 0001-01-01 and 9999-12-31: so arithmetic on an event's dates cannot leave it.
 */
export const FIRST_EVENT_DATE = '1900-01-01' as LocalDate;
export const LAST_EVENT_DATE = '2999-12-31' as LocalDate;

/** What a door tells the sender of another date. */
export const EVENT_DATE_EXPECTED = `a civil date YYYY-MM-DD from ${FIRST_EVENT_DATE} to ${LAST_EVENT_DATE}`;

const FIRST_DAY = dayNumber(FIRST_EVENT_DATE);
const LAST_DAY = dayNumber(LAST_EVENT_DATE);

/** True for the text of a civil date that an event may name. */
export function isEventDate(text: unknown): text is LocalDate {
  return typeof text === 'string' && isLocalDate(text) && text >= FIRST_EVENT_DATE && text <= LAST_EVENT_DATE;
}

/** The same of a day as days since 1970-01-01; false for NaN. */
export function isEventDay(day: number): boolean {
  return day >= FIRST_DAY && day <= LAST_DAY;
}
