import { TallyError } from '../errors/tally-error.ts';
import type { PaymentMade } from '../events/paye-events.ts';
import { employeeNicsPence, employerNicsPence } from './class1-nics.ts';
import type { FrequencyRules } from './dated-paye-rules.ts';
import { directorNics, directorWeeks } from './director-nics.ts';
import {
  type DirectorState,
  type EmploymentState,
  type PeriodPool,
  poolOf,
  withPool,
  withSeen,
} from './employment-state.ts';
import { type IncomeTax, incomeTax } from './income-tax.ts';
import { loanDeductionPence } from './loan-deductions.ts';
import { PREFIX_OF_NATION } from './nation.ts';
import { PERIODS_IN_YEAR, periodOf } from './pay-frequency.ts';
import { type PayDay, type PayeRules, payDayOf, taxCodeOf } from './paye-rules.ts';
import type { TaxCode } from './tax-code.ts';

/** What one payment comes to, pence; refunds are negative. */
export interface AssessedPayment {
  readonly incomeTaxPence: number;
  readonly employeeNicsPence: number;
  readonly employerNicsPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
  readonly flags: readonly string[];
  readonly state: EmploymentState;
  /** How the tax came about, for who wants to follow it. */
  readonly working: PaymentWorking;
}

export interface PaymentWorking {
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
  readonly toDate: { readonly p: number; readonly t: number; readonly q: readonly [number, number] | undefined };
}

interface Contributed {
  readonly employeePence: number;
  readonly employerPence: number;
  readonly director: DirectorState | undefined;
  /** Whether the payment counts in its earnings period's pool. */
  readonly pooled: boolean;
}

/**
 * Income tax, NICs and loan deductions of one payment on top of what its employment has to date (paye.md sections 4 to 6).
 * The payment has passed checkPayment. Throws NOT_BUILT with `what` in its facts for what cannot be worked out exactly.
 */
export function assessPayment(
  event: PaymentMade,
  mark: string,
  before: EmploymentState | null,
  day: PayDay,
  rules: PayeRules,
): AssessedPayment {
  const flags: string[] = [];
  const frequency = day.rules.frequencies[event.payFrequency];
  const period = periodOf(frequency.terms, day.taxWeek, day.taxMonth);
  if (period !== event.period) flags.push('PERIOD_DIFFERS');
  if (before !== null && event.paymentDate < before.d) flags.push('OUT_OF_ORDER');
  const pool = poolOf(before, frequency.terms.earningsPeriod, period);
  if (pool === 'forgotten') {
    throw new TallyError('NOT_BUILT', 'a further payment in an earnings period that is no longer remembered', {
      what: 'a further payment in an earnings period before the last four that were paid',
    });
  }
  const taxed = taxOf(event, before, pool, { day, frequency, period, rules, flags });
  const nics = nicsOf(event, before, pool, day, frequency);
  const { studentLoanPence, postgraduateLoanPence } = loansOf(event, day, frequency);
  const newPool = poolAfter(event, pool, `${frequency.terms.earningsPeriod}:${period}`, taxed, nics);
  const { w, o } = withPool(before, newPool);
  const state: EmploymentState = {
    d: before !== null && before.d > event.paymentDate ? before.d : event.paymentDate,
    p: taxed.toDate.p,
    t: taxed.toDate.t,
    e: (before?.e ?? 0) + event.nicableEarningsPence,
    n: (before?.n ?? 0) + nics.employeePence,
    m: (before?.m ?? 0) + nics.employerPence,
    s: (before?.s ?? 0) + studentLoanPence,
    g: (before?.g ?? 0) + postgraduateLoanPence,
    h: withSeen(before?.h ?? '', mark),
    w,
    ...(o === '' ? {} : { o }),
    ...(taxed.toDate.q === undefined ? {} : { q: taxed.toDate.q }),
    ...(nics.director === undefined ? {} : { r: nics.director }),
  };
  return {
    incomeTaxPence: taxed.taxPence,
    employeeNicsPence: nics.employeePence,
    employerNicsPence: nics.employerPence,
    studentLoanPence,
    postgraduateLoanPence,
    flags,
    state,
    working: taxed.working,
  };
}

interface TaxContext {
  readonly day: PayDay;
  readonly frequency: FrequencyRules;
  readonly period: number;
  readonly rules: PayeRules;
  readonly flags: string[];
}

