import type { PeriodAccount } from '../state/period-account.ts';
import { countedBoxesOf, countedDueOf, type PeriodDue } from './counted-boxes.ts';
import { errorsFoundIn } from './error-limit.ts';
import type { PoundsRule, VatReturn } from './vat-return.ts';

/**
 * What a period's return comes to: box 3 and box 4. By how much an event moves them is the amount of its ledger entry, so the sum of a
 * period's entries is box 3 less box 4.
 */
export function dueOf(account: PeriodAccount): PeriodDue {
  return countedDueOf(onReturn(account));
}

/** The nine boxes of a period's return: a pure fold, final or provisional as the account is (vat.md section 6). */
export function boxesOf(account: PeriodAccount, poundsRule: PoundsRule): VatReturn {
  return countedBoxesOf(onReturn(account), poundsRule);
}

/** What the return carries: all that the period counts, but for errors of filed returns that HMRC is told of separately. */
function onReturn(account: PeriodAccount): PeriodAccount {
  return account.x !== undefined && errorsFoundIn(account).method === 'notify' ? account.x.w : account;
}
