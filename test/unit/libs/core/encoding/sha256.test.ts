import { describe, expect, it } from 'vitest';
import { hkdfSha256, hmacSha256, sha256 } from '../../../../../libs/core/encoding/sha256.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe("core's own hashes", () => {
  it('SHA-256 of "abc" is that of FIPS 180-4', () => {
    expect(hex(sha256(Buffer.from('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  it('SHA-256 of a text is that of its UTF-8', () => {
    for (const text of ['abc', '', '£ and €', 'x'.repeat(1_000)])
      expect(sha256(text)).toEqual(sha256(Buffer.from(text)));
  });

  it('HMAC is that of RFC 4231, test case 2', () => {
    expect(hex(hmacSha256(Buffer.from('Jefe'), Buffer.from('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  it('HKDF with empty salt is that of RFC 5869, test case 3', () => {
    expect(hex(hkdfSha256(new Uint8Array(22).fill(0x0b), new Uint8Array(0), 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });
});
