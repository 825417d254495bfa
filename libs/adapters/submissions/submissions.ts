import { hash as digest } from 'node:crypto';
import type { LocalDate } from '../../core/calendar/local-date.ts';
import { canonicalJson } from '../../core/encoding/canonical-json.ts';
import { isJsonObject } from '../../core/encoding/json-object.ts';
import type { Fault } from '../../core/errors/fault.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { MoneyMoved } from '../../core/events/payment-events.ts';
import type { TaxEvent } from '../../core/events/tax-event.ts';
import type { VatEvent } from '../../core/events/vat-events.ts';
import { account } from '../../core/identity/account.ts';
import { eventId, type PersonToken } from '../../core/identity/event-id.ts';
import { pence } from '../../core/money/pence.ts';
import { dateFaultsOf } from '../../core/tax/check-dates.ts';
import { checkMoneyMoved } from '../../core/tax/check-money-moved.ts';
import type { TaxRules } from '../../core/tax/decide-event.ts';
import { checkVatSubmission } from '../../core/vat/check/check-vat-submission.ts';
import {
  adjustmentOf,
  deregistrationOfJson,
  periodClosedOf,
  purchaseOf,
  registrationOfJson,
  tillEventOf,
} from '../../core/vat/check/read-vat-submission.ts';
import { EVENTS_PER_REQUEST_MAX } from '../http/limits.ts';
import { readPayeSubmission } from './paye-submission.ts';

/** The doors of the gateway: `/v1/paye/events`, `/v1/vat/events`, `/v1/payments`. */
export type Door = 'paye' | 'vat' | 'payments';

/** An event as a sender wrote it, read and checked, before it is received: without time of receipt and person token. */
export interface Draft {
  /** Its place in the request. */
  readonly index: number;
  /** `receivedAtMs` is 0 and `person` zeros: what stands in them is set by `eventOf`. */
  readonly event: TaxEvent;
  /** Without its spaces; never to leave the gateway. */
  readonly nino: string | null;
}

/** A draft that can be read but is at fault by the rules in force: maybe not by those under which it was received before. */
export interface DoubtfulDraft {
  readonly draft: Draft;
  /** Those of `faults` that are its own. */
  readonly faults: readonly Fault[];
}

export interface ReadSubmissions {
  /** Without any fault. */
  readonly drafts: readonly Draft[];
  /** Every fault of all events. */
  readonly faults: readonly Fault[];
  /**
   * At fault in nothing but what the rates say. Rates may change between a first sending and its repeat: whoever knows the very event
   * already takes it for the one that it was.
   */
  readonly doubtful: readonly DoubtfulDraft[];
}

/**
 * Reads the body of a request, one event or an array of them: the drafts of those without fault, and every fault of all, each with a
 * JSON pointer into the body. The gateway, the payer's node and the command line read by this same function.
 * Codes beside those of the fields: NO_EVENTS, TOO_MANY_EVENTS, E_JSON, UNKNOWN_FIELD, FIELD_MISSING, FIELD_TYPE, FIELD_TEXT.
 *
 * @param receivedAtMs when a door receives it: dates are held to it. Null: it was received before, its dates are taken as they are.
 */
export function readSubmissions(
  door: Door,
  json: unknown,
  rules: TaxRules,
  receivedAtMs: number | null = null,
): ReadSubmissions {
  const at = { rules, receivedAtMs };
  if (!Array.isArray(json)) return readAll(door, [json], () => '', at);
  if (json.length === 0) return nothing('NO_EVENTS', 'expected at least one event');
  if (json.length > EVENTS_PER_REQUEST_MAX) {
    const detail = `expected at most ${EVENTS_PER_REQUEST_MAX} events in a request, not ${json.length}`;
    return nothing('TOO_MANY_EVENTS', detail);
  }
  return readAll(door, json, (index) => `/${index}`, at);
}

/** By what a submission is judged. */
interface JudgedBy {
  readonly rules: TaxRules;
  readonly receivedAtMs: number | null;
}

/** The fault of an event whose id its sender gave to another event before. */
export function idConflict(pointer: string): Fault {
  const detail = 'this event id is known with another body: a new event needs a new id';
  return { code: 'EVENT_ID_CONFLICT', pointer: `${pointer}/eventId`, detail };
}

/** The event of a draft as it is appended. `person` counts for payments alone. */
export function eventOf(
  draft: Draft,
  receipt: { readonly receivedAtMs: number; readonly person: PersonToken | null },
): TaxEvent {
  const { event } = draft;
  if (event.type !== 'PaymentMade') return { ...event, receivedAtMs: receipt.receivedAtMs };
  if (receipt.person === null) throw new TallyError('PERSON_MISSING', 'a payment needs the token of its person', {});
  return { ...event, receivedAtMs: receipt.receivedAtMs, person: receipt.person };
}

