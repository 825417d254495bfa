import { assert } from '../../errors/assert.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import { type DirectorState, type EmploymentState, withSeen } from '../employment/employment-state.ts';
import {
  type PeriodPool,
  type PeriodTotals,
  periodTotalsOf,
  poolOf,
  setAsideIn,
  withCharacters,
  withPool,
} from '../employment/period-pools.ts';
import { employeeNicsPence, employerNicsPence } from '../rates/class1-nics.ts';
import type { DatedPayeRules, FrequencyRules } from '../rates/dated-paye-rules.ts';
import { DAYS_OF_ODD_INTERVALS, loanDeductionPence, loanThresholdPence } from '../rates/loan-deductions.ts';
import { PREFIX_OF_NATION } from '../rates/nation.ts';
import { PERIODS_IN_YEAR } from '../rates/pay-frequency.ts';
import { type PayDay, type PayeRules, type PayPeriod, payDayOf, taxCodeOf } from '../rates/paye-rules.ts';
import { isOtherThanStarters } from '../rates/starter-code.ts';
import type { TaxCode } from '../rates/tax-code.ts';
import { class1aNicsPence } from './class1a-nics.ts';
import { directorNics, directorWeeks } from './director-nics.ts';
import { type IncomeTax, incomeTax } from './income-tax.ts';

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
  /** How the tax came about, for who wants to follow it. */
  readonly working: PaymentWorking;
}

interface PaymentWorking {
  readonly code: TaxCode;
  readonly cumulative: boolean;
  /** n of the tax tables: week or month number, or periods of one payment. */
  readonly periods: number;
  /** Week or month number of the pay day. */
  readonly period: number;
  readonly tax: IncomeTax;
}

interface Taxed {
  readonly working: PaymentWorking;
  readonly taxPence: number;
  readonly payToDatePence: number;
  readonly taxToDatePence: number;
  readonly p45: readonly [number, number] | undefined;
}

interface Contributed {
  readonly employeePence: number;
  readonly employerPence: number;
  readonly director: DirectorState | undefined;
  /** Whether the NICs were worked out in the earnings period, and count in its pool. */
  readonly pooled: boolean;
}

/** Everything that the parts of an assessment look at. */
interface Context {
  readonly event: PaymentMade;
  readonly before: EmploymentState | null;
  readonly day: PayDay;
  readonly rules: PayeRules;
  readonly frequency: FrequencyRules;
  readonly period: PayPeriod;
  /** Of this payment's letter in its earnings period. */
  readonly pool: PeriodPool | undefined;
  /** Of the earnings period under every letter, before this payment. */
  readonly totals: PeriodTotals;
  readonly flags: string[];
}

interface Loans {
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
}

const NO_POOLS: readonly PeriodPool[] = [];
const NO_LOANS: Loans = { studentLoanPence: 0, postgraduateLoanPence: 0 };

/**
 * Income tax, NICs and loan deductions of one payment on top of what its employment has to date (paye.md sections 4 to 6).
 * The payment has passed checkPayment, and what was set aside of its earnings period is back in the state (withPeriodRestored).
 */
export function assessPayment(
  event: PaymentMade,
  mark: string,
  before: EmploymentState | null,
  day: PayDay,
  rules: PayeRules,
): AssessedPayment {
  const flags: string[] = [];
  const period = day.periods[event.payFrequency];
  if (period.number !== event.period) flags.push('PERIOD_DIFFERS');
  if (before !== null && event.paymentDate < before.lastPayDay) flags.push('OUT_OF_ORDER');
  assert(setAsideIn(before?.setAside, period.code).length === 0, 'the pools of the earnings period are at hand');
  const pools = before?.pools ?? NO_POOLS;
  const pool = poolOf(pools, period.poolKeys[event.niCategory]);
  const totals = periodTotalsOf(pools, period.key);
  const frequency = day.rules.frequencies[event.payFrequency];
  const context: Context = { event, before, day, rules, frequency, period, pool, totals, flags };
  const taxed = taxOf(context);
  const nics = nicsOf(context);
  const loans = loansOf(context);
  const kept = withPool(pools, pool, poolAfter(context, taxed, nics, loans));
  const state = stateAfter(context, mark, taxed, nics, loans);
  state.pools = kept.w;
  const awards = awardsAfter(context);
  if (awards !== undefined) state.awards = awards;
  const setAside = withCharacters(before?.setAside ?? '', kept.setAside);
  if (setAside !== '') state.setAside = setAside;
  return {
    incomeTaxPence: taxed.taxPence,
    employeeNicsPence: nics.employeePence,
    employerNicsPence: nics.employerPence,
    studentLoanPence: loans.studentLoanPence,
    postgraduateLoanPence: loans.postgraduateLoanPence,
    class1aNicsPence: (awards?.[2] ?? 0) - (before?.awards?.[2] ?? 0),
    flags,
    state,
    setAside: kept.setAside,
    working: taxed.working,
  };
}

