import {
  type PurchaseRecorded,
  type TenderPayment,
  TILL_EVENT_TYPES,
  type TillEvent,
  type TillLine,
  type TraderRegistered,
  VAT_CADENCES,
  VAT_SCHEMES,
  type VatAdjustmentMade,
  type VatPeriodClosed,
} from '../../core/events/vat-events.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import {
  readAccount,
  readDate,
  readEventId,
  readNullableDate,
  readNullableEventId,
  readNullableOneOf,
  readNullablePence,
  readOneOf,
  readPence,
} from './typed-fields.ts';

/** schemas/till-event.v1.avsc */
export function writeTillEvent(writer: ByteWriter, event: TillEvent): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.tillId);
  writer.writeLong(event.seq);
  writer.writeNullableHex(event.prevHash, 32);
  writer.writeHex(event.hash, 32);
  writer.writeString(event.tillType);
  writer.writeString(event.occurredAt);
  writer.writeString(event.currency);
  writer.writeNullableString(event.region);
  writeLines(writer, event.lines);
  writer.writeLong(event.totalPence);
  writer.writeNullableLong(event.vatPence);
  writeTenders(writer, event.payments);
  writer.writeNullableHex(event.originalEventId, 16);
  writer.writeNullableString(event.unlinkedReason);
  writer.writeNullableString(event.claimedDate);
}

export function readTillEvent(reader: ByteReader): TillEvent {
  return {
    type: 'TillEvent',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    tillId: reader.readString(),
    seq: reader.readLong(),
    prevHash: reader.readNullableHex(32),
    hash: reader.readHex(32),
    tillType: readOneOf(reader, TILL_EVENT_TYPES),
    occurredAt: reader.readString(),
    currency: reader.readString(),
    region: readNullableOneOf(reader, ['GB', 'NI']),
    lines: reader.readArray(() => readLine(reader)),
    totalPence: readPence(reader),
    vatPence: readNullablePence(reader),
    payments: reader.readArray(() => readTender(reader)),
    originalEventId: readNullableEventId(reader),
    unlinkedReason: reader.readNullableString(),
    claimedDate: readNullableDate(reader),
  };
}

/** schemas/purchase-recorded.v1.avsc */
export function writePurchaseRecorded(writer: ByteWriter, event: PurchaseRecorded): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.kind);
  writer.writeString(event.taxPoint);
  writer.writeLong(event.netPence);
  writer.writeLong(event.vatPence);
  writer.writeLong(event.recoverableBasisPoints);
  writer.writeNullableString(event.supplierVrn);
  writer.writeNullableString(event.reference);
}

export function readPurchaseRecorded(reader: ByteReader): PurchaseRecorded {
  return {
    type: 'PurchaseRecorded',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    kind: readOneOf(reader, ['purchase', 'purchase_credit']),
    taxPoint: readDate(reader),
    netPence: readPence(reader),
    vatPence: readPence(reader),
    recoverableBasisPoints: reader.readLong(),
    supplierVrn: reader.readNullableString(),
    reference: reader.readNullableString(),
  };
}

/** schemas/vat-adjustment-made.v1.avsc */
export function writeVatAdjustmentMade(writer: ByteWriter, event: VatAdjustmentMade): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.kind);
  writer.writeString(event.taxPoint);
  writer.writeLong(event.netPence);
  writer.writeLong(event.vatPence);
  writer.writeLong(event.recoverableBasisPoints);
  writer.writeNullableString(event.reference);
  writer.writeNullableString(event.ratePct);
  writer.writeNullableLong(event.costPence);
}

export function readVatAdjustmentMade(reader: ByteReader): VatAdjustmentMade {
  return {
    type: 'VatAdjustmentMade',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    kind: reader.readString(),
    taxPoint: readDate(reader),
    netPence: readPence(reader),
    vatPence: readPence(reader),
    recoverableBasisPoints: reader.readLong(),
    reference: reader.readNullableString(),
    ratePct: reader.readNullableString(),
    costPence: readNullablePence(reader),
  };
}

/** schemas/vat-period-closed.v1.avsc */
export function writeVatPeriodClosed(writer: ByteWriter, event: VatPeriodClosed): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.periodStart);
  writer.writeString(event.periodEnd);
  writer.writeString(event.close);
}

export function readVatPeriodClosed(reader: ByteReader): VatPeriodClosed {
  return {
    type: 'VatPeriodClosed',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    periodStart: readDate(reader),
    periodEnd: readDate(reader),
    close: readOneOf(reader, ['soft', 'hard']),
  };
}

/** schemas/trader-registered.v1.avsc */
export function writeTraderRegistered(writer: ByteWriter, event: TraderRegistered): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.validFrom);
  writer.writeNullableString(event.registeredOn);
  writer.writeString(event.cadence);
  writer.writeNullableLong(event.annualEndMonth);
  writer.writeString(event.scheme);
  writer.writeNullableString(event.flatRateSector);
  writer.writeBoolean(event.limitedCostTest);
  writer.writeNullableString(event.majorityRatePct);
  writer.writeBoolean(event.cashAccounting);
  writer.writeString(event.interimPayments);
  writer.writeString(event.poundsRule);
  writer.writeBoolean(event.unpaidOverSixMonths);
}

export function readTraderRegistered(reader: ByteReader): TraderRegistered {
  return {
    type: 'TraderRegistered',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    validFrom: readDate(reader),
    registeredOn: readNullableDate(reader),
    cadence: readOneOf(reader, VAT_CADENCES),
    annualEndMonth: reader.readNullableLong(),
    scheme: readOneOf(reader, VAT_SCHEMES),
    flatRateSector: reader.readNullableString(),
    limitedCostTest: reader.readBoolean(),
    majorityRatePct: reader.readNullableString(),
    cashAccounting: reader.readBoolean(),
    interimPayments: readOneOf(reader, ['none', 'monthly', 'quarterly']),
    poundsRule: readOneOf(reader, ['truncate', 'nearest']),
    unpaidOverSixMonths: reader.readBoolean(),
  };
}

function writeLines(writer: ByteWriter, lines: readonly TillLine[]): void {
  if (lines.length > 0) writer.writeLong(lines.length);
  for (const line of lines) {
    writer.writeString(line.id);
    writer.writeString(line.category);
    writer.writeNullableString(line.qty);
    writer.writeNullableString(line.ratePct);
    writer.writeLong(line.paidPence);
  }
  writer.writeLong(0);
}

function readLine(reader: ByteReader): TillLine {
  return {
    id: reader.readString(),
    category: reader.readString(),
    qty: reader.readNullableString(),
    ratePct: reader.readNullableString(),
    paidPence: readPence(reader),
  };
}

function writeTenders(writer: ByteWriter, payments: readonly TenderPayment[]): void {
  if (payments.length > 0) writer.writeLong(payments.length);
  for (const payment of payments) {
    writer.writeString(payment.method);
    writer.writeLong(payment.amountPence);
  }
  writer.writeLong(0);
}

function readTender(reader: ByteReader): TenderPayment {
  return { method: reader.readString(), amountPence: readPence(reader) };
}
