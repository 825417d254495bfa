import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import { type TaxYear, taxMonthEnd, taxMonthStart } from '../../../libs/core/calendar/tax-calendar.ts';
import type { Head } from '../../../libs/core/decisions/heads.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { EmployerClaimsMade } from '../../../libs/core/events/paye-events.ts';
import { uuidOf } from '../../../libs/core/identity/event-id.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { type MonthBill, type MonthFigures, monthBill } from '../../../libs/core/paye/month/month-bill.ts';
import { monthTotalsKey, readMonthTotals } from '../../../libs/core/paye/month/month-totals.ts';
import { statedAmounts, statedDifferences } from '../../../libs/core/paye/payment/compare-stated.ts';
import { monthOpenUntil, taxPeriodOf } from '../../../libs/core/paye/rates/charge-month.ts';
import { rulesAtYearEnd } from '../../../libs/core/paye/rates/paye-rules.ts';
import {
  claimsOfYear,
  type DifferenceSum,
  type MonthSums,
  paymentsOfMonth,
  sumsOfMonth,
} from '../follow/paye-index.ts';
import { OwnState } from '../store/own-state.ts';
import type { EntryPosition, FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { EntryReader, type Payslip, paymentFields } from './employment-view.ts';

export interface MonthPayment extends Omit<Payslip, 'working' | 'stated' | 'toDate' | 'flags'> {
  readonly number: number;
  /** Heads where what the employer stated is not what was assessed; causes are in the payslip. */
  readonly stated: readonly { readonly head: string; readonly statedPence: number; readonly assessedPence: number }[];
}

export interface MonthClaim {
  readonly eventId: string;
  readonly number: number;
  readonly type: 'EmployerClaimsMade' | 'PayePeriodClosed' | 'PayeSchemeCeased';
  readonly taxPeriod: string;
  readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  readonly entry: EntryPosition;
}

/** An employer's tax month from the payer's own verified copy: what is owed, how it came about, and what stands behind it. */
export interface MonthView {
  readonly account: string;
  readonly taxYear: string;
  readonly taxMonth: number;
  readonly taxPeriod: string;
  readonly from: string;
  readonly to: string;
  /** What is received by then still belongs to the month (paye.md 7.7, 7.8). */
  readonly receivedUntil: string;
  readonly taxablePayPence: PenceSum;
  readonly paymentCount: number;
  readonly bill: MonthBill;
  /** What was stated less what was assessed, by head and cause. */
  readonly differences: readonly DifferenceSum[];
  readonly claims: readonly MonthClaim[];
  readonly payments: readonly MonthPayment[];
  /** Give it as `after` to go on; null at the end. */
  readonly nextAfter: number | null;
}

export const MONTH_PAYMENTS_MAX = 1_000;

/** Throws UNSUPPORTED_TAX_YEAR, RULES_UNKNOWN. */
export function monthView(
  store: PayerStore,
  rules: RuleSets,
  followed: FollowedAccount,
  month: { readonly taxYear: TaxYear; readonly taxMonth: number },
  page: { readonly after: number; readonly limit: number },
): MonthView {
  const { taxYear, taxMonth } = month;
  const employer = rulesAtYearEnd(rules.current.paye, taxYear).employer;
  const taxPeriod = taxPeriodOf(taxYear, taxMonth);
  const reader = new EntryReader(store, rules, followed);
  const { claims, last } = claimsUpTo(store, reader, followed, taxYear, taxPeriod);
  const sums = sumsOfMonth(store, followed.number, taxPeriod);
  const limit = Math.min(page.limit, MONTH_PAYMENTS_MAX);
  const rows = paymentsOfMonth(store, followed.number, taxPeriod, { after: page.after, limit: limit + 1 });
  const payments = rows.slice(0, limit).flatMap((row) => paymentOf(reader, row));
  return {
    account: followed.account,
    taxYear,
    taxMonth,
    taxPeriod,
    from: taxMonthStart(taxYear, taxMonth),
    to: taxMonthEnd(taxYear, taxMonth),
    receivedUntil: monthOpenUntil(taxYear, taxMonth),
    taxablePayPence: sums.basePence,
    paymentCount: sums.payments,
    bill: monthBill({ ...month, months: figuresOf(store, followed, month), claims: last }, employer),
    differences: sums.differences,
    claims,
    payments,
    nextAfter: rows.length > limit ? (payments.at(-1)?.number ?? null) : null,
  };
}

function figuresOf(
  store: PayerStore,
  followed: FollowedAccount,
  { taxYear, taxMonth }: { readonly taxYear: TaxYear; readonly taxMonth: number },
): readonly MonthFigures[] {
  const state = new OwnState(store, followed.number);
  const months: MonthFigures[] = [];
  for (let each = 1; each <= taxMonth; each += 1) {
    const { heads } = sumsOfMonth(store, followed.number, taxPeriodOf(taxYear, each));
    months.push({
      heads: headsOfBill(heads),
      ...readMonthTotals(state, monthTotalsKey(followed.account, taxYear, each)),
    });
  }
  return months;
}

/** A bill is worked out in numbers. Throws SUM_TOO_LARGE where a month's sum under a head is beyond them: no bill can say it. */
function headsOfBill(heads: MonthSums['heads']): MonthFigures['heads'] {
  const numbers: Partial<Record<Head, number>> = {};
  for (const [head, sum] of Object.entries(heads) as [Head, PenceSum][]) {
    if (typeof sum !== 'number') {
      throw new TallyError('SUM_TOO_LARGE', `the month's ${head} is larger than a bill can be worked out from`, {
        head,
      });
    }
    numbers[head] = sum;
  }
  return numbers;
}

/** The claims that stand in the month, and the last that the employer made by its end. */
function claimsUpTo(
  store: PayerStore,
  reader: EntryReader,
  followed: FollowedAccount,
  taxYear: string,
  taxPeriod: string,
): { readonly claims: readonly MonthClaim[]; readonly last: EmployerClaimsMade | null } {
  const claims: MonthClaim[] = [];
  let last: EmployerClaimsMade | null = null;
  for (const row of claimsOfYear(store, followed.number, taxYear)) {
    const { event, entry } = reader.read(row);
    if (event.type === 'PaymentMade') continue;
    if (event.type === 'EmployerClaimsMade' && entry.taxPeriod <= taxPeriod) last = event;
    if (entry.taxPeriod !== taxPeriod) continue;
    const { number, amounts } = entry;
    claims.push({ eventId: uuidOf(event.eventId), number, type: event.type, taxPeriod, amounts, entry: row.place });
  }
  return { claims, last };
}

function paymentOf(reader: EntryReader, row: Parameters<EntryReader['read']>[0]): MonthPayment[] {
  const { event, entry } = reader.read(row);
  if (event.type !== 'PaymentMade') return [];
  const { amounts, number, taxPeriod } = entry;
  const stated = statedDifferences({ amounts, stated: statedAmounts(event.stated) });
  return [
    {
      ...paymentFields(event),
      number,
      taxPeriod,
      amounts,
      stated: stated.map(({ head, statedPence, assessedPence }) => ({ head, statedPence, assessedPence })),
      entry: row.place,
    },
  ];
}
