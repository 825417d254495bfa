import type { PaymentMade } from '../../events/paye-events.ts';
import type { EmploymentState, PaidInMonth } from '../employment/employment-state.ts';
import { type PeriodPool, poolOf } from '../employment/period-pools.ts';
import type { FrequencyRules } from '../rates/dated-paye-rules.ts';
import { type EarningsPeriod, type PayDay, type PayeRules, payDayOf } from '../rates/paye-rules.ts';

/** The earnings period of a payment, and the thresholds that it is worked out by. */
export interface Class1Period {
  readonly period: EarningsPeriod;
  readonly frequency: FrequencyRules;
}

/** Earnings of an earnings period that are in no pool of the payment's own employment, and what was taken on them, pence. */
export interface PaidElsewhere {
  readonly earningsPence: number;
  readonly employeePence: number;
  readonly employerPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
}

export const NOTHING_ELSEWHERE: PaidElsewhere = {
  earningsPence: 0,
  employeePence: 0,
  employerPence: 0,
  studentLoanPence: 0,
  postgraduateLoanPence: 0,
};

/** Intervals from the shortest to the longest; one-off and irregular pay has that of a week. */
const INTERVALS = ['W1', 'W2', 'W4', 'M1', 'M3', 'M6', 'MA'] as const;
type Interval = (typeof INTERVALS)[number];

/**
 * The earnings period of a payment. A payment that the employer states for the period before or after that of its pay day is one of two
 * regular pay days in a period and stands apart (S.I. 2001/1004 regulation 7(1)(b), NIM08070). Where a person has jobs of
 * several intervals, the shortest governs (regulation 6, NIM10011).
 */
export function class1PeriodOf(event: PaymentMade, day: PayDay, others: readonly EmploymentState[]): Class1Period {
  const frequency = day.rules.frequencies[event.payFrequency];
  const own = day.periods[event.payFrequency];
  if (day.rules.revision < 2) return { period: own, frequency };
  const interval = frequency.terms.earningsPeriod as Interval;
  let governing = interval;
  for (const other of others) {
    const its = intervalOf(other);
    if (its !== undefined && isLonger(governing, its)) governing = its;
  }
  if (governing !== interval) return { period: day.periods[governing], frequency: day.rules.frequencies[governing] };
  if (event.period === own.number - 1) return { period: own.statedBefore, frequency };
  return { period: event.period === own.number + 1 ? own.statedAfter : own, frequency };
}

/** What was paid in the period by the person's other jobs under the same letter. */
export function paidByOtherJobs(
  event: PaymentMade,
  { period, frequency }: Class1Period,
  others: readonly EmploymentState[],
  rules: PayeRules,
): PaidElsewhere {
  if (others.length === 0) return NOTHING_ELSEWHERE;
  const key = period.poolKeys[event.niCategory];
  const pools = others.flatMap((other) => {
    const pool = poolOf(other.pools, key) ?? longerPoolIn(other, key, frequency, rules);
    return pool === undefined ? [] : [pool];
  });
  return sumOf(pools);
}

/** The pool of a job with a longer interval whose latest pay day is in the period: it was worked out before the shorter job began. */
function longerPoolIn(
  other: EmploymentState,
  key: string,
  { terms }: FrequencyRules,
  rules: PayeRules,
): PeriodPool | undefined {
  const interval = intervalOf(other);
  const governing = terms.earningsPeriod as Interval;
  if (interval === undefined || !isLonger(interval, governing)) return undefined;
  if (payDayOf(rules, other.lastPayDay).periods[governing].poolKeys.A.slice(1) !== key.slice(1)) return undefined;
  return other.pools.findLast((pool) => pool[0].startsWith(key.slice(0, 1)));
}

/**
 * What was paid at a shorter interval within the first of the longer periods (regulation 18, NIM08510). A change to a shorter interval takes
 * nothing in (NIM08500).
 */
