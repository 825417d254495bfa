import { describe, expect, it } from 'vitest';
import { nodeEd25519Verify } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { parseBatchNote } from '../../../../../../libs/core/ledger/note/batch-note.ts';
import { leafOfReceipt, type ReceiptedEvent } from '../../../../../../libs/core/ledger/note/gateway-receipt.ts';
import { signNote } from '../../../../../../libs/core/ledger/note/signed-note.ts';
import { openReceipt, receiptOf } from '../../../../../oracles/gateway-receipt.ts';
import { ACCOUNT, entry, LEDGER_NAME, LEDGER_SIGNER, seededBytes } from '../../../../../support/ledger-chain.ts';

const EVENTS: readonly ReceiptedEvent[] = [1, 2, 3].map((number) => ({
  account: ACCOUNT,
  eventId: entry(number).eventId,
  hash: seededBytes(`event bytes ${number}`, 32),
}));
const { text, places } = receiptOf(LEDGER_NAME, 1_795_255_322_123, EVENTS);
const NOTE = signNote(text, [LEDGER_SIGNER]);
const expected = { ledgerName: LEDGER_NAME, keys: [LEDGER_SIGNER.key] };
const open = (event: ReceiptedEvent | undefined, index: number, note = NOTE, ledger = expected) => {
  const place = places[index];
  if (event === undefined || place === undefined) throw new Error('no such event');
  return openReceipt(note, event, place, ledger, nodeEd25519Verify);
};

describe('gateway receipts', () => {
  it('name the time in milliseconds and the number of events', () => {
    expect(text.split('\n').slice(0, 2)).toEqual([`${LEDGER_NAME}/receipt/v1`, 'received 2026-11-21T10:02:02.123Z']);
    expect(text).toMatch(/^events 3 [A-Za-z0-9+/]{43}=$/m);
  });

  it('a leaf is account behind its length, event id, hash', () => {
    const [event] = EVENTS;
    if (event === undefined) throw new Error('three events');
    const expectedLeaf = Buffer.concat([
      Buffer.from([0, 0, 0, ACCOUNT.length]),
      Buffer.from(ACCOUNT),
      Buffer.from(event.eventId, 'hex'),
      event.hash,
    ]);
    expect(Buffer.from(leafOfReceipt(event))).toEqual(expectedLeaf);
  });

  it('open for each of their events', () => {
    EVENTS.forEach((event, index) => {
      expect(open(event, index)).toMatchObject({ receivedAtMs: 1_795_255_322_123, eventCount: 3 });
    });
  });

  it('do not open for another event, place, ledger or kind of note', () => {
    const differs = expect.objectContaining({ code: 'RECEIPT_DIFFERS' });
    expect(() => open(EVENTS[0], 1)).toThrow(differs);
    expect(() => open({ ...(EVENTS[0] as ReceiptedEvent), hash: seededBytes('other', 32) }, 0)).toThrow(differs);
    expect(() => open(EVENTS[0], 0, NOTE, { ...expected, ledgerName: 'other' })).toThrow(differs);
    const rejections = signNote(text.replace('/receipt/', '/rejections/'), [LEDGER_SIGNER]);
    expect(() => open(EVENTS[0], 0, rejections)).toThrow(expect.objectContaining({ code: 'BATCH_NOTE_MALFORMED' }));
    expect(() => open(EVENTS[0], 0, NOTE.replace('.123Z', '.124Z'))).toThrow(
      expect.objectContaining({ code: 'NOTE_SIGNATURE_INVALID' }),
    );
  });

  it.each([
    text.replace('.123Z', 'Z'),
    text.replace('events 3', 'events 03'),
    text.replace('received', 'seen'),
    `${text}\n`,
  ])('%j is malformed', (other) => {
    expect(() => parseBatchNote(other, 'receipt')).toThrow(expect.objectContaining({ code: 'BATCH_NOTE_MALFORMED' }));
  });
});
