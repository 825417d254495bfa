import { addDays, dayNumber, type LocalDate } from './local-date.ts';

/**
 * Bank holidays of England and Wales by year, as month and day: what Bacs, CHAPS and HMRC's banking go by whatever the payer's country
 * (collection.md 2.8; gov.uk bank-holidays.json). A year that is not here is not known: one-off holidays are announced late.
 */
const BANK_HOLIDAYS: ReadonlyMap<string, readonly string[]> = new Map([
  ['2024', ['01-01', '03-29', '04-01', '05-06', '05-27', '08-26', '12-25', '12-26']],
  ['2025', ['01-01', '04-18', '04-21', '05-05', '05-26', '08-25', '12-25', '12-26']],
  ['2026', ['01-01', '04-03', '04-06', '05-04', '05-25', '08-31', '12-25', '12-28']],
  ['2027', ['01-01', '03-26', '03-29', '05-03', '05-31', '08-30', '12-27', '12-28']],
]);

/** The last bank working day on or before a date (collection.md 2.2), or null where the year's bank holidays are not known. */
export function workingDayOnOrBefore(date: LocalDate): LocalDate | null {
  const holidays = BANK_HOLIDAYS.get(date.slice(0, 4));
  if (holidays === undefined) return null;
  if (isWeekend(date) || holidays.includes(date.slice(5))) return workingDayOnOrBefore(addDays(date, -1));
  return date;
}

/** 1970-01-01, day 0, was a Thursday: of seven days from it the third and fourth are Saturday and Sunday. */
function isWeekend(date: LocalDate): boolean {
  const day = dayNumber(date) % 7;
  return day === 2 || day === 3;
}