function taxOf(context: Context): Taxed {
  const { event, before, day, frequency, period, totals, rules, flags } = context;
  const stated = taxCodeOf(rules, event.taxCode);
  const code = event.paymentAfterLeaving ? codeAfterLeaving(event, stated, rules, flags) : stated;
  if (event.starter !== null && isOtherThanStarters(event, day.rules, rules)) flags.push('STARTER_CODE_DIFFERS');
  const nonCumulative = event.week1Month1 || stated.nonCumulative || event.paymentAfterLeaving;
  const { family, periods: perPayment } = frequency.terms;
  // 4.10: weeks 53, 54 and 56 stand alone, whatever the basis.
  const cumulative = !nonCumulative && period.number <= PERIODS_IN_YEAR[family];
  const p45 = p45Of(event, before);
  const payToDate = (before?.taxablePayPence ?? 0) + (p45?.[0] ?? 0) - (before?.p45?.[0] ?? 0);
  const taxToDate = (before?.taxPence ?? 0) + (p45?.[1] ?? 0) - (before?.p45?.[1] ?? 0);
  let payBeforePence = payToDate;
  let taxBeforePence = taxToDate;
  if (!cumulative) {
    payBeforePence = day.rules.poolsIncomeTax ? totals.payPence : 0;
    taxBeforePence = day.rules.poolsIncomeTax ? totals.taxPence : 0;
  }
  const periods = cumulative ? furthestPeriod(context) : perPayment;
  const tax = incomeTax({
    scale: day.rules.scales[code.nation],
    code,
    family,
    periods,
    cumulative,
    payPence: event.taxablePayPence,
    benefitsPence: event.payrolledBenefitsPence,
    payBeforePence,
    taxBeforePence,
    limitBasisPoints: day.rules.overridingLimitBasisPoints,
  });
  let { taxPence } = tax;
  if (event.onStrike && taxPence < 0) {
    // 4.10: refunds are withheld while on strike; the tax to date keeps them for the return.
    taxPence = 0;
    flags.push('REFUND_WITHHELD');
  }
  return {
    working: { code, cumulative, periods, period: period.number, tax },
    taxPence,
    payToDatePence: payToDate + event.taxablePayPence,
    taxToDatePence: taxToDate + taxPence,
    p45,
  };
}

/** 4.10: after leaving (P45 issued) 0T on week 1/month 1 by the nation last used, whatever code is stated. */
function codeAfterLeaving(event: PaymentMade, stated: TaxCode, rules: PayeRules, flags: string[]): TaxCode {
  const isZeroT = stated.kind === 'allowance' && stated.number === 0;
  if (!isZeroT || !(event.week1Month1 || stated.nonCumulative)) flags.push('CODE_AFTER_LEAVING');
  return taxCodeOf(rules, `${PREFIX_OF_NATION[stated.nation]}0T`);
}

/**
 * n of a cumulative code. A payment that comes after one of a later pay day adds to the position of the later day: so tax to date is
 * the same in whatever order the payments came.
 */
function furthestPeriod({ event, before, frequency, period, rules }: Context): number {
  if (before === null || event.paymentDate >= before.lastPayDay) return period.number;
  const latest = payDayOf(rules, before.lastPayDay).periods[event.payFrequency].number;
  return Math.min(PERIODS_IN_YEAR[frequency.terms.family], latest);
}

/**
 * The P45 figures of the year, which count once, as last stated. A week 1 or month 1 basis leaves them out of the tax of its payments; they
 * stand in pay and tax to date for the first payment on a cumulative basis (paye.md 4.2 and 4.10).
 */
function p45Of({ starter }: PaymentMade, before: EmploymentState | null): readonly [number, number] | undefined {
  if (starter?.p45PayPence == null || starter.p45TaxPence == null) return before?.p45;
  return [starter.p45PayPence, starter.p45TaxPence];
}

function nicsOf(context: Context): Contributed {
  const { event, before, day, frequency } = context;
  const director = directorAfter(event, before?.director);
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
    };
  }
  return periodNics(context, director);
}

/** 5.4 and 5.5: on the earnings of the period under this letter, less what was taken from them already. */
function periodNics({ event, day, frequency, pool }: Context, director: DirectorState | undefined): Contributed {
  const terms = frequency.letters[event.niCategory];
  if (terms === undefined) throw new TallyError('BAD_NI_CATEGORY', 'the letter is not in force', {});
  const taken = day.rules.poolsClass1 ? pool : undefined;
  const earnings = event.nicableEarningsPence + (taken === undefined ? 0 : taken[1]);
  const employeePence = employeeNicsPence(terms, earnings) - (taken === undefined ? 0 : taken[2]);
  const employerPence = employerNicsPence(terms, earnings) - (taken === undefined ? 0 : taken[3]);
  const after =
    director === undefined
      ? undefined
      : {
          ...director,
          employeeNicsPence: director.employeeNicsPence + employeePence,
          employerNicsPence: director.employerNicsPence + employerPence,
        };
  return { employeePence, employerPence, director: after, pooled: true };
}

