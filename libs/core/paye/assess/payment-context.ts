import { assert } from '../../errors/assert.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import type { EmploymentState } from '../employment/employment-state.ts';
import { type PeriodPool, type PeriodTotals, periodTotalsOf, poolOf, setAsideIn } from '../employment/period-pools.ts';
import type { FrequencyRules } from '../rates/dated-paye-rules.ts';
import type { PayDay, PayeRules, PayPeriod } from '../rates/paye-rules.ts';
import {
  type Class1Period,
  class1PeriodOf,
  type PaidElsewhere,
  paidAtShorterInterval,
  paidByOtherJobs,
} from './earnings-period.ts';

/** Everything that the parts of an assessment look at. */
export interface PaymentContext {
  readonly event: PaymentMade;
  readonly before: EmploymentState | null;
  readonly day: PayDay;
  readonly rules: PayeRules;
  readonly frequency: FrequencyRules;
  readonly period: PayPeriod;
  readonly class1: Class1Period;
  /** Of this payment's letter in its earnings period. */
  readonly pool: PeriodPool | undefined;
  /** Of the earnings period under every letter, before this payment. */
  readonly totals: PeriodTotals;
  readonly otherJobs: PaidElsewhere;
  readonly shorterInterval: PaidElsewhere;
  readonly flags: string[];
}

const NO_POOLS: readonly PeriodPool[] = [];

/** Everything that the parts of an assessment look at; `flags` are filled by them. */
export function contextOf(
  event: PaymentMade,
  before: EmploymentState | null,
  day: PayDay,
  rules: PayeRules,
  others: readonly EmploymentState[],
): PaymentContext {
  const flags: string[] = [];
  const period = day.periods[event.payFrequency];
  if (period.number !== event.period) flags.push('PERIOD_DIFFERS');
  if (before !== null && event.paymentDate < before.lastPayDay) flags.push('OUT_OF_ORDER');
  const class1 = class1PeriodOf(event, day, others);
  assert(setAsideIn(before?.setAside, class1.period.code).length === 0, 'the pools of the earnings period are there');
  const pools = before?.pools ?? NO_POOLS;
  const otherJobs = paidByOtherJobs(event, class1, others, rules);
  if (otherJobs.earningsPence !== 0) flags.push('EARNINGS_AGGREGATED');
  return {
    event,
    before,
    day,
    rules,
    frequency: day.rules.frequencies[event.payFrequency],
    period,
    class1,
    pool: poolOf(pools, class1.period.poolKeys[event.niCategory]),
    totals: periodTotalsOf(pools, class1.period.key),
    otherJobs,
    shorterInterval: paidAtShorterInterval(event, before, day),
    flags,
  };
}
