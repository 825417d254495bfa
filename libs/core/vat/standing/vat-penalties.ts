import { addDays, daysBetween, earlierDate, type LocalDate, localDate } from '../../calendar/local-date.ts';
import { halfUpQuotient, halfUpShare } from '../../money/half-up.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { findVatParameter, type VatRules } from '../rates/vat-rules.ts';
import { type Clearing, clearedPence } from './settle-charges.ts';

export type ReturnFrequency = 'annual' | 'quarterly' | 'monthly';

const FIRST_PENALTY_AFTER_DAYS = 15;
const SECOND_PENALTY_AFTER_DAYS = 30;
const DAYS_A_YEAR = 365n;
/** Rates go by the day on which the period began; where that is not known, what is due before 31 May 2025 began before 1 April 2025 (collection.md 5.1). */
const NEW_RATES_DUE_FROM = localDate('2025-05-31');
const BEFORE_NEW_RATES = localDate('2025-03-31');

/** A charge and what was paid of it. */
export interface PaidCharge {
  readonly amountPence: number;
  readonly due: LocalDate;
  /** Its first day says which rates hold; null: told from the due date (collection.md 5.1). */
  readonly periodStart: LocalDate | null;
  readonly paid: readonly Clearing[];
}

/** The penalties of a charge as they stand on a day, and what they were worked out from. */
export interface ChargePenalties {
  /** What was unpaid at the end of day 15 and of day 30; 0 until that day is over. */
  readonly day15Pence: Pence;
  readonly day30Pence: Pence;
  /** Basis points. */
  readonly day15Rate: number;
  readonly day30Rate: number;
  readonly dailyRate: number;
  readonly firstPence: Pence;
  /** Days from day 31 on which something was unpaid. */
  readonly dailyDays: number;
  readonly secondPence: Pence;
}

/**
 * Penalties of a charge as they stand on a day (FA 2021 Sch 26; vat.md 7.2): nothing to day 15; from day 16 a share of the balance of day 15,
 * from day 31 another of that of day 30, and a yearly rate by day. Each half up once. What is paid after the day counts to it.
 */
export function penaltiesOfCharge(
  { amountPence, due, periodStart, paid }: PaidCharge,
  asOf: LocalDate,
  rules: VatRules,
): ChargePenalties {
  const day = periodStart ?? (due >= NEW_RATES_DUE_FROM ? due : BEFORE_NEW_RATES);
  const rate = (name: string) => findVatParameter(rules, `latePayment.${name}`, day) ?? 0;
  const unpaidAfter = (days: number) =>
    daysBetween(due, asOf) > days ? pence(Math.max(0, amountPence - clearedPence(paid, addDays(due, days)))) : pence(0);
  const [day15Pence, day30Pence] = [unpaidAfter(FIRST_PENALTY_AFTER_DAYS), unpaidAfter(SECOND_PENALTY_AFTER_DAYS)];
  const [day15Rate, day30Rate, dailyRate] = [rate('day15Rate'), rate('day30Rate'), rate('dailyRate')];
  const daysOf = (on: LocalDate) => Math.max(0, daysBetween(due, earlierDate(on, asOf)) - SECOND_PENALTY_AFTER_DAYS);
  const open = { on: asOf, pence: Math.max(0, amountPence - clearedPence(paid)) };
  let daily = 0n;
  let dailyDays = 0;
  for (const { on, pence: part } of [...paid, open]) {
    if (part === 0) continue;
    daily += BigInt(part) * BigInt(dailyRate) * BigInt(daysOf(on));
    dailyDays = Math.max(dailyDays, daysOf(on));
  }
  return {
    day15Pence,
    day30Pence,
    day15Rate,
    day30Rate,
    dailyRate,
    firstPence: pence(halfUpShare(day15Pence, day15Rate, 10_000) + halfUpShare(day30Pence, day30Rate, 10_000)),
    dailyDays,
    secondPence: halfUpQuotient(daily, 10_000n * DAYS_A_YEAR),
  };
}