function taxOf(
  event: PaymentMade,
  before: EmploymentState | null,
  pool: PeriodPool | undefined,
  context: TaxContext,
): Taxed {
  const { day, frequency, period, rules, flags } = context;
  const { code, nonCumulative } = codeInForce(event, rules, flags);
  const { family, periods: perPayment } = frequency.terms;
  // 4.10: weeks 53, 54 and 56 stand alone, whatever the basis.
  const cumulative = !nonCumulative && period <= PERIODS_IN_YEAR[family];
  const periods = cumulative ? furthestPeriod(event, before, period, frequency, rules) : perPayment;
  const q = p45Of(event, before, nonCumulative);
  const payToDate = (before?.p ?? 0) + (q?.[0] ?? 0) - (before?.q?.[0] ?? 0);
  const taxToDate = (before?.t ?? 0) + (q?.[1] ?? 0) - (before?.q?.[1] ?? 0);
  const pooledTax = pool !== undefined && day.rules.pooledInPeriod.has('incomeTax') ? pool : undefined;
  const tax = incomeTax({
    scale: day.rules.scales[code.nation],
    code,
    family,
    periods,
    cumulative,
    payPence: event.taxablePayPence,
    benefitsPence: event.payrolledBenefitsPence,
    payBeforePence: cumulative ? payToDate : (pooledTax?.p ?? 0),
    taxBeforePence: cumulative ? taxToDate : (pooledTax?.t ?? 0),
    limitBasisPoints: day.rules.overridingLimitBasisPoints,
  });
  let { taxPence } = tax;
  if (event.onStrike && taxPence < 0) {
    // 4.10: refunds are withheld while on strike; the tax to date keeps them for the return.
    taxPence = 0;
    flags.push('REFUND_WITHHELD');
  }
  return {
    working: { code, cumulative, periods, period, tax },
    taxPence,
    toDate: { p: payToDate + event.taxablePayPence, t: taxToDate + taxPence, q },
  };
}

/** 4.10: after leaving (P45 issued) 0T on week 1/month 1 by the nation last used, whatever code is stated. */
function codeInForce(
  event: PaymentMade,
  rules: PayeRules,
  flags: string[],
): { readonly code: TaxCode; readonly nonCumulative: boolean } {
  const stated = taxCodeOf(rules, event.taxCode);
  const nonCumulative = event.week1Month1 || stated.nonCumulative;
  if (!event.paymentAfterLeaving) return { code: stated, nonCumulative };
  const code = taxCodeOf(rules, `${PREFIX_OF_NATION[stated.nation]}0T`);
  if (stated.kind !== 'allowance' || stated.number !== 0 || !nonCumulative) flags.push('CODE_AFTER_LEAVING');
  return { code, nonCumulative: true };
}

/**
 * n of a cumulative code. A payment that comes after one of a later pay day adds to the position of the later day: so tax to date is
 * the same in whatever order the payments came.
 */
function furthestPeriod(
  event: PaymentMade,
  before: EmploymentState | null,
  period: number,
  frequency: FrequencyRules,
  rules: PayeRules,
): number {
  if (before === null || event.paymentDate >= before.d) return period;
  const latest = payDayOf(rules, before.d);
  return Math.min(PERIODS_IN_YEAR[frequency.terms.family], periodOf(frequency.terms, latest.taxWeek, latest.taxMonth));
}

/** P45 figures of the same year count once, as last stated, and only on a cumulative basis (paye.md 4.10). */
function p45Of(
  event: PaymentMade,
  before: EmploymentState | null,
  nonCumulative: boolean,
): readonly [number, number] | undefined {
  const { starter } = event;
  if (starter?.p45PayPence == null || starter.p45TaxPence == null || nonCumulative) return before?.q;
  return [starter.p45PayPence, starter.p45TaxPence];
}

