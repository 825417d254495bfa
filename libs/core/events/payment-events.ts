import { code, date, defineEvent, type EventOf, eventHead, money, nullable, text } from './field.ts';

/** Money that HMRC received from an account, or paid back to it (payments.v1). */
export const moneyMoved = defineEvent({
  type: 'MoneyMoved',
  schema: 'money-moved.v1',
  fields: {
    ...eventHead('Whose money it is: `paye:<office>/<reference>` or `vat:<number>`.'),
    direction: code(['received', 'repaid'], 'Received by HMRC, or repaid by it.'),
    amountPence: money('Positive in both directions.'),
    bookedOn: date('The day on which the bank booked it.'),
    reference: nullable(text('The payer’s or the bank’s reference.')),
  },
});
export type MoneyMoved = EventOf<typeof moneyMoved>;
