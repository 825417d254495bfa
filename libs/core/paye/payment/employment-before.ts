import type { StateChange, StateView } from '../../decisions/decision.ts';
import { assert } from '../../errors/assert.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import { directorWeeks } from '../assess/director-nics.ts';
import { class1PeriodOf } from '../assess/earnings-period.ts';
import {
  type EmploymentState,
  employmentKey,
  isMoved,
  type MovedEmployment,
  readEmployment,
  setAsideKey,
  withPeriodRestored,
} from '../employment/employment-state.ts';
import { openedState } from '../employment/opening-balance.ts';
import type { PeriodPool } from '../employment/period-pools.ts';
import { jobsOfPerson, type OtherJob, otherJobs, personJobsKey, withJob } from '../employment/person-jobs.ts';
import { type PayDay, type PayeRules, payDayOf } from '../rates/paye-rules.ts';

/** An employment as a payment meets it. */
export interface EmploymentBefore {
  /** With what was set aside of the payment's earnings period back in it; null for a first payment. */
  readonly state: EmploymentState | null;
  /** The person's other jobs whose earnings are added up with the payment's, likewise with what was set aside. */
  readonly others: readonly EmploymentState[];
  /** What the payment changes beside its own state: the old works number that it continues, the list of the person's jobs. */
  readonly changes: readonly StateChange[];
  readonly flags: readonly string[];
  /** The key under which a pool of this employment is set aside. */
  readonly asideKey: (poolKey: string) => string;
}

const NO_JOBS: readonly OtherJob[] = [];

/** What an accepted payment was worked out on. Throws what payDayOf throws. */
export function stateBefore(event: PaymentMade, view: StateView, rules: PayeRules): EmploymentBefore {
  const day = payDayOf(rules, event.paymentDate);
  const own = readEmployment(view, employmentKey(event.account, day.taxYear, event.worksNumber));
  return employmentBefore(event, own === undefined || isMoved(own) ? undefined : own, day, view);
}

/** @param own the state under the payment's own works number, where there is one. */
export function employmentBefore(
  event: PaymentMade,
  own: EmploymentState | undefined,
  day: PayDay,
  view: StateView,
): EmploymentBefore {
  const changes: StateChange[] = [];
  const flags: string[] = [];
  const before = own ?? continued(event, day, view, changes, flags) ?? opened(event, day);
  if (own !== undefined && event.openingBalance !== null) flags.push('OPENING_BALANCE_LATE');
  const jobs = othersOf(event, before, day, view, changes);
  const states = jobs.map(({ state }) => state);
  const { code } = class1PeriodOf(event, day, states).period;
  const keyUnder = (worksNumber: string, poolKey: string): string =>
    setAsideKey(event.account, day.taxYear, worksNumber, poolKey);
  const asideKey = (poolKey: string): string => keyUnder(before?.setAsideUnder ?? event.worksNumber, poolKey);
  const state = before === null ? null : restored(before, code, asideKey, view);
  const others = jobs.map((job) =>
    restored(job.state, code, (poolKey) => keyUnder(job.state.setAsideUnder ?? job.worksNumber, poolKey), view),
  );
  return { state, others, changes, flags, asideKey };
}

/** The state that an opening balance begins with; null without one. */
function opened(event: PaymentMade, day: PayDay): EmploymentState | null {
  if (event.openingBalance === null || day.rules.revision < 2) return null;
  return openedState(event, event.openingBalance, directorWeeks(event.directorAppointedWeek));
}

function othersOf(
  event: PaymentMade,
  before: EmploymentState | null,
  day: PayDay,
  view: StateView,
  changes: StateChange[],
): readonly OtherJob[] {
  if (day.rules.revision < 2) return NO_JOBS;
  const key = personJobsKey(event.account, day.taxYear, event.person);
  const jobs = jobsOfPerson(view, key);
  const change = withJob(key, jobs, event);
  if (change !== null) changes.push(change);
  return before?.director === undefined ? otherJobs(event, day.taxYear, jobs, view) : NO_JOBS;
}

/** The state with what was set aside of an earnings period; a pool that the state names and the store lacks is a fault of ours. */
function restored(
  before: EmploymentState,
  periodCode: number,
  asideKey: (poolKey: string) => string,
  view: StateView,
): EmploymentState {
  return withPeriodRestored(before, periodCode, (poolKey) => {
    const pool = view.get(asideKey(poolKey));
    assert(pool !== undefined, 'an earnings period that was set aside is in the store');
    return pool as unknown as PeriodPool;
  });
}

/** 7.8: a new works number that continues an old one takes over its figures; the old one keeps only the events it has seen. */
function continued(
  event: PaymentMade,
  day: PayDay,
  view: StateView,
  changes: StateChange[],
  flags: string[],
): EmploymentState | null {
  if (event.oldWorksNumber === null) return null;
  const oldKey = employmentKey(event.account, day.taxYear, event.oldWorksNumber);
  const old = readEmployment(view, oldKey);
  if (old === undefined || isMoved(old)) {
    flags.push('OLD_WORKS_NUMBER_UNKNOWN');
    return null;
  }
  const left: MovedEmployment = { moved: true, seenMarks: old.seenMarks };
  changes.push({ key: oldKey, value: left as unknown as StateChange['value'] });
  return { ...old, seenMarks: '', setAsideUnder: old.setAsideUnder ?? event.oldWorksNumber };
}
