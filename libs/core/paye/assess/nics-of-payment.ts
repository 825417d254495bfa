import { TallyError } from '../../errors/tally-error.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import type { DirectorState, EmploymentState } from '../employment/employment-state.ts';
import type { PeriodPool } from '../employment/period-pools.ts';
import { type Class1Terms, employeeNicsPence, employerNicsPence } from '../rates/class1-nics.ts';
import type { FrequencyRules } from '../rates/dated-paye-rules.ts';
import { PERIODS_IN_YEAR } from '../rates/pay-frequency.ts';
import type { PayDay } from '../rates/paye-rules.ts';
import { directorNics, directorWeeks } from './director-nics.ts';
import { added, NOTHING_ELSEWHERE, type PaidElsewhere } from './earnings-period.ts';
import type { PaymentContext } from './payment-context.ts';

/** What the NICs of a payment were worked out on; unused for a director's annual period. */
export interface Class1Working {
  readonly terms: Class1Terms | undefined;
  readonly earningsPence: number;
  /** Taken on them before this payment. */
  readonly taken: PaidElsewhere;
  /** Earnings of other jobs, and of a shorter interval, within the earnings. */
  readonly otherJobsPence: number;
  readonly shorterIntervalPence: number;
  /** What the loans were worked out on. */
  readonly loanEarningsPence: number;
}

export interface Contributed {
  readonly employeePence: number;
  readonly employerPence: number;
  readonly director: DirectorState | undefined;
  /** Whether the NICs were worked out in the earnings period, and count in its pool. */
  readonly pooled: boolean;
  readonly working: Class1Working;
}

/** Class 1 NICs of a payment. Throws BAD_NI_CATEGORY. */
export function nicsOf(context: PaymentContext): Contributed {
  const { event, day, frequency } = context;
  const director = directorAfter(context);
  if (director === undefined) return periodNics(context, undefined);
  if (director.method === 'AN' || isLastOfYear(event, day, frequency)) {
    const due = directorNics(
      day.rules.directorTerms[director.weeks] ?? {},
      day.rules.letterOrder,
      director.earningsByLetter,
    );
    return {
      employeePence: due.employeePence - director.employeeNicsPence,
      employerPence: due.employerPence - director.employerNicsPence,
      director: { ...director, employeeNicsPence: due.employeePence, employerNicsPence: due.employerPence },
      pooled: false,
      working: workingOf(context, undefined, context.event.nicableEarningsPence, NOTHING_ELSEWHERE),
    };
  }
  return periodNics(context, director);
}

/** On the earnings of the period under this letter, of other jobs and of a shorter interval, less what was taken from them already. */
function periodNics(context: PaymentContext, director: DirectorState | undefined): Contributed {
  const { event, day, class1, pool, otherJobs, shorterInterval } = context;
  const terms = class1.frequency.letters[event.niCategory];
  if (terms === undefined) throw new TallyError('BAD_NI_CATEGORY', 'the letter is not in force', {});
  const own = day.rules.poolsClass1 && pool !== undefined ? paidIn(pool) : NOTHING_ELSEWHERE;
  const taken = added(own, added(otherJobs, shorterInterval));
  const earnings = event.nicableEarningsPence + taken.earningsPence;
  const employeePence = employeeNicsPence(terms, earnings) - taken.employeePence;
  const employerPence = employerNicsPence(terms, earnings) - taken.employerPence;
  const after =
    director === undefined
      ? undefined
      : {
          ...director,
          employeeNicsPence: director.employeeNicsPence + employeePence,
          employerNicsPence: director.employerNicsPence + employerPence,
        };
  const working = workingOf(context, terms, earnings, taken);
  return { employeePence, employerPence, director: after, pooled: true, working };
}

function paidIn(pool: PeriodPool): PaidElsewhere {
  const [, earningsPence, employeePence, employerPence] = pool;
  return { earningsPence, employeePence, employerPence, studentLoanPence: 0, postgraduateLoanPence: 0 };
}

function workingOf(
  { event, day, totals, otherJobs, shorterInterval }: PaymentContext,
  terms: Class1Terms | undefined,
  earningsPence: number,
  taken: PaidElsewhere,
): Class1Working {
  const pooledPence = day.rules.poolsLoans ? totals.earningsPence + shorterInterval.earningsPence : 0;
  return {
    terms,
    earningsPence,
    taken,
    otherJobsPence: otherJobs.earningsPence,
    shorterIntervalPence: shorterInterval.earningsPence,
    loanEarningsPence: event.nicableEarningsPence + (event.oddIntervalDays === null ? pooledPence : 0),
  };
}

/** Ceasing to be a director keeps the annual period: the method last stated goes on. */
function directorAfter({ event, before, day, flags }: PaymentContext): DirectorState | undefined {
  const director = before?.director;
  const method = event.directorsNic ?? director?.method;
  if (method === undefined) return undefined;
  const letter = event.niCategory;
  const earnings = {
    ...director?.earningsByLetter,
    [letter]: (director?.earningsByLetter[letter] ?? 0) + event.nicableEarningsPence,
  };
  return {
    method,
    weeks: weeksOfDirector(event, before, day, flags),
    earningsByLetter: earnings,
    employeeNicsPence: director?.employeeNicsPence ?? 0,
    employerNicsPence: director?.employerNicsPence ?? 0,
  };
}

/**
 * Weeks of the annual earnings period. An appointment after ordinary payments of the year was within it: where its week is not stated, that of the
 * first payment as a director counts until it is (S.I. 2001/1004 regulation 8(2), NIM12022).
 */
function weeksOfDirector(event: PaymentMade, before: EmploymentState | null, day: PayDay, flags: string[]): number {
  if (event.directorAppointedWeek !== null) return directorWeeks(event.directorAppointedWeek);
  if (before?.director !== undefined) return before.director.weeks;
  if (before === null || day.rules.revision < 2) return directorWeeks(null);
  flags.push('DIRECTOR_WEEK_MISSING');
  return directorWeeks(day.taxWeek);
}

/** The last payment of the year or of the employment: the alternative method settles by the annual one (paye.md 5.8). */
function isLastOfYear(event: PaymentMade, day: PayDay, { terms }: FrequencyRules): boolean {
  if (event.leavingDate !== null) return true;
  const number = terms.family === 'week' ? day.taxWeek : day.taxMonth;
  return number + terms.periods > PERIODS_IN_YEAR[terms.family];
}
