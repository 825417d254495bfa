import type { PaymentMade } from '../../events/paye-events.ts';
import { type EmploymentState, withSeen } from '../employment/employment-state.ts';
import { isPaidBefore, paymentMark, withPayment } from '../employment/payment-mark.ts';
import { type PeriodPool, withCharacters, withPool } from '../employment/period-pools.ts';
import type { PayDay, PayeRules } from '../rates/paye-rules.ts';
import { awardsAfter, benefitsAfter } from './class1a-nics.ts';
import { NOTHING_ELSEWHERE, paidInMonthAfter } from './earnings-period.ts';
import { type Loans, loansOf } from './loans-of-payment.ts';
import { type Class1Working, type Contributed, nicsOf } from './nics-of-payment.ts';
import { contextOf, type PaymentContext } from './payment-context.ts';
import { type PaymentWorking, type Taxed, taxOf } from './tax-of-payment.ts';

/** What one payment comes to, pence; refunds are negative. */
export interface AssessedPayment {
  readonly incomeTaxPence: number;
  readonly employeeNicsPence: number;
  readonly employerNicsPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
  readonly class1aNicsPence: number;
  readonly flags: readonly string[];
  readonly state: EmploymentState;
  /** Pools that leave the state and are to be kept under keys of their own. */
  readonly setAside: readonly PeriodPool[];
  /** How tax and NICs came about, for a payslip. */
  readonly working: PaymentWorking;
  readonly nics: Class1Working;
}

const NO_POOLS: readonly PeriodPool[] = [];
const NO_OTHERS: readonly EmploymentState[] = [];

/**
 * Income tax, NICs and loan deductions of one payment on top of what its employment has to date (docs/rules/paye.md).
 * The payment has passed checkPayment, and what was set aside of its earnings period is back in the states (withPeriodRestored).
 *
 * @param others the person's other jobs with the employer, whose earnings are added up with these.
 */
export function assessPayment(
  event: PaymentMade,
  mark: string,
  before: EmploymentState | null,
  day: PayDay,
  rules: PayeRules,
  others: readonly EmploymentState[] = NO_OTHERS,
): AssessedPayment {
  const context = contextOf(event, before, day, rules, others);
  const { pool, flags } = context;
  const pools = before?.pools ?? NO_POOLS;
  const taxed = taxOf(context);
  const nics = nicsOf(context);
  const loans = loansOf(context, nics.working.loanEarningsPence);
  const kept = withPool(pools, pool, poolAfter(context, taxed, nics, loans));
  const state = stateAfter(context, mark, taxed, nics, loans);
  state.pools = kept.w;
  const awards = awardsAfter(context);
  const benefits = benefitsAfter(context);
  if (benefits !== undefined) state.benefits = benefits;
  if (awards !== undefined) state.awards = awards;
  const setAside = withCharacters(before?.setAside ?? '', kept.setAside);
  if (setAside !== '') state.setAside = setAside;
  return {
    incomeTaxPence: taxed.taxPence,
    employeeNicsPence: nics.employeePence,
    employerNicsPence: nics.employerPence,
    studentLoanPence: loans.studentLoanPence,
    postgraduateLoanPence: loans.postgraduateLoanPence,
    class1aNicsPence:
      (awards?.[2] ?? 0) - (before?.awards?.[2] ?? 0) + (benefits?.[1] ?? 0) - (before?.benefits?.[1] ?? 0),
    flags,
    state,
    setAside: kept.setAside,
    working: taxed.working,
    nics: nics.working,
  };
}

type Made<T> = { -readonly [K in keyof T]: T[K] };

function stateAfter(
  context: PaymentContext,
  mark: string,
  taxed: Taxed,
  nics: Contributed,
  loans: Loans,
): Made<EmploymentState> {
  const { event, before } = context;
  const state: Made<EmploymentState> = {
    lastPayDay: before !== null && before.lastPayDay > event.paymentDate ? before.lastPayDay : event.paymentDate,
    taxablePayPence: taxed.payToDatePence,
    taxPence: taxed.taxToDatePence,
    niEarningsPence: (before?.niEarningsPence ?? 0) + event.nicableEarningsPence,
    employeeNicsPence: (before?.employeeNicsPence ?? 0) + nics.employeePence,
    employerNicsPence: (before?.employerNicsPence ?? 0) + nics.employerPence,
    studentLoanPence: (before?.studentLoanPence ?? 0) + loans.studentLoanPence,
    postgraduateLoanPence: (before?.postgraduateLoanPence ?? 0) + loans.postgraduateLoanPence,
    seenMarks: withSeen(before?.seenMarks ?? '', mark),
    pools: NO_POOLS,
  };
  if (before?.setAsideUnder !== undefined) state.setAsideUnder = before.setAsideUnder;
  if (taxed.p45 !== undefined) state.p45 = taxed.p45;
  if (nics.director !== undefined) state.director = nics.director;
  if (taxed.leftOn !== undefined) state.leftOn = taxed.leftOn;
  if (context.day.rules.revision >= 2) rememberPayment(state, context, nics, loans);
  return state;
}

/** What later payments are compared with, or take in. */
function rememberPayment(state: Made<EmploymentState>, context: PaymentContext, nics: Contributed, loans: Loans): void {
  const { event, before, day, flags } = context;
  if (event.separateNics) state.separateNics = true;
  const taken = {
    earningsPence: event.nicableEarningsPence,
    employeePence: nics.employeePence,
    employerPence: nics.employerPence,
    ...loans,
  };
  const paidInMonth = nics.pooled ? paidInMonthAfter(event, before?.paidInMonth, day, taken) : before?.paidInMonth;
  if (paidInMonth !== undefined) state.paidInMonth = paidInMonth;
  const latest = before?.latestPayments ?? '';
  const mark = paymentMark(event);
  if (isPaidBefore(latest, mark) && event.taxablePayPence !== 0) flags.push('EQUAL_PAYMENT');
  state.latestPayments = withPayment(latest, mark);
}

function poolAfter(
  { event, class1, pool, shorterInterval }: PaymentContext,
  taxed: Taxed,
  nics: Contributed,
  loans: Loans,
): PeriodPool {
  const key = class1.period.poolKeys[event.niCategory];
  const pooled = nics.pooled ? shorterInterval : NOTHING_ELSEWHERE;
  const earnings = (pool?.[1] ?? 0) + event.nicableEarningsPence + pooled.earningsPence;
  const employee = (pool?.[2] ?? 0) + (nics.pooled ? nics.employeePence : 0) + pooled.employeePence;
  const employer = (pool?.[3] ?? 0) + (nics.pooled ? nics.employerPence : 0) + pooled.employerPence;
  const { cumulative } = taxed.working;
  const pay = (pool?.[4] ?? 0) + (cumulative ? 0 : event.taxablePayPence);
  const tax = (pool?.[5] ?? 0) + (cumulative ? 0 : taxed.taxPence);
  const studentLoan = (pool?.[6] ?? 0) + loans.studentLoanPence + pooled.studentLoanPence;
  const postgraduateLoan = (pool?.[7] ?? 0) + loans.postgraduateLoanPence + pooled.postgraduateLoanPence;
  if (studentLoan !== 0 || postgraduateLoan !== 0) {
    return [key, earnings, employee, employer, pay, tax, studentLoan, postgraduateLoan];
  }
  return pay === 0 && tax === 0 ? [key, earnings, employee, employer] : [key, earnings, employee, employer, pay, tax];
}
