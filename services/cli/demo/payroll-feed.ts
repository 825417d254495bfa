import { addDays, dateOf, dayNumber, type LocalDate, partsOf } from '../../../libs/core/calendar/local-date.ts';
import { taxMonthOf, taxWeekOf, taxYearOf, taxYearStart } from '../../../libs/core/calendar/tax-calendar.ts';
import type { Decision, HeadAmount, StateValue, StateView } from '../../../libs/core/decisions/decision.ts';
import type { Head } from '../../../libs/core/decisions/heads.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import { sha256 } from '../../../libs/core/encoding/sha256.ts';
import type { PaymentMade, Starter, StatedDeductions } from '../../../libs/core/events/paye-events.ts';
import { account } from '../../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../../libs/core/identity/event-id.ts';
import { type Pence, pence } from '../../../libs/core/money/pence.ts';
import { EMPLOYERS, type Employee, type Employer, employeesOf } from './employers.ts';
import type { FeedEvent } from './feed-event.ts';
import { drawsOf, seededUuid } from './seeded-random.ts';

/** What the feed's payroll software works deductions out with: the core's own decision on a payment. */
export type DecidePayment = (payment: PaymentMade, eventHash: string, view: StateView) => Decision;

/** Where the payroll stands: which cohort is paid, up to which date its pay runs go, and how many payments were made. */
export interface PayrollState {
  readonly cohort: number;
  readonly through: LocalDate;
  readonly paid: number;
}

export interface Payroll {
  /** The next payment, and where the payroll stands then. */
  next(today: LocalDate): { readonly event: FeedEvent; readonly state: PayrollState };
}

/** One employer pays in one of its 40 payments something else than the rules say. */
const WRONG_STATEMENTS = 0.025;
const TEXT = new TextEncoder();

/**
 * Pay runs of all employers from 6 April to today in the order of their dates, for one cohort of employees after another: so there is
 * always somebody to pay. What was deducted to date is worked out again from the cohort's start when the feed starts again.
 */
export function createPayroll(seed: string, from: PayrollState | null, decide: DecidePayment): Payroll {
  let state = from;
  let cohort = state === null ? null : startCohort(seed, state, decide);
  const enter = (entered: PayrollState): Cohort => {
    state = entered;
    cohort = startCohort(seed, entered, decide);
    return cohort;
  };
  return {
    next: (today) => {
      let current = cohort ?? enter({ cohort: 0, through: today, paid: 0 });
      let event = current.next();
      while (event === null) {
        current = enter({ cohort: (state?.cohort ?? 0) + 1, through: today, paid: 0 });
        event = current.next();
      }
      state = { ...current.start, paid: (state?.paid ?? 0) + 1 };
      return { event, state };
    },
  };
}

interface Cohort {
  readonly start: PayrollState;
  next(): FeedEvent | null;
}

function startCohort(seed: string, start: PayrollState, decide: DecidePayment): Cohort {
  const payments = paymentsOf(seed, start, decide);
  // Payments that were made before the restart are worked out again for their figures to date, and not sent.
  for (let done = 0; done < start.paid; done++) payments.next();
  return {
    start,
    next: () => {
      const { value, done } = payments.next();
      return done === true ? null : value;
    },
  };
}

function* paymentsOf(seed: string, start: PayrollState, decide: DecidePayment): Generator<FeedEvent, null> {
  const toDate = new Map<string, StateValue>();
  const people = new Map(EMPLOYERS.map((of) => [of.payeReference, employeesOf(seed, start.cohort, of)]));
  for (const run of payRunsThrough(start.through)) {
    for (const person of people.get(run.employer.payeReference) ?? []) {
      if (run.number < person.firstRun || (person.lastRun !== null && run.number > person.lastRun)) continue;
      yield paymentOf(seed, run, person, toDate, decide);
    }
  }
  return null;
}

interface PayRun {
  readonly employer: Employer;
  readonly date: LocalDate;
  /** 0 for the employer's first of the tax year. */
  readonly number: number;
}

/** Weekly pay on Fridays, monthly pay on the 28th. */
function payRunsThrough(through: LocalDate): PayRun[] {
  const start = taxYearStart(taxYearOf(through));
  const runs = EMPLOYERS.flatMap((employer) => {
    const dates = employer.payFrequency === 'W1' ? fridays(start, through) : days28(start, through);
    return dates.map((date, number) => ({ employer, date, number }));
  });
  // Before the first pay day of a tax year there is nobody to pay but on its first day, whatever day that is.
  if (runs.length === 0) return EMPLOYERS.map((employer) => ({ employer, date: start, number: 0 }));
  return runs.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0));
}

function fridays(start: LocalDate, through: LocalDate): LocalDate[] {
  const dates: LocalDate[] = [];
  // 1970-01-01, day 0, was a Thursday.
  const toFriday = (7 - ((dayNumber(start) + 6) % 7)) % 7;
  for (let date = addDays(start, toFriday); date <= through; date = addDays(date, 7)) dates.push(date);
  return dates;
}

function days28(start: LocalDate, through: LocalDate): LocalDate[] {
  const dates: LocalDate[] = [];
  let { year, month } = partsOf(start);
  for (let date = dateOf(year, month, 28); date <= through; date = dateOf(year, month, 28)) {
    dates.push(date);
    year += month === 12 ? 1 : 0;
    month = month === 12 ? 1 : month + 1;
  }
  return dates;
}

