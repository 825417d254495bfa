import { isLocalDate } from '../../calendar/local-date.ts';
import { londonDate, londonDayNumber } from '../../calendar/london-time.ts';
import { taxMonthOf, taxYearOf } from '../../calendar/tax-calendar.ts';
import { accountCounter, accountKey, decisionsIn } from '../../decisions/account-counter.ts';
import type { Assessment, Decision, HeadAmount, StateChange, StateValue, StateView } from '../../decisions/decision.ts';
import type { Head } from '../../decisions/heads.ts';
import type { PayeEvent, PaymentMade } from '../../events/paye-events.ts';
import type { Pence } from '../../money/pence.ts';
import { type AssessedPayment, assessPayment } from '../assess/assess-payment.ts';
import {
  type EmploymentState,
  employmentKey,
  isMoved,
  readEmployment,
  seenBefore,
  seenMark,
} from '../employment/employment-state.ts';
import { personJobsKey } from '../employment/person-jobs.ts';
import { claimsStateKeys, decideClaims } from '../month/decide-claims.ts';
import { monthTotalsKey, monthTotalsValue, readMonthTotals } from '../month/month-totals.ts';
import { rejectedPayeEvent } from '../month/rejected-paye-event.ts';
import { schemeCeasedOn } from '../month/scheme-ceased.ts';
import { monthOpenAt, taxPeriodOf } from '../rates/charge-month.ts';
import { type PayDay, type PayeRules, payDayOf } from '../rates/paye-rules.ts';
import { checkPayment, PAYMENT_LIMITS } from './check-payment.ts';
import { explainedDifferences, statedAmounts, statedFlag } from './compare-stated.ts';
import { toDateDifferences, toDateFlag } from './compare-to-date.ts';
import { employmentBefore } from './employment-before.ts';

const NOTHING: readonly never[] = [];
/**
 * What an employer's month may come to, either way: £1,000,000,000,000.00, near to what all of the country's employers pay in a year. Twelve of
 * them, and the levy on them, stay within the safe integers.
 */
const MONTH_SUM_PENCE_MAX = 100_000_000_000_000;
const LATE: readonly string[] = ['LATE_FOR_ITS_MONTH'];

/**
 * Decides one PAYE event on top of the state of its account and employment. Pure: reads through the view, changes nothing.
 * A payment is accepted with one charge, an employer's claims or the close of its month with one claim; either is rejected with the code
 * of its first fault, or a repeat.
 *
 * @param eventHash SHA-256 (64 lower-case hex) of the event as appended.
 */
export function decidePaye(event: PayeEvent, eventHash: string, view: StateView, rules: PayeRules): Decision {
  switch (event.type) {
    case 'PaymentMade':
      return decidePayment(event, eventHash, view, rules);
    case 'EmployerClaimsMade':
    case 'PayePeriodClosed':
    case 'PayeSchemeCeased':
      return decideClaims(event, eventHash, view, rules);
  }
}

/** Keys of state that a decision on this event most likely reads. */
export function payeStateKeys(event: PayeEvent): readonly string[] {
  if (event.type !== 'PaymentMade') return claimsStateKeys(event);
  const { paymentDate } = event;
  // A date that is none is rejected by the decision without reading anything.
  if (!isLocalDate(paymentDate)) return [accountKey(event.account)];
  const taxYear = taxYearOf(paymentDate);
  const taxMonth = monthOpenAt(taxYear, taxMonthOf(paymentDate), londonDate(event.receivedAtMs));
  const keys = [
    accountKey(event.account),
    employmentKey(event.account, taxYear, event.worksNumber),
    monthTotalsKey(event.account, taxYear, taxMonth),
    personJobsKey(event.account, taxYear, event.person),
  ];
  if (event.oldWorksNumber !== null) keys.push(employmentKey(event.account, taxYear, event.oldWorksNumber));
  return keys;
}

function decidePayment(event: PaymentMade, eventHash: string, view: StateView, rules: PayeRules): Decision {
  const faults = checkPayment(event, rules);
  const [fault] = faults;
  if (fault !== undefined) {
    return rejectedPayeEvent(event, fault.code, {
      pointer: fault.pointer,
      detail: fault.detail,
      faults: String(faults.length),
    });
  }
  const day = payDayOf(rules, event.paymentDate);
  const key = employmentKey(event.account, day.taxYear, event.worksNumber);
  const own = readEmployment(view, key);
  const mark = seenMark(event.eventId, eventHash);
  const seen = own === undefined ? 'new' : seenBefore(own.seenMarks, mark);
  if (seen === 'repeat') return { outcome: 'repeat', results: [], rejections: [], changes: [] };
  if (seen === 'conflict')
    return rejectedPayeEvent(event, 'EVENT_ID_CONFLICT', { what: 'the event id is known with another body' });
  if (own !== undefined && isMoved(own)) {
    return rejectedPayeEvent(event, 'WORKS_NUMBER_CHANGED', {
      what: 'the employment goes on under another works number',
    });
  }
  return assessed(event, mark, { own, key, day, view, rules });
}

interface Situation {
  readonly own: EmploymentState | undefined;
  readonly key: string;
  readonly day: PayDay;
  readonly view: StateView;
  readonly rules: PayeRules;
}

