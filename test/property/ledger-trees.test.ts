import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latin1TreeHasher } from '../../libs/adapters/crypto/node-crypto.ts';
import {
  appendLeaves,
  emptyRange,
  type NodeListener,
  rootOfLeaves,
  rootOfRange,
} from '../../libs/core/ledger/tree/compact-range.ts';
import { treeHasher } from '../../libs/core/ledger/tree/tree-hash.ts';
import {
  consistencyPath,
  inclusionPath,
  nodesOfLeafHashes,
  rootAt,
  verifyConsistency,
  verifyInclusion,
} from '../../libs/core/ledger/tree/tree-proof.ts';

const SIZE_MAX = 70;
const LEAVES = Array.from({ length: SIZE_MAX }, (_, index) => Buffer.from(`leaf ${index}`));

/** RFC 6962 section 2.1, word for word: the definition that everything else is held to. */
function naiveRoot(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256(Buffer.alloc(0));
  const [only] = leaves;
  if (leaves.length === 1 && only !== undefined) return sha256(Buffer.concat([Buffer.of(0), only]));
  const split = powerBelow(leaves.length);
  return sha256(Buffer.concat([Buffer.of(1), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split))]));
}

/** RFC 6962 section 2.1.1: PATH(m, D[n]). */
function naivePath(index: number, leaves: readonly Uint8Array[]): readonly Buffer[] {
  if (leaves.length === 1) return [];
  const split = powerBelow(leaves.length);
  return index < split
    ? [...naivePath(index, leaves.slice(0, split)), naiveRoot(leaves.slice(split))]
    : [...naivePath(index - split, leaves.slice(split)), naiveRoot(leaves.slice(0, split))];
}

/** RFC 6962 section 2.1.2: SUBPROOF(m, D[n], b). */
function naiveSubproof(from: number, leaves: readonly Uint8Array[], whole: boolean): readonly Buffer[] {
  if (from === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const split = powerBelow(leaves.length);
  return from <= split
    ? [...naiveSubproof(from, leaves.slice(0, split), whole), naiveRoot(leaves.slice(split))]
    : [...naiveSubproof(from - split, leaves.slice(split), false), naiveRoot(leaves.slice(0, split))];
}

function sha256(data: Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}

function powerBelow(n: number): number {
  return 2 ** (Math.ceil(Math.log2(n)) - 1);
}

const hexes = (path: readonly Uint8Array[]) => path.map((hash) => Buffer.from(hash).toString('hex'));

const LEAF_HASHES = LEAVES.map((leaf) => treeHasher.leaf(leaf));
const NODES = nodesOfLeafHashes(LEAF_HASHES, treeHasher);
const ROOTS = Array.from({ length: SIZE_MAX + 1 }, (_, size) => rootAt(size, NODES, treeHasher));
const rootOf = (size: number) => ROOTS[size] ?? new Uint8Array(0);

describe('trees, against RFC 6962 written out naively', () => {
  it('every size to 70 has the root of the definition, by stored nodes, by a compact range, and in latin1', () => {
    for (let size = 0; size <= SIZE_MAX; size++) {
      const expected = naiveRoot(LEAVES.slice(0, size)).toString('hex');
      const leaves = LEAVES.slice(0, size);
      expect(Buffer.from(rootOf(size)).toString('hex'), `size ${size}`).toBe(expected);
      expect(Buffer.from(rootOfLeaves(leaves, treeHasher)).toString('hex')).toBe(expected);
      expect(Buffer.from(rootOfLeaves(leaves, latin1TreeHasher), 'latin1').toString('hex')).toBe(expected);
    }
  });

  it('every inclusion path to size 70 is that of the definition, and verifies', () => {
    for (let size = 1; size <= SIZE_MAX; size++) {
      for (let index = 0; index < size; index++) {
        const path = inclusionPath(index, size, NODES, treeHasher);
        expect(hexes(path), `${index} in ${size}`).toEqual(hexes(naivePath(index, LEAVES.slice(0, size))));
        const leafHash = LEAF_HASHES[index] ?? new Uint8Array(0);
        expect(verifyInclusion({ index, size, leafHash, root: rootOf(size) }, path, treeHasher)).toBe(true);
      }
    }
  });

  it('every consistency path to size 70 is that of the definition, and verifies', () => {
    for (let to = 1; to <= SIZE_MAX; to++) {
      for (let from = 1; from <= to; from++) {
        const path = consistencyPath(from, to, NODES, treeHasher);
        expect(hexes(path), `${from} to ${to}`).toEqual(hexes(naiveSubproof(from, LEAVES.slice(0, to), true)));
        const claim = { from, to, fromRoot: rootOf(from), toRoot: rootOf(to) };
        expect(verifyConsistency(claim, path, treeHasher), `${from} to ${to}`).toBe(true);
      }
    }
  });

  it('a compact range that grows by any steps tells each complete subtree once, and has the same root', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 12 }), (steps) => {
        let range = emptyRange<Uint8Array>();
        const told = new Map<string, string>();
        const onNode: NodeListener<Uint8Array> = (level, index, hash) => {
          expect(told.has(`${level}/${index}`)).toBe(false);
          told.set(`${level}/${index}`, Buffer.from(hash).toString('hex'));
        };
        for (const step of steps) {
          const more = Array.from({ length: step }, (_, at) => treeHasher.leaf(Buffer.from(`leaf ${range.size + at}`)));
          range = appendLeaves(range, more, treeHasher, onNode);
        }
        const leaves = Array.from({ length: range.size }, (_, index) => Buffer.from(`leaf ${index}`));
        expect(Buffer.from(rootOfRange(range, treeHasher))).toEqual(naiveRoot(leaves));
        for (const [place, hash] of told) {
          const [level = 0, index = 0] = place.split('/').map(Number);
          expect(naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level)).toString('hex')).toBe(hash);
        }
      }),
    );
  });
});

