import { assert } from '../../errors/assert.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { appendLeaves, emptyRange } from './compact-range.ts';
import type { TreeHasher } from './tree-hash.ts';

/** Reads a stored complete subtree: (level, index) is the root of leaves [index * 2^level, (index + 1) * 2^level). */
export type NodeReader<Hash> = (level: number, index: number) => Hash;

/** A reader over all complete subtrees of some leaf hashes, kept in memory: for the small trees of receipts, heads and blocks. */
export function nodesOfLeafHashes<Hash>(leafHashes: readonly Hash[], hasher: TreeHasher<Hash>): NodeReader<Hash> {
  const levels: Hash[][] = [];
  appendLeaves(emptyRange<Hash>(), leafHashes, hasher, (level, _index, hash) => {
    const nodes = levels[level];
    if (nodes === undefined) levels[level] = [hash];
    else nodes.push(hash);
  });
  return (level, index) => {
    const hash = levels[level]?.[index];
    if (hash === undefined) throw nodeMissing(level, index);
    return hash;
  };
}

/** Where a stored node is not there: TREE_NODE_MISSING. For readers of stores. */
export function nodeMissing(level: number, index: number): TallyError {
  return new TallyError('TREE_NODE_MISSING', `no stored node at level ${level}, index ${index}`, { level, index });
}

/** Root of the first `size` leaves. */
export function rootAt<Hash>(size: number, read: NodeReader<Hash>, hasher: TreeHasher<Hash>): Hash {
  return size === 0 ? hasher.empty : subtreeRoot(0, size, read, hasher);
}

/** Roots of the subtrees that a tree of one size ends with and that are not complete, by their first leaf. */
export type EdgeRoots<Hash> = Map<number, Hash>;

/**
 * Audit path PATH(index, D[size]) of RFC 6962 section 2.1.1, from the leaf's sibling up. Throws PROOF_OUT_OF_RANGE.
 *
 * @param edges of this very tree and size, for whoever asks for many paths of it: each of these roots is then worked out once.
 */
export function inclusionPath<Hash>(
  index: number,
  size: number,
  read: NodeReader<Hash>,
  hasher: TreeHasher<Hash>,
  edges: EdgeRoots<Hash> = new Map(),
): readonly Hash[] {
  if (!isCount(index) || !isCount(size) || index >= size) throw outOfRange(index, size);
  const path: Hash[] = [];
  let begin = 0;
  let end = size;
  while (end - begin > 1) {
    const middle = begin + largestPowerBelow(end - begin);
    if (index < middle) {
      path.push(rightRoot(middle, end, read, hasher, edges));
      end = middle;
    } else {
      path.push(subtreeRoot(begin, middle, read, hasher));
      begin = middle;
    }
  }
  return path.reverse();
}

/** A right-hand subtree: complete, and read, or one that the tree ends with. */
function rightRoot<Hash>(
  begin: number,
  end: number,
  read: NodeReader<Hash>,
  hasher: TreeHasher<Hash>,
  edges: EdgeRoots<Hash>,
): Hash {
  if (isPowerOfTwo(end - begin)) return subtreeRoot(begin, end, read, hasher);
  const known = edges.get(begin);
  if (known !== undefined) return known;
  const root = subtreeRoot(begin, end, read, hasher);
  edges.set(begin, root);
  return root;
}

/** The root of leaf hashes and the audit path of each leaf, every node of the tree made once. Throws PROOF_OUT_OF_RANGE for no leaf. */
export function everyInclusionPath<Hash>(
  leafHashes: readonly Hash[],
  hasher: TreeHasher<Hash>,
): { readonly root: Uint8Array; readonly paths: readonly (readonly Uint8Array[])[] } {
  const paths = leafHashes.map((): Uint8Array[] => []);
  const build = (begin: number, end: number): Hash => {
    const leaf = leafHashes[begin];
    if (leaf === undefined) throw outOfRange(begin, leafHashes.length);
    if (end - begin === 1) return leaf;
    const middle = begin + largestPowerBelow(end - begin);
    const left = build(begin, middle);
    const right = build(middle, end);
    const [leftBytes, rightBytes] = [hasher.toBytes(left), hasher.toBytes(right)];
    // Lower halves were built before, so each path grows from its leaf upwards.
    for (let index = begin; index < end; index++) paths[index]?.push(index < middle ? rightBytes : leftBytes);
    return hasher.node(left, right);
  };
  return { root: hasher.toBytes(build(0, leafHashes.length)), paths };
}

