import type { PayeEvent } from './paye-events.ts';
import type { MoneyMoved } from './payment-events.ts';
import type { VatEvent } from './vat-events.ts';

/** Everything that tax decides on. */
export type TaxEvent = PayeEvent | VatEvent | MoneyMoved;
export type TaxEventType = TaxEvent['type'];
