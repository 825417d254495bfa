import { isJsonObject } from '../../encoding/json-object.ts';
import { isPrintableText } from '../../encoding/printable-text.ts';
import type { Fault } from '../../errors/fault.ts';
import { TILL_EVENT_TYPES } from '../../events/vat-events.ts';
import { isUuid } from '../../identity/event-id.ts';
import {
  CATEGORY_LENGTH_MAX,
  DECIMAL_LENGTH_MAX,
  LINE_ID_LENGTH_MAX,
  METHOD_LENGTH_MAX,
  REASON_LENGTH_MAX,
  TILL_LINES_MAX,
  TILL_TENDERS_MAX,
} from '../rates/limits.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { checkAdjustmentFields } from './check-adjustment.ts';
import { checkCloseDates } from './check-close.ts';
import { checkPurchaseFields } from './check-purchase.ts';
import { checkDeregistrationFields, checkRegistrationFields } from './check-registration.ts';
import {
  checkTillEnvelope,
  checkTillLinks,
  checkTillTakings,
  checkVrn,
  rateDayOf,
  regionOf,
  type TillFields,
  type TillTime,
} from './check-till.ts';
import { checkIdentity, checkMissingFields, tillFieldsOf } from './check-till-event.ts';
import type { RateSource } from './check-till-lines.ts';
import { checkTillTime, plausibleTime } from './till-time.ts';

type Json = Readonly<Record<string, unknown>>;

const TILL_FIELDS: ReadonlySet<string> = new Set([
  'schema',
  'eventId',
  'vrn',
  'tillId',
  'seq',
  'prevHash',
  'type',
  'occurredAt',
  'currency',
  'region',
  'lines',
  'totalPence',
  'vatPence',
  'payments',
  'originalEventId',
  'unlinkedReason',
  'claimedDate',
]);
const LINE_FIELDS: ReadonlySet<string> = new Set(['id', 'category', 'qty', 'ratePct', 'paidPence']);
const TENDER_FIELDS: ReadonlySet<string> = new Set(['method', 'amountPence']);
const PURCHASE_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'eventId',
  'vrn',
  'kind',
  'taxPoint',
  'netPence',
  'vatPence',
  'recoverableBasisPoints',
  'supplierVrn',
  'reference',
]);
const TILL_TYPES: ReadonlySet<unknown> = new Set(TILL_EVENT_TYPES);
const ADJUSTMENT_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'eventId',
  'vrn',
  'kind',
  'taxPoint',
  'netPence',
  'vatPence',
  'recoverableBasisPoints',
  'reference',
  'ratePct',
  'costPence',
  'dearestItemPence',
]);
const CLOSE_FIELDS: ReadonlySet<string> = new Set(['type', 'eventId', 'vrn', 'periodStart', 'periodEnd', 'close']);
const REGISTRATION_FIELDS: ReadonlySet<string> = new Set([
  'type',
  'eventId',
  'vrn',
  'validFrom',
  'registeredOn',
  'cadence',
  'annualEndMonth',
  'scheme',
  'flatRateSector',
  'limitedCostTest',
  'majorityRatePct',
  'cashAccounting',
  'interimPayments',
  'poundsRule',
  'unpaidOverSixMonths',
]);

const DEREGISTRATION_FIELDS: ReadonlySet<string> = new Set(['type', 'eventId', 'vrn', 'deregisteredOn']);

/**
 * Every fault of one element of `POST /v1/vat/events` (docs/http-api.md) that needs no state, with JSON pointers.
 *
 * @param rules null: categories, rates and VAT are left to tax.
 * @param receivedAtMs null: a till's time is taken as it is, however far it lies from now.
 */
