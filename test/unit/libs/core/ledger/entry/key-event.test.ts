import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { decodeEntry, encodeEntry } from '../../../../../../libs/core/ledger/entry/entry-codec.ts';
import {
  assertRegistrableKey,
  derivedEventId,
  payerKeyEntry,
} from '../../../../../../libs/core/ledger/entry/key-event.ts';
import { COSIGNATURE, printVerifierKey, verifierKeyOf } from '../../../../../../libs/core/ledger/note/verifier-key.ts';
import {
  ACCOUNT,
  entry,
  firstEntry,
  LEDGER_KEY,
  LEDGER_SIGNER,
  seededBytes,
} from '../../../../../support/ledger-chain.ts';

describe('key events', () => {
  it("block 0's entry holds the ledger's key, under the id H(account ‖ period ‖ kind)[0..16]", () => {
    const first = firstEntry();
    expect(first).toMatchObject({ kind: 'key event', number: 0, amounts: [], person: null, detail: LEDGER_KEY });
    const framed = [ACCOUNT, '', 'key event'].map((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(text.length);
      return Buffer.concat([length, Buffer.from(text)]);
    });
    const expected = createHash('sha256').update(Buffer.concat(framed)).digest('hex').slice(0, 32);
    expect(first.eventId).toBe(expected);
    expect(derivedEventId(ACCOUNT, '', 'key event')).toBe(expected);
  });

  it('hold their key after storage', () => {
    const stored = decodeEntry(encodeEntry(payerKeyEntry(entry(1).eventId, LEDGER_KEY, seededBytes('salt', 16))));
    expect(stored).toMatchObject({ kind: 'key event', detail: LEDGER_KEY });
  });

  it('a key is registered only if it signs notes and is a safe point', () => {
    expect(assertRegistrableKey(LEDGER_KEY).name).toBe('ledger-4f1d');
    const witness = printVerifierKey(verifierKeyOf('witness', LEDGER_SIGNER.key.publicKey, COSIGNATURE));
    expect(() => assertRegistrableKey(witness)).toThrow(expect.objectContaining({ code: 'VERIFIER_KEY_INVALID' }));
    const weak = printVerifierKey(verifierKeyOf('weak', new Uint8Array(32)));
    expect(() => assertRegistrableKey(weak)).toThrow(expect.objectContaining({ code: 'PUBLIC_KEY_REFUSED' }));
  });
});
