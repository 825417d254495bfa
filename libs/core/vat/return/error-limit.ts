import type { LocalDate } from '../../calendar/local-date.ts';
import { findVatParameter, type VatRules } from '../rates/vat-rules.ts';
import type { PeriodAccount } from '../state/period-account.ts';
import { boxesOf } from './period-boxes.ts';

/**
 * True where an error was entered and the errors corrected in a period are, net, above what the next return may carry: 10,000 pounds, or
 * 1% of box 6 up to 50,000 pounds; above it HMRC is told separately (vat.md section 6). The entry stands: it is flagged.
 */
export function isErrorAboveLimit(kind: string, account: PeriodAccount, date: LocalDate, rules: VatRules): boolean {
  if (kind !== 'error_underdeclared' && kind !== 'error_overdeclared') return false;
  const [, under] = account.a?.error_underdeclared ?? [0, 0];
  const [, over] = account.a?.error_overdeclared ?? [0, 0];
  const limitPence = findVatParameter(rules, 'errorCorrection.limit', date);
  if (limitPence === null) return false;
  const shareBasisPoints = findVatParameter(rules, 'errorCorrection.shareOfTurnover', date) ?? 0;
  const mostPence = findVatParameter(rules, 'errorCorrection.shareLimit', date) ?? limitPence;
  const turnoverPence = Math.max(0, boxesOf(account, 'truncate').boxes[6]);
  const sharePence = Math.min(mostPence, Math.floor((turnoverPence / 10_000) * shareBasisPoints));
  return Math.abs(under - over) > Math.max(limitPence, sharePence);
}
