import {
  account,
  count,
  defineEvent,
  type EventOf,
  hex,
  id,
  list,
  nullable,
  record,
  text,
  whole,
} from '../../events/field.ts';

const head = {
  eventId: id('The id of the event: a UUID.'),
  account: account('Whose chain it is: `paye:<office>/<reference>` or `vat:<number>`.'),
  receivedAtMs: whole('When the ledger received it, milliseconds since 1970.'),
};

/** A payer's verifier key was registered for its chain (acknowledgements.v1). */
export const keyRegistered = defineEvent({
  type: 'KeyRegistered',
  schema: 'key-registered.v1',
  fields: {
    ...head,
    chain: hex(16, 'ChainId', 'The chain.'),
    verifierKey: text('The payer’s verifier key: `<name>+<key id>+<base64>`.'),
    proof: nullable(
      text('Signed note by which the key proves itself (key-registration.ts); records before it had none.'),
    ),
  },
});
export type KeyRegistered = EventOf<typeof keyRegistered>;

/** A payer stored and countersigned heads of its chains: one signature for all of them, checked at the door. */
export const headsAcknowledged = defineEvent({
  type: 'HeadsAcknowledged',
  schema: 'heads-acknowledged.v1',
  fields: {
    eventId: head.eventId,
    receivedAtMs: head.receivedAtMs,
    note: text('The signed note `<ledger name>/ack/v1`.'),
    heads: list(
      record(
        'CountersignedHead',
        {
          account: head.account,
          chain: hex(16, 'ChainId', 'The chain.'),
          seq: whole('Number of the newest block that the payer holds.'),
          blockHash: hex(32, 'Sha256', 'Hash of its header.'),
        },
        'One chain of those that the note covers.',
      ),
    ),
  },
});
export type HeadsAcknowledged = EventOf<typeof headsAcknowledged>;

/** A payer disagrees with a block, or with one entry of it. */
export const disputeRaised = defineEvent({
  type: 'DisputeRaised',
  schema: 'dispute-raised.v1',
  fields: {
    ...head,
    chain: hex(16, 'ChainId', 'The chain.'),
    seq: whole('Number of the block.'),
    entryIndex: nullable(count('Index of the entry in the block; absent where the block itself is disputed.')),
    code: text('What the payer’s check found.'),
    detail: text('A sentence for people; never personal data.'),
  },
});
export type DisputeRaised = EventOf<typeof disputeRaised>;

/** What payers send the ledger. */
export type AcknowledgementEvent = KeyRegistered | HeadsAcknowledged | DisputeRaised;
