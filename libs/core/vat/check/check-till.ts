import { FIRST_EVENT_DATE, isEventDate, isEventDay, LAST_EVENT_DATE } from '../../calendar/event-date.ts';
import { dayNumber } from '../../calendar/local-date.ts';
import { epochMsOfRfc3339, londonDayNumber, timeFault } from '../../calendar/london-time.ts';
import { codeAt } from '../../encoding/code-at.ts';
import type { Fault } from '../../errors/fault.ts';
import type { VatRegion } from '../../events/vat-events.ts';
import { vrnCheckDigits } from '../../identity/vrn.ts';
import { vatWithin } from '../rates/vat-rate.ts';
import { refundedOfRate } from '../state/remembered-sale.ts';
import { checkTillLines, type LineSign, type LinesReading, type RateSource } from './check-till-lines.ts';

/** The fields of a till's event (vat.md section 9), from JSON or from the log: each may be anything. */
export interface TillFields {
  readonly vrn: unknown;
  readonly tillId: unknown;
  readonly seq: unknown;
  readonly prevHash: unknown;
  readonly type: unknown;
  readonly occurredAt: unknown;
  readonly currency: unknown;
  readonly region: unknown;
  readonly lines: unknown;
  readonly totalPence: unknown;
  readonly vatPence: unknown;
  readonly payments: unknown;
  readonly originalEventId: unknown;
  readonly unlinkedReason: unknown;
  readonly claimedDate: unknown;
}

/** When an event happened: its instant and its civil day in the United Kingdom, both NaN where the time cannot be read. */
export interface TillTime {
  readonly occurredAtMs: number;
  readonly day: number;
}

const VRN = /^\d{9}$/;
const TILL_ID = /^[A-Za-z0-9_-]{1,32}$/;
const HASH_DIGITS = 64;
const TIME_RANGE = `a time of a day from ${FIRST_EVENT_DATE} to ${LAST_EVENT_DATE} in the United Kingdom`;
const [ZERO, NINE, LETTER_A, LETTER_F] = [48, 57, 97, 102];
/** Types with lines: what they take or give back. */
const SIGNS: ReadonlyMap<unknown, LineSign> = new Map<unknown, LineSign>([
  ['SALE', 1],
  ['REFUND', -1],
  ['VOID', -1],
]);
const REPORTS: ReadonlySet<unknown> = new Set(['NO_SALE', 'X_REPORT', 'Z_REPORT']);

/** Checks what needs nothing but the envelope, in the order of vat-tables.json; faults are added to the list. */
export function checkTillEnvelope(fields: TillFields, faults: Fault[]): TillTime {
  const { tillId, seq, prevHash } = fields;
  checkVrn(fields.vrn, faults);
  if (typeof tillId !== 'string' || !TILL_ID.test(tillId)) {
    faults.push(fault('E_TILL_ID', '/tillId', '1 to 32 of A-Z a-z 0-9 _ -'));
  }
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) {
    faults.push(fault('E_SEQ_INVALID', '/seq', 'a whole number from 1'));
  } else if (seq === 1 && prevHash !== null) {
    faults.push(fault('E_PREVHASH_FORBIDDEN', '/prevHash', 'null where seq is 1'));
  } else if (seq !== 1 && prevHash === null) {
    faults.push(fault('E_PREVHASH_REQUIRED', '/prevHash', 'the hash of the event before'));
  }
  if (prevHash !== null && !(typeof prevHash === 'string' && isHash(prevHash))) {
    faults.push(fault('E_PREVHASH_FORMAT', '/prevHash', '64 lower-case hex digits'));
  }
  if (!SIGNS.has(fields.type) && !REPORTS.has(fields.type)) {
    faults.push(fault('E_EVENT_TYPE', '/type', 'SALE, REFUND, VOID, NO_SALE, X_REPORT or Z_REPORT'));
  }
  const time = readTime(fields.occurredAt, faults);
  if (fields.currency !== 'GBP') faults.push(fault('E_CURRENCY', '/currency', 'GBP'));
  return time;
}

/** By its characters, not by a regular expression: each event's hash of the one before comes through here. */
function isHash(text: string): boolean {
  if (text.length !== HASH_DIGITS) return false;
  for (let index = 0; index < HASH_DIGITS; index += 1) {
    const code = codeAt(text, index);
    if (!((code >= ZERO && code <= NINE) || (code >= LETTER_A && code <= LETTER_F))) return false;
  }
  return true;
}

/** Checks the trader's own registration number: nine digits and their check digits. Faults are added to the list. */
export function checkVrn(vrn: unknown, faults: Fault[]): void {
  if (typeof vrn !== 'string' || !VRN.test(vrn)) {
    faults.push(fault('E_VRN_INVALID', '/vrn', 'nine digits'));
  } else if (vrnCheckDigits(vrn) === null) {
    faults.push(fault('E_VRN_CHECK_DIGITS', '/vrn', 'the check digits are wrong'));
  }
}

/**
 * The day (days since 1970) whose rates an event has by itself: its own, or the one claimed for a refund without a sale. NaN where it
 * cannot be read. A claimed date is a date not after the event's own, and stands on a refund without a sale alone.
 */
