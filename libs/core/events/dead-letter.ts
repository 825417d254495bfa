import { account, byName, count, defineEvent, id, nullable, record, text, type ValuesOf, whole } from './field.ts';

/** A refused record as rejections.v1 holds it, for people and redrive. The record itself stays where it is and is not copied. */
export const deadLetter = defineEvent({
  type: 'DeadLetter',
  schema: 'dead-letter.v1',
  fields: {
    origin: record(
      'RecordPosition',
      {
        topic: text('The topic of the refused record.'),
        partition: count('Its partition.'),
        offset: whole('Its offset.'),
      },
      'Where the refused record is.',
    ),
    decision: nullable(
      record(
        'DecisionPosition',
        {
          partition: count('The partition of liabilities.v1.'),
          offset: whole('The offset of the message.'),
          index: count('Index of the decision within the message.'),
          rejection: count('Index of the rejection within the decision.'),
        },
        'Where the rejection is in liabilities.v1; absent for a fault at the door (ingress).',
      ),
    ),
    account: nullable(account('The account, where the record named one.')),
    eventId: nullable(id('The event, where the record named one.')),
    code: text('Why it was refused.'),
    facts: byName(text('What the code says more: numbers and names, never a personal value.')),
    receivedAtMs: nullable(whole('When the gateway received it, milliseconds since 1970.')),
    recordedAtMs: whole('When the letter was written, milliseconds since 1970.'),
  },
});
export type DeadLetter = ValuesOf<(typeof deadLetter)['fields']>;

/** The key of a dead letter: the position of its decision, or of its origin; so a letter written twice is seen to be one. */
export function deadLetterKey(letter: DeadLetter): string {
  const { origin, decision } = letter;
  if (decision === null) return `${origin.topic}/${origin.partition}/${origin.offset}`;
  return `liabilities.v1/${decision.partition}/${decision.offset}/${decision.index}/${decision.rejection}`;
}