/** Ceasing to be a director keeps the annual period (paye.md 5.8): the method last stated goes on. */
function directorAfter(event: PaymentMade, before: DirectorState | undefined): DirectorState | undefined {
  const method = event.directorsNic ?? before?.method;
  if (method === undefined) return undefined;
  const weeks =
    event.directorAppointedWeek === null && before !== undefined
      ? before.weeks
      : directorWeeks(event.directorAppointedWeek);
  const letter = event.niCategory;
  const earnings = {
    ...before?.earningsByLetter,
    [letter]: (before?.earningsByLetter[letter] ?? 0) + event.nicableEarningsPence,
  };
  return {
    method,
    weeks,
    earningsByLetter: earnings,
    employeeNicsPence: before?.employeeNicsPence ?? 0,
    employerNicsPence: before?.employerNicsPence ?? 0,
  };
}

/** The last payment of the year or of the employment: the alternative method settles by the annual one (paye.md 5.8). */
function isLastOfYear(event: PaymentMade, day: PayDay, { terms }: FrequencyRules): boolean {
  if (event.leavingDate !== null) return true;
  const number = terms.family === 'week' ? day.taxWeek : day.taxMonth;
  return number + terms.periods > PERIODS_IN_YEAR[terms.family];
}

/** Class 1A on every part of an award together (paye.md 5.10); undefined for who never had one. */
function awardsAfter({ event, before, day }: Context): EmploymentState['awards'] {
  const { terminationAwardPence, sportingTestimonialPence } = event;
  if (terminationAwardPence === 0 && sportingTestimonialPence === 0) return before?.awards;
  const { class1aBasisPoints, terminationAwardExemptPence, sportingTestimonialExemptPence } = day.rules.employer;
  const [award, testimonial, taken] = before?.awards ?? [0, 0, 0];
  const awardAfter = award + terminationAwardPence;
  const testimonialAfter = testimonial + sportingTestimonialPence;
  const due =
    class1aNicsPence(awardAfter, award, terminationAwardExemptPence, class1aBasisPoints) +
    class1aNicsPence(testimonialAfter, testimonial, sportingTestimonialExemptPence, class1aBasisPoints);
  return [awardAfter, testimonialAfter, taken + due];
}

/** Section 6: on the earnings of the period, less what was taken from them already; never cumulative. */
function loansOf({ event, day, frequency, totals }: Context): Loans {
  const plan = event.studentLoanPlan;
  if (plan === null && !event.postgraduateLoan) return NO_LOANS;
  const { rules } = day;
  if (event.oddIntervalDays !== null) return loansOfOddInterval(event, event.oddIntervalDays, rules);
  const earnings = event.nicableEarningsPence + (rules.poolsLoans ? totals.earningsPence : 0);
  const taken = rules.poolsLoans ? totals : NO_LOANS;
  let studentLoanPence = 0;
  if (plan !== null) {
    const threshold = frequency.loanThresholdsPence[plan];
    if (threshold === undefined) throw new TallyError('PLAN_NOT_IN_FORCE', 'the plan is not in force', {});
    studentLoanPence = loanDeductionPence(earnings, threshold, rules.studentLoanBasisPoints) - taken.studentLoanPence;
  }
  let postgraduateLoanPence = 0;
  if (event.postgraduateLoan) {
    const due = loanDeductionPence(earnings, frequency.postgraduateThresholdPence, rules.postgraduateLoanBasisPoints);
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
      ? of(rules.postgraduateThresholdOfYearPence, rules.postgraduateLoanBasisPoints)
      : 0,
  };
}

type Made<T> = { -readonly [K in keyof T]: T[K] };

function stateAfter(
  context: Context,
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
  return state;
}

function poolAfter({ event, period, pool }: Context, taxed: Taxed, nics: Contributed, loans: Loans): PeriodPool {
  const key = period.poolKeys[event.niCategory];
  const earnings = (pool?.[1] ?? 0) + event.nicableEarningsPence;
  const employee = (pool?.[2] ?? 0) + (nics.pooled ? nics.employeePence : 0);
  const employer = (pool?.[3] ?? 0) + (nics.pooled ? nics.employerPence : 0);
  const { cumulative } = taxed.working;
  const pay = (pool?.[4] ?? 0) + (cumulative ? 0 : event.taxablePayPence);
  const tax = (pool?.[5] ?? 0) + (cumulative ? 0 : taxed.taxPence);
  const studentLoan = (pool?.[6] ?? 0) + loans.studentLoanPence;
  const postgraduateLoan = (pool?.[7] ?? 0) + loans.postgraduateLoanPence;
  if (studentLoan !== 0 || postgraduateLoan !== 0) {
    return [key, earnings, employee, employer, pay, tax, studentLoan, postgraduateLoan];
  }
  return pay === 0 && tax === 0 ? [key, earnings, employee, employer] : [key, earnings, employee, employer, pay, tax];
}
