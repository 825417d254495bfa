import { TallyError } from '../../core/errors/tally-error.ts';
import type { EventDefinition } from '../../core/events/field.ts';
import { employerClaimsMade, payePeriodClosed, paymentMade } from '../../core/events/paye-events.ts';
import { moneyMoved } from '../../core/events/payment-events.ts';
import type { TaxEvent, TaxEventType } from '../../core/events/tax-event.ts';
import {
  purchaseRecorded,
  tillEvent,
  traderRegistered,
  vatAdjustmentMade,
  vatPeriodClosed,
} from '../../core/events/vat-events.ts';
import { PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from '../event-log/topics.ts';
import { ByteWriter } from './byte-writer.ts';
import { eventCodecOf, type RecordCodec } from './compile-record.ts';
import { ownSchema, readerOfBody, writerOf } from './single-object.ts';

/** The value of an event's record: Avro single-object encoded, byte for byte as avsc writes it. */
export function encodeEvent(event: TaxEvent): Buffer {
  const { header, codec } = FORMS[event.type];
  WRITER.reset();
  WRITER.writeRaw(header);
  codec.write(WRITER, event);
  return WRITER.take();
}

/**
 * The event of a record's value, of the schema in force or any released one.
 * Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE (not Avro, cut short, bytes behind its end, a code, date or account that is none).
 */
export function decodeEvent(value: Buffer): TaxEvent {
  const writer = writerOf(value);
  const codec = CODECS.get(writer.schema.name);
  if (codec === undefined) {
    throw new TallyError('RECORD_UNREADABLE', `${writer.schema.name} is not an event`, { schema: writer.schema.name });
  }
  const reader = readerOfBody(value, writer);
  const event = codec.read(reader);
  reader.finish();
  return event;
}

/** The topic that events of a type are in. */
export function topicOfType(type: TaxEventType): string {
  return FORMS[type].topic;
}

/** Throws WRONG_TOPIC where the event does not belong in the topic that it was read from. */
export function checkTopic(event: TaxEvent, topic: string): void {
  if (topicOfType(event.type) !== topic) {
    throw new TallyError('WRONG_TOPIC', `${event.type} does not belong in ${topic}`, { type: event.type, topic });
  }
}

const WRITER = new ByteWriter({ startBytes: 64 * 1024 });

/** What is known of one type of event in the log. */
interface EventForm {
  readonly topic: string;
  readonly schema: string;
  readonly header: Buffer;
  readonly codec: RecordCodec<TaxEvent>;
}

/** Every type of event that tax decides on, with the topic that it is in. */
const FORMS: Readonly<Record<TaxEventType, EventForm>> = {
  PaymentMade: formOf(paymentMade, PAYE_EVENTS),
  EmployerClaimsMade: formOf(employerClaimsMade, PAYE_EVENTS),
  PayePeriodClosed: formOf(payePeriodClosed, PAYE_EVENTS),
  TillEvent: formOf(tillEvent, VAT_EVENTS),
  PurchaseRecorded: formOf(purchaseRecorded, VAT_EVENTS),
  VatAdjustmentMade: formOf(vatAdjustmentMade, VAT_EVENTS),
  VatPeriodClosed: formOf(vatPeriodClosed, VAT_EVENTS),
  TraderRegistered: formOf(traderRegistered, VAT_EVENTS),
  MoneyMoved: formOf(moneyMoved, PAYMENTS),
};

/** By the name of the schema. */
const CODECS: ReadonlyMap<string, RecordCodec<TaxEvent>> = new Map(
  Object.values(FORMS).map(({ schema, codec }) => [schema, codec]),
);

function formOf(definition: EventDefinition, topic: string): EventForm {
  const { schema } = definition;
  // The table above pairs each type with its own definition, so that the codec is given no other event.
  const codec = eventCodecOf(definition) as unknown as RecordCodec<TaxEvent>;
  return { topic, schema, header: ownSchema(schema).header, codec };
}
