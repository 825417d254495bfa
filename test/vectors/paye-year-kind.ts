import { type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import { taxMonthOf, taxYear, taxYearOf } from '../../libs/core/calendar/tax-calendar.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { accepted, nextEventId, ProductAccounts } from './product-accounts.ts';
import { list, record, type VectorInput } from './vector-case.ts';
import { noonOf } from './vector-trader.ts';

/** The heads of figures to date. */
const HEADS = ['tax', 'ee', 'er', 'sl', 'pgl'] as const;

/** A full payment submission, with the figure to date of one head. */
interface Submission {
  readonly worksNumber: string;
  readonly oldWorksNumber: string | null;
  readonly paidOn: LocalDate;
  readonly receivedOn: LocalDate;
  readonly lateReason: unknown;
  readonly toDatePence: number;
}

/**
 * Figures to date as the product takes them, payment by payment: each submission is a payment of what it changes of its pay day, and is charged
 * in the month that its receipt gives (paye.md 7.8). The rule is the same for every head: each is asked by itself, as income tax.
 */
export function chargesOfYear(input: VectorInput): unknown {
  const year = taxYear(String(input.tax_year));
  const submissions = list(input.fps).map(record);
  const months: Record<string, Record<string, number>> = {};
  for (const head of HEADS) {
    for (const [month, pence] of monthsOf(submissions.map((fps) => submissionOf(fps, head, year)))) {
      const row = months[month] ?? Object.fromEntries([...HEADS, 'total'].map((name) => [name, 0]));
      months[month] = { ...row, [head]: pence, total: (row.total ?? 0) + pence };
    }
  }
  return { months };
}

function submissionOf(fps: VectorInput, head: string, year: string): Submission {
  const paidOn = dateOrBad(fps.payment_date);
  if (taxYearOf(paidOn) !== year) {
    throw new TallyError('PAYMENT_DATE_OUTSIDE_TAX_YEAR', 'the payment date is outside the tax year', { year });
  }
  const toDatePence = record(fps.ytd ?? {})[head] ?? 0;
  if (!Number.isSafeInteger(toDatePence)) throw new TallyError('NOT_INTEGER_PENCE', head, { field: head });
  return {
    worksNumber: String(fps.works_number),
    oldWorksNumber: fps.payroll_id_changed === true ? String(fps.old_works_number) : null,
    paidOn,
    receivedOn: fps.received === undefined ? paidOn : dateOrBad(fps.received),
    lateReason: fps.late_reason,
    toDatePence: Number(toDatePence),
  };
}

/** The pence of each month, by its number. */
function monthsOf(submissions: readonly Submission[]): ReadonlyMap<string, number> {
  const accounts = new ProductAccounts();
  const months = new Map<string, number>();
  const employments = new Map<string, Map<LocalDate, number>>();
  for (const fps of submissions) {
    const { worksNumber, oldWorksNumber, paidOn, toDatePence } = fps;
    const days = employments.get(oldWorksNumber ?? worksNumber) ?? new Map<LocalDate, number>();
    employments.set(worksNumber, days);
    const before = [...days].filter(([day]) => day < paidOn).reduce((sum, [, pence]) => sum + pence, 0);
    const changed = toDatePence - before - (days.get(paidOn) ?? 0);
    days.set(paidOn, toDatePence - before);
    if (changed === 0) continue;
    const { month, pence } = charged(accounts, fps, changed);
    months.set(month, (months.get(month) ?? 0) + pence);
  }
  return months;
}

/** At 20% of whole pounds a pound of pay is 20 pence of tax: so many pounds are paid as there are to be pence, and a 20th is read. */
const TAX_OF_A_POUND_PENCE = 20;

/** What a payment of so much tax comes to, and in which month. */
function charged(
  accounts: ProductAccounts,
  { worksNumber, oldWorksNumber, paidOn, receivedOn, lateReason }: Submission,
  pence: number,
): { readonly month: string; readonly pence: number } {
  const json = {
    type: 'PaymentMade',
    eventId: nextEventId(),
    payeReference: '123/AB456',
    worksNumber,
    ...(oldWorksNumber === null ? {} : { oldWorksNumber }),
    ...(lateReason === undefined ? {} : { lateReason }),
    paymentDate: paidOn,
    payFrequency: 'M1',
    period: taxMonthOf(paidOn),
    taxCode: 'BR',
    taxablePayPence: pence * 100,
    nicableEarningsPence: 0,
    niCategory: 'X',
  };
  const { decision } = accepted(accounts.submit('paye', json, noonOf(receivedOn)));
  const [result] = decision.results;
  const amount = result?.amounts.find(({ head }) => head === 'incomeTax')?.pence ?? 0;
  if (result === undefined || amount !== pence * TAX_OF_A_POUND_PENCE) throw new Error('the payment has another tax');
  return { month: String(Number(/M(\d\d)$/.exec(result.taxPeriod)?.[1])), pence: amount / TAX_OF_A_POUND_PENCE };
}

function dateOrBad(value: unknown): LocalDate {
  try {
    return localDate(String(value));
  } catch {
    throw new TallyError('BAD_DATE', 'not a date YYYY-MM-DD');
  }
}