export function paidAtShorterInterval(event: PaymentMade, before: EmploymentState | null, day: PayDay): PaidElsewhere {
  const paid = before?.paidInMonth;
  if (before === null || paid === undefined || day.rules.revision < 2) return NOTHING_ELSEWHERE;
  const { family, periods, earningsPeriod } = day.rules.frequencies[event.payFrequency].terms;
  const [letter, interval, month] = [paid[0].slice(0, 1), paid[0].slice(1, 3) as Interval, Number(paid[0].slice(4))];
  if (letter !== event.niCategory || !isLonger(earningsPeriod as Interval, interval)) return NOTHING_ELSEWHERE;
  if (family === 'month') return month === day.taxMonth ? elsewhere(paid) : NOTHING_ELSEWHERE;
  const last = day.periods[event.payFrequency].number;
  return sumOf(
    before.pools.filter(([key]) => {
      const number = Number(key.slice(4));
      return key.slice(0, 3) === letter + interval && number > last - periods && number <= last;
    }),
  );
}

/** What a payment leaves of it for a payment of a longer interval: its own amounts with those before in the same tax month. */
export function paidInMonthAfter(
  event: PaymentMade,
  before: PaidInMonth | undefined,
  day: PayDay,
  taken: PaidElsewhere,
): PaidInMonth | undefined {
  const { family, earningsPeriod } = day.rules.frequencies[event.payFrequency].terms;
  if (day.rules.revision < 2) return before;
  const monthBefore = before === undefined ? 0 : Number(before[0].slice(4));
  if (monthBefore > day.taxMonth || event.payFrequency === 'IO' || event.payFrequency === 'IR') return before;
  if (family === 'month') return undefined;
  const isGoingOn = before !== undefined && monthBefore === day.taxMonth && before[0].startsWith(event.niCategory);
  const sum = isGoingOn ? added(elsewhere(before), taken) : taken;
  const key = `${event.niCategory}${earningsPeriod}:${day.taxMonth}`;
  const nics = [key, sum.earningsPence, sum.employeePence, sum.employerPence] as const;
  return sum.studentLoanPence === 0 && sum.postgraduateLoanPence === 0
    ? nics
    : [...nics, sum.studentLoanPence, sum.postgraduateLoanPence];
}

export function added(one: PaidElsewhere, other: PaidElsewhere): PaidElsewhere {
  if (other === NOTHING_ELSEWHERE) return one;
  if (one === NOTHING_ELSEWHERE) return other;
  return {
    earningsPence: one.earningsPence + other.earningsPence,
    employeePence: one.employeePence + other.employeePence,
    employerPence: one.employerPence + other.employerPence,
    studentLoanPence: one.studentLoanPence + other.studentLoanPence,
    postgraduateLoanPence: one.postgraduateLoanPence + other.postgraduateLoanPence,
  };
}

/** The interval at which an employment was last paid. */
function intervalOf({ paidInMonth, pools }: EmploymentState): Interval | undefined {
  const key = paidInMonth?.[0] ?? pools.at(-1)?.[0];
  return INTERVALS.find((interval) => interval === key?.slice(1, 3));
}

function isLonger(one: Interval, other: Interval): boolean {
  return INTERVALS.indexOf(one) > INTERVALS.indexOf(other);
}

function elsewhere(paid: PaidInMonth): PaidElsewhere {
  return {
    earningsPence: paid[1],
    employeePence: paid[2],
    employerPence: paid[3],
    studentLoanPence: paid[4] ?? 0,
    postgraduateLoanPence: paid[5] ?? 0,
  };
}

function sumOf(pools: readonly PeriodPool[]): PaidElsewhere {
  return pools.reduce(
    (sum, pool) =>
      added(sum, {
        earningsPence: pool[1],
        employeePence: pool[2],
        employerPence: pool[3],
        studentLoanPence: pool[6] ?? 0,
        postgraduateLoanPence: pool[7] ?? 0,
      }),
    NOTHING_ELSEWHERE,
  );
}
