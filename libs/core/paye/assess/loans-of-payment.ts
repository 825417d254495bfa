import { TallyError } from '../../errors/tally-error.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import type { DatedPayeRules } from '../rates/dated-paye-rules.ts';
import { DAYS_OF_ODD_INTERVALS, loanDeductionPence, loanThresholdPence } from '../rates/loan-deductions.ts';
import { ratesNotKnown } from '../rates/rates-not-known.ts';
import type { PaymentContext } from './payment-context.ts';

/** Loan deductions of a payment, pence. */
export interface Loans {
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
}

const NO_LOANS: Loans = { studentLoanPence: 0, postgraduateLoanPence: 0 };

/** Section 6: on the earnings of the period, less what was taken from them already; never cumulative. */
export function loansOf({ event, day, frequency, totals, shorterInterval }: PaymentContext, earnings: number): Loans {
  const plan = event.studentLoanPlan;
  if (plan === null && !event.postgraduateLoan) return NO_LOANS;
  const { rules } = day;
  if (event.oddIntervalDays !== null) return loansOfOddInterval(event, event.oddIntervalDays, rules);
  const taken = rules.poolsLoans
    ? {
        studentLoanPence: totals.studentLoanPence + shorterInterval.studentLoanPence,
        postgraduateLoanPence: totals.postgraduateLoanPence + shorterInterval.postgraduateLoanPence,
      }
    : NO_LOANS;
  let studentLoanPence = 0;
  if (plan !== null) {
    const threshold = frequency.loanThresholdsPence[plan];
    if (threshold === undefined) throw new TallyError('PLAN_NOT_IN_FORCE', 'the plan is not in force', {});
    studentLoanPence = loanDeductionPence(earnings, threshold, rules.studentLoanBasisPoints) - taken.studentLoanPence;
  }
  let postgraduateLoanPence = 0;
  if (event.postgraduateLoan) {
    const threshold = known(frequency.postgraduateThresholdPence, rules);
    const due = loanDeductionPence(earnings, threshold, rules.postgraduateLoanBasisPoints);
    postgraduateLoanPence = due - taken.postgraduateLoanPence;
  }
  return { studentLoanPence, postgraduateLoanPence };
}

/** Odd intervals: the year's threshold by days, down to the penny, on this payment alone (CSLM17065). */
function loansOfOddInterval(event: PaymentMade, days: number, rules: DatedPayeRules): Loans {
  const of = (annualPence: number, basisPoints: number): number =>
    loanDeductionPence(
      event.nicableEarningsPence,
      loanThresholdPence(annualPence, days, DAYS_OF_ODD_INTERVALS),
      basisPoints,
    );
  const annual = event.studentLoanPlan === null ? 0 : rules.loanThresholdsOfYearPence[event.studentLoanPlan];
  if (annual === undefined) throw new TallyError('PLAN_NOT_IN_FORCE', 'the plan is not in force', {});
  return {
    studentLoanPence: event.studentLoanPlan === null ? 0 : of(annual, rules.studentLoanBasisPoints),
    postgraduateLoanPence: event.postgraduateLoan
      ? of(known(rules.postgraduateThresholdOfYearPence, rules), rules.postgraduateLoanBasisPoints)
      : 0,
  };
}

function known(postgraduateThreshold: number | undefined, { taxYear }: DatedPayeRules): number {
  if (postgraduateThreshold === undefined) throw ratesNotKnown('postgraduateLoan.threshold', taxYear);
  return postgraduateThreshold;
}
