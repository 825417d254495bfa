import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ed25519OfSeed,
  latin1TreeHasher,
  nodeEd25519Verify,
  nodeHkdfSha256,
  nodeHmacSha256,
  nodeRandom,
  nodeSha256,
  nodeTreeHasher,
  noteSignerOfSeed,
  randomEd25519Seed,
} from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { hkdfSha256, hmacSha256, sha256 } from '../../../../../libs/core/encoding/sha256.ts';
import { treeHasher } from '../../../../../libs/core/ledger/tree/tree-hash.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (maxLength = 400) => fc.uint8Array({ maxLength });

describe("node's crypto and core's own", () => {
  it('have the same SHA-256, HMAC and HKDF', () => {
    fc.assert(
      fc.property(bytes(), bytes(), (a, b) => {
        expect(hex(nodeSha256(a))).toBe(hex(sha256(a)));
        expect(hex(nodeHmacSha256(a, b))).toBe(hex(hmacSha256(a, b)));
        for (const size of [16, 32, 80]) expect(hex(nodeHkdfSha256(a, b, size))).toBe(hex(hkdfSha256(a, b, size)));
      }),
    );
  });

  it.each([
    [0, 0],
    [16, 64],
    [32, 8],
    [64, 4_096],
    [65, 1],
    [32, 4_097],
    [200, 10_000],
  ])('has the HMAC of a key of %i bytes and a message of %i, one after another', (keyBytes, messageBytes) => {
    for (const fill of [0xff, 0x00, 0x5a]) {
      const [key, message] = [new Uint8Array(keyBytes).fill(fill), new Uint8Array(messageBytes).fill(fill ^ 0x0f)];
      expect(hex(nodeHmacSha256(key, message))).toBe(hex(hmacSha256(key, message)));
    }
  });

  it('have the same tree hashes, as latin1 strings or as bytes, for leaves of any length', () => {
    const text = (hash: Uint8Array) => Buffer.from(hash).toString('latin1');
    expect(latin1TreeHasher.empty).toBe(text(treeHasher.empty));
    fc.assert(
      fc.property(fc.oneof(bytes(), bytes(20_000)), bytes(), (a, b) => {
        const [left, right] = [treeHasher.leaf(a), treeHasher.leaf(b)];
        expect(latin1TreeHasher.leaf(a)).toBe(text(left));
        expect(latin1TreeHasher.node(text(left), text(right))).toBe(text(treeHasher.node(left, right)));
        expect(latin1TreeHasher.fromBytes(left)).toBe(text(left));
        expect(hex(latin1TreeHasher.toBytes(text(left)))).toBe(hex(left));
        expect(hex(nodeTreeHasher.leaf(a))).toBe(hex(left));
        expect(hex(nodeTreeHasher.node(left, right))).toBe(hex(treeHasher.node(left, right)));
        expect(hex(nodeTreeHasher.node(left, a)), 'a hash of any length').toBe(hex(treeHasher.node(left, a)));
      }),
    );
    const long = new Uint8Array(16 * 1024).fill(7);
    expect(latin1TreeHasher.leaf(long)).toBe(text(treeHasher.leaf(long)));
    expect(hex(nodeTreeHasher.leaf(long))).toBe(hex(treeHasher.leaf(long)));
  });

  it("have the same SHA-256 of a text's UTF-8", () => {
    for (const text of ['', 'abc', '£ and €', 'x'.repeat(5_000)]) expect(hex(nodeSha256(text))).toBe(hex(sha256(text)));
  });
});

describe('Ed25519', () => {
  // RFC 8032 section 7.1, test 2.
  const seed = Buffer.from('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb', 'hex');
  const publicKey = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
  const signature =
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
    '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';

  it('signs as RFC 8032 says', () => {
    const key = ed25519OfSeed(seed);
    expect(hex(key.publicKey)).toBe(publicKey);
    expect(hex(key.sign(Uint8Array.of(0x72)))).toBe(signature);
    expect(nodeEd25519Verify(key.publicKey, Uint8Array.of(0x72), Buffer.from(signature, 'hex'))).toBe(true);
  });

  it('a signature of another message, a flipped bit, a wrong length: false, never an error', () => {
    const key = ed25519OfSeed(seed);
    const good = Buffer.from(signature, 'hex');
    expect(nodeEd25519Verify(key.publicKey, Uint8Array.of(0x73), good)).toBe(false);
    expect(
      nodeEd25519Verify(
        key.publicKey,
        Uint8Array.of(0x72),
        good.map((byte, at) => (at === 5 ? byte ^ 1 : byte)),
      ),
    ).toBe(false);
    expect(nodeEd25519Verify(key.publicKey, Uint8Array.of(0x72), good.subarray(1))).toBe(false);
    expect(nodeEd25519Verify(key.publicKey.subarray(1), Uint8Array.of(0x72), good)).toBe(false);
    expect(nodeEd25519Verify(new Uint8Array(32).fill(0xff), Uint8Array.of(0x72), good)).toBe(false);
  });

  it('a signature whose S is not below the order is refused: no second signature for one message', () => {
    const order = (1n << 252n) + 27742317777372353535851937790883648493n;
    const good = Buffer.from(signature, 'hex');
    let s = BigInt(`0x${Buffer.from(good.subarray(32)).reverse().toString('hex')}`) + order;
    for (let at = 32; at < 64; at++, s >>= 8n) good[at] = Number(s & 0xffn);
    expect(nodeEd25519Verify(Buffer.from(publicKey, 'hex'), Uint8Array.of(0x72), good)).toBe(false);
  });

  it('fresh seeds make working keys, each its own', () => {
    const [one, two] = [randomEd25519Seed(), nodeRandom(32)].map((fresh) => noteSignerOfSeed('name', fresh));
    if (one === undefined || two === undefined) throw new Error('two keys');
    const message = Buffer.from('message');
    expect(nodeEd25519Verify(one.key.publicKey, message, one.sign(message))).toBe(true);
    expect(nodeEd25519Verify(two.key.publicKey, message, one.sign(message))).toBe(false);
  });

  it('a seed of another length is refused', () => {
    expect(() => ed25519OfSeed(new Uint8Array(31))).toThrow(expect.objectContaining({ code: 'SEED_INVALID' }));
  });
});
