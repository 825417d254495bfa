import type { Fault } from '../errors/fault.ts';
import { isUuid } from '../identity/event-id.ts';
import {
  checkTillEnvelope,
  checkTillLinks,
  checkTillTakings,
  rateDayOf,
  regionOf,
  type TillFields,
} from './check-till.ts';
import type { RateSource } from './check-till-lines.ts';
import { CLOCK_AHEAD_MAX_MS } from './vat-limits.ts';
import type { VatRules } from './vat-rules.ts';

/** The sale that a refund or void names, as far as the checker is told. */
export interface TillOriginal {
  readonly totalPence: number;
  /** Its civil day in the United Kingdom, days since 1970: whose rates the refund has. */
  readonly day: number;
  readonly vrn: string;
  readonly refundedPence: number;
  readonly voided: boolean;
  readonly zClosed: boolean;
}

/** What was before an event. Null: not known, and what needs it is not checked. */
export interface TillContext {
  readonly lastSeq: number | null;
  readonly lastHash: string | null;
  readonly receivedAtMs: number | null;
  /** Event ids (UUIDs) already seen. */
  readonly seenIds: ReadonlySet<string>;
  /** Event ids that may be named as an original. */
  readonly knownIds: ReadonlySet<string> | null;
  readonly original: TillOriginal | null;
}

const ENVELOPE = ['schema', 'eventId', 'vrn', 'tillId', 'seq', 'prevHash', 'type', 'occurredAt', 'currency'] as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * Every code of vat-tables.json that applies to a till's event as JSON, refusing codes and flags alike, each once and in the order in
 * which they are checked (vat.md section 9).
 */
export function checkTillEvent(json: unknown, context: TillContext, rules: VatRules): readonly string[] {
  const faults: Fault[] = [];
  if (!isJsonObject(json)) return ['E_JSON'];
  if (!checkMissingFields(json, faults)) return faults.map((fault) => fault.code);
  checkIdentity(json, faults);
  const fields = tillFieldsOf(json);
  const time = checkTillEnvelope(fields, faults);
  checkSequence(fields, context, faults);
  if (context.receivedAtMs !== null && time.occurredAtMs > context.receivedAtMs + CLOCK_AHEAD_MAX_MS) {
    faults.push({ code: 'E_TIME_FUTURE', pointer: '/occurredAt', detail: 'more than 300 s ahead of receipt' });
  }
  if (typeof json.eventId === 'string' && context.seenIds.has(json.eventId)) {
    faults.push({ code: 'E_DUPLICATE_EVENT', pointer: '/eventId', detail: 'this event id was seen before' });
  }
  const ownDay = rateDayOf(fields, time, faults);
  const day = context.original?.day ?? ownDay;
  const source: RateSource = Number.isNaN(day)
    ? { by: 'none' }
    : { by: 'day', rules, day, region: regionOf(fields.region) };
  checkTillTakings(fields, source, faults);
  checkTillLinks(fields, faults);
  checkOriginal(fields, context, faults);
  return [...new Set(faults.map((fault) => fault.code))];
}

/** Adds a fault for each field of the envelope that is absent; true where none is. */
export function checkMissingFields(json: Json, faults: Fault[]): boolean {
  const missing = ENVELOPE.filter((name) => json[name] === undefined);
  for (const name of missing) {
    faults.push({ code: `E_MISSING_FIELD:${name}`, pointer: `/${name}`, detail: 'this field is required' });
  }
  return missing.length === 0;
}

export function checkIdentity(json: Json, faults: Fault[]): void {
  if (json.schema !== 1) faults.push({ code: 'E_SCHEMA_VERSION', pointer: '/schema', detail: '1' });
  if (typeof json.eventId !== 'string' || !isUuid(json.eventId)) {
    faults.push({ code: 'E_EVENT_ID', pointer: '/eventId', detail: 'a lower-case UUID' });
  }
}

export function tillFieldsOf(json: Json): TillFields {
  return {
    vrn: json.vrn,
    tillId: json.tillId,
    seq: json.seq,
    prevHash: json.prevHash,
    type: json.type,
    occurredAt: json.occurredAt,
    currency: json.currency,
    region: json.region,
    lines: json.lines,
    totalPence: json.totalPence,
    vatPence: json.vatPence,
    payments: json.payments,
    originalEventId: json.originalEventId,
    unlinkedReason: json.unlinkedReason,
    claimedDate: json.claimedDate,
  };
}

export function isJsonObject(json: unknown): json is Json {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function checkSequence(fields: TillFields, context: TillContext, faults: Fault[]): void {
  const { lastSeq, lastHash } = context;
  if (lastSeq === null || !Number.isSafeInteger(fields.seq)) return;
  const seq = fields.seq as number;
  if (seq <= lastSeq) {
    faults.push({ code: 'E_SEQ_REPLAY', pointer: '/seq', detail: `the last accepted was ${lastSeq}` });
  } else if (seq > lastSeq + 1) {
    faults.push({ code: 'E_SEQ_GAP', pointer: '/seq', detail: `the last accepted was ${lastSeq}` });
  } else if (lastHash !== null && typeof fields.prevHash === 'string' && fields.prevHash !== lastHash) {
    faults.push({ code: 'E_CHAIN_BROKEN', pointer: '/prevHash', detail: 'not the hash of the event before' });
  }
}

function checkOriginal(fields: TillFields, context: TillContext, faults: Fault[]): void {
  const { type, originalEventId, totalPence } = fields;
  if ((type !== 'REFUND' && type !== 'VOID') || originalEventId === undefined || originalEventId === null) return;
  const add = (code: string, detail: string) => faults.push({ code, pointer: '/originalEventId', detail });
  if (context.knownIds !== null && !context.knownIds.has(String(originalEventId))) {
    add('E_ORIGINAL_UNKNOWN', 'no such sale is known');
    return;
  }
  const { original } = context;
  if (original === null) return;
  if (original.voided) add('E_ALREADY_VOIDED', 'the sale was voided');
  if (type === 'VOID' && original.zClosed) add('E_VOID_AFTER_Z', 'after the Z report it must be a refund');
  if (original.vrn !== fields.vrn) add('E_ORIGINAL_OTHER_TRADER', 'the sale belongs to another trader');
  if (typeof totalPence !== 'number') return;
  if (-totalPence > original.totalPence - original.refundedPence) add('E_REFUND_EXCEEDS', 'more than what remains');
  if (type === 'VOID' && -totalPence !== original.totalPence) add('E_VOID_NOT_EXACT', 'not the exact negation');
}
