import type { LocalDate } from '../calendar/local-date.ts';
import type { StateView } from '../events/decision.ts';
import type { NiCategory } from '../events/paye-events.ts';
import type { Account } from '../identity/account.ts';

/**
 * What tax remembers of one employment in a tax year, written with every decision: so names are short and absent parts are left out.
 * Amounts are pence to date.
 */
export interface EmploymentState {
  /** Latest pay day assessed. */
  readonly d: LocalDate;
  /** Taxable pay, P45 pay included. */
  readonly p: number;
  /** Tax deducted, P45 tax included. */
  readonly t: number;
  /** Earnings for NICs. */
  readonly e: number;
  /** Employee's and employer's NICs. */
  readonly n: number;
  readonly m: number;
  /** Student and postgraduate loan deductions. */
  readonly s: number;
  readonly g: number;
  /** Events seen: 24 hex digits each, 16 of the id and 8 of the hash, oldest first. */
  readonly h: string;
  /** Latest earnings periods, oldest first. */
  readonly w: readonly PeriodPool[];
  /** Earnings periods that were paid and are no longer in `w`, a character each. */
  readonly o?: string;
  /** Pay and tax taken from a P45. */
  readonly q?: readonly [payPence: number, taxPence: number];
  readonly r?: DirectorState;
}

/**
 * What was paid and taken in one earnings period under one letter. `pay` and `tax` are those of payments on a week 1/month 1 basis; the
 * last two are loan deductions. Parts at the end that are zero are left out.
 */
export type PeriodPool = readonly [
  /** The letter, then the earnings period: `AM1:8`. */
  key: string,
  earnings: number,
  employee: number,
  employer: number,
  pay?: number,
  tax?: number,
  studentLoan?: number,
  postgraduateLoan?: number,
];

/** A director's annual earnings period (paye.md 5.8). */
export interface DirectorState {
  readonly k: 'AN' | 'AL';
  /** Weeks of the earnings period. */
  readonly w: number;
  /** Earnings by letter, and NICs taken, all since appointment. */
  readonly l: Readonly<Partial<Record<NiCategory, number>>>;
  readonly n: number;
  readonly m: number;
}

/** Left where a works number was continued by another, so that its events stay known. */
export interface MovedEmployment {
  readonly moved: true;
  readonly h: string;
}

/** Earnings periods kept in full; a payment into an older one that was paid cannot be pooled any more. */
const POOLS_MAX = 4;
/** Events remembered of one employment in a year: one a day. */
const SEEN_MAX = 366;
const SEEN_LENGTH = 24;
const POOL_CHARACTERS_FROM = 0x100;
const EARNINGS_PERIODS = ['W1', 'W2', 'W4', 'M1', 'M3', 'M6', 'MA'] as const;

export function employmentKey(account: Account, taxYear: string, worksNumber: string): string {
  return `employment|${account}|${taxYear}|${worksNumber}`;
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

/** The pool of a letter in an earnings period (`M1:8`), or undefined where nothing was paid. */
export function poolOf(pools: readonly PeriodPool[], letter: string, periodKey: string): PeriodPool | undefined {
  for (const pool of pools) {
    const key = pool[0];
    if (key.length === periodKey.length + 1 && key.startsWith(letter) && key.endsWith(periodKey)) return pool;
  }
  return undefined;
}

/** True where an earnings period was paid and is no longer remembered. */
export function isForgotten(state: EmploymentState, periodKey: string): boolean {
  return state.o?.includes(poolCharacter(periodKey)) === true;
}

/** Totals of an earnings period under every letter, pence. */
export interface PeriodTotals {
  readonly earningsPence: number;
  /** Pay and tax of payments on a week 1/month 1 basis. */
  readonly payPence: number;
  readonly taxPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
}

export function periodTotalsOf(pools: readonly PeriodPool[], periodKey: string): PeriodTotals {
  const totals = { earningsPence: 0, payPence: 0, taxPence: 0, studentLoanPence: 0, postgraduateLoanPence: 0 };
  for (const [key, earnings, , , pay = 0, tax = 0, studentLoan = 0, postgraduateLoan = 0] of pools) {
    if (key.slice(1) !== periodKey) continue;
    totals.earningsPence += earnings;
    totals.payPence += pay;
    totals.taxPence += tax;
    totals.studentLoanPence += studentLoan;
    totals.postgraduateLoanPence += postgraduateLoan;
  }
  return totals;
}

/** Pools with one added or replaced; beyond the limit the oldest is dropped, and its character is the second part. */
export function withPool(
  pools: readonly PeriodPool[],
  replaced: PeriodPool | undefined,
  pool: PeriodPool,
): { readonly w: readonly PeriodPool[]; readonly dropped: string } {
  if (replaced !== undefined) return { w: pools.map((other) => (other === replaced ? pool : other)), dropped: '' };
  if (pools.length < POOLS_MAX) return { w: [...pools, pool], dropped: '' };
  const [oldest, ...kept] = pools;
  return { w: [...kept, pool], dropped: oldest === undefined ? '' : poolCharacter(oldest[0].slice(1)) };
}

function poolCharacter(key: string): string {
  const family = EARNINGS_PERIODS.indexOf(key.slice(0, 2) as (typeof EARNINGS_PERIODS)[number]);
  return String.fromCharCode(POOL_CHARACTERS_FROM + family * 64 + Number(key.slice(3)));
}

/** Eight hex digits as 32 bits. */
function word(hex: string, at: number): number {
  return Number.parseInt(hex.slice(at, at + 8), 16);
}

function rotated(bits: number, by: number): number {
  return (bits << by) | (bits >>> (32 - by));
}

function hex8(bits: number): string {
  return (bits >>> 0).toString(16).padStart(8, '0');
}
