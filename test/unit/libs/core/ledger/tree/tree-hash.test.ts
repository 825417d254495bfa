import { describe, expect, it } from 'vitest';
import { treeHasher } from '../../../../../../libs/core/ledger/tree/tree-hash.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('hashes of a tree', () => {
  it('the empty tree is SHA-256 of nothing', () => {
    expect(hex(treeHasher.empty)).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('a leaf of nothing is SHA-256 of one zero byte, so it is not the empty tree', () => {
    expect(hex(treeHasher.leaf(new Uint8Array(0)))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });

  it('a node stands behind 0x01, so that no leaf of 64 bytes can pass for it', () => {
    const [left, right] = [treeHasher.leaf(Buffer.from('a')), treeHasher.leaf(Buffer.from('b'))];
    expect(hex(treeHasher.node(left, right))).not.toBe(hex(treeHasher.leaf(Buffer.concat([left, right]))));
  });

  it('only 32 bytes are a hash', () => {
    expect(() => treeHasher.fromBytes(new Uint8Array(31))).toThrow('32 bytes');
    expect(treeHasher.equal(new Uint8Array(32), new Uint8Array(31))).toBe(false);
  });
});