function readAll(
  door: Door,
  list: readonly unknown[],
  pointerOf: (index: number) => string,
  at: JudgedBy,
): ReadSubmissions {
  const drafts: Draft[] = [];
  const doubtful: DoubtfulDraft[] = [];
  const faults: Fault[] = [];
  for (const [index, json] of list.entries()) {
    const before = faults.length;
    const read = readOne(door, json, pointerOf(index), at, faults);
    if (read === null) continue;
    const { event, nino } = read;
    // A repeat of what was received in its time is the event that it was.
    if (at.receivedAtMs !== null && faults.length === before) {
      addFaults(dateFaultsOf(event, at.receivedAtMs, at.rules.vat), pointerOf(index), faults);
    }
    if (faults.length === before) drafts.push({ index, event, nino });
    else if (read.isReadable || isOfDates(faults, before))
      doubtful.push({ draft: { index, event, nino }, faults: faults.slice(before) });
  }
  return { drafts, faults, doubtful };
}

function isOfDates(faults: readonly Fault[], from: number): boolean {
  return faults.slice(from).every(({ code }) => DATE_FAULTS.has(code));
}

interface ReadEvent extends Omit<Draft, 'index'> {
  /** False where a fault is of more than the rules in force: then the event is not one. */
  readonly isReadable: boolean;
}

function readOne(door: Door, json: unknown, pointer: string, at: JudgedBy, faults: Fault[]): ReadEvent | null {
  const { rules } = at;
  if (!isJsonObject(json)) {
    faults.push({ code: 'E_JSON', pointer, detail: 'an event is a JSON object' });
    return null;
  }
  switch (door) {
    case 'paye':
      return readPayeSubmission(json, pointer, rules.paye, faults);
    case 'vat':
      return readVat(json, pointer, at, faults);
    case 'payments':
      return addFaults(checkMoneyMoved(json), pointer, faults)
        ? { event: moneyMovedOf(json), nino: null, isReadable: true }
        : null;
  }
}

/** Faults of VAT events that other rates would not find. */
const RATE_FAULTS: ReadonlySet<string> = new Set([
  'E_VAT_MISMATCH',
  'E_RATE_MISMATCH',
  'E_RATE_NOT_IN_FORCE',
  'E_VAT_ABOVE_RATE',
  'E_VAT_NOT_AT_RATE',
]);
/** Faults of dates, which the day of receipt makes. */
const DATE_FAULTS: ReadonlySet<string> = new Set(['PAY_DAY_FUTURE', 'DATE_FUTURE', 'E_DATE_FUTURE', 'E_DATE_PAST']);

function readVat(
  json: Readonly<Record<string, unknown>>,
  pointer: string,
  { rules, receivedAtMs }: JudgedBy,
  faults: Fault[],
): ReadEvent | null {
  const found = checkVatSubmission(json, rules.vat, receivedAtMs);
  addFaults(found, pointer, faults);
  if (!found.every(({ code }) => RATE_FAULTS.has(code))) return null;
  try {
    return { event: vatEventOf(json), nino: null, isReadable: true };
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    // such as half a surrogate pair, of which RFC 8785 has no form to hash
    faults.push({ code: error.code, pointer, detail: error.message });
    return null;
  }
}

function vatEventOf(json: Readonly<Record<string, unknown>>): VatEvent {
  switch (json.type) {
    case 'PurchaseRecorded':
      return purchaseOf(json, { receivedAtMs: 0 });
    case 'VatAdjustmentMade':
      return adjustmentOf(json, { receivedAtMs: 0 });
    case 'VatPeriodClosed':
      return periodClosedOf(json, { receivedAtMs: 0 });
    case 'TraderRegistered':
      return registrationOfJson(json, { receivedAtMs: 0 });
    case 'TraderDeregistered':
      return deregistrationOfJson(json, { receivedAtMs: 0 });
    default:
      return tillEventOf(json, digest('sha256', canonicalJson(json), 'hex'), { receivedAtMs: 0 });
  }
}

function moneyMovedOf(json: Readonly<Record<string, unknown>>): MoneyMoved {
  return {
    type: 'MoneyMoved',
    eventId: eventId(String(json.eventId)),
    account: account(String(json.account)),
    receivedAtMs: 0,
    direction: json.direction === 'repaid' ? 'repaid' : 'received',
    amountPence: pence(Number(json.amountPence)),
    bookedOn: String(json.bookedOn) as LocalDate,
    reference: json.reference === undefined || json.reference === null ? null : String(json.reference),
  };
}

/** True where nothing is wrong. */
function addFaults(found: readonly Fault[], pointer: string, faults: Fault[]): boolean {
  for (const one of found) faults.push({ ...one, pointer: `${pointer}${one.pointer}` });
  return found.length === 0;
}

function nothing(code: string, detail: string): ReadSubmissions {
  return { drafts: [], faults: [{ code, pointer: '', detail }], doubtful: [] };
}
