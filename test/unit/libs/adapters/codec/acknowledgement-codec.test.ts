import { describe, expect, it } from 'vitest';
import {
  decodeAcknowledgement,
  encodeAcknowledgement,
} from '../../../../../libs/adapters/codec/acknowledgement-codec.ts';
import { decodeDeadLetter, encodeDeadLetter } from '../../../../../libs/adapters/codec/dead-letter-codec.ts';
import { HEADER_BYTES, writerOf } from '../../../../../libs/adapters/codec/schema/single-object.ts';
import { type DeadLetter, deadLetterKey } from '../../../../../libs/core/events/dead-letter.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { eventId } from '../../../../../libs/core/identity/event-id.ts';
import type { AcknowledgementEvent } from '../../../../../libs/core/ledger/block/acknowledgement-events.ts';

const id = eventId('018f0000-0000-7000-8000-000000000001');
const owner = account('paye:123/AB456');
const chain = 'ab'.repeat(16);
const events: AcknowledgementEvent[] = [
  {
    type: 'KeyRegistered',
    eventId: id,
    account: owner,
    receivedAtMs: 1,
    chain,
    verifierKey: 'payer+00000000+AQ==',
    proof: 'note',
  },
  {
    type: 'HeadsAcknowledged',
    eventId: id,
    receivedAtMs: 1_795_254_600_123,
    note: 'tallystick-1/ack/v1\n…\n\n— payer AAAA\n',
    heads: [{ account: owner, chain, seq: 3, blockHash: 'cd'.repeat(32) }],
  },
  {
    type: 'DisputeRaised',
    eventId: id,
    account: owner,
    receivedAtMs: 1,
    chain,
    seq: 3,
    entryIndex: null,
    code: 'AMOUNT_DIFFERS',
    detail: '£1.00 was expected',
  },
];

const letter: DeadLetter = {
  origin: { topic: 'vat.events.v1', partition: 3, offset: 128 },
  decision: { partition: 3, offset: 17, index: 2, rejection: 0 },
  account: owner,
  eventId: id,
  code: 'E_SIGN',
  facts: { line: '1' },
  receivedAtMs: null,
  recordedAtMs: 5,
};

function sameAsAvsc(value: Buffer): boolean {
  const { type } = writerOf(value).schema;
  const body = value.subarray(HEADER_BYTES);
  return type.toBuffer(type.fromBuffer(body)).equals(body);
}

describe('what payers send the ledger', () => {
  it.each(events)('$type comes back as it was, written as avsc writes it', (event) => {
    const value = encodeAcknowledgement(event);
    expect(decodeAcknowledgement(value)).toEqual(event);
    expect(sameAsAvsc(value)).toBe(true);
  });

  it('is told from every other record by its schema', () => {
    expect(() => decodeAcknowledgement(encodeDeadLetter(letter))).toThrow(/not an acknowledgement/);
    expect(() => decodeDeadLetter(encodeAcknowledgement(events[0] as AcknowledgementEvent))).toThrow(/key-registered/);
  });
});

describe('a dead letter', () => {
  it.each([letter, { ...letter, decision: null, account: null, eventId: null, facts: {} }])(
    'comes back as it was, written as avsc writes it',
    (one) => {
      const value = encodeDeadLetter(one);
      expect(decodeDeadLetter(value)).toEqual(one);
      expect(sameAsAvsc(value)).toBe(true);
    },
  );

  it('is keyed by the position of its decision, or of its origin where it has none', () => {
    expect(deadLetterKey(letter)).toBe('liabilities.v1/3/17/2/0');
    expect(deadLetterKey({ ...letter, decision: null })).toBe('vat.events.v1/3/128');
  });
});