describe('proofs that were tampered with', () => {
  it('a flipped bit anywhere, a hash more or less, another place or size: no inclusion', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: SIZE_MAX }), fc.nat(), fc.nat(), fc.nat(7), (size, pick, at, bit) => {
        const index = pick % size;
        const path = inclusionPath(index, size, NODES, treeHasher);
        const leafHash = LEAF_HASHES[index] ?? new Uint8Array(0);
        const claim = { index, size, leafHash, root: rootOf(size) };
        const [tampered, place] = [path.map((hash) => Uint8Array.from(hash)), at % (path.length * 32)];
        flip(tampered[Math.floor(place / 32)], place % 32, bit);
        expect(verifyInclusion(claim, tampered, treeHasher)).toBe(false);
        expect(verifyInclusion(claim, path.slice(1), treeHasher)).toBe(false);
        expect(verifyInclusion(claim, [...path, rootOf(size)], treeHasher)).toBe(false);
        expect(verifyInclusion({ ...claim, index: (index + 1) % size }, path, treeHasher)).toBe(false);
        const flippedRoot = Uint8Array.from(rootOf(size));
        flip(flippedRoot, at % 32, bit);
        expect(verifyInclusion({ ...claim, root: flippedRoot }, path, treeHasher)).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('a flipped bit anywhere, a hash more or less, swapped roots: no consistency', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: SIZE_MAX }), fc.nat(), fc.nat(), fc.nat(7), (to, pick, at, bit) => {
        const from = 1 + (pick % (to - 1));
        const path = consistencyPath(from, to, NODES, treeHasher);
        const claim = { from, to, fromRoot: rootOf(from), toRoot: rootOf(to) };
        const [tampered, place] = [path.map((hash) => Uint8Array.from(hash)), at % (path.length * 32)];
        flip(tampered[Math.floor(place / 32)], place % 32, bit);
        expect(verifyConsistency(claim, tampered, treeHasher)).toBe(false);
        expect(verifyConsistency(claim, path.slice(0, -1), treeHasher)).toBe(false);
        expect(verifyConsistency(claim, [...path, rootOf(to)], treeHasher)).toBe(false);
        expect(verifyConsistency({ ...claim, fromRoot: rootOf(to), toRoot: rootOf(from) }, path, treeHasher)).toBe(
          false,
        );
      }),
      { numRuns: 300 },
    );
  });
});

function flip(bytes: Uint8Array | undefined, at: number, bit: number): void {
  if (bytes === undefined) throw new Error('nothing to flip');
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
}
