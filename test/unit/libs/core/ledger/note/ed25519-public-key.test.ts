import { describe, expect, it } from 'vitest';
import { noteSignerOfSeed } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { assertSafePublicKey } from '../../../../../../libs/core/ledger/note/ed25519-public-key.ts';
import { seededBytes } from '../../../../../support/ledger-chain.ts';

const refused = (hex: string) => {
  try {
    assertSafePublicKey(Buffer.from(hex, 'hex'));
    return 'taken';
  } catch (error) {
    return (error as { facts: { why: string } }).facts.why;
  }
};

describe('public keys at registration', () => {
  it('honest keys are taken', () => {
    for (let index = 0; index < 10; index++) {
      assertSafePublicKey(noteSignerOfSeed('k', seededBytes(`honest ${index}`, 32)).key.publicKey);
    }
    // RFC 8032 section 7.1, test 1 and test 2.
    expect(refused('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a')).toBe('taken');
    expect(refused('3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c')).toBe('taken');
  });

  // The eight points of small order in their canonical encodings.
  it.each([
    ['order 1', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['order 2', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['order 4', '0000000000000000000000000000000000000000000000000000000000000000'],
    ['order 4', '0000000000000000000000000000000000000000000000000000000000000080'],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05'],
    ['order 8', '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85'],
    ['order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'],
    ['order 8', 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa'],
  ])('a point of %s is refused: %s', (_, hex) => expect(refused(hex)).toBe('small order'));

  it.each([
    ['y = p + 1, which is 1', 'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['y = p, which is 0', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['y = 2^255 - 1', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['y = 1 with the sign of x = 0 set', '0100000000000000000000000000000000000000000000000000000000000080'],
    ['y = -1 with the sign of x = 0 set', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
  ])('%s is not canonical', (_, hex) => expect(refused(hex)).toBe('not canonical'));

  // From "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), vectors 4 and 5: a key with a part of order 8.
  it('a key of mixed order is refused', () => {
    expect(refused('cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d')).toBe('mixed order');
  });

  it('a point that is not on the curve, and a wrong length, are refused', () => {
    expect(refused('0200000000000000000000000000000000000000000000000000000000000000')).toBe('not on the curve');
    expect(refused('01')).toBe('length');
  });
});
