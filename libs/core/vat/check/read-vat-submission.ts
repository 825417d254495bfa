import { localDate } from '../../calendar/local-date.ts';
import type {
  PurchaseRecorded,
  TenderPayment,
  TillEvent,
  TillEventType,
  TillLine,
  TraderDeregistered,
  TraderRegistered,
  VatAdjustmentMade,
  VatCadence,
  VatPeriodClosed,
  VatScheme,
} from '../../events/vat-events.ts';
import { account } from '../../identity/account.ts';
import { eventId } from '../../identity/event-id.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { regionOf } from './check-till.ts';

type Json = Readonly<Record<string, unknown>>;

/** What the gateway adds to a submission. */
export interface SubmissionReceipt {
  readonly receivedAtMs: number;
}

const ALL_RECOVERABLE = 10_000;

/**
 * The event of a till's JSON in which checkTillSubmission found no fault, as it is appended: absent fields become null.
 *
 * @param hash SHA-256 of the RFC 8785 JSON as the till sent it (tillEventHash).
 */
export function tillEventOf(json: Json, hash: string, { receivedAtMs }: SubmissionReceipt): TillEvent {
  return {
    type: 'TillEvent',
    eventId: eventId(String(json.eventId)),
    account: account(`vat:${String(json.vrn)}`),
    receivedAtMs,
    tillId: String(json.tillId),
    seq: Number(json.seq),
    prevHash: textOrNull(json.prevHash),
    hash,
    tillType: json.type as TillEventType,
    occurredAt: String(json.occurredAt),
    currency: String(json.currency),
    region: isAbsent(json.region) ? null : regionOf(json.region),
    lines: listOf(json.lines).map(lineOf),
    totalPence: penceOrNull(json.totalPence) ?? pence(0),
    vatPence: penceOrNull(json.vatPence),
    payments: listOf(json.payments).map(tenderOf),
    originalEventId: isAbsent(json.originalEventId) ? null : eventId(String(json.originalEventId)),
    unlinkedReason: textOrNull(json.unlinkedReason),
    claimedDate: isAbsent(json.claimedDate) ? null : localDate(String(json.claimedDate)),
  };
}

/** The event of a purchase's JSON in which checkPurchase found no fault. */
export function purchaseOf(json: Json, { receivedAtMs }: SubmissionReceipt): PurchaseRecorded {
  return {
    type: 'PurchaseRecorded',
    eventId: eventId(String(json.eventId)),
    account: account(`vat:${String(json.vrn)}`),
    receivedAtMs,
    kind: json.kind === 'purchase_credit' ? 'purchase_credit' : 'purchase',
    taxPoint: localDate(String(json.taxPoint)),
    netPence: pence(Number(json.netPence)),
    vatPence: pence(Number(json.vatPence)),
    recoverableBasisPoints: isAbsent(json.recoverableBasisPoints)
      ? ALL_RECOVERABLE
      : Number(json.recoverableBasisPoints),
    supplierVrn: textOrNull(json.supplierVrn),
    reference: textOrNull(json.reference),
  };
}

/** The event of an adjustment's JSON in which no fault was found. */
export function adjustmentOf(json: Json, { receivedAtMs }: SubmissionReceipt): VatAdjustmentMade {
  return {
    type: 'VatAdjustmentMade',
    eventId: eventId(String(json.eventId)),
    account: account(`vat:${String(json.vrn)}`),
    receivedAtMs,
    kind: String(json.kind),
    taxPoint: localDate(String(json.taxPoint)),
    netPence: pence(Number(json.netPence)),
    vatPence: pence(Number(json.vatPence)),
    recoverableBasisPoints: isAbsent(json.recoverableBasisPoints)
      ? ALL_RECOVERABLE
      : Number(json.recoverableBasisPoints),
    reference: textOrNull(json.reference),
    ratePct: textOrNull(json.ratePct),
    costPence: penceOrNull(json.costPence),
    dearestItemPence: penceOrNull(json.dearestItemPence),
  };
}

/** The event of a period's close as JSON in which no fault was found. */
export function periodClosedOf(json: Json, { receivedAtMs }: SubmissionReceipt): VatPeriodClosed {
  return {
    type: 'VatPeriodClosed',
    eventId: eventId(String(json.eventId)),
    account: account(`vat:${String(json.vrn)}`),
    receivedAtMs,
    periodStart: localDate(String(json.periodStart)),
    periodEnd: localDate(String(json.periodEnd)),
    close: json.close === 'hard' ? 'hard' : 'soft',
  };
}

/** The event of a trader's registration as JSON in which no fault was found: absent fields have their defaults. */
export function registrationOfJson(json: Json, { receivedAtMs }: SubmissionReceipt): TraderRegistered {
  const { interimPayments, poundsRule } = json;
  return {
    type: 'TraderRegistered',
    eventId: eventId(String(json.eventId)),
    account: account(`vat:${String(json.vrn)}`),
    receivedAtMs,
    validFrom: localDate(String(json.validFrom)),
    registeredOn: isAbsent(json.registeredOn) ? null : localDate(String(json.registeredOn)),
    cadence: json.cadence as VatCadence,
    annualEndMonth: isAbsent(json.annualEndMonth) ? null : Number(json.annualEndMonth),
    scheme: json.scheme as VatScheme,
    flatRateSector: textOrNull(json.flatRateSector),
    limitedCostTest: json.limitedCostTest === true,
    majorityRatePct: textOrNull(json.majorityRatePct),
    cashAccounting: json.cashAccounting === true,
    interimPayments: interimPayments === 'monthly' || interimPayments === 'quarterly' ? interimPayments : 'none',
    poundsRule: poundsRule === 'nearest' ? 'nearest' : 'truncate',
    unpaidOverSixMonths: json.unpaidOverSixMonths === true,
  };
}

/** The event of the end of a registration as JSON in which no fault was found. */
export function deregistrationOfJson(json: Json, { receivedAtMs }: SubmissionReceipt): TraderDeregistered {
  return {
    type: 'TraderDeregistered',
    eventId: eventId(String(json.eventId)),
    account: account(`vat:${String(json.vrn)}`),
    receivedAtMs,
    deregisteredOn: localDate(String(json.deregisteredOn)),
  };
}

function lineOf(line: Json): TillLine {
  return {
    id: String(line.id),
    category: String(line.category),
    qty: textOrNull(line.qty),
    ratePct: textOrNull(line.ratePct),
    paidPence: pence(Number(line.paidPence)),
  };
}

function tenderOf(tender: Json): TenderPayment {
  return { method: String(tender.method), amountPence: pence(Number(tender.amountPence)) };
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function textOrNull(value: unknown): string | null {
  return isAbsent(value) ? null : String(value);
}

function penceOrNull(value: unknown): Pence | null {
  return isAbsent(value) ? null : pence(Number(value));
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
