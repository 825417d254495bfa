import { dayNumber, daysInMonth, type LocalDate, partsOf } from '../../calendar/local-date.ts';

const MONTHLY = 'ABCDEFGHIJKL';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/**
 * The key under which a period is known to software that files (vat.md section 7). Keys are given, never built by whoever files; they look
 * as HMRC's do. Of a quarter: year and stagger (A March, B January, C February) and its number in the year, `26A4`; of a month `26AK`; of a
 * year, by its last month, `26YC`; of any other period `#` and the day that it begins on, in base 36. No two periods that begin within a
 * century have the same key.
 */
export function mtdPeriodKey(period: { readonly start: LocalDate; readonly end: LocalDate }): string {
  const [start, end] = [partsOf(period.start), partsOf(period.end)];
  const wholeMonths = start.day === 1 && end.day === daysInMonth(end.year, end.month);
  const months = (end.year - start.year) * 12 + end.month - start.month + 1;
  const year = String(end.year % 100).padStart(2, '0');
  if (wholeMonths && months === 3) {
    // Quarters end in March (A), January (B) or February (C), and every third month after.
    const stagger = 'BCA'.charAt((end.month - 1) % 3);
    return `${year}${stagger}${Math.floor((end.month - 1) / 3) + 1}`;
  }
  if (wholeMonths && months === 1) return `${year}A${MONTHLY[end.month - 1]}`;
  if (wholeMonths && months === 12) return `${year}Y${MONTHLY[end.month - 1]}`;
  return `#${base36(dayNumber(period.start))}`;
}

/** Three digits: 46,656 days are 127 years. */
function base36(day: number): string {
  const wrapped = ((day % 46_656) + 46_656) % 46_656;
  const digit = (place: number): string => DIGITS.charAt(Math.floor(wrapped / place) % 36);
  return digit(1_296) + digit(36) + digit(1);
}
