import type { StateChange, StateView } from '../../decisions/decision.ts';
import { assert } from '../../errors/assert.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import {
  type EmploymentState,
  employmentKey,
  isMoved,
  type MovedEmployment,
  readEmployment,
  setAsideKey,
  withPeriodRestored,
} from '../employment/employment-state.ts';
import type { PeriodPool } from '../employment/period-pools.ts';
import { type PayDay, type PayeRules, payDayOf } from '../rates/paye-rules.ts';

/** An employment as a payment meets it. */
export interface EmploymentBefore {
  /** With what was set aside of the payment's earnings period back in it; null for a first payment. */
  readonly state: EmploymentState | null;
  /** What closing the old works number changes, where this payment continues one (paye.md 7.8). */
  readonly changes: readonly StateChange[];
  readonly flags: readonly string[];
  /** Where pools of this employment are set aside. */
  readonly asideKey: (poolKey: string) => string;
}

/** The state that an accepted payment was worked out on: for whom wants to follow it. Throws what payDayOf throws. */
export function stateBefore(event: PaymentMade, view: StateView, rules: PayeRules): EmploymentState | null {
  const day = payDayOf(rules, event.paymentDate);
  const own = readEmployment(view, employmentKey(event.account, day.taxYear, event.worksNumber));
  return employmentBefore(event, own === undefined || isMoved(own) ? undefined : own, day, view).state;
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
  const before = own ?? continued(event, day, view, changes, flags);
  const asideKey = (poolKey: string): string =>
    setAsideKey(event.account, day.taxYear, before?.setAsideUnder ?? event.worksNumber, poolKey);
  const state = before === null ? null : restored(before, day.periods[event.payFrequency].code, asideKey, view);
  return { state, changes, flags, asideKey };
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
