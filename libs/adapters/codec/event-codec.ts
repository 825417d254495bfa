import { TallyError } from '../../core/errors/tally-error.ts';
import { employerClaimsMade, payePeriodClosed, payeSchemeCeased, paymentMade } from '../../core/events/paye-events.ts';
import { moneyMoved } from '../../core/events/payment-events.ts';
import type { TaxEvent, TaxEventType } from '../../core/events/tax-event.ts';
import {
  purchaseRecorded,
  tillEvent,
  traderDeregistered,
  traderRegistered,
  vatAdjustmentMade,
  vatPeriodClosed,
} from '../../core/events/vat-events.ts';
import { PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from '../event-log/topics.ts';
import { eventFamily } from './event-family.ts';

const EVENTS = eventFamily<TaxEvent>('an event', {
  PaymentMade: paymentMade,
  EmployerClaimsMade: employerClaimsMade,
  PayePeriodClosed: payePeriodClosed,
  PayeSchemeCeased: payeSchemeCeased,
  TillEvent: tillEvent,
  PurchaseRecorded: purchaseRecorded,
  VatAdjustmentMade: vatAdjustmentMade,
  VatPeriodClosed: vatPeriodClosed,
  TraderRegistered: traderRegistered,
  TraderDeregistered: traderDeregistered,
  MoneyMoved: moneyMoved,
});

/** The value of an event's record: Avro single-object encoded, byte for byte as avsc writes it. */
export const encodeEvent = EVENTS.encode;
/**
 * The event of a record's value, of the schema in force or any released one.
 * Throws SCHEMA_UNKNOWN, RECORD_UNREADABLE (not Avro, cut short, bytes after its end, a code, date or account that is none).
 */
export const decodeEvent = EVENTS.decode;

const TOPICS: Readonly<Record<TaxEventType, string>> = {
  PaymentMade: PAYE_EVENTS,
  EmployerClaimsMade: PAYE_EVENTS,
  PayePeriodClosed: PAYE_EVENTS,
  PayeSchemeCeased: PAYE_EVENTS,
  TillEvent: VAT_EVENTS,
  PurchaseRecorded: VAT_EVENTS,
  VatAdjustmentMade: VAT_EVENTS,
  VatPeriodClosed: VAT_EVENTS,
  TraderRegistered: VAT_EVENTS,
  TraderDeregistered: VAT_EVENTS,
  MoneyMoved: PAYMENTS,
};

/** The topic that events of a type are in. */
export function topicOfType(type: TaxEventType): string {
  return TOPICS[type];
}

/** Throws WRONG_TOPIC where the event does not belong in the topic that it was read from. */
export function checkTopic(event: TaxEvent, topic: string): void {
  if (topicOfType(event.type) !== topic) {
    throw new TallyError('WRONG_TOPIC', `${event.type} does not belong in ${topic}`, { type: event.type, topic });
  }
}
