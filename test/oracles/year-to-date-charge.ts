import type { LocalDate } from '../../libs/core/calendar/local-date.ts';
import { type TaxYear, taxMonthOf, taxYearOf } from '../../libs/core/calendar/tax-calendar.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { monthOpenAt } from '../../libs/core/paye/rates/charge-month.ts';

export const CHARGE_HEADS = ['tax', 'ee', 'er', 'sl', 'pgl'] as const;
export type ChargeHead = (typeof CHARGE_HEADS)[number];
export type ChargeAmounts = Readonly<Record<ChargeHead, number>>;

/** What a full payment submission says of one employment: figures of the year to date, pence (paye.md 7.8). */
export interface FullPaymentSubmission {
  readonly worksNumber: string;
  readonly paymentDate: LocalDate;
  /** Day of receipt; null for one received on its payment date. */
  readonly received: LocalDate | null;
  readonly toDatePence: ChargeAmounts;
  /** Set where this works number continues another. */
  readonly oldWorksNumber: string | null;
}

const NOTHING: ChargeAmounts = { tax: 0, ee: 0, er: 0, sl: 0, pgl: 0 };

/**
 * The tax month that a submission belongs to (DMBM519235): that of its payment date where received by the 19th after the month ends;
 * received later, the month still open on the day of receipt; after 19 April following, month 12.
 */
export function monthOfSubmission(year: TaxYear, paymentDate: LocalDate, received: LocalDate | null): number {
  const own = taxMonthOf(paymentDate);
  return received === null ? own : monthOpenAt(year, own, received);
}

/**
 * Charges by tax month from submissions in the order of receipt: each employment's position at the end of a month is what the last
 * submission of that month or before says (by payment date, then receipt); the charge is its movement (paye.md 7.8). Only months
 * in which a submission stands or something moves are given. Throws PAYMENT_DATE_OUTSIDE_TAX_YEAR.
 */
export function yearToDateCharges(
  year: TaxYear,
  submissions: readonly FullPaymentSubmission[],
): ReadonlyMap<number, ChargeAmounts> {
  const byEmployment = new Map<string, Placed[]>();
  for (const [order, submission] of submissions.entries()) {
    if (taxYearOf(submission.paymentDate) !== year) {
      throw new TallyError('PAYMENT_DATE_OUTSIDE_TAX_YEAR', 'the payment date is outside the tax year', {
        taxYear: year,
      });
    }
    const employment = employmentOf(submission, submissions);
    const placed = byEmployment.get(employment) ?? [];
    placed.push({
      month: monthOfSubmission(year, submission.paymentDate, submission.received),
      received: submission.received ?? submission.paymentDate,
      order,
      submission,
    });
    byEmployment.set(employment, placed);
  }
  const months = new Map<number, Record<ChargeHead, number>>();
  for (const placed of byEmployment.values()) addMovements(placed, months);
  return new Map([...months].sort(([a], [b]) => a - b));
}

interface Placed {
  readonly month: number;
  readonly received: LocalDate;
  readonly order: number;
  readonly submission: FullPaymentSubmission;
}

/** The first works number of a chain of changes: the employment's own name. */
function employmentOf(submission: FullPaymentSubmission, all: readonly FullPaymentSubmission[]): string {
  let name = submission.worksNumber;
  const visited = new Set<string>();
  for (;;) {
    visited.add(name);
    const old = all.find(({ worksNumber, oldWorksNumber }) => worksNumber === name && oldWorksNumber !== null);
    if (old?.oldWorksNumber == null || visited.has(old.oldWorksNumber)) return name;
    name = old.oldWorksNumber;
  }
}

function addMovements(placed: readonly Placed[], months: Map<number, Record<ChargeHead, number>>): void {
  let before = NOTHING;
  for (let month = 1; month <= 12; month += 1) {
    const known = placed.filter((item) => item.month <= month);
    const last = known.reduce<Placed | undefined>(
      (best, item) => (best === undefined || isAfter(item, best) ? item : best),
      undefined,
    );
    const position = last?.submission.toDatePence ?? NOTHING;
    if (placed.some((item) => item.month === month)) addTo(months, month, position, before);
    before = position;
  }
}

function isAfter(a: Placed, b: Placed): boolean {
  if (a.submission.paymentDate !== b.submission.paymentDate) return a.submission.paymentDate > b.submission.paymentDate;
  return a.received === b.received ? a.order > b.order : a.received > b.received;
}

function addTo(
  months: Map<number, Record<ChargeHead, number>>,
  month: number,
  position: ChargeAmounts,
  before: ChargeAmounts,
): void {
  const amounts = months.get(month) ?? { ...NOTHING };
  for (const head of CHARGE_HEADS) amounts[head] += position[head] - before[head];
  months.set(month, amounts);
}
