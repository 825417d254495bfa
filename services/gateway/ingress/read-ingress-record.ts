import { type Client, type ClientRole, hasRole, mayActFor } from '../../../libs/adapters/access/clients.ts';
import { type LogRecord, RECORD_BYTES_MAX } from '../../../libs/adapters/event-log/event-log.ts';
import { type Door, type ReadSubmissions, readSubmissions } from '../../../libs/adapters/submissions/submissions.ts';
import type { Rejection } from '../../../libs/core/decisions/decision.ts';
import { isJsonObject } from '../../../libs/core/encoding/json-object.ts';
import { parseJson } from '../../../libs/core/encoding/parse-json.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, isAccount } from '../../../libs/core/identity/account.ts';
import { type EventId, eventId, isUuid } from '../../../libs/core/identity/event-id.ts';
import type { TaxRules } from '../../../libs/core/tax/decide-event.ts';
import { personOf } from '../intake/person-tokens.ts';
import type { PreparedEvent } from '../intake/prepared-event.ts';

export interface ReadIngressOptions {
  readonly client: Client;
  readonly personTokenKey: Uint8Array;
  readonly rules: TaxRules;
  /** When the record is read: its dates are held to it. */
  readonly receivedAtMs: number;
}

export type IngressReading = { readonly kind: 'event'; readonly prepared: PreparedEvent } | Refused;

interface Refused {
  readonly kind: 'refused';
  readonly rejection: Rejection;
}

/** Faults named in one dead letter. */
const FAULTS_NAMED_MAX = 20;

const ROLES: Readonly<Record<Door, readonly ClientRole[]>> = {
  paye: ['payer', 'operator'],
  vat: ['payer', 'operator'],
  payments: ['bank'],
};

/**
 * One record of a client's ingress topic: the JSON of one event as `POST /v1/paye/events`, `/v1/vat/events` or `/v1/payments` take it,
 * checked by the same functions, and its client's binding to the account. Codes beside those of HTTP: RECORD_EMPTY, RECORD_TOO_LARGE,
 * DOOR_UNKNOWN, RECORD_UNREADABLE. A refusal holds no value of the record: codes and the names of fields that the house knows.
 * It never throws: whatever the reading of a record says that no rule of its own foresaw is the refusal of that record, and the next goes on.
 *
 * @param index place of the record in its batch, by which a conflict of ids is told.
 */
export function readIngressRecord(record: LogRecord, index: number, options: ReadIngressOptions): IngressReading {
  try {
    return readRecord(record, index, options);
  } catch (error) {
    return refusedWhole(options.client, error instanceof TallyError ? error.code : 'RECORD_UNREADABLE');
  }
}

function readRecord(record: LogRecord, index: number, options: ReadIngressOptions): IngressReading {
  const { client, personTokenKey } = options;
  const json = jsonOf(record);
  if (typeof json === 'string') return refusedWhole(client, json);
  if (!isJsonObject(json)) return refusedWhole(client, 'E_JSON');
  const about = { account: accountOf(json, client), eventId: eventIdOf(json) };
  const door = doorOf(json);
  if (door === null) return refused(client, about, [faultOf('DOOR_UNKNOWN')]);
  if (!ROLES[door].some((role) => hasRole(client, role))) return refused(client, about, [faultOf('ROLE_MISSING')]);
  const { drafts, faults } = readAtDoor(door, json, options);
  const [draft] = drafts;
  if (draft === undefined) return refused(client, about, faults);
  if (!mayActFor(client, draft.event.account)) return refused(client, about, [faultOf('ACCOUNT_NOT_YOURS')]);
  return { kind: 'event', prepared: { draft: { ...draft, index }, person: personOf(draft, personTokenKey) } };
}

/** The refusal of an event that was read well and is not taken: its id is known with another body, or it has no form in the log. */
export function refusalOf({ draft }: PreparedEvent, client: Client, code: string): Rejection {
  const { account, eventId: id } = draft.event;
  const pointer = code === 'EVENT_ID_CONFLICT' ? '/eventId' : '';
  return rejectionOf(client, { account, eventId: id }, [{ ...faultOf(code), pointer }]);
}

/** What the door's own functions say; where they throw, that is the fault of the one event that they were given. */
function readAtDoor(
  door: Door,
  json: Readonly<Record<string, unknown>>,
  { rules, receivedAtMs }: ReadIngressOptions,
): Pick<ReadSubmissions, 'drafts' | 'faults'> {
  try {
    return readSubmissions(door, json, rules, receivedAtMs);
  } catch (error) {
    return { drafts: [], faults: [faultOf(error instanceof TallyError ? error.code : 'RECORD_UNREADABLE')] };
  }
}

/** The parsed value, or the code of why there is none. */
function jsonOf(record: LogRecord): unknown {
  if (record.value === null || record.value.length === 0) return 'RECORD_EMPTY';
  // a small compressed batch may hold a large record
  if (record.value.length > RECORD_BYTES_MAX) return 'RECORD_TOO_LARGE';
  try {
    const json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(record.value));
    return typeof json === 'string' ? 'E_JSON' : json;
  } catch (error) {
    return error instanceof TallyError ? error.code : 'NOT_JSON';
  }
}

/** Which door the event would have been posted to, by the field that names its account. */
function doorOf(json: Readonly<Record<string, unknown>>): Door | null {
  if (Object.hasOwn(json, 'payeReference')) return 'paye';
  if (Object.hasOwn(json, 'vrn')) return 'vat';
  return Object.hasOwn(json, 'account') ? 'payments' : null;
}

/** The account that the record names, where its client acts for it: nobody is told of another's. */
function accountOf(json: Readonly<Record<string, unknown>>, client: Client): Account | null {
  const { payeReference, vrn, account } = json;
  const named = [`paye:${String(payeReference)}`, `vat:${String(vrn)}`, String(account)].find(isAccount);
  return named !== undefined && mayActFor(client, named) ? named : null;
}

function eventIdOf(json: Readonly<Record<string, unknown>>): EventId | null {
  return typeof json.eventId === 'string' && isUuid(json.eventId) ? eventId(json.eventId) : null;
}

interface About {
  readonly account: Account | null;
  readonly eventId: EventId | null;
}

function refusedWhole(client: Client, code: string): Refused {
  return refused(client, { account: null, eventId: null }, [faultOf(code)]);
}

function refused(client: Client, about: About, faults: readonly Fault[]): Refused {
  return { kind: 'refused', rejection: rejectionOf(client, about, faults) };
}

function rejectionOf(client: Client, about: About, faults: readonly Fault[]): Rejection {
  const named = faults.slice(0, FAULTS_NAMED_MAX).map((fault) => `${fault.code} ${knownPart(fault)}`.trim());
  return {
    ...about,
    code: faults[0]?.code ?? 'INPUT_INVALID',
    facts: { client: client.id, faults: named.join('; '), faultCount: String(faults.length) },
    receivedAtMs: null,
  };
}

/**
 * The part of a fault's pointer whose names are ours: a sender may write anything as the name of a field, and what stands in a dead
 * letter is kept for ever. The first name is ours unless the fault is that it is not; so are those within lines and payments.
 */
function knownPart({ code, pointer }: Fault): string {
  const parts = pointer.split('/').slice(1);
  if (code === 'UNKNOWN_FIELD') parts.pop();
  const kept = parts[0] === 'lines' || parts[0] === 'payments' ? parts.slice(0, 3) : parts.slice(0, 1);
  return kept.map((part) => `/${part}`).join('');
}

function faultOf(code: string): Fault {
  return { code, pointer: '', detail: '' };
}