export function rateDayOf(fields: TillFields, time: TillTime, faults: Fault[]): number {
  const { claimedDate } = fields;
  if (claimedDate === undefined || claimedDate === null) return time.day;
  const unlinked = fields.type === 'REFUND' && isAbsent(fields.originalEventId);
  if (!isEventDate(claimedDate) || !unlinked || dayNumber(claimedDate) > time.day) {
    const detail = 'a date not after the event, on a refund that names no sale';
    faults.push(fault('E_CLAIMED_DATE', '/claimedDate', detail));
    return time.day;
  }
  return dayNumber(claimedDate);
}

/** Checks lines, totals, VAT and payments of a SALE, REFUND or VOID; null for an event without takings. Faults are added to the list. */
export function checkTillTakings(fields: TillFields, source: RateSource, faults: Fault[]): LinesReading | null {
  const isReport = REPORTS.has(fields.type);
  const badRegion = !isAbsent(fields.region) && fields.region !== 'GB' && fields.region !== 'NI';
  if (badRegion) faults.push(fault('E_REGION', '/region', 'GB or NI'));
  if (isReport) return null;
  const reading = checkTillLines(fields.lines, SIGNS.get(fields.type) ?? 0, source, faults);
  if (reading.hopeless || badRegion) return reading;
  checkTotals(fields, source, reading, faults);
  return reading;
}

/** Checks whether an event names a sale where it must and only where it may. */
export function checkTillLinks(fields: TillFields, faults: Fault[]): void {
  const { type, originalEventId, unlinkedReason } = fields;
  const linked = !isAbsent(originalEventId);
  if (type === 'SALE' && linked) {
    faults.push(fault('E_ORIGINAL_FORBIDDEN', '/originalEventId', 'a sale names no original'));
  }
  const reasoned = type === 'REFUND' && typeof unlinkedReason === 'string' && unlinkedReason !== '';
  if ((type === 'REFUND' || type === 'VOID') && !linked && !reasoned) {
    const detail = type === 'VOID' ? 'a void names its sale' : 'a refund names its sale or gives an unlinkedReason';
    faults.push(fault('E_ORIGINAL_REQUIRED', '/originalEventId', detail));
  }
}

/** The region whose rates an event has; Great Britain where it says none. */
export function regionOf(region: unknown): VatRegion {
  return region === 'NI' ? 'NI' : 'GB';
}

function readTime(occurredAt: unknown, faults: Fault[]): TillTime {
  const occurredAtMs = typeof occurredAt === 'string' ? epochMsOfRfc3339(occurredAt) : Number.NaN;
  const day = Number.isNaN(occurredAtMs) ? Number.NaN : londonDayNumber(occurredAtMs);
  if (isEventDay(day)) return { occurredAtMs, day };
  const code = (typeof occurredAt === 'string' ? timeFault(occurredAt) : null) ?? 'E_TIME_FORMAT';
  const detail = Number.isNaN(day) ? 'RFC 3339 with its offset, such as 2026-11-21T10:15:00Z' : TIME_RANGE;
  faults.push(fault(code, '/occurredAt', detail));
  return { occurredAtMs, day: Number.NaN };
}

function checkTotals(fields: TillFields, source: RateSource, reading: LinesReading, faults: Fault[]): void {
  const { totalPence, vatPence, payments } = fields;
  if (totalPence !== reading.totalPence) {
    const sum = `the lines sum to ${reading.totalPence}`;
    const detail = Number.isSafeInteger(totalPence) ? sum : `whole pence as a number; ${sum}`;
    faults.push(fault('E_TOTAL_MISMATCH', '/totalPence', detail));
  }
  if (source.by !== 'none' && !isAbsent(vatPence) && !isVatOfLines(vatPence, source, reading)) {
    const detail = `the VAT of the lines, rounded once per rate, is ${vatOf(reading)}`;
    faults.push(fault('E_VAT_MISMATCH', '/vatPence', detail));
  }
  if (sumOfPayments(payments) !== reading.totalPence) {
    faults.push(fault('E_PAYMENT_MISMATCH', '/payments', `the payments sum to the total, ${reading.totalPence}`));
  }
}

function vatOf(reading: LinesReading): number {
  let sum = 0;
  for (let index = 0; index < reading.rates.length; index += 1) {
    const rate = reading.rates[index];
    if (rate !== undefined) sum += vatWithin(reading.grossPence[index] ?? 0, rate);
  }
  return sum;
}

/**
 * A refund in parts may state its VAT rounded by itself or cumulatively, so that the parts sum to what the sale bore (vat.md 4.3):
 * both are right.
 */
function isVatOfLines(vatPence: unknown, source: RateSource, reading: LinesReading): boolean {
  if (vatPence === vatOf(reading)) return true;
  if (source.by !== 'sale') return false;
  let cumulative = 0;
  reading.rates.forEach((rate, index) => {
    const before = refundedOfRate(source.sale, rate.key);
    cumulative += vatWithin(before, rate) - vatWithin(before - (reading.grossPence[index] ?? 0), rate);
  });
  return vatPence === cumulative;
}

function sumOfPayments(payments: unknown): number {
  if (isAbsent(payments)) return 0;
  if (!Array.isArray(payments)) return Number.NaN;
  let sum = 0;
  for (const payment of payments) {
    const amount: unknown = (payment as { readonly amountPence?: unknown } | null)?.amountPence;
    if (!Number.isSafeInteger(amount)) return Number.NaN;
    sum += amount as number;
  }
  return sum;
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}

function fault(code: string, pointer: string, detail: string): Fault {
  return { code, pointer, detail };
}
