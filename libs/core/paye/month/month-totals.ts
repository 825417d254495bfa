import type { StateValue, StateView } from '../../decisions/decision.ts';
import type { Account } from '../../identity/account.ts';

/** What an employer's month has come to by payments dated within it, pence: what claims and the levy are worked out from (paye.md 7.2, 7.4). */
export interface MonthTotals {
  /** Employer's Class 1, what the Employment Allowance is set against. */
  readonly employerNicsPence: number;
  /** Earnings liable to employer's Class 1, at whatever rate: the pay bill of the Apprenticeship Levy. Letter X is outside. */
  readonly payBillPence: number;
  readonly payments: number;
}

const NOTHING: MonthTotals = { employerNicsPence: 0, payBillPence: 0, payments: 0 };

/** The one made last for each account is kept: an employer pays many for one month. */
export function monthTotalsKey(account: Account, taxYear: string, taxMonth: number): string {
  const last = lastKeyCache.get(account);
  if (last?.taxMonth === taxMonth && last.taxYear === taxYear) return last.key;
  const key = `payemonth|${account}|${taxYear}|${taxMonth}`;
  if (lastKeyCache.size >= CACHE_MAX) lastKeyCache.clear();
  lastKeyCache.set(account, { taxYear, taxMonth, key });
  return key;
}

const lastKeyCache = new Map<Account, { readonly taxYear: string; readonly taxMonth: number; readonly key: string }>();
const CACHE_MAX = 4_096;

export function readMonthTotals(view: StateView, key: string): MonthTotals {
  const value = view.get(key) as readonly [number, number, number] | undefined;
  if (value === undefined) return NOTHING;
  return { employerNicsPence: value[0], payBillPence: value[1], payments: value[2] };
}

/** As stored: three numbers. */
export function monthTotalsValue(totals: MonthTotals): StateValue {
  return [totals.employerNicsPence, totals.payBillPence, totals.payments];
}
