import type { StateValue, StateView } from '../events/decision.ts';
import type { Account } from '../identity/account.ts';

/** What an employer's month has come to by payments dated within it, pence: what claims and the levy are worked out from (paye.md 7.2, 7.4). */
export interface MonthTotals {
  /** Employer's Class 1, what the Employment Allowance is set against. */
  readonly employerNicsPence: number;
  /** Earnings liable to employer's Class 1, at whatever rate: the pay bill of the Apprenticeship Levy. Letter X is outside. */
  readonly payBillPence: number;
  readonly payments: number;
}

const NOTHING: MonthTotals = { employerNicsPence: 0, payBillPence: 0, payments: 0 };

export function monthTotalsKey(account: Account, taxYear: string, taxMonth: number): string {
  return `payemonth|${account}|${taxYear}|${taxMonth}`;
}

export function readMonthTotals(view: StateView, key: string): MonthTotals {
  const value = view.get(key) as readonly [number, number, number] | undefined;
  if (value === undefined) return NOTHING;
  return { employerNicsPence: value[0], payBillPence: value[1], payments: value[2] };
}

/** As stored: three numbers. */
export function monthTotalsValue(totals: MonthTotals): StateValue {
  return [totals.employerNicsPence, totals.payBillPence, totals.payments];
}