function assessed(event: PaymentMade, mark: string, { own, key, day, view, rules }: Situation): Decision {
  const before = employmentBefore(event, own, day, view);
  const pointer = before.state === null ? null : amountBeyondYear(event, before.state);
  if (pointer !== null) {
    const detail = 'the employment has more to date than a year of pay can be';
    return rejectedPayeEvent(event, 'AMOUNT_OUT_OF_RANGE', { pointer, detail, faults: '1' });
  }
  const payment = assessPayment(event, mark, before.state, day, rules, before.others);
  const taxMonth = chargeMonthOf(event, day);
  const month = monthAfter(event, payment, monthTotalsKey(event.account, day.taxYear, taxMonth), view);
  if (month === null) {
    const detail = `the month's pay or employer's NICs would pass ${MONTH_SUM_PENCE_MAX} pence: look at its earlier payments`;
    return rejectedPayeEvent(event, 'AMOUNT_OUT_OF_RANGE', { pointer: '/nicableEarningsPence', detail, faults: '1' });
  }
  const ownerKey = accountKey(event.account);
  const owner = view.get(ownerKey);
  const number = decisionsIn(owner) + 1;
  const usual: readonly StateChange[] = [
    { key, value: payment.state as unknown as StateChange['value'] },
    { key: ownerKey, value: accountCounter(number, owner) },
    month,
  ];
  const aside = payment.setAside.map((pool): StateChange => ({ key: before.asideKey(pool[0]), value: pool }));
  const isUsual = before.changes.length === 0 && aside.length === 0;
  const amounts = amountsOf(payment);
  const stated = statedAmounts(event.stated);
  const late = taxMonth === day.taxMonth ? NOTHING : LATE;
  const differing =
    stated.length === 0 ? NOTHING : explainedDifferences(event, { amounts, stated }, before, rules).map(statedFlag);
  const result: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: 'charge',
    number,
    taxPeriod: taxMonth === day.taxMonth ? day.taxPeriod : taxPeriodOf(day.taxYear, taxMonth),
    basePence: event.taxablePayPence,
    amounts,
    person: event.person,
    links: NOTHING,
    flags: joined(
      joined(joined(before.flags, payment.flags), joined(late, differing)),
      ofAccount(event, payment, owner),
    ),
    stated,
    receivedAtMs: event.receivedAtMs,
  };
  const changes = isUsual ? usual : [...before.changes, ...aside, ...usual];
  return { outcome: 'accepted', results: [result], rejections: NOTHING, changes };
}

/** One list after another; where one is empty, the other itself. */
function joined(first: readonly string[], second: readonly string[]): readonly string[] {
  if (first.length === 0) return second;
  return second.length === 0 ? first : [...first, ...second];
}

/** Flags of figures to date that differ, and of pay after the scheme ceased. */
function ofAccount(event: PaymentMade, { state }: AssessedPayment, owner: StateValue | undefined): readonly string[] {
  const flags = event.toDate === null ? NOTHING : toDateDifferences(event.toDate, state).map(toDateFlag);
  const ceasedOn = schemeCeasedOn(owner);
  return ceasedOn === null || event.paymentDate <= ceasedOn ? flags : [...flags, 'AFTER_SCHEME_CEASED'];
}

/** What the payment adds to its month; null where a sum of the month would pass MONTH_SUM_PENCE_MAX. */
function monthAfter(event: PaymentMade, payment: AssessedPayment, key: string, view: StateView): StateChange | null {
  const month = readMonthTotals(view, key);
  const employerNicsPence = month.employerNicsPence + payment.employerNicsPence;
  const payBillPence = month.payBillPence + (event.niCategory === 'X' ? 0 : event.nicableEarningsPence);
  if (Math.abs(employerNicsPence) > MONTH_SUM_PENCE_MAX || Math.abs(payBillPence) > MONTH_SUM_PENCE_MAX) return null;
  return { key, value: monthTotalsValue({ employerNicsPence, payBillPence, payments: month.payments + 1 }) };
}

/** 7.8: the month of the payment date where received by the 19th after it ends, else the month still open on the day of receipt. */
function chargeMonthOf(event: PaymentMade, day: PayDay): number {
  if (londonDayNumber(event.receivedAtMs) <= day.openUntilDay) return day.taxMonth;
  return monthOpenAt(day.taxYear, day.taxMonth, londonDate(event.receivedAtMs));
}

/** The field that would take an employment's year beyond its limit, or null. */
function amountBeyondYear(event: PaymentMade, before: EmploymentState): string | null {
  const { toDatePenceMax } = PAYMENT_LIMITS;
  if (Math.abs(before.taxablePayPence + event.taxablePayPence) > toDatePenceMax) return '/taxablePayPence';
  if (Math.abs((before.awards?.[0] ?? 0) + event.terminationAwardPence) > toDatePenceMax)
    return '/terminationAwardPence';
  if (Math.abs((before.awards?.[1] ?? 0) + event.sportingTestimonialPence) > toDatePenceMax) {
    return '/sportingTestimonialPence';
  }
  return Math.abs(before.niEarningsPence + event.nicableEarningsPence) > toDatePenceMax
    ? '/nicableEarningsPence'
    : null;
}

/** By head in the order of their numbers; zero amounts are left out. */
function amountsOf(payment: AssessedPayment): readonly HeadAmount[] {
  const amounts: HeadAmount[] = [];
  put(amounts, 'incomeTax', payment.incomeTaxPence);
  put(amounts, 'employeeNics', payment.employeeNicsPence);
  put(amounts, 'employerNics', payment.employerNicsPence);
  put(amounts, 'studentLoan', payment.studentLoanPence);
  put(amounts, 'postgraduateLoan', payment.postgraduateLoanPence);
  put(amounts, 'class1aNics', payment.class1aNicsPence);
  return amounts;
}

function put(amounts: HeadAmount[], head: Head, pence: number): void {
  if (pence !== 0) amounts.push({ head, pence: pence as Pence });
}
