import { addDays, addMonths, type LocalDate } from '../../calendar/local-date.ts';
import { halfUpShare } from '../../money/half-up.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { vatDueDate } from '../state/vat-period.ts';

/** A payment of the annual accounting scheme. */
export interface ScheduledPayment {
  readonly due: LocalDate;
  readonly amountPence: Pence;
}

/** How often, from which month of the year, and for which share of the year before each: a tenth, a quarter. */
const INTERIM = {
  monthly: { count: 9, firstMonth: 4, everyMonths: 1, sharePercent: 10 },
  quarterly: { count: 3, firstMonth: 4, everyMonths: 3, sharePercent: 25 },
} as const;

/**
 * Interim payments of the annual accounting scheme (Notice 732; vat.md section 5): nine of a tenth of the year before, at the ends of
 * months 4 to 12, or three of a quarter, at the ends of months 4, 7 and 10.
 *
 * @param yearStart first day of the accounting year.
 * @param yearBeforePence VAT of the year before, or as estimated.
 */
export function interimPayments(
  yearStart: LocalDate,
  yearBeforePence: number,
  frequency: 'monthly' | 'quarterly',
): readonly ScheduledPayment[] {
  const { count, firstMonth, everyMonths, sharePercent } = INTERIM[frequency];
  const amountPence = halfUpShare(Math.max(0, yearBeforePence), sharePercent, 100);
  return Array.from({ length: count }, (_, index) => ({
    due: endOfMonthOf(yearStart, firstMonth + index * everyMonths),
    amountPence,
  }));
}

/** What is left of a year's VAT after its interim payments, due with the return two months after the year; negative where HMRC repays. */
export function balancingPayment(yearEnd: LocalDate, yearPence: number, paidPence: number): ScheduledPayment {
  return { due: vatDueDate(yearEnd, 'annual'), amountPence: pence(yearPence - paidPence) };
}

/** The last day of the n-th month of a year that begins on this day. */
function endOfMonthOf(yearStart: LocalDate, month: number): LocalDate {
  return addDays(addMonths(yearStart, month), -1);
}
