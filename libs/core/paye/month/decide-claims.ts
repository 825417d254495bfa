import { londonDate } from '../../calendar/london-time.ts';
import { type TaxYear, taxYear } from '../../calendar/tax-calendar.ts';
import { accountCounter, accountKey, decisionsOf } from '../../decisions/account-counter.ts';
import type { Assessment, Decision, HeadAmount, StateChange, StateView } from '../../decisions/decision.ts';
import type { Head } from '../../decisions/heads.ts';
import type { EmployerClaimsMade, PayePeriodClosed } from '../../events/paye-events.ts';
import type { Account } from '../../identity/account.ts';
import { type Pence, ZERO_PENCE } from '../../money/pence.ts';
import { seenBefore, seenMark, withSeen } from '../employment/employment-state.ts';
import { monthOpenAt, taxPeriodOf } from '../rates/charge-month.ts';
import type { EmployerRules } from '../rates/dated-paye-rules.ts';
import { type PayeRules, rulesAtYearEnd } from '../rates/paye-rules.ts';
import { checkClaims } from './check-claims.ts';
import { type ClaimsState, claimsKey, NO_CLAIMS } from './claims-state.ts';
import { employerMonth } from './employer-month.ts';
import { type MonthTotals, monthTotalsKey, readMonthTotals } from './month-totals.ts';
import { rejectedPayeEvent } from './rejected-paye-event.ts';

type ClaimsEvent = EmployerClaimsMade | PayePeriodClosed;

/** The latest month of a tax year up to which an employer's claims are settled, or null where it has made none in the year. */
export function settledMonth(view: StateView, account: Account, year: string): number | null {
  return (view.get(claimsKey(account, year)) as ClaimsState | undefined)?.settledMonth ?? null;
}

/** Keys of state that a claim or a close reads: the claims of the year and every month up to its own. */
export function claimsStateKeys(event: ClaimsEvent): readonly string[] {
  const keys = [accountKey(event.account), claimsKey(event.account, event.taxYear)];
  for (let month = 1; month <= Math.min(12, event.taxMonth); month += 1) {
    keys.push(monthTotalsKey(event.account, event.taxYear, month));
  }
  return keys;
}

/**
 * Settles an employer's claims up to a tax month (paye.md 7.2 to 7.5): works out what is due to date from what was claimed last and
 * from the payments of each month, and makes one entry of the difference to what stands in the ledger. A later event, or payments
 * that came late, move the difference into the next entry; so the entries of a year always add up to the year's claims.
 */
export function decideClaims(event: ClaimsEvent, eventHash: string, view: StateView, rules: PayeRules): Decision {
  const faults = checkClaims(event, rules);
  const [fault] = faults;
  if (fault !== undefined) {
    const facts = { pointer: fault.pointer, detail: fault.detail, faults: String(faults.length) };
    return rejectedPayeEvent(event, fault.code, facts);
  }
  const key = claimsKey(event.account, event.taxYear);
  const before = (view.get(key) as ClaimsState | undefined) ?? NO_CLAIMS;
  const mark = seenMark(event.eventId, eventHash);
  const seen = seenBefore(before.seenMarks, mark);
  if (seen === 'repeat') return { outcome: 'repeat', results: [], rejections: [], changes: [] };
  if (seen === 'conflict') {
    return rejectedPayeEvent(event, 'EVENT_ID_CONFLICT', { what: 'the event id is known with another body' });
  }
  const stated = statedBy(event, before);
  const month = Math.max(before.settledMonth, event.taxMonth);
  const months = monthsUpTo(event.account, event.taxYear, month, view);
  const employer = rulesAtYearEnd(rules, event.taxYear).employer;
  const taken = takenToDate(stated, taxYear(event.taxYear), month, months, employer);
  const after: ClaimsState = {
    ...stated,
    seenMarks: withSeen(before.seenMarks, mark),
    settledMonth: month,
    taken: taken,
  };
  return settled(event, key, { before, after }, months, view);
}

