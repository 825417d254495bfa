import { describe, expect, it } from 'vitest';
import { nodeEd25519Verify, noteSignerOfSeed } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import {
  assertKeyProven,
  assertPayerKey,
  printKeyRegistration,
  proveKey,
} from '../../../../../../libs/core/ledger/entry/key-registration.ts';
import { openNote, signNote } from '../../../../../../libs/core/ledger/note/signed-note.ts';
import { printVerifierKey, verifierKeyOf } from '../../../../../../libs/core/ledger/note/verifier-key.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

const LEDGER = 'tallystick-4f1d0c22';
const SIGNER = noteSignerOfSeed('payer-node', seededBytes('payer', 32));
const OTHER = noteSignerOfSeed('payer-node', seededBytes('other', 32));
const REGISTRATION = {
  ledgerName: LEDGER,
  chain: '0123456789abcdef0123456789abcdef',
  account: account('paye:123/AB456'),
  verifierKey: printVerifierKey(SIGNER.key),
};
const invalid = expect.objectContaining({ code: 'KEY_PROOF_INVALID' });

describe('the proof that a key is its own', () => {
  it('is a signed note of ledger, chain, account and key, to the byte', () => {
    const text =
      'tallystick-4f1d0c22/key-registration/v1\nchain 0123456789abcdef0123456789abcdef\naccount paye:123/AB456\n' +
      `key ${REGISTRATION.verifierKey}\n`;
    expect(printKeyRegistration(REGISTRATION)).toBe(text);
    const proof = proveKey(REGISTRATION, SIGNER);
    expect(openNote(proof, [SIGNER.key], nodeEd25519Verify).text).toBe(text);
    expect(() => assertKeyProven(proof, REGISTRATION, SIGNER.key, nodeEd25519Verify)).not.toThrow();
  });

  it.each([
    ['of another ledger', proveKey({ ...REGISTRATION, ledgerName: 'tallystick-00000000' }, SIGNER)],
    ['of another chain', proveKey({ ...REGISTRATION, chain: 'f'.repeat(32) }, SIGNER)],
    ['of another account', proveKey({ ...REGISTRATION, account: account('vat:101747696') }, SIGNER)],
    ['of another key', proveKey(REGISTRATION, OTHER)],
    ['signed by another key of the same name', signNote(printKeyRegistration(REGISTRATION), [OTHER])],
    [
      'with a byte of its signature changed',
      proveKey(REGISTRATION, SIGNER).replace(/.(?=..=*\n$)/, (byte) => (byte === 'A' ? 'B' : 'A')),
    ],
    ['empty', ''],
    ['that is endless', 'x'.repeat(1_000_000)],
  ])('is refused where it is one %s', (_what, proof) => {
    expect(() => assertKeyProven(proof, REGISTRATION, SIGNER.key, nodeEd25519Verify)).toThrow(invalid);
  });
});

describe('the key that a payer may register', () => {
  const named = (name: string) => printVerifierKey(verifierKeyOf(name, SIGNER.key.publicKey));

  it.each(['payer-node', 'acme.example/payroll', '~', 'x'.repeat(100)])('may be named %s', (name) => {
    expect(assertPayerKey(named(name), LEDGER).name).toBe(name);
  });

  it.each([
    LEDGER,
    `${LEDGER}/gateway`,
    `${LEDGER}/2026`,
    `${LEDGER}-payer`,
    LEDGER.toUpperCase(),
    'witness',
    'Witness-1',
    'p\u0430yer',
    'pay\u200ber',
    'x'.repeat(101),
    'caf\u00e9',
    'x\u007f',
  ])('is refused under the name %j', (name) => {
    expect(() => assertPayerKey(named(name), LEDGER)).toThrow(expect.objectContaining({ code: 'KEY_NAME_REFUSED' }));
  });

  it.each([
    // The identity, a point of order 8, y = 1 with the sign of x set, y beyond the prime, and a point that is no point.
    ['of small order', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['of order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['not canonical by its sign', '0100000000000000000000000000000000000000000000000000000000000080'],
    ['not canonical by its size', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['not on the curve', '0200000000000000000000000000000000000000000000000000000000000000'],
  ])('is refused as a point %s', (_what, hex) => {
    const key = printVerifierKey(verifierKeyOf('payer', Buffer.from(hex, 'hex')));
    expect(() => assertPayerKey(key, LEDGER)).toThrow(expect.objectContaining({ code: 'PUBLIC_KEY_REFUSED' }));
  });
});
