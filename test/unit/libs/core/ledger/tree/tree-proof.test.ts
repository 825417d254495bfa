import { describe, expect, it } from 'vitest';
import { latin1TreeHasher } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import { treeHasher } from '../../../../../../libs/core/ledger/tree/tree-hash.ts';
import {
  consistencyPath,
  everyInclusionPath,
  inclusionPath,
  nodeMissing,
  nodesOfLeafHashes,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from '../../../../../../libs/core/ledger/tree/tree-proof.ts';

const LEAF_HASHES = Array.from({ length: 7 }, (_, index) => treeHasher.leaf(Buffer.from([index])));
const NODES = nodesOfLeafHashes(LEAF_HASHES, treeHasher);
const leaf = (index: number) => LEAF_HASHES[index] ?? new Uint8Array(0);
const node = (left: Uint8Array, right: Uint8Array) => treeHasher.node(left, right);

// RFC 6962 section 2.1.3: the tree of seven leaves d0..d6 with nodes a..l.
const [a, b, c, d, e, f, j] = [leaf(0), leaf(1), leaf(2), leaf(3), leaf(4), leaf(5), leaf(6)] as const;
const [g, h, i] = [node(a, b), node(c, d), node(e, f)] as const;
const [k, l] = [node(g, h), node(i, j)] as const;

describe('the example of RFC 6962 section 2.1.3', () => {
  it('the root of the seven is hash(k, l)', () => expect(rootAt(7, NODES, treeHasher)).toEqual(node(k, l)));
  it('the path of d0 is b, h, l', () => expect(inclusionPath(0, 7, NODES, treeHasher)).toEqual([b, h, l]));
  it('the path of d3 is c, g, l', () => expect(inclusionPath(3, 7, NODES, treeHasher)).toEqual([c, g, l]));
  it('the path of d4 is f, j, k', () => expect(inclusionPath(4, 7, NODES, treeHasher)).toEqual([f, j, k]));
  it('the path of d6 is i, k', () => expect(inclusionPath(6, 7, NODES, treeHasher)).toEqual([i, k]));
  it('the proof from 3 is c, d, g, l', () => expect(consistencyPath(3, 7, NODES, treeHasher)).toEqual([c, d, g, l]));
  it('the proof from 4 is l', () => expect(consistencyPath(4, 7, NODES, treeHasher)).toEqual([l]));
  it('the proof from 6 is i, j, k', () => expect(consistencyPath(6, 7, NODES, treeHasher)).toEqual([i, j, k]));
});

describe('all paths of a tree at once', () => {
  it('are those that are made one by one, under the same root, for every size to seventy', () => {
    const many = Array.from({ length: 70 }, (_, index) => treeHasher.leaf(Buffer.from([7, index])));
    for (let size = 1; size <= many.length; size++) {
      const leaves = many.slice(0, size);
      const nodes = nodesOfLeafHashes(leaves, treeHasher);
      const { root, paths } = everyInclusionPath(leaves, treeHasher);
      expect(root, `root of ${size}`).toEqual(rootAt(size, nodes, treeHasher));
      expect(paths, `paths of ${size}`).toEqual(
        leaves.map((_, index) => inclusionPath(index, size, nodes, treeHasher)),
      );
    }
  });

  it('are bytes whatever form the hashes have', () => {
    const texts = LEAF_HASHES.map((hash) => latin1TreeHasher.fromBytes(hash));
    const made = everyInclusionPath(texts, latin1TreeHasher);
    expect(Buffer.from(made.root)).toEqual(Buffer.from(node(k, l)));
    expect(made.paths[4]?.map((hash) => Buffer.from(hash))).toEqual([f, j, k].map((hash) => Buffer.from(hash)));
  });

  it('are none of no leaves', () => {
    expect(() => everyInclusionPath([], treeHasher)).toThrow(expect.objectContaining({ code: 'PROOF_OUT_OF_RANGE' }));
  });
});

describe('claims at the edges', () => {
  const root = rootAt(7, NODES, treeHasher);

  it('no proof is made for what is not in the tree', () => {
    for (const [index, size] of [
      [7, 7],
      [-1, 7],
      [0.5, 7],
      [0, 0],
    ] as const) {
      expect(() => inclusionPath(index, size, NODES, treeHasher)).toThrow(
        expect.objectContaining({ code: 'PROOF_OUT_OF_RANGE' }),
      );
    }
    expect(() => consistencyPath(8, 7, NODES, treeHasher)).toThrow(
      expect.objectContaining({ code: 'PROOF_OUT_OF_RANGE' }),
    );
  });

  it('a node that is not stored is named', () => {
    expect(() => NODES(3, 1)).toThrow(
      expect.objectContaining({ code: 'TREE_NODE_MISSING', facts: { level: 3, index: 1 } }),
    );
    expect(nodeMissing(2, 5).message).toBe('no stored node at level 2, index 5');
  });

  it('a hostile index or size is not included, and is no error', () => {
    for (const index of [-1, 7, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(verifyInclusion({ index, size: 7, leafHash: a, root }, [b, h, l], treeHasher)).toBe(false);
    }
    expect(verifyInclusion({ index: 0, size: Number.NaN, leafHash: a, root }, [b, h, l], treeHasher)).toBe(false);
  });

  it('a tree is consistent with itself by no hashes, and with no other root of its size', () => {
    expect(verifyConsistency({ from: 7, to: 7, fromRoot: root, toRoot: root }, [], treeHasher)).toBe(true);
    expect(verifyConsistency({ from: 7, to: 7, fromRoot: root, toRoot: k }, [], treeHasher)).toBe(false);
    expect(verifyConsistency({ from: 7, to: 7, fromRoot: root, toRoot: root }, [k], treeHasher)).toBe(false);
  });

  it('every tree begins with the empty tree, whose root is known', () => {
    const { empty } = treeHasher;
    expect(consistencyPath(0, 7, NODES, treeHasher)).toEqual([]);
    expect(verifyConsistency({ from: 0, to: 7, fromRoot: empty, toRoot: root }, [], treeHasher)).toBe(true);
    expect(verifyConsistency({ from: 0, to: 7, fromRoot: root, toRoot: root }, [], treeHasher)).toBe(false);
  });

  it('a tree that shrank is not consistent', () => {
    expect(verifyConsistency({ from: 7, to: 4, fromRoot: root, toRoot: k }, [l], treeHasher)).toBe(false);
  });

  it('sizes beyond 2^32 are arithmetic, not bits', () => {
    const size = 2 ** 40 + 1;
    const claim = { index: 2 ** 40, size, leafHash: a, root: node(b, a) };
    expect(verifyInclusion(claim, [b], treeHasher)).toBe(true);
    expect(inclusionPath(2 ** 40, size, (level, index) => (level === 40 && index === 0 ? b : a), treeHasher)).toEqual([
      b,
    ]);
  });
});
