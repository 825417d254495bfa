import { describe, expect, it } from 'vitest';
import { nodeSha256, nodeTreeHasher } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import {
  consistencyPath,
  inclusionPath,
  nodesOfLeafHashes,
  rootAt,
} from '../../../../../libs/core/ledger/tree/tree-proof.ts';
import { LogTree } from '../../../../../services/ledger/store/log-tree.ts';

const leaf = (index: number): Uint8Array => nodeSha256(Buffer.from(`leaf ${index}`));
const hex = (hashes: readonly Uint8Array[]): readonly string[] =>
  hashes.map((hash) => Buffer.from(hash).toString('hex'));

/** A tree with a store of sealed tiles, as the ledger store keeps them. */
function storedTree() {
  const tiles = new Map<string, Buffer>();
  const make = (): LogTree =>
    new LogTree({
      hasher: nodeTreeHasher,
      sha256: nodeSha256,
      readTile: (level, index) => tiles.get(`${level}/${index}`),
    });
  const save = (tree: LogTree): Buffer => {
    const sealed = tree.sealedTiles();
    for (const tile of sealed) tiles.set(`${tile.level}/${tile.index}`, Buffer.from(tile.bytes));
    tree.forgetSealed(sealed);
    return tree.saveTails();
  };
  return { tiles, make, save };
}

describe('LogTree', () => {
  const SIZES = [1, 2, 3, 7, 8, 255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_300];
  const leaves = Array.from({ length: 1_300 }, (_, index) => leaf(index));
  const read = nodesOfLeafHashes(leaves, nodeTreeHasher);

  it('has the roots of RFC 6962 at every size, beyond a tile of 256', () => {
    const { make } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    for (const size of [0, ...SIZES]) {
      expect(hex([tree.root(size)]), `size ${size}`).toEqual(hex([rootAt(size, read, nodeTreeHasher)]));
    }
  });

  it('gives the same inclusion paths as a tree in memory, for old sizes too', () => {
    const { make } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    for (const size of SIZES) {
      for (const index of new Set([0, Math.floor(size / 3), Math.floor(size / 2), size - 1])) {
        const expected = inclusionPath(index, size, read, nodeTreeHasher);
        expect(hex(tree.inclusionPath(index, size)), `${index} of ${size}`).toEqual(hex(expected));
      }
    }
  });

  it('gives the same consistency paths between any two sizes', () => {
    const { make } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    for (const from of [0, ...SIZES]) {
      for (const to of SIZES.filter((size) => size >= from)) {
        const expected = consistencyPath(from, to, read, nodeTreeHasher);
        expect(hex(tree.consistencyPath(from, to)), `${from} to ${to}`).toEqual(hex(expected));
      }
    }
  });

  it('goes on from saved tails and sealed tiles at every size as if it had never stopped', () => {
    const { make, save } = storedTree();
    let tree = make();
    for (const [index, one] of leaves.entries()) {
      if (index % 97 === 0 || index === 256 || index === 512) {
        const saved = save(tree);
        tree = make();
        tree.loadTails(saved);
        expect(tree.size).toBe(index);
      }
      tree.append(one);
    }
    expect(hex([tree.root()])).toEqual(hex([rootAt(1_300, read, nodeTreeHasher)]));
    expect(hex(tree.inclusionPath(5, 1_300))).toEqual(hex(inclusionPath(5, 1_300, read, nodeTreeHasher)));
  });

  it('forgets what was appended and not saved', () => {
    const { make, save } = storedTree();
    const tree = make();
    for (const one of leaves.slice(0, 300)) tree.append(one);
    const saved = save(tree);
    for (const one of leaves.slice(0, 400)) tree.append(one);
    tree.loadTails(saved);
    expect(tree.size).toBe(300);
    expect(hex([tree.root()])).toEqual(hex([rootAt(300, read, nodeTreeHasher)]));
  });

  it('says which node is missing where a tile of the store is lost', () => {
    const { make, save, tiles } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    const saved = save(tree);
    tiles.delete('0/1');
    const again = make();
    again.loadTails(saved);
    expect(() => again.inclusionPath(300, 1_300)).toThrow(expect.objectContaining({ code: 'TREE_NODE_MISSING' }));
  });

  it.each([
    ['a leaf hash', 33],
    ['a node above it', 300 * 32 + 5],
    ['its root', 510 * 32],
  ])('finds rot in a tile of the store: %s', (_what, at) => {
    const { make, save, tiles } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    const saved = save(tree);
    const tile = tiles.get('0/1') ?? Buffer.alloc(0);
    tile.writeUInt8(tile.readUInt8(at) ^ 1, at);
    const again = make();
    again.loadTails(saved);
    const damage = expect.objectContaining({ code: 'TREE_DAMAGED', facts: { level: 0, index: 1 } });
    expect(() => again.inclusionPath(300, 1_300)).toThrow(damage);
    expect(hex(again.inclusionPath(5, 1_300))).toEqual(hex(inclusionPath(5, 1_300, read, nodeTreeHasher)));
  });

  it('finds rot in a tile that was good when it was read before and has left the memory since', () => {
    const { make, save, tiles } = storedTree();
    const tree = make();
    const size = 300 * 256;
    for (let index = 0; index < size; index += 1) tree.append(leaf(index % 500));
    const again = make();
    again.loadTails(save(tree));
    const lookAtOthers = (): void => {
      for (let index = 2 * 256; index < size; index += 256) again.leafHash(index);
    };
    const path = hex(again.inclusionPath(300, size));
    lookAtOthers();
    expect(hex(again.inclusionPath(300, size))).toEqual(path);
    lookAtOthers();
    const tile = tiles.get('0/1') ?? Buffer.alloc(0);
    tiles.set('0/1', Buffer.from(tile).fill(1, 40, 41));
    expect(() => again.leafHash(300)).toThrow(expect.objectContaining({ code: 'TREE_DAMAGED' }));
    tiles.set('0/1', tile);
    expect(hex(again.inclusionPath(300, size))).toEqual(path);
  });

  it('gives the paths of another size between two of one', () => {
    const { make } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    for (const size of [1_299, 1_300, 1_001, 1_299]) {
      for (const index of [0, 700, 1_000]) {
        const expected = inclusionPath(index, size, read, nodeTreeHasher);
        expect(hex(tree.inclusionPath(index, size)), `${index} of ${size}`).toEqual(hex(expected));
      }
    }
  });

  it('finds a tile of the store that is whole but another one', () => {
    const { make, save, tiles } = storedTree();
    const tree = make();
    for (const one of leaves) tree.append(one);
    const saved = save(tree);
    tiles.set('0/1', tiles.get('0/2') ?? Buffer.alloc(0));
    const again = make();
    again.loadTails(saved);
    expect(() => again.leafHash(300)).toThrow(expect.objectContaining({ code: 'TREE_DAMAGED' }));
  });

  it('refuses proofs of sizes that it does not have', () => {
    const { make } = storedTree();
    const tree = make();
    for (const one of leaves.slice(0, 5)) tree.append(one);
    expect(() => tree.root(6)).toThrow(expect.objectContaining({ code: 'ASSERTION_FAILED' }));
    expect(() => tree.consistencyPath(2, 6)).toThrow(expect.objectContaining({ code: 'ASSERTION_FAILED' }));
  });
});
