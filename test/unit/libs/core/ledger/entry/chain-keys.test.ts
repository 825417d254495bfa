import { createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { nodeHkdfSha256, nodeHmacSha256 } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { personToken } from '../../../../../../libs/core/identity/event-id.ts';
import { chainKeysOf, pseudonymOf, workingKeysOf } from '../../../../../../libs/core/ledger/entry/chain-keys.ts';
import { ACCOUNT, seededBytes } from '../../../../../support/ledger-chain.ts';

const MASTER = seededBytes('master', 32);
const framed = (text: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
};
const hmac = (key: Uint8Array, message: Uint8Array) => createHmac('sha256', key).update(message).digest();
const hkdf = (secret: Uint8Array, info: Uint8Array) => Buffer.from(hkdfSync('sha256', secret, '', info, 32));

describe('keys of a chain', () => {
  const keys = chainKeysOf(MASTER, ACCOUNT);

  it('the id is HMAC(master, "chain-id" ‖ account)[0..16]', () => {
    const expected = hmac(MASTER, Buffer.concat([framed('chain-id'), framed(ACCOUNT)])).subarray(0, 16);
    expect(keys.chain).toBe(expected.toString('hex'));
  });

  it('the chain key is HKDF(master, "tallystick/chain-key/v1" ‖ account), and working keys come of it alone', () => {
    const chainKey = hkdf(MASTER, Buffer.concat([framed('tallystick/chain-key/v1'), framed(ACCOUNT)]));
    expect(Buffer.from(keys.chainKey)).toEqual(chainKey);
    expect(Buffer.from(keys.tagKey)).toEqual(hkdf(chainKey, framed('tag')));
    expect(Buffer.from(keys.personKey)).toEqual(hkdf(chainKey, framed('person')));
    expect(workingKeysOf(keys.chainKey)).toEqual({ tagKey: keys.tagKey, personKey: keys.personKey });
  });

  it('are the same by noble and by node', () => {
    const byNode = chainKeysOf(MASTER, ACCOUNT, nodeHmacSha256, nodeHkdfSha256);
    expect(byNode.chain).toBe(keys.chain);
    expect(Buffer.from(byNode.tagKey)).toEqual(Buffer.from(keys.tagKey));
    expect(Buffer.from(byNode.personKey)).toEqual(Buffer.from(keys.personKey));
  });

  it('another account has other keys, and one person other pseudonyms there', () => {
    const other = chainKeysOf(MASTER, 'paye:123/AB457');
    const token = personToken('ab'.repeat(16));
    expect(other.chain).not.toBe(keys.chain);
    expect(pseudonymOf(other.personKey, token)).not.toBe(pseudonymOf(keys.personKey, token));
    const expected = hmac(keys.personKey, Buffer.from('ab'.repeat(16), 'hex'))
      .subarray(0, 16)
      .toString('hex');
    expect(pseudonymOf(keys.personKey, token)).toBe(expected);
  });
});