function paymentOf(
  seed: string,
  run: PayRun,
  person: Employee,
  toDate: Map<string, StateValue>,
  decide: DecidePayment,
): FeedEvent {
  const label = `pay/${run.employer.payeReference}/${person.worksNumber}/${run.date}`;
  const draws = drawsOf(seed, label);
  const periods = run.employer.payFrequency === 'W1' ? 52 : 12;
  // Overtime and short hours: nine in ten are within a tenth of their salary.
  const grossPence = Math.round(
    (person.annualPayPence / periods) * (0.9 + draws.fraction() * (draws.chance(0.1) ? 0.5 : 0.2)),
  );
  const payment: PaymentMade = {
    type: 'PaymentMade',
    eventId: eventId(seededUuid(seed, label)),
    account: account(`paye:${run.employer.payeReference}`),
    receivedAtMs: 0,
    person: personToken(toHex(sha256(TEXT.encode(`${seed}/${person.worksNumber}`)).slice(0, 16))),
    worksNumber: person.worksNumber,
    paymentDate: run.date,
    payFrequency: run.employer.payFrequency,
    period: run.employer.payFrequency === 'W1' ? taxWeekOf(run.date) : taxMonthOf(run.date),
    taxCode: person.taxCode,
    week1Month1: person.week1Month1,
    taxablePayPence: pence(grossPence - Math.round((grossPence * person.pensionPercent) / 100)),
    payrolledBenefitsPence: pence(0),
    nicableEarningsPence: pence(grossPence),
    niCategory: person.niCategory,
    studentLoanPlan: person.studentLoanPlan,
    postgraduateLoan: person.postgraduateLoan,
    starter: run.number === person.firstRun ? starterOf(person, run) : null,
    leavingDate: run.number === person.lastRun ? run.date : null,
    paymentAfterLeaving: false,
    directorsNic: null,
    directorAppointedWeek: null,
    onStrike: false,
    irregularEmployment: false,
    oldWorksNumber: null,
    lateReason: null,
    terminationAwardPence: pence(0),
    sportingTestimonialPence: pence(0),
    oddIntervalDays: null,
    stated: null,
    separateNics: false,
    toDate: null,
    openingBalance: null,
  };
  const stated = statedDeductions(payment, toDate, decide, draws.chance(WRONG_STATEMENTS));
  return {
    kind: 'paye',
    account: payment.account,
    json: submissionOf(payment, stated, run, person, seededUuid(seed, label)),
  };
}

function starterOf(person: Employee, run: PayRun): Starter | null {
  if (person.joinsWith === null) return null;
  const periods = run.employer.payFrequency === 'W1' ? 52 : 12;
  const fromP45 = person.joinsWith === 'p45';
  const payPence = Math.round((person.annualPayPence / periods) * run.number);
  return {
    startDate: addDays(run.date, run.employer.payFrequency === 'W1' ? -6 : -27),
    declaration: person.joinsWith === 'p45' ? null : person.joinsWith,
    p45PayPence: fromP45 ? pence(payPence) : null,
    p45TaxPence: fromP45 ? pence(Math.round(payPence * 0.08)) : null,
  };
}

const STATED_HEADS = {
  incomeTax: 'incomeTaxPence',
  employeeNics: 'employeeNicsPence',
  employerNics: 'employerNicsPence',
  studentLoan: 'studentLoanPence',
  postgraduateLoan: 'postgraduateLoanPence',
} as const satisfies Partial<Record<Head, keyof StatedDeductions>>;

/** The deductions by the core's own rules on what was paid before, or null where the core does not accept the payment. */
function statedDeductions(
  payment: PaymentMade,
  toDate: Map<string, StateValue>,
  decide: DecidePayment,
  wrong: boolean,
): Readonly<Record<string, Pence>> | null {
  const decision = decide(payment, payment.eventId.repeat(2), { get: (key) => toDate.get(key) });
  for (const { key, value } of decision.changes) {
    if (value === null) toDate.delete(key);
    else toDate.set(key, value);
  }
  const assessed = decision.results[0];
  if (decision.outcome !== 'accepted' || assessed === undefined) return null;
  const stated: Record<string, Pence> = {};
  for (const [head, field] of Object.entries(STATED_HEADS)) stated[field] = amountOf(assessed.amounts, head);
  if (wrong) stated.incomeTaxPence = pence((stated.incomeTaxPence ?? 0) + 240);
  return stated;
}

function amountOf(amounts: readonly HeadAmount[], head: string): Pence {
  return amounts.find((amount) => amount.head === head)?.pence ?? pence(0);
}

/** The gateway's JSON of a payment: fields that say nothing are left out. */
function submissionOf(
  payment: PaymentMade,
  stated: Readonly<Record<string, Pence>> | null,
  run: PayRun,
  person: Employee,
  uuid: string,
): Readonly<Record<string, unknown>> {
  const { starter, studentLoanPlan, leavingDate } = payment;
  return {
    type: payment.type,
    eventId: uuid,
    payeReference: run.employer.payeReference,
    nino: person.nino,
    worksNumber: payment.worksNumber,
    paymentDate: payment.paymentDate,
    payFrequency: payment.payFrequency,
    period: payment.period,
    taxCode: payment.taxCode,
    week1Month1: payment.week1Month1,
    taxablePayPence: payment.taxablePayPence,
    nicableEarningsPence: payment.nicableEarningsPence,
    niCategory: payment.niCategory,
    postgraduateLoan: payment.postgraduateLoan,
    ...(studentLoanPlan === null ? {} : { studentLoanPlan }),
    ...(starter === null ? {} : { starter: withoutNulls(starter) }),
    ...(leavingDate === null ? {} : { leavingDate }),
    ...(stated === null ? {} : { stated }),
  };
}

function withoutNulls(fields: Starter): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}
