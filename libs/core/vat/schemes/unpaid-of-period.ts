import { isCountable, type PeriodAccount } from '../state/period-account.ts';
import { addUnpaid, leavesUnpaid, NOTHING_UNPAID, type Unpaid } from '../state/unpaid-invoices.ts';

/** The account with more that is invoiced or paid; null where a sum would pass PERIOD_SUM_PENCE_MAX. */
export function withUnpaid(account: PeriodAccount, added: Unpaid): PeriodAccount | null {
  const u = addUnpaid(account.u ?? NOTHING_UNPAID, added);
  return u.every(isCountable) ? { ...account, u } : null;
}

/** What the period leaves unpaid to the next ones: nothing where it counts it itself. */
export function unpaidAfter({ s, u }: PeriodAccount): Unpaid | null {
  if (u === undefined || !leavesUnpaid(s?.c)) return null;
  return u.some((sum) => sum !== 0) ? u : null;
}

/** The account with what earlier periods left unpaid. */
export function withUnpaidBefore(account: PeriodAccount, unpaid: Unpaid): PeriodAccount {
  return { ...account, b: account.b === undefined ? unpaid : addUnpaid(account.b, unpaid) };
}