export function checkVatSubmission(
  json: unknown,
  rules: VatRules | null = null,
  receivedAtMs: number | null = null,
): readonly Fault[] {
  if (!isJsonObject(json)) return [fault('E_JSON', '', 'an event is a JSON object')];
  switch (json.type) {
    case 'PurchaseRecorded':
      return checkOther(json, PURCHASE_FIELDS, (fields, faults) => checkPurchaseFields(fields, rules, faults));
    case 'VatAdjustmentMade':
      return checkOther(json, ADJUSTMENT_FIELDS, (fields, faults) => checkAdjustmentFields(fields, rules, faults));
    case 'VatPeriodClosed':
      return checkOther(json, CLOSE_FIELDS, checkCloseFields);
    case 'TraderRegistered':
      return checkOther(json, REGISTRATION_FIELDS, (fields, faults) => checkRegistrationFields(fields, rules, faults));
    case 'TraderDeregistered':
      return checkOther(json, DEREGISTRATION_FIELDS, checkDeregistrationFields);
    default:
      return checkTillSubmission(json, rules, receivedAtMs);
  }
}

/** Every fault of a till's event that can be told without state. Its till's sequence and the sale it names are tax's to judge. */
export function checkTillSubmission(
  json: unknown,
  rules: VatRules | null = null,
  receivedAtMs: number | null = null,
): readonly Fault[] {
  if (!isJsonObject(json)) return [fault('E_JSON', '', 'an event is a JSON object')];
  const faults: Fault[] = [];
  checkUnknownFields(json, TILL_FIELDS, '', faults);
  if (!checkMissingFields(json, faults)) return faults;
  checkIdentity(json, faults);
  const fields = tillFieldsOf(json);
  const read = checkTillEnvelope(fields, faults);
  const time = rules === null ? read : timeOf(fields, read, receivedAtMs, rules, faults);
  const day = rateDayOf(fields, time, faults);
  const isLinked = json.type !== 'SALE' && json.originalEventId !== undefined && json.originalEventId !== null;
  const source: RateSource =
    rules === null || isLinked || Number.isNaN(day)
      ? { by: 'none' }
      : { by: 'day', rules, day, region: regionOf(json.region) };
  checkTillTakings(fields, source, faults);
  checkTillLinks(fields, faults);
  checkTillShape(json, faults);
  return faults;
}

/** The time by which rates are looked up: a till whose clock is wrong has those of the day of receipt, as tax will decide. */
function timeOf(
  fields: TillFields,
  read: TillTime,
  receivedAtMs: number | null,
  rules: VatRules,
  faults: Fault[],
): TillTime {
  const time = checkTillTime(fields, read, rules, faults);
  if (receivedAtMs === null || Number.isNaN(time.day)) return time;
  return plausibleTime(time, receivedAtMs, () => null, rules).time;
}

/** Every fault of an event that no till made, that can be told without state. */
function checkOther(
  json: Json,
  known: ReadonlySet<string>,
  checkFields: (fields: Json, faults: Fault[]) => void,
): readonly Fault[] {
  const faults: Fault[] = [];
  checkUnknownFields(json, known, '', faults);
  if (typeof json.eventId !== 'string' || !isUuid(json.eventId)) {
    faults.push(fault('E_EVENT_ID', '/eventId', 'a lower-case UUID'));
  }
  checkVrn(json.vrn, faults);
  checkFields(json, faults);
  return faults;
}

function checkCloseFields(json: Json, faults: Fault[]): void {
  checkCloseDates(json, faults);
  if (json.close !== 'soft' && json.close !== 'hard') faults.push(fault('E_CLOSE', '/close', 'soft or hard'));
}

/** What the codes of vat-tables.json do not name, but the record in the log needs: types, lengths and counts. */
function checkTillShape(json: Json, faults: Fault[]): void {
  // Another count of lines than the limit was already said by checkTillLines, unless the event is a report.
  const isReport = TILL_TYPES.has(json.type) && json.type !== 'SALE' && json.type !== 'REFUND' && json.type !== 'VOID';
  if (json.lines !== undefined && json.lines !== null) {
    const countMax = isReport ? TILL_LINES_MAX : Number.POSITIVE_INFINITY;
    checkList(json.lines, '/lines', countMax, faults, (line, pointer) => checkLineShape(line, pointer, faults));
  }
  if (json.payments !== undefined && json.payments !== null) {
    checkList(json.payments, '/payments', TILL_TENDERS_MAX, faults, (tender, pointer) =>
      checkTenderShape(tender, pointer, faults),
    );
  }
  if (isPresent(json.vatPence) && !Number.isSafeInteger(json.vatPence)) {
    faults.push(fault('E_AMOUNT_NOT_INTEGER', '/vatPence', 'whole pence'));
  }
  if (isReport) checkReportAmounts(json, faults);
  const { originalEventId, unlinkedReason } = json;
  if (typeof originalEventId === 'string' ? !isUuid(originalEventId) : isPresent(originalEventId)) {
    faults.push(fault('E_EVENT_ID', '/originalEventId', 'a lower-case UUID'));
  }
  checkText(unlinkedReason, '/unlinkedReason', REASON_LENGTH_MAX, faults);
}

