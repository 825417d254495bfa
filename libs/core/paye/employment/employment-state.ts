import type { LocalDate } from '../../calendar/local-date.ts';
import type { StateView } from '../../decisions/decision.ts';
import { stateForm, statePart } from '../../decisions/state-form.ts';
import { codeAt } from '../../encoding/code-at.ts';
import type { NiCategory } from '../../events/paye-events.ts';
import type { Account } from '../../identity/account.ts';
import { type PeriodPool, setAsideIn, withoutCharacters } from './period-pools.ts';

/** What tax remembers of one employment in a tax year, written with every decision. Amounts are pence to date; absent parts are left out. */
export interface EmploymentState {
  /** The latest pay day assessed. */
  readonly lastPayDay: LocalDate;
  /** P45 pay included. */
  readonly taxablePayPence: number;
  /** P45 tax included. */
  readonly taxPence: number;
  readonly niEarningsPence: number;
  readonly employeeNicsPence: number;
  readonly employerNicsPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
  /** Events seen: 24 hex digits each, 16 of the id and 8 of the hash, oldest first. */
  readonly seenMarks: string;
  /** The latest earnings periods, oldest first. */
  readonly pools: readonly PeriodPool[];
  /** Earnings periods set aside under keys of their own, one character each (setAsideKey). */
  readonly setAside?: string;
  /** The works number under which they were set aside, where it has changed since. */
  readonly setAsideUnder?: string;
  /** Pay and tax taken from a P45. */
  readonly p45?: readonly [payPence: number, taxPence: number];
  readonly director?: DirectorState;
  /** Termination awards and sporting testimonials to date, and Class 1A on them. */
  readonly awards?: readonly [awardPence: number, testimonialPence: number, class1aPence: number];
  /** The last day of the employment as recorded; a starter's figures on a later payment begin a new one. */
  readonly leftOn?: LocalDate;
  /** The employer states that adding these earnings to those of other jobs is not reasonably practicable. */
  readonly separateNics?: true;
  readonly paidInMonth?: PaidInMonth;
  /** Marks of what the latest payments were (paymentMark), eight hex digits each, oldest first. */
  readonly latestPayments?: string;
  /** Benefits taxed through payroll since 6 April 2027 to date, and Class 1A on them. */
  readonly benefits?: readonly [benefitsPence: number, class1aPence: number];
}

/**
 * What was paid by the week in the tax month of the latest pay day, since the last monthly payment: what a payment for a longer interval
 * takes in. Loan deductions that are zero are left out.
 */
export type PaidInMonth = readonly [
  /** The letter, the interval, and the tax month: `AW1:3`. */
  key: string,
  earningsPence: number,
  employeePence: number,
  employerPence: number,
  studentLoanPence?: number,
  postgraduateLoanPence?: number,
];

/** A director's annual earnings period (docs/rules/paye.md), since appointment. */
export interface DirectorState {
  readonly method: 'AN' | 'AL';
  /** Weeks of the earnings period. */
  readonly weeks: number;
  readonly earningsByLetter: Readonly<Partial<Record<NiCategory, number>>>;
  /** NICs taken. */
  readonly employeeNicsPence: number;
  readonly employerNicsPence: number;
}

/** Left where a works number was continued by another, so that its events stay known. */
export interface MovedEmployment {
  readonly moved: true;
  readonly seenMarks: string;
}

/** Names in the log and the stores, for an employment and for what is left of one that moved. */
export const EMPLOYMENT_FORM = stateForm<EmploymentState>({
  lastPayDay: 'd',
  taxablePayPence: 'p',
  taxPence: 't',
  niEarningsPence: 'e',
  employeeNicsPence: 'n',
  employerNicsPence: 'm',
  studentLoanPence: 's',
  postgraduateLoanPence: 'g',
  seenMarks: 'h',
  pools: 'w',
  setAside: 'o',
  setAsideUnder: 'f',
  p45: 'q',
  director: statePart(
    'r',
    stateForm<DirectorState>({
      method: 'k',
      weeks: 'w',
      earningsByLetter: 'l',
      employeeNicsPence: 'n',
      employerNicsPence: 'm',
    }),
  ),
  awards: 'a',
  leftOn: 'v',
  separateNics: 'x',
  paidInMonth: 'i',
  latestPayments: 'y',
  benefits: 'b',
});

/** Events remembered of one employment in a year: one a day. */
const SEEN_MAX = 366;
const SEEN_LENGTH = 24;

const [ZERO, NINE, TEN_BEFORE_A] = [48, 57, 87];
const HEX_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function employmentKey(account: Account, taxYear: string, worksNumber: string): string {
  return `employment|${account}|${taxYear}|${worksNumber}`;
}

/** Where a pool of an earnings period stands once it is set aside. */
export function setAsideKey(account: Account, taxYear: string, worksNumber: string, poolKey: string): string {
  return `employmentperiod|${account}|${taxYear}|${poolKey}|${worksNumber}`;
}

/** The state with the pools of an earnings period back in it that were set aside: so a late payment is added to what was paid then. */
export function withPeriodRestored(
  state: EmploymentState,
  periodCode: number,
  readSetAside: (poolKey: string) => PeriodPool,
): EmploymentState {
  const keys = setAsideIn(state.setAside, periodCode);
  if (keys.length === 0) return state;
  return {
    ...state,
    pools: [...state.pools, ...keys.map(readSetAside)],
    setAside: withoutCharacters(state.setAside ?? '', keys),
  };
}

export function readEmployment(view: StateView, key: string): EmploymentState | MovedEmployment | undefined {
  return view.get(key) as EmploymentState | MovedEmployment | undefined;
}

export function isMoved(state: EmploymentState | MovedEmployment): state is MovedEmployment {
  return 'moved' in state;
}

/** 24 hex digits that stand for an event: 64 bits folded from its id, 32 bits of the hash of its bytes. */
export function seenMark(eventId: string, eventHash: string): string {
  const high = word(eventId, 0) ^ rotated(word(eventId, 16), 13);
  const low = word(eventId, 8) ^ rotated(word(eventId, 24), 7);
  return hex8(high) + hex8(low) + eventHash.slice(0, 8);
}

/** `new`, `repeat` (same id, same bytes) or `conflict` (same id, other bytes). */
export function seenBefore(seen: string, mark: string): 'new' | 'repeat' | 'conflict' {
  const id = mark.slice(0, 16);
  for (let at = seen.indexOf(id); at >= 0; at = seen.indexOf(id, at + 1)) {
    if (at % SEEN_LENGTH === 0) return seen.startsWith(mark, at) ? 'repeat' : 'conflict';
  }
  return 'new';
}

/** The marks with one more; the oldest are forgotten beyond the limit. */
export function withSeen(seen: string, mark: string): string {
  return seen.length < SEEN_MAX * SEEN_LENGTH ? seen + mark : seen.slice(SEEN_LENGTH) + mark;
}

/** Eight lower-case hex digits as 32 bits, by their characters: each payment's id comes through here. */
function word(hex: string, at: number): number {
  let bits = 0;
  for (let index = at; index < at + 8; index += 1) {
    const code = codeAt(hex, index);
    bits = (bits << 4) | (code <= NINE ? code - ZERO : code - TEN_BEFORE_A);
  }
  return bits;
}

function rotated(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

function hex8(bits: number): string {
  return hexByte(bits >>> 24) + hexByte((bits >>> 16) & 255) + hexByte((bits >>> 8) & 255) + hexByte(bits & 255);
}

function hexByte(byte: number): string {
  return HEX_BYTES[byte] ?? '';
}
