import type { StateChange, StateView } from '../../decisions/decision.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import type { Account } from '../../identity/account.ts';
import type { PersonToken } from '../../identity/event-id.ts';
import { type EmploymentState, employmentKey, isMoved, readEmployment } from './employment-state.ts';

/** Jobs of one person with one employer that are added up; further ones are worked out alone, so that a payment reads a bounded state. */
const JOBS_MAX = 20;

/** Another job of the person whose payment is decided. */
export interface OtherJob {
  readonly worksNumber: string;
  readonly state: EmploymentState;
}

const NO_JOBS: readonly OtherJob[] = [];

/** The key of the works numbers that one person has with an employer in a tax year. */
export function personJobsKey(account: Account, taxYear: string, person: PersonToken): string {
  return `payeperson|${account}|${taxYear}|${person}`;
}

/** Works numbers of a person in the order in which they were first paid. */
export function jobsOfPerson(view: StateView, key: string): readonly string[] {
  return (view.get(key) as readonly string[] | undefined) ?? [];
}

/** What a payment changes in the list: nothing but at the first payment of a job. */
export function withJob(key: string, jobs: readonly string[], event: PaymentMade): StateChange | null {
  if (jobs.includes(event.worksNumber) || jobs.length >= JOBS_MAX) return null;
  const others = jobs.filter((worksNumber) => worksNumber !== event.oldWorksNumber);
  return { key, value: [...others, event.worksNumber] };
}

/**
 * The person's other jobs whose earnings are added to those of a payment (SSCBA 1992 Schedule 1 paragraph 1(1)(a)): those that go on, are not a
 * director's, and are not kept apart because adding is not reasonably practicable (S.I. 2001/1004, regulation 14).
 */
export function otherJobs(
  event: PaymentMade,
  taxYear: string,
  jobs: readonly string[],
  view: StateView,
): readonly OtherJob[] {
  if (event.separateNics || event.directorsNic !== null) return NO_JOBS;
  if (jobs.length === 0 || (jobs.length === 1 && jobs[0] === event.worksNumber)) return NO_JOBS;
  const others: OtherJob[] = [];
  for (const worksNumber of jobs) {
    if (worksNumber === event.worksNumber || worksNumber === event.oldWorksNumber) continue;
    const state = readEmployment(view, employmentKey(event.account, taxYear, worksNumber));
    if (state === undefined || isMoved(state)) continue;
    const isApart = state.director !== undefined || state.separateNics === true;
    const isLeft = state.leftOn !== undefined && state.leftOn < event.paymentDate;
    if (!isApart && !isLeft) others.push({ worksNumber, state });
  }
  return others;
}
