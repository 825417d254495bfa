import { daysBetween, type LocalDate, localDate } from '../calendar/local-date.ts';
import { halfUpQuotient, halfUpShare } from '../money/half-up.ts';
import { type Pence, pence } from '../money/pence.ts';
import { type VatRules, vatParameterOn } from './vat-rules.ts';

export type ReturnFrequency = 'annual' | 'quarterly' | 'monthly';

/** What a late payment costs; the second penalty is worked out to the day of payment. */
export interface LatePaymentPenalties {
  readonly daysLate: number;
  readonly firstPence: Pence;
  readonly secondPence: Pence;
}

/** What late returns come to: points, and money at the threshold. */
export interface LateReturns {
  readonly points: number;
  readonly penaltiesPence: Pence;
  readonly atThreshold: boolean;
}

const FIRST_PENALTY_AFTER_DAYS = 15;
const SECOND_PENALTY_AFTER_DAYS = 30;
const DAYS_A_YEAR = 365n;
/** Rates go by the day on which the period began; where that is not known, what is due before 31 May 2025 began before 1 April 2025 (collection.md 5.1). */
const NEW_RATES_DUE_FROM = localDate('2025-05-31');
const BEFORE_NEW_RATES = localDate('2025-03-31');

/**
 * Penalties for one amount paid late in full (FA 2021 Sch 26; vat.md 7.2): nothing to day 15; from day 16 a share of the balance of day 15,
 * from day 31 another of that of day 30, and a yearly rate by day. Each half up once.
 *
 * @param periodStart whose first day says which rates hold; null: told from the due date (collection.md 5.1).
 */
export function latePaymentPenalties(
  amountPence: number,
  due: LocalDate,
  paidOn: LocalDate,
  periodStart: LocalDate | null,
  rules: VatRules,
): LatePaymentPenalties {
  const daysLate = Math.max(0, daysBetween(due, paidOn));
  const day = periodStart ?? (due >= NEW_RATES_DUE_FROM ? due : BEFORE_NEW_RATES);
  const rate = (name: string) => vatParameterOn(rules, `latePayment.${name}`, day);
  let first = 0;
  if (daysLate > FIRST_PENALTY_AFTER_DAYS) first += halfUpShare(amountPence, rate('day15Rate'), 10_000);
  if (daysLate > SECOND_PENALTY_AFTER_DAYS) first += halfUpShare(amountPence, rate('day30Rate'), 10_000);
  const dailyDays = Math.max(0, daysLate - SECOND_PENALTY_AFTER_DAYS);
  const daily = BigInt(amountPence) * BigInt(rate('dailyRate')) * BigInt(dailyDays);
  return { daysLate, firstPence: pence(first), secondPence: halfUpQuotient(daily, 10_000n * DAYS_A_YEAR) };
}

/**
 * Points for late returns in order (FA 2021 Sch 24): one each, stopping at the threshold of the frequency; 200 on reaching it and for each
 * late return after.
 *
 * @param on a day of the regime, for threshold and amount.
 */
export function lateReturnPoints(
  frequency: ReturnFrequency,
  late: readonly boolean[],
  on: LocalDate,
  rules: VatRules,
): LateReturns {
  const threshold = vatParameterOn(rules, `lateSubmission.threshold.${frequency}`, on);
  const penalty = vatParameterOn(rules, 'lateSubmission.penalty', on);
  let points = 0;
  let penalties = 0;
  for (const isLate of late) {
    if (!isLate) continue;
    points = Math.min(threshold, points + 1);
    if (points === threshold) penalties += penalty;
  }
  return { points, penaltiesPence: pence(penalties), atThreshold: points === threshold };
}