/** A report needs no amounts; those that it has are whole pence. */
function checkReportAmounts(json: Json, faults: Fault[]): void {
  if (isPresent(json.totalPence) && !Number.isSafeInteger(json.totalPence)) {
    faults.push(fault('E_AMOUNT_NOT_INTEGER', '/totalPence', 'whole pence'));
  }
  if (!Array.isArray(json.lines)) return;
  json.lines.forEach((line: unknown, index) => {
    if (isJsonObject(line) && Number.isSafeInteger(line.paidPence)) return;
    faults.push(fault('E_AMOUNT_NOT_INTEGER', `/lines/${index}/paidPence`, 'whole pence, VAT included'));
  });
}

function checkLineShape(line: Json, pointer: string, faults: Fault[]): void {
  checkUnknownFields(line, LINE_FIELDS, pointer, faults);
  checkRequiredText(line.id, `${pointer}/id`, LINE_ID_LENGTH_MAX, faults);
  checkRequiredText(line.category, `${pointer}/category`, CATEGORY_LENGTH_MAX, faults);
  checkText(line.qty, `${pointer}/qty`, DECIMAL_LENGTH_MAX, faults);
  checkText(line.ratePct, `${pointer}/ratePct`, DECIMAL_LENGTH_MAX, faults);
}

function checkTenderShape(tender: Json, pointer: string, faults: Fault[]): void {
  checkUnknownFields(tender, TENDER_FIELDS, pointer, faults);
  checkRequiredText(tender.method, `${pointer}/method`, METHOD_LENGTH_MAX, faults);
  if (!Number.isSafeInteger(tender.amountPence)) {
    faults.push(fault('E_AMOUNT_NOT_INTEGER', `${pointer}/amountPence`, 'whole pence'));
  }
}

function checkList(
  list: unknown,
  pointer: string,
  countMax: number,
  faults: Fault[],
  checkItem: (item: Json, pointer: string) => void,
): void {
  if (!Array.isArray(list)) {
    faults.push(fault('FIELD_TYPE', pointer, 'a list'));
    return;
  }
  if (list.length > countMax) {
    faults.push(fault('TOO_MANY', pointer, `at most ${countMax}`));
    return;
  }
  list.forEach((item: unknown, index) => {
    if (isJsonObject(item)) checkItem(item, `${pointer}/${index}`);
    else faults.push(fault('FIELD_TYPE', `${pointer}/${index}`, 'an object'));
  });
}

function checkUnknownFields(json: Json, known: ReadonlySet<string>, pointer: string, faults: Fault[]): void {
  for (const name of Object.keys(json)) {
    if (known.has(name)) continue;
    const part = name.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1');
    faults.push(fault('UNKNOWN_FIELD', `${pointer}/${part}`, 'there is no such field'));
  }
}

function checkRequiredText(value: unknown, pointer: string, lengthMax: number, faults: Fault[]): void {
  if (isPrintableText(value, lengthMax) && value !== '') return;
  faults.push(fault('FIELD_TYPE', pointer, `printable text of 1 to ${lengthMax} characters`));
}

function checkText(value: unknown, pointer: string, lengthMax: number, faults: Fault[]): void {
  if (!isPresent(value) || isPrintableText(value, lengthMax)) return;
  faults.push(fault('FIELD_TYPE', pointer, `printable text of at most ${lengthMax} characters`));
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function fault(code: string, pointer: string, detail: string): Fault {
  return { code, pointer, detail };
}
