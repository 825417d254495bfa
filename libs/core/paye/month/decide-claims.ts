import { isLocalDate, type LocalDate } from '../../calendar/local-date.ts';
import { londonDate } from '../../calendar/london-time.ts';
import { type TaxYear, taxMonthOf, taxYear, taxYearOf } from '../../calendar/tax-calendar.ts';
import { accountCounter, accountKey, decisionsIn } from '../../decisions/account-counter.ts';
import type { Assessment, Decision, HeadAmount, StateChange, StateView } from '../../decisions/decision.ts';
import type { Head } from '../../decisions/heads.ts';
import type { EmployerClaimsMade, PayePeriodClosed, PayeSchemeCeased } from '../../events/paye-events.ts';
import type { Account } from '../../identity/account.ts';
import { shareDownPence } from '../../money/paye-rounding.ts';
import { type Pence, ZERO_PENCE } from '../../money/pence.ts';
import { seenBefore, seenMark, withSeen } from '../employment/employment-state.ts';
import { monthOpenAt, taxPeriodOf } from '../rates/charge-month.ts';
import type { EmployerRules } from '../rates/dated-paye-rules.ts';
import { type PayeRules, rulesAtYearEnd } from '../rates/paye-rules.ts';
import { checkClaims, checkSchemeCeased } from './check-claims.ts';
import { type ClaimsState, claimsKey, NO_CLAIMS } from './claims-state.ts';
import { employerMonth } from './employer-month.ts';
import { type MonthTotals, monthTotalsKey, readMonthTotals } from './month-totals.ts';
import { rejectedPayeEvent } from './rejected-paye-event.ts';
import { schemeCeasedOn } from './scheme-ceased.ts';

const MONTHS = 12;

/** An event up to whose month an employer's claims are settled. */
type ClaimsEvent = EmployerClaimsMade | PayePeriodClosed | PayeSchemeCeased;

/**
 * The tax month of a year from which an employer's months are to be closed: that up to which its claims are settled, else the first by whose end
 * its pay bill owes Apprenticeship Levy; null where nothing is due. Months after that of a scheme's end are not closed.
 */
export function monthsToClose(
  view: StateView,
  account: Account,
  year: string,
  rules: PayeRules,
): { readonly from: number; readonly to: number } | null {
  const ceasedOn = schemeCeasedOn(view.get(accountKey(account)));
  if (ceasedOn !== null && taxYearOf(ceasedOn) < year) return null;
  const to = ceasedOn !== null && taxYearOf(ceasedOn) === year ? taxMonthOf(ceasedOn) : MONTHS;
  const claims = view.get(claimsKey(account, year)) as ClaimsState | undefined;
  const from = claims?.settledMonth ?? firstMonthOfLevy(view, account, year, rules);
  return from === null ? null : { from, to };
}

function firstMonthOfLevy(view: StateView, account: Account, year: string, rules: PayeRules): number | null {
  if (!rules.years.has(year as TaxYear)) return null;
  const { levyBasisPoints, levyAllowancePence } = rulesAtYearEnd(rules, year).employer;
  let payBill = 0;
  for (let month = 1; month <= MONTHS; month += 1) {
    payBill += readMonthTotals(view, monthTotalsKey(account, year, month)).payBillPence;
    if (shareDownPence(payBill, levyBasisPoints) > Math.floor((levyAllowancePence * month) / MONTHS)) return month;
  }
  return null;
}

/** Keys of state that a claim, a close or the end of a scheme reads: the claims of the year and every month up to its own. */
export function claimsStateKeys(event: ClaimsEvent): readonly string[] {
  if (event.type === 'PayeSchemeCeased' && !isLocalDate(event.ceasedOn)) return [accountKey(event.account)];
  const { year, month: last } = monthOf(event);
  const keys = [accountKey(event.account), claimsKey(event.account, year)];
  for (let month = 1; month <= Math.min(12, last); month += 1) {
    keys.push(monthTotalsKey(event.account, year, month));
  }
  return keys;
}

/** The month that an event settles up to: that of the day for a scheme that ceased. */
function monthOf(event: ClaimsEvent): { readonly year: string; readonly month: number } {
  if (event.type !== 'PayeSchemeCeased') return { year: event.taxYear, month: event.taxMonth };
  return { year: taxYearOf(event.ceasedOn), month: taxMonthOf(event.ceasedOn) };
}

/**
 * Settles an employer's claims up to a tax month (docs/rules/paye.md, section 7): works out what is due to date from what was claimed last and
 * from the payments of each month, and makes one entry of the difference to what the ledger has. A later event, or payments
 * that came late, move the difference into the next entry; so the entries of a year always add up to the year's claims.
 */
