import { describe, expect, it } from 'vitest';
import {
  COSIGNATURE,
  parseVerifierKey,
  printVerifierKey,
  verifierKeyOf,
} from '../../../../../../libs/core/ledger/note/verifier-key.ts';
import { LEDGER_KEY, LEDGER_SIGNER } from '../../../../../support/ledger-chain.ts';

/** From the documentation of golang.org/x/mod/sumdb/note. */
const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

describe('verifier keys', () => {
  it("Go's own example key reads and prints the same", () => {
    const key = parseVerifierKey(GO_KEY);
    expect(key).toMatchObject({ name: 'PeterNeumann', keyId: 'c74f20a3', type: 1 });
    expect(printVerifierKey(key)).toBe(GO_KEY);
  });

  it('a witness key of the same bytes has another id', () => {
    const { publicKey } = LEDGER_SIGNER.key;
    expect(verifierKeyOf('one', publicKey).keyId).not.toBe(verifierKeyOf('one', publicKey, COSIGNATURE).keyId);
  });

  it.each([
    ['another key id', GO_KEY.replace('c74f20a3', 'c74f20a4')],
    ['a key id in capitals', GO_KEY.replace('c74f20a3', 'C74F20A3')],
    ['a space in its name', GO_KEY.replace('Peter', 'Peter ')],
    ['no name', GO_KEY.replace('PeterNeumann', '')],
    ['a flipped bit', `${GO_KEY.slice(0, -1)}X`],
    ['something behind it', `${GO_KEY}\n`],
    ['a short key', `${GO_KEY.slice(0, -4)}`],
    ['an unknown type', GO_KEY.replace('+ARpc', '+AhpC')],
  ])('%s is refused', (_, text) => {
    expect(() => parseVerifierKey(text)).toThrow(expect.objectContaining({ code: 'VERIFIER_KEY_INVALID' }));
  });

  it.each(['', 'a b', 'a+b', 'a\u00a0b', 'a\u0085b', 'a\u0001', 'x'.repeat(201)])('%j is no name of a key', (name) => {
    expect(() => verifierKeyOf(name, LEDGER_SIGNER.key.publicKey)).toThrow(
      expect.objectContaining({ code: 'KEY_NAME_INVALID' }),
    );
  });

  it('a key whose base64 holds a + is split at the first two only', () => {
    for (let byte = 0; byte < 256; byte++) {
      const key = verifierKeyOf('k', new Uint8Array(32).fill(byte));
      expect(parseVerifierKey(printVerifierKey(key))).toEqual(key);
    }
    expect(printVerifierKey(parseVerifierKey(LEDGER_KEY))).toBe(LEDGER_KEY);
  });
});
