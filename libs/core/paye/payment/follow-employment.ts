import type { Assessment, StateChange, StateValue, StateView } from '../../decisions/decision.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import { type EmploymentState, employmentKey, isMoved, readEmployment } from '../employment/employment-state.ts';
import { type PayeRules, payDayOf } from '../rates/paye-rules.ts';
import { explainedDifferences, type StatedDifference } from './compare-stated.ts';
import { type ToDateDifference, toDateDifferences } from './compare-to-date.ts';
import { decidePaye } from './decide-paye.ts';
import { stateBefore } from './employment-before.ts';
import { payslipWorking, type WorkingLine } from './payslip-working.ts';

/** A payment as tax accepted it, with the rules that its decision rests on. */
export interface AcceptedPayment {
  readonly event: PaymentMade;
  /** SHA-256 (64 lower-case hex) of the event as appended. */
  readonly hash: string;
  readonly rules: PayeRules;
}

export interface FollowedPayment {
  readonly event: PaymentMade;
  readonly result: Assessment;
  readonly lines: readonly WorkingLine[];
  readonly differences: readonly StatedDifference[];
  /** Figures to date that the employer stated otherwise. */
  readonly toDate: readonly ToDateDifference[];
  /** The employment after the payment. */
  readonly after: EmploymentState | null;
}

/**
 * Every payment of one person's jobs in one tax year worked out again from the first, with the working of each: what a clerk follows by
 * hand. Payments that tax would not accept now are left out.
 *
 * @param payments all that the ledger has, in the order of their decisions: those under old works numbers, and of jobs whose earnings are added up, included.
 */
export function followEmployment(payments: readonly AcceptedPayment[]): readonly FollowedPayment[] {
  const state = new Map<string, StateValue>();
  const view: StateView = { get: (key) => state.get(key) };
  const followed: FollowedPayment[] = [];
  for (const { event, hash, rules } of payments) {
    const decision = decidePaye(event, hash, view, rules);
    const [result] = decision.results;
    if (result === undefined) continue;
    const before = stateBefore(event, view, rules);
    const { lines } = payslipWorking(event, before, rules);
    const differences = explainedDifferences(event, result, before, rules);
    take(state, decision.changes);
    const after = stateAfter(event, view, rules);
    const toDate = after === null ? [] : toDateDifferences(event.toDate, after);
    followed.push({ event, result, lines, differences, toDate, after });
  }
  return followed;
}

function stateAfter(event: PaymentMade, view: StateView, rules: PayeRules): EmploymentState | null {
  const { taxYear } = payDayOf(rules, event.paymentDate);
  const after = readEmployment(view, employmentKey(event.account, taxYear, event.worksNumber));
  return after === undefined || isMoved(after) ? null : after;
}

function take(state: Map<string, StateValue>, changes: readonly StateChange[]): void {
  for (const { key, value } of changes) {
    if (value === null) state.delete(key);
    else state.set(key, value);
  }
}