export function decideClaims(event: ClaimsEvent, eventHash: string, view: StateView, rules: PayeRules): Decision {
  const faults = event.type === 'PayeSchemeCeased' ? checkSchemeCeased(event, rules) : checkClaims(event, rules);
  const [fault] = faults;
  if (fault !== undefined) {
    const facts = { pointer: fault.pointer, detail: fault.detail, faults: String(faults.length) };
    return rejectedPayeEvent(event, fault.code, facts);
  }
  const { year, month: own } = monthOf(event);
  const key = claimsKey(event.account, year);
  const before = (view.get(key) as ClaimsState | undefined) ?? NO_CLAIMS;
  const mark = seenMark(event.eventId, eventHash);
  const seen = seenBefore(before.seenMarks, mark);
  if (seen === 'repeat') return { outcome: 'repeat', results: [], rejections: [], changes: [] };
  if (seen === 'conflict') {
    return rejectedPayeEvent(event, 'EVENT_ID_CONFLICT', { what: 'the event id is known with another body' });
  }
  const stated = statedBy(event, before);
  const month = Math.max(before.settledMonth, own);
  const months = monthsUpTo(event.account, year, month, view);
  const employer = rulesAtYearEnd(rules, year).employer;
  const taken = takenToDate(stated, taxYear(year), month, months, employer);
  const after: ClaimsState = { ...stated, seenMarks: withSeen(before.seenMarks, mark), settledMonth: month, taken };
  return settled(event, key, { before, after }, months, view);
}

function settled(
  event: ClaimsEvent,
  key: string,
  { before, after }: { readonly before: ClaimsState; readonly after: ClaimsState },
  months: readonly MonthTotals[],
  view: StateView,
): Decision {
  const ownerKey = accountKey(event.account);
  const owner = view.get(ownerKey);
  const number = decisionsIn(owner) + 1;
  const { year, month } = monthOf(event);
  const ceased = event.type === 'PayeSchemeCeased' ? { ceasedOn: event.ceasedOn } : {};
  const changes: StateChange[] = [
    { key, value: after as unknown as StateChange['value'] },
    { key: ownerKey, value: { ...accountCounter(number, owner), ...ceased } },
  ];
  const result: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: 'claim',
    number,
    taxPeriod: taxPeriodOf(taxYear(year), chargeMonthOf(event)),
    basePence: ZERO_PENCE,
    amounts: movements(before.taken, after.taken),
    person: null,
    links: [],
    flags: flagsOf(event, months[month - 1]?.payments ?? 0, schemeCeasedOn(owner)),
    stated: [],
    receivedAtMs: event.receivedAtMs,
  };
  return { outcome: 'accepted', results: [result], rejections: [], changes };
}

function flagsOf(event: ClaimsEvent, paid: number, ceasedOn: LocalDate | null): readonly string[] {
  if (event.type !== 'EmployerClaimsMade') return [];
  const flags: string[] = [];
  if (event.noPayment && paid > 0) flags.push('NO_PAYMENT_DIFFERS');
  if (ceasedOn !== null && isAfterMonthOf(ceasedOn, event)) flags.push('AFTER_SCHEME_CEASED');
  return flags;
}

function isAfterMonthOf(ceasedOn: LocalDate, { taxYear: year, taxMonth }: EmployerClaimsMade): boolean {
  const last = taxYearOf(ceasedOn);
  return year > last || (year === last && taxMonth > taxMonthOf(ceasedOn));
}

/** 7.7: claims received by the 19th count for the month just ended, later ones for the month still open; a close is of its own month. */
function chargeMonthOf(event: ClaimsEvent): number {
  if (event.type !== 'EmployerClaimsMade') return monthOf(event).month;
  return monthOpenAt(taxYear(event.taxYear), event.taxMonth, londonDate(event.receivedAtMs));
}

function statedBy(event: ClaimsEvent, before: ClaimsState): ClaimsState {
  if (event.type !== 'EmployerClaimsMade') return before;
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
  const payBill = months.reduce((sum, { payBillPence }) => sum + payBillPence, 0);
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
      employerNicsToDatePence: null,
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
    claims.employmentAllowance ? allowanceToDate(months, employer) : 0,
    bill.statutoryRecoveredPence,
    bill.nicCompensationPence,
    bill.levyToDatePence,
    bill.cisSetOffPence,
  ];
}

/**
 * Employment Allowance of the year so far: the liability to employer's Class 1, at most the year's sum (NICA 2014 section 1(2)). Revision 1 added up
 * months, none of them below nothing.
 */
function allowanceToDate(
  months: readonly MonthTotals[],
  { revision, employmentAllowancePence }: EmployerRules,
): number {
  if (revision >= 2) {
    const liability = months.reduce((sum, { employerNicsPence }) => sum + employerNicsPence, 0);
    return Math.min(employmentAllowancePence, Math.max(0, liability));
  }
  return months.reduce(
    (taken, { employerNicsPence }) =>
      taken + Math.max(0, Math.min(employerNicsPence, employmentAllowancePence - taken)),
    0,
  );
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