/** PROOF(from, D[to]) of RFC 6962 section 2.1.2; empty where from is 0 or equal to `to`. Throws PROOF_OUT_OF_RANGE. */
export function consistencyPath<Hash>(
  from: number,
  to: number,
  read: NodeReader<Hash>,
  hasher: TreeHasher<Hash>,
): readonly Hash[] {
  if (!isCount(from) || !isCount(to) || from > to) throw outOfRange(from, to);
  if (from === 0 || from === to) return [];
  const path: Hash[] = [];
  let begin = 0;
  let end = to;
  // Walk down to the subtree that ends at `from`; siblings on the way are the proof.
  while (from !== end) {
    const middle = begin + largestPowerBelow(end - begin);
    if (from <= middle) {
      path.push(subtreeRoot(middle, end, read, hasher));
      end = middle;
    } else {
      path.push(subtreeRoot(begin, middle, read, hasher));
      begin = middle;
    }
  }
  // SUBPROOF(m, D[m], true) is empty: the verifier holds the old root itself.
  if (begin !== 0) path.push(subtreeRoot(begin, end, read, hasher));
  return path.reverse();
}

/** True where the path leads from the leaf hash at `index` to the root of `size` leaves. Never throws on hostile input. */
export function verifyInclusion<Hash>(
  claim: { readonly index: number; readonly size: number; readonly leafHash: Hash; readonly root: Hash },
  path: readonly Hash[],
  hasher: TreeHasher<Hash>,
): boolean {
  if (!isCount(claim.index) || !isCount(claim.size) || claim.index >= claim.size) return false;
  let [node, last] = [claim.index, claim.size - 1];
  let hash = claim.leafHash;
  // RFC 9162 section 2.1.3.2.
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = hasher.node(sibling, hash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = hasher.node(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hasher.equal(hash, claim.root);
}

/** True where the path shows that the tree of `to` leaves begins with the tree of `from`. Never throws on hostile input. */
export function verifyConsistency<Hash>(
  claim: { readonly from: number; readonly to: number; readonly fromRoot: Hash; readonly toRoot: Hash },
  path: readonly Hash[],
  hasher: TreeHasher<Hash>,
): boolean {
  const { from, to, fromRoot, toRoot } = claim;
  if (!isCount(from) || !isCount(to) || from > to) return false;
  if (from === to) return path.length === 0 && hasher.equal(fromRoot, toRoot);
  if (from === 0) return path.length === 0 && hasher.equal(fromRoot, hasher.empty);
  // RFC 9162 section 2.1.4.2: where `from` is a power of two the old root is itself the first node.
  const hashes = isPowerOfTwo(from) ? [fromRoot, ...path] : path;
  let [node, last] = [from - 1, to - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  const first = hashes[0];
  if (first === undefined) return false;
  let oldHash: Hash = first;
  let newHash: Hash = first;
  for (const sibling of hashes.slice(1)) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      oldHash = hasher.node(sibling, oldHash);
      newHash = hasher.node(sibling, newHash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newHash = hasher.node(newHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hasher.equal(oldHash, fromRoot) && hasher.equal(newHash, toRoot);
}

/** Root of leaves [begin, end); begin is a multiple of the least power of two at or above the length, as in every RFC 6962 split. */
function subtreeRoot<Hash>(begin: number, end: number, read: NodeReader<Hash>, hasher: TreeHasher<Hash>): Hash {
  const length = end - begin;
  assert(length > 0, 'a subtree has leaves', { begin, end });
  if (isPowerOfTwo(length)) return read(Math.round(Math.log2(length)), begin / length);
  const split = largestPowerBelow(length);
  const left = read(Math.round(Math.log2(split)), begin / split);
  return hasher.node(left, subtreeRoot(begin + split, end, read, hasher));
}

/** Largest power of two below n, n > 1. Arithmetic, not bits: sizes go beyond 2^32. */
function largestPowerBelow(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

function isPowerOfTwo(n: number): boolean {
  let power = 1;
  while (power < n) power *= 2;
  return power === n;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function isOdd(value: number): boolean {
  return value % 2 === 1;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function outOfRange(a: number, b: number): TallyError {
  return new TallyError('PROOF_OUT_OF_RANGE', `no proof for ${a} in a tree of ${b} leaves`, { position: a, size: b });
}
