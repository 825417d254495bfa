import { addDays, type LocalDate } from '../../calendar/local-date.ts';
import { halfUpQuotient } from '../../money/half-up.ts';
import type { Pence } from '../../money/pence.ts';
import { findVatParameter, type VatRules, vatParameterSince, vatParameterStretches } from '../rates/vat-rules.ts';

/** An amount that bears interest over the days [from, to): each night at the rate of the day on which it begins. */
export interface BearingInterest {
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly pence: number;
}

/** Of a year, a leap year too (collection.md 3.4). */
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

/** A rate of HMRC's table on a day. */
export interface InterestRate {
  /** Basis points; null before the table begins. */
  readonly basisPoints: number | null;
  /** The last day on which the table is known, where the day lies after it: the rate is its last one, carried on. Null: it is known. */
  readonly knownTo: LocalDate | null;
}

/**
 * The rate of a day. The table has an end: the rate after the last one that was announced is not known until HMRC publishes it, and a figure
 * that rests on it is an estimate and says so (collection.md 3.1).
 */
export function interestRateOn(kind: 'late' | 'repayment', date: LocalDate, rules: VatRules): InterestRate {
  return { basisPoints: findVatParameter(rules, `interest.${kind}`, date), knownTo: knownBefore(date, rules) };
}

/** Where interest on amounts rests on nights after the end of HMRC's table, the last day that is known; null where all is known. */
export function interestKnownTo(amounts: readonly BearingInterest[], rules: VatRules): LocalDate | null {
  for (const { from, to, pence } of amounts) {
    const knownTo = to > from && pence !== 0 ? knownBefore(addDays(to, -1), rules) : null;
    if (knownTo !== null) return knownTo;
  }
  return null;
}

function knownBefore(date: LocalDate, rules: VatRules): LocalDate | null {
  const since =
    findVatParameter(rules, 'interest.unknown', date) === 1 ? vatParameterSince(rules, 'interest.unknown', date) : null;
  return since === null ? null : addDays(since, -1);
}
