import type { LocalDate } from '../../calendar/local-date.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { findVatParameter, type VatRules } from '../rates/vat-rules.ts';
import type { PeriodAccount, PeriodErrors } from '../state/period-account.ts';
import { adjustmentHits } from './adjustment-kinds.ts';
import { countedBoxesOf, countedDueOf } from './counted-boxes.ts';

/** The errors of filed returns that were found in a period, and how HMRC learns of them. */
export interface ErrorsFound {
  /** Under-declared less over-declared VAT. */
  readonly netPence: Pence;
  /** The most, either way, that the return may carry; null where nothing was found. */
  readonly limitPence: number | null;
  /** return: in its boxes 1 and 4; notify: in no box, HMRC is told separately (form VAT652). */
  readonly method: 'none' | 'return' | 'notify';
}

const NOTHING_FOUND: ErrorsFound = { netPence: pence(0), limitPence: null, method: 'none' };

/**
 * The errors found in a period: those that the trader states, and outputs whose tax point lies in a return already filed. Net, up to 10,000
 * pounds, or 1% of box 6 up to 50,000 pounds, they are corrected on its return; above it HMRC is told separately (VAT Regulations 1995,
 * regulation 34; Notice 700/45). Box 6 is that without them.
 */
export function errorsFoundIn(account: PeriodAccount): ErrorsFound {
  if (account.x === undefined) return NOTHING_FOUND;
  const { w, l } = account.x;
  const [all, without] = [countedDueOf(account), countedDueOf(w)];
  const netPence = pence(all.outputVatPence - without.outputVatPence - (all.inputVatPence - without.inputVatPence));
  const [fixedPence, shareBasisPoints, mostPence] = l;
  const turnoverPence = Math.max(0, countedBoxesOf(w, 'truncate').boxes[6]);
  const sharePence = Math.min(mostPence, Math.floor((turnoverPence / 10_000) * shareBasisPoints));
  const limitPence = Math.max(fixedPence, sharePence);
  return { netPence, limitPence, method: Math.abs(netPence) > limitPence ? 'notify' : 'return' };
}

/** The account after an event that was an error of a filed return: `before` is what it was without it. Unchanged where there is no limit. */
export function withError(
  after: PeriodAccount,
  before: PeriodAccount,
  date: LocalDate,
  rules: VatRules,
): PeriodAccount {
  if (before.x !== undefined) return { ...after, x: before.x };
  const limit = limitOn(date, rules);
  if (limit === null) return after;
  const { e: _last, l: _late, ...without } = before;
  return { ...after, x: { w: without, l: limit } };
}

function limitOn(date: LocalDate, rules: VatRules): PeriodErrors['l'] | null {
  const limitPence = findVatParameter(rules, 'errorCorrection.limit', date);
  if (limitPence === null) return null;
  const shareBasisPoints = findVatParameter(rules, 'errorCorrection.shareOfTurnover', date) ?? 0;
  return [limitPence, shareBasisPoints, findVatParameter(rules, 'errorCorrection.shareLimit', date) ?? limitPence];
}

/** True for an entry that corrects a filed return: one that says so, or an output that is late for its own. */
export function isErrorOfReturn(kind: string, account: PeriodAccount, isLate: boolean): boolean {
  if (kind === 'error_underdeclared' || kind === 'error_overdeclared') return true;
  if (!isLate) return false;
  const { vat, net } = adjustmentHits(kind, account.s);
  return vat.includes(1) || vat.includes(2) || net.includes(6) || kind === 'margin_sale' || kind === 'margin_pool_sale';
}
