import { describe, expect, it } from 'vitest';
import {
  nodeEd25519Verify,
  nodeTreeHasher,
  noteSignerOfSeed,
} from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { eventId, personToken } from '../../../../../libs/core/identity/event-id.ts';
import { signNote } from '../../../../../libs/core/ledger/note/signed-note.ts';
import { issueReceipt, signReceipt } from '../../../../../services/gateway/intake/issue-receipt.ts';
import { openReceipt, receiptOf } from '../../../../oracles/gateway-receipt.ts';

const ledgerName = 'tallystick-00000001';
const signer = noteSignerOfSeed(`${ledgerName}/gateway`, new Uint8Array(32).fill(3));
const receivedAtMs = Date.parse('2026-11-21T09:50:00.123Z');

function eventsOf(count: number) {
  return Array.from({ length: count }, (_, n) => ({
    account: account(`vat:${String(100_000_000 + n)}`),
    eventId: eventId(n.toString(16).padStart(32, '0')),
    hash: n.toString(16).padStart(64, 'a'),
    index: n,
    person: n % 2 === 0 ? personToken('cd'.repeat(16)) : null,
  }));
}

describe('a receipt', () => {
  it.each([1, 2, 3, 7, 8, 9, 100])('of %d events proves each of them, with the same note as core makes', (count) => {
    const events = eventsOf(count);
    const stored = signReceipt({ ledgerName, signer }, receivedAtMs, events);
    const inBytes = events.map((event) => ({ ...event, hash: Buffer.from(event.hash, 'hex') }));
    const byCore = receiptOf(ledgerName, receivedAtMs, inBytes, nodeTreeHasher);
    expect(stored.note).toBe(signNote(byCore.text, [signer]));
    const issued = issueReceipt(stored, events);
    for (const [index, event] of issued.events.entries()) {
      const place = { index: event.index, path: (event.path ?? []).map((hash) => Buffer.from(hash, 'base64')) };
      expect(place.path.map((hash) => hash.toString('hex'))).toEqual(
        byCore.places[index]?.path.map((hash) => Buffer.from(hash).toString('hex')),
      );
      const own = inBytes[index];
      if (own === undefined) throw new Error('more events came back than went in');
      const expected = { ledgerName, keys: [signer.key] };
      const note = openReceipt(issued.note, own, place, expected, nodeEd25519Verify, nodeTreeHasher);
      expect([note.receivedAtMs, note.eventCount]).toEqual([receivedAtMs, count]);
      expect(event.hash).toBe(own.hash.toString('base64'));
    }
  });

  it('leaves the paths out on request where the answer names every event of it, and nowhere else', () => {
    const events = eventsOf(5);
    const stored = signReceipt({ ledgerName, signer }, receivedAtMs, events);
    const all = issueReceipt(stored, events);
    expect(all.events.every(({ path }) => path !== undefined)).toBe(true);
    const whole = issueReceipt(stored, events, 'needed');
    expect(whole).toEqual({ note: all.note, events: all.events.map(({ path: _, ...event }) => event) });
    expect(issueReceipt(stored, events.slice(1), 'needed')).toEqual({ note: all.note, events: all.events.slice(1) });
  });

  it('names the person of a payment, and of nothing else', () => {
    const events = eventsOf(2);
    const issued = issueReceipt(signReceipt({ ledgerName, signer }, receivedAtMs, events), events);
    expect(issued.events[0]?.person).toBe('cd'.repeat(16));
    expect(issued.events[1] && 'person' in issued.events[1]).toBe(false);
  });
});
