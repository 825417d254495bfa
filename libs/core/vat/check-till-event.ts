import type { Fault } from '../errors/fault.ts';
import { isUuid } from '../identity/event-id.ts';
import {
  checkTillEnvelope,
  checkTillLinks,
  checkTillTakings,
  rateDayOf,
  regionOf,
  type TillFields,
  type TillTime,
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
  if (!isJsonObject(json)) return ['E_JSON'];
  const own: Fault[] = [];
  if (!checkMissingFields(json, own)) return codesOf(own);
  checkIdentity(json, own);
  const fields = tillFieldsOf(json);
  const time = checkTillEnvelope(fields, own);
  const taken: Fault[] = [];
  const ownDay = rateDayOf(fields, time, taken);
  const day = context.original?.day ?? ownDay;
  const source: RateSource = Number.isNaN(day)
    ? { by: 'none' }
    : { by: 'day', rules, day, region: regionOf(fields.region) };
  checkTillTakings(fields, source, taken);
  checkTillLinks(fields, taken);
  const codes = [
    ...codesOf(own),
    ...codesBefore(json.eventId, fields, time, context),
    ...codesOf(taken),
    ...codesOfOriginal(fields, context),
  ];
  return [...new Set(codes)];
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

function codesOf(faults: readonly Fault[]): readonly string[] {
  return faults.map((fault) => fault.code);
}

/** How an event fits what its till sent before, and the clock of whoever received it. */
function codesBefore(eventId: unknown, fields: TillFields, time: TillTime, context: TillContext): readonly string[] {
  const codes: string[] = [];
  const { lastSeq, lastHash, receivedAtMs } = context;
  if (lastSeq !== null && Number.isSafeInteger(fields.seq)) {
    const seq = fields.seq as number;
    if (seq <= lastSeq) codes.push('E_SEQ_REPLAY');
    else if (seq > lastSeq + 1) codes.push('E_SEQ_GAP');
    else if (lastHash !== null && typeof fields.prevHash === 'string' && fields.prevHash !== lastHash) {
      codes.push('E_CHAIN_BROKEN');
    }
  }
  if (receivedAtMs !== null && time.occurredAtMs > receivedAtMs + CLOCK_AHEAD_MAX_MS) codes.push('E_TIME_FUTURE');
  if (context.seenIds.has(String(eventId))) codes.push('E_DUPLICATE_EVENT');
  return codes;
}

/** How a refund or void fits the sale that it names. */
function codesOfOriginal(fields: TillFields, context: TillContext): readonly string[] {
  const { type, originalEventId, totalPence } = fields;
  if ((type !== 'REFUND' && type !== 'VOID') || originalEventId === undefined || originalEventId === null) return [];
  if (context.knownIds !== null && !context.knownIds.has(String(originalEventId))) return ['E_ORIGINAL_UNKNOWN'];
  const { original } = context;
  if (original === null) return [];
  const codes: string[] = [];
  if (original.voided) codes.push('E_ALREADY_VOIDED');
  if (type === 'VOID' && original.zClosed) codes.push('E_VOID_AFTER_Z');
  if (original.vrn !== fields.vrn) codes.push('E_ORIGINAL_OTHER_TRADER');
  if (typeof totalPence !== 'number') return codes;
  if (-totalPence > original.totalPence - original.refundedPence) codes.push('E_REFUND_EXCEEDS');
  if (type === 'VOID' && -totalPence !== original.totalPence) codes.push('E_VOID_NOT_EXACT');
  return codes;
}