function nicsOf(
  event: PaymentMade,
  before: EmploymentState | null,
  pool: PeriodPool | undefined,
  day: PayDay,
  frequency: FrequencyRules,
): Contributed {
  const director = directorAfter(event, before?.r);
  if (director === undefined) return { ...periodNics(event, pool, day, frequency), director, pooled: true };
  const taken = { n: before?.r?.n ?? 0, m: before?.r?.m ?? 0 };
  if (director.k === 'AN' || isLastOfYear(event, day, frequency)) {
    const due = directorNics(day.rules.directorTerms[director.w] ?? {}, day.rules.letterOrder, director.l);
    return {
      employeePence: due.employeePence - taken.n,
      employerPence: due.employerPence - taken.m,
      director: { ...director, n: due.employeePence, m: due.employerPence },
      pooled: false,
    };
  }
  const ordinary = periodNics(event, pool, day, frequency);
  const after = { ...director, n: taken.n + ordinary.employeePence, m: taken.m + ordinary.employerPence };
  return { ...ordinary, director: after, pooled: true };
}

/** 5.4 and 5.5: on the earnings of the period under this letter, less what was taken from them already. */
function periodNics(
  event: PaymentMade,
  pool: PeriodPool | undefined,
  day: PayDay,
  frequency: FrequencyRules,
): { readonly employeePence: number; readonly employerPence: number } {
  const terms = frequency.letters[event.niCategory];
  if (terms === undefined) throw new TallyError('BAD_NI_CATEGORY', 'the letter is not in force', {});
  const paid = day.rules.pooledInPeriod.has('class1') ? pool?.l[event.niCategory] : undefined;
  const earnings = event.nicableEarningsPence + (paid?.[0] ?? 0);
  return {
    employeePence: employeeNicsPence(terms, earnings) - (paid?.[1] ?? 0),
    employerPence: employerNicsPence(terms, earnings) - (paid?.[2] ?? 0),
  };
}

/** Ceasing to be a director keeps the annual period (paye.md 5.8): the method last stated goes on. */
function directorAfter(event: PaymentMade, before: DirectorState | undefined): DirectorState | undefined {
  const method = event.directorsNic ?? before?.k;
  if (method === undefined) return undefined;
  const weeks =
    event.directorAppointedWeek === null && before !== undefined
      ? before.w
      : directorWeeks(event.directorAppointedWeek);
  const letter = event.niCategory;
  const earnings = { ...before?.l, [letter]: (before?.l[letter] ?? 0) + event.nicableEarningsPence };
  return { k: method, w: weeks, l: earnings, n: before?.n ?? 0, m: before?.m ?? 0 };
}

/** The last payment of the year or of the employment: the alternative method settles by the annual one (paye.md 5.8). */
function isLastOfYear(event: PaymentMade, day: PayDay, { terms }: FrequencyRules): boolean {
  if (event.leavingDate !== null) return true;
  const number = terms.family === 'week' ? day.taxWeek : day.taxMonth;
  return number + terms.periods > PERIODS_IN_YEAR[terms.family];
}

/** Section 6: on this payment alone, never cumulative. */
function loansOf(
  event: PaymentMade,
  day: PayDay,
  frequency: FrequencyRules,
): { readonly studentLoanPence: number; readonly postgraduateLoanPence: number } {
  const earnings = event.nicableEarningsPence;
  const threshold = event.studentLoanPlan === null ? undefined : frequency.loanThresholdsPence[event.studentLoanPlan];
  return {
    studentLoanPence:
      threshold === undefined ? 0 : loanDeductionPence(earnings, threshold, day.rules.studentLoanBasisPoints),
    postgraduateLoanPence: event.postgraduateLoan
      ? loanDeductionPence(earnings, frequency.postgraduateThresholdPence, day.rules.postgraduateLoanBasisPoints)
      : 0,
  };
}

function poolAfter(
  event: PaymentMade,
  pool: PeriodPool | undefined,
  key: string,
  taxed: Taxed,
  nics: Contributed,
): PeriodPool {
  const alone = !taxed.working.cumulative;
  const letter = event.niCategory;
  const [earnings, employee, employer] = pool?.l[letter] ?? [0, 0, 0];
  const contributed = nics.pooled
    ? {
        ...pool?.l,
        [letter]: [earnings + event.nicableEarningsPence, employee + nics.employeePence, employer + nics.employerPence],
      }
    : (pool?.l ?? {});
  return {
    k: key,
    p: (pool?.p ?? 0) + (alone ? event.taxablePayPence : 0),
    t: (pool?.t ?? 0) + (alone ? taxed.taxPence : 0),
    l: contributed as PeriodPool['l'],
  };
}
