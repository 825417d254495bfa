import { TallyError } from '../../core/errors/tally-error.ts';
import type { MoneyMoved } from '../../core/events/payment-events.ts';
import type { TaxEvent, TaxEventType } from '../../core/events/tax-event.ts';
import { PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from '../event-log/topics.ts';
import type { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import {
  readEmployerClaimsMade,
  readPayePeriodClosed,
  readPaymentMade,
  writeEmployerClaimsMade,
  writePayePeriodClosed,
  writePaymentMade,
} from './paye-event-records.ts';
import { ownSchema, readerOfBody, writerOf } from './single-object.ts';
import { readAccount, readDate, readEventId, readOneOf, readPence } from './typed-fields.ts';
import {
  readPurchaseRecorded,
  readTillEvent,
  readTraderRegistered,
  readVatAdjustmentMade,
  readVatPeriodClosed,
  writePurchaseRecorded,
  writeTillEvent,
  writeTraderRegistered,
  writeVatAdjustmentMade,
  writeVatPeriodClosed,
} from './vat-event-records.ts';

/** The value of an event's record: Avro single-object encoded, byte for byte as avsc writes it. */
export function encodeEvent(event: TaxEvent): Buffer {
  WRITER.reset();
  writeEvent(WRITER, event);
  return WRITER.take();
}

/**
 * The event of a record's value, of the schema in force or any released one.
 * Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE (not Avro, cut short, bytes behind its end, a code, date or account that is none).
 */
export function decodeEvent(value: Buffer): TaxEvent {
  const writer = writerOf(value);
  const read = READERS.get(writer.schema.name);
  if (read === undefined) {
    throw new TallyError('RECORD_UNREADABLE', `${writer.schema.name} is not an event`, { schema: writer.schema.name });
  }
  const reader = readerOfBody(value, writer);
  const event = read(reader);
  reader.finish();
  return event;
}

/** The topic that events of a type stand in. */
export function topicOfType(type: TaxEventType): string {
  switch (type) {
    case 'PaymentMade':
    case 'EmployerClaimsMade':
    case 'PayePeriodClosed':
      return PAYE_EVENTS;
    case 'TillEvent':
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade':
    case 'VatPeriodClosed':
    case 'TraderRegistered':
      return VAT_EVENTS;
    case 'MoneyMoved':
      return PAYMENTS;
  }
}

/** Throws WRONG_TOPIC where the event does not belong in the topic that it was read from. */
export function checkTopic(event: TaxEvent, topic: string): void {
  if (topicOfType(event.type) !== topic) {
    throw new TallyError('WRONG_TOPIC', `${event.type} does not belong in ${topic}`, { type: event.type, topic });
  }
}

const WRITER = new ByteWriter({ startBytes: 64 * 1024 });

const HEADERS = {
  PaymentMade: ownSchema('payment-made.v1').header,
  EmployerClaimsMade: ownSchema('employer-claims-made.v1').header,
  PayePeriodClosed: ownSchema('paye-period-closed.v1').header,
  TillEvent: ownSchema('till-event.v1').header,
  PurchaseRecorded: ownSchema('purchase-recorded.v1').header,
  VatAdjustmentMade: ownSchema('vat-adjustment-made.v1').header,
  VatPeriodClosed: ownSchema('vat-period-closed.v1').header,
  TraderRegistered: ownSchema('trader-registered.v1').header,
  MoneyMoved: ownSchema('money-moved.v1').header,
} as const satisfies Record<TaxEventType, Buffer>;

const READERS: ReadonlyMap<string, (reader: ByteReader) => TaxEvent> = new Map<
  string,
  (reader: ByteReader) => TaxEvent
>([
  ['payment-made.v1', readPaymentMade],
  ['employer-claims-made.v1', readEmployerClaimsMade],
  ['paye-period-closed.v1', readPayePeriodClosed],
  ['till-event.v1', readTillEvent],
  ['purchase-recorded.v1', readPurchaseRecorded],
  ['vat-adjustment-made.v1', readVatAdjustmentMade],
  ['vat-period-closed.v1', readVatPeriodClosed],
  ['trader-registered.v1', readTraderRegistered],
  ['money-moved.v1', readMoneyMoved],
]);

function writeEvent(writer: ByteWriter, event: TaxEvent): void {
  writer.writeRaw(HEADERS[event.type]);
  switch (event.type) {
    case 'PaymentMade':
      writePaymentMade(writer, event);
      break;
    case 'EmployerClaimsMade':
      writeEmployerClaimsMade(writer, event);
      break;
    case 'PayePeriodClosed':
      writePayePeriodClosed(writer, event);
      break;
    case 'TillEvent':
      writeTillEvent(writer, event);
      break;
    case 'PurchaseRecorded':
      writePurchaseRecorded(writer, event);
      break;
    case 'VatAdjustmentMade':
      writeVatAdjustmentMade(writer, event);
      break;
    case 'VatPeriodClosed':
      writeVatPeriodClosed(writer, event);
      break;
    case 'TraderRegistered':
      writeTraderRegistered(writer, event);
      break;
    case 'MoneyMoved':
      writeMoneyMoved(writer, event);
      break;
  }
}

/** schemas/money-moved.v1.avsc */
function writeMoneyMoved(writer: ByteWriter, event: MoneyMoved): void {
  writer.writeHex(event.eventId, 16);
  writer.writeString(event.account);
  writer.writeLong(event.receivedAtMs);
  writer.writeString(event.direction);
  writer.writeLong(event.amountPence);
  writer.writeString(event.bookedOn);
  writer.writeNullableString(event.reference);
}

function readMoneyMoved(reader: ByteReader): MoneyMoved {
  return {
    type: 'MoneyMoved',
    eventId: readEventId(reader),
    account: readAccount(reader),
    receivedAtMs: reader.readLong(),
    direction: readOneOf(reader, ['received', 'repaid']),
    amountPence: readPence(reader),
    bookedOn: readDate(reader),
    reference: reader.readNullableString(),
  };
}
