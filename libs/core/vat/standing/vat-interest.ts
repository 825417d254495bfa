import type { LocalDate } from '../../calendar/local-date.ts';
import { halfUpQuotient } from '../../money/half-up.ts';
import type { Pence } from '../../money/pence.ts';
import { type VatRules, vatParameterStretches } from '../rates/vat-rules.ts';

/** An amount that bears interest over the days [from, to): each night at the rate of the day on which it begins. */
export interface BearingInterest {
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly pence: number;
}

/** A year has so many days, leap years too (collection.md 3.4). */
const DAYS_A_YEAR = 365n;

/**
 * Simple interest of HMRC's table on amounts over days, exact and rounded once, half up (FA 2009 ss.101, 102; vat.md 7.2; collection.md 3):
 * late, what is owed after it was due; repayment, what HMRC owes. VAT periods from 1 January 2023; before the table begins there is none.
 */
export function vatInterest(amounts: readonly BearingInterest[], kind: 'late' | 'repayment', rules: VatRules): Pence {
  let sum = 0n;
  for (const { from, to, pence } of amounts) {
    for (const { days, value } of vatParameterStretches(rules, `interest.${kind}`, from, to)) {
      sum += BigInt(pence) * BigInt(value) * BigInt(days);
    }
  }
  return halfUpQuotient(sum, 10_000n * DAYS_A_YEAR);
}