function settled(
  event: ClaimsEvent,
  key: string,
  { before, after }: { readonly before: ClaimsState; readonly after: ClaimsState },
  months: readonly MonthTotals[],
  view: StateView,
): Decision {
  const number = decisionsOf(event.account, view) + 1;
  const paid = months[event.taxMonth - 1]?.payments ?? 0;
  const contradicted = event.type === 'EmployerClaimsMade' && event.noPayment && paid > 0;
  const changes: StateChange[] = [
    { key, value: after as unknown as StateChange['value'] },
    { key: accountKey(event.account), value: accountCounter(number) },
  ];
  const result: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: 'claim',
    number,
    taxPeriod: taxPeriodOf(taxYear(event.taxYear), chargeMonthOf(event)),
    basePence: ZERO_PENCE,
    amounts: movements(before.taken, after.taken),
    person: null,
    links: [],
    flags: contradicted ? ['NO_PAYMENT_DIFFERS'] : [],
    stated: [],
    receivedAtMs: event.receivedAtMs,
  };
  return { outcome: 'accepted', results: [result], rejections: [], changes };
}

/** 7.7: claims received by the 19th count for the month just ended, later ones for the month still open; a close is of its own month. */
function chargeMonthOf(event: ClaimsEvent): number {
  if (event.type === 'PayePeriodClosed') return event.taxMonth;
  return monthOpenAt(taxYear(event.taxYear), event.taxMonth, londonDate(event.receivedAtMs));
}

function statedBy(event: ClaimsEvent, before: ClaimsState): ClaimsState {
  if (event.type === 'PayePeriodClosed') return before;
  return {
    ...before,
    employmentAllowance: event.employmentAllowance,
    smallEmployer: event.smallEmployer,
    statutoryPayPence: event.statutoryPayPence,
    cisSufferedPence: event.cisSufferedPence,
    levyAllowancePence: event.levyAllowancePence,
  };
}

function monthsUpTo(account: Account, year: string, last: number, view: StateView): MonthTotals[] {
  const months: MonthTotals[] = [];
  for (let month = 1; month <= last; month += 1)
    months.push(readMonthTotals(view, monthTotalsKey(account, year, month)));
  return months;
}

/** All of a year's claims at the end of a month, as if they were made for the first time: only totals to date are rounded. */
function takenToDate(
  claims: ClaimsState,
  year: TaxYear,
  month: number,
  months: readonly MonthTotals[],
  employer: EmployerRules,
): ClaimsState['taken'] {
  let allowance = 0;
  let payBill = 0;
  for (const { employerNicsPence, payBillPence } of months) {
    payBill += payBillPence;
    if (claims.employmentAllowance) {
      const left = employer.employmentAllowancePence - allowance;
      allowance += Math.max(0, Math.min(employerNicsPence, left));
    }
  }
  const bill = employerMonth(
    {
      taxYear: year,
      taxMonth: month,
      quarterly: false,
      incomeTaxPence: 0,
      studentLoansPence: 0,
      postgraduateLoansPence: 0,
      employeeNicsPence: 0,
      employerNicsPence: 0,
      class1aOnTerminationsPence: 0,
      employmentAllowance: false,
      employmentAllowanceUsedBeforePence: 0,
      statutoryPayToDatePence: claims.statutoryPayPence,
      smallEmployer: claims.smallEmployer,
      recoveredBeforePence: 0,
      compensationBeforePence: 0,
      payBillToDatePence: Math.max(0, payBill),
      levyAllowancePence: claims.levyAllowancePence,
      levyBeforePence: 0,
      cisSufferedToDatePence: claims.cisSufferedPence,
      cisSetOffBeforePence: 0,
    },
    employer,
  );
  return [
    allowance,
    bill.statutoryRecoveredPence,
    bill.nicCompensationPence,
    bill.levyToDatePence,
    bill.cisSetOffPence,
  ];
}

/** What reduces the bill is negative; heads in the order of their numbers. */
function movements(before: ClaimsState['taken'], after: ClaimsState['taken']): HeadAmount[] {
  const amounts: HeadAmount[] = [];
  const add = (head: Head, pence: number): void => {
    if (pence !== 0) amounts.push({ head, pence: pence as Pence });
  };
  add('apprenticeshipLevy', after[3] - before[3]);
  add('employmentAllowance', before[0] - after[0]);
  add('statutoryPayRecovered', before[1] - after[1]);
  add('nicCompensation', before[2] - after[2]);
  add('cisSuffered', before[4] - after[4]);
  return amounts;
}
