import { assert } from '../errors/assert.ts';
import { accountCounter, accountKey, decisionsOf } from '../events/account-counter.ts';
import type { Assessment, Decision, HeadAmount, StateChange, StateView } from '../events/decision.ts';
import type { Head } from '../events/heads.ts';
import type { PayeEvent, PaymentMade, StatedDeductions } from '../events/paye-events.ts';
import type { Pence } from '../money/pence.ts';
import { type AssessedPayment, assessPayment } from './assess-payment.ts';
import { checkPayment, PAYMENT_LIMITS } from './check-payment.ts';
import { claimsStateKeys, decideClaims } from './decide-claims.ts';
import {
  type EmploymentState,
  employmentKey,
  isMoved,
  type MovedEmployment,
  readEmployment,
  seenBefore,
  seenMark,
  setAsideKey,
  withPeriodRestored,
} from './employment-state.ts';
import { monthTotalsKey, monthTotalsValue, readMonthTotals } from './month-totals.ts';
import { type PayDay, type PayeRules, payDayOf } from './paye-rules.ts';
import type { PeriodPool } from './period-pools.ts';
import { rejectedPayeEvent } from './rejected-paye-event.ts';

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
      return decideClaims(event, eventHash, view, rules);
  }
}

/** Keys of state that a decision on this event most likely reads. */
export function payeStateKeys(event: PayeEvent): readonly string[] {
  if (event.type !== 'PaymentMade') return claimsStateKeys(event);
  const taxYear = taxYearText(event.paymentDate);
  const keys = [
    accountKey(event.account),
    employmentKey(event.account, taxYear, event.worksNumber),
    monthTotalsKey(event.account, taxYear, taxMonthText(event.paymentDate)),
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
  const seen = own === undefined ? 'new' : seenBefore(own.h, mark);
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
  const changes: StateChange[] = [];
  const flags: string[] = [];
  const before = own ?? continued(event, day, view, changes, flags);
  const pointer = before === null ? null : amountBeyondYear(event, before);
  if (pointer !== null) {
    const detail = 'the employment has more to date than a year of pay can be';
    return rejectedPayeEvent(event, 'AMOUNT_OUT_OF_RANGE', { pointer, detail, faults: '1' });
  }
  const aside = (poolKey: string): string =>
    setAsideKey(event.account, day.taxYear, before?.f ?? event.worksNumber, poolKey);
  const atHand = before === null ? null : restored(before, day.periods[event.payFrequency].code, aside, view);
  const payment = assessPayment(event, mark, atHand, day, rules);
  for (const pool of payment.setAside) changes.push({ key: aside(pool[0]), value: pool });
  const number = decisionsOf(event.account, view) + 1;
  const monthKey = monthTotalsKey(event.account, day.taxYear, day.taxMonth);
  const month = readMonthTotals(view, monthKey);
  changes.push(
    { key, value: payment.state as unknown as StateChange['value'] },
    { key: accountKey(event.account), value: accountCounter(number) },
    {
      key: monthKey,
      value: monthTotalsValue({
        employerNicsPence: month.employerNicsPence + payment.employerNicsPence,
        payBillPence: month.payBillPence + (event.niCategory === 'X' ? 0 : event.nicableEarningsPence),
        payments: month.payments + 1,
      }),
    },
  );
  const result: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: 'charge',
    number,
    taxPeriod: day.taxPeriod,
    basePence: event.taxablePayPence,
    amounts: amountsOf(payment),
    person: event.person,
    links: [],
    flags: flags.length === 0 ? payment.flags : [...flags, ...payment.flags],
    stated: event.stated === null ? [] : statedAmounts(event.stated),
    receivedAtMs: event.receivedAtMs,
  };
  return { outcome: 'accepted', results: [result], rejections: [], changes };
}

/** The field that would take an employment's year beyond its limit, or null. */
function amountBeyondYear(event: PaymentMade, before: EmploymentState): string | null {
  const { toDatePenceMax } = PAYMENT_LIMITS;
  if (Math.abs(before.p + event.taxablePayPence) > toDatePenceMax) return '/taxablePayPence';
  return Math.abs(before.e + event.nicableEarningsPence) > toDatePenceMax ? '/nicableEarningsPence' : null;
}

/** The state with what was set aside of an earnings period; a pool that the state names and the store lacks is a fault of ours. */
function restored(
  before: EmploymentState,
  periodCode: number,
  aside: (poolKey: string) => string,
  view: StateView,
): EmploymentState {
  return withPeriodRestored(before, periodCode, (poolKey) => {
    const pool = view.get(aside(poolKey));
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
  const left: MovedEmployment = { moved: true, h: old.h };
  changes.push({ key: oldKey, value: left as unknown as StateChange['value'] });
  return { ...old, h: '', f: old.f ?? event.oldWorksNumber };
}

/** By head in the order of their numbers; zero amounts are left out. */
function amountsOf(payment: AssessedPayment): HeadAmount[] {
  const amounts: HeadAmount[] = [];
  if (payment.incomeTaxPence !== 0) amounts.push(amount('incomeTax', payment.incomeTaxPence));
  if (payment.employeeNicsPence !== 0) amounts.push(amount('employeeNics', payment.employeeNicsPence));
  if (payment.employerNicsPence !== 0) amounts.push(amount('employerNics', payment.employerNicsPence));
  if (payment.studentLoanPence !== 0) amounts.push(amount('studentLoan', payment.studentLoanPence));
  if (payment.postgraduateLoanPence !== 0) amounts.push(amount('postgraduateLoan', payment.postgraduateLoanPence));
  return amounts;
}

/** What the employer stated, zero included: a stated zero is a statement. */
function statedAmounts(stated: StatedDeductions): HeadAmount[] {
  const amounts: HeadAmount[] = [];
  if (stated.incomeTaxPence !== null) amounts.push(amount('incomeTax', stated.incomeTaxPence));
  if (stated.employeeNicsPence !== null) amounts.push(amount('employeeNics', stated.employeeNicsPence));
  if (stated.employerNicsPence !== null) amounts.push(amount('employerNics', stated.employerNicsPence));
  if (stated.studentLoanPence !== null) amounts.push(amount('studentLoan', stated.studentLoanPence));
  if (stated.postgraduateLoanPence !== null) amounts.push(amount('postgraduateLoan', stated.postgraduateLoanPence));
  return amounts;
}

function amount(head: Head, pence: number): HeadAmount {
  return { head, pence: pence as Pence };
}

/** The tax year of a date's text without reading the rates: 5 April is in the old year. A text that is no date gives some key. */
function taxYearText(date: string): string {
  const year = Number(date.slice(0, 4));
  const start = date.slice(5) >= '04-06' ? year : year - 1;
  return `${start}-${String((start + 1) % 100).padStart(2, '0')}`;
}

/** The tax month of a date's text, likewise. */
function taxMonthText(date: string): number {
  const month = Number(date.slice(5, 7));
  return ((month + 8 - (date.slice(8) >= '06' ? 0 : 1)) % 12) + 1;
}
