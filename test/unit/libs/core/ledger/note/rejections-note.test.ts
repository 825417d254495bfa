import { describe, expect, it } from 'vitest';
import { nodeEd25519Verify } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { parseBatchNote } from '../../../../../../libs/core/ledger/note/batch-note.ts';
import {
  isRejected,
  leafOfRejection,
  openRejections,
  type RejectedEvent,
  rejectionsNoteOf,
} from '../../../../../../libs/core/ledger/note/rejections-note.ts';
import { signNote } from '../../../../../../libs/core/ledger/note/signed-note.ts';
import { ACCOUNT, entry, LEDGER_NAME, LEDGER_SIGNER } from '../../../../../support/ledger-chain.ts';

const REJECTED: readonly RejectedEvent[] = ['TAX_CODE_INVALID', 'EVENT_ID_CONFLICT'].map((code, index) => ({
  account: ACCOUNT,
  eventId: entry(index).eventId,
  code,
}));
const { text, places } = rejectionsNoteOf(LEDGER_NAME, 1_795_255_322_123, REJECTED);
const NOTE = signNote(text, [LEDGER_SIGNER]);
const open = (rejections: readonly RejectedEvent[], ledgerName = LEDGER_NAME) =>
  openRejections(NOTE, rejections, { ledgerName, keys: [LEDGER_SIGNER.key] }, nodeEd25519Verify);

describe('rejections under one signature', () => {
  it('have a title of their own, and leaves of account ‖ event id ‖ code', () => {
    expect(text.startsWith(`${LEDGER_NAME}/rejections/v1\nreceived 2026-11-21T10:02:02.123Z\nevents 2 `)).toBe(true);
    const [first] = REJECTED;
    if (first === undefined) throw new Error('two rejections');
    const leaf = Buffer.concat([
      Buffer.from([0, 0, 0, ACCOUNT.length]),
      Buffer.from(ACCOUNT),
      Buffer.from(first.eventId, 'hex'),
      Buffer.from([0, 0, 0, 16]),
      Buffer.from('TAX_CODE_INVALID'),
    ]);
    expect(Buffer.from(leafOfRejection(first))).toEqual(leaf);
  });

  it('open over exactly these', () => {
    expect(open(REJECTED).eventCount).toBe(2);
    const differ = expect.objectContaining({ code: 'REJECTIONS_DIFFER' });
    expect(() => open(REJECTED.slice(1))).toThrow(differ);
    expect(() => open([...REJECTED].reverse())).toThrow(differ);
    expect(() => open(REJECTED.map((one) => ({ ...one, code: 'OTHER' })))).toThrow(differ);
    expect(() => open(REJECTED, 'other')).toThrow(differ);
  });

  it('each stands by itself', () => {
    const note = parseBatchNote(text, 'rejections');
    REJECTED.forEach((rejection, index) => {
      const place = places[index];
      if (place === undefined) throw new Error('a place each');
      expect(isRejected(note, rejection, place)).toBe(true);
      expect(isRejected(note, { ...rejection, code: 'OTHER' }, place)).toBe(false);
    });
  });
});
