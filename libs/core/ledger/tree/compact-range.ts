import { assert } from '../../errors/assert.ts';
import type { TreeHasher } from './tree-hash.ts';

/**
 * The right edge of a tree of `size` leaves: the roots of its perfect subtrees, the largest first. All that appending needs.
 * `onNode` hears every complete subtree as it comes to be: level 0 are leaf hashes, (level, index) covers leaves
 * [index * 2^level, (index + 1) * 2^level). A log that keeps them all can prove anything (NodeReader).
 */
export interface CompactRange<Hash> {
  readonly size: number;
  readonly roots: readonly Hash[];
}

export type NodeListener<Hash> = (level: number, index: number, hash: Hash) => void;

export function emptyRange<Hash>(): CompactRange<Hash> {
  return { size: 0, roots: [] };
}

/** The range with these leaf hashes more, in order. */
export function appendLeaves<Hash>(
  range: CompactRange<Hash>,
  leafHashes: readonly Hash[],
  hasher: TreeHasher<Hash>,
  onNode?: NodeListener<Hash>,
): CompactRange<Hash> {
  const roots = [...range.roots];
  let size = range.size;
  for (const leafHash of leafHashes) {
    let hash = leafHash;
    let level = 0;
    let index = size;
    onNode?.(level, index, hash);
    while (index % 2 === 1) {
      const left = roots.pop();
      assert(left !== undefined, 'a compact range has a root for each bit of its size', { size });
      hash = hasher.node(left, hash);
      level += 1;
      index = (index - 1) / 2;
      onNode?.(level, index, hash);
    }
    roots.push(hash);
    size += 1;
  }
  return { size, roots };
}

/** RFC 6962 root of the range's tree. */
export function rootOfRange<Hash>(range: CompactRange<Hash>, hasher: TreeHasher<Hash>): Hash {
  let root: Hash | undefined;
  for (let index = range.roots.length - 1; index >= 0; index--) {
    const subtree = range.roots[index];
    assert(subtree !== undefined, 'a compact range has no holes', { index });
    root = root === undefined ? subtree : hasher.node(subtree, root);
  }
  return root ?? hasher.empty;
}

/** RFC 6962 root of leaf hashes. */
export function rootOfLeafHashes<Hash>(leafHashes: readonly Hash[], hasher: TreeHasher<Hash>): Hash {
  return rootOfRange(appendLeaves(emptyRange<Hash>(), leafHashes, hasher), hasher);
}

/** RFC 6962 root of leaf data: the entries root of a block, the root of receipts and of acknowledged heads. */
export function rootOfLeaves<Hash>(leaves: readonly Uint8Array[], hasher: TreeHasher<Hash>): Hash {
  return rootOfLeafHashes(
    leaves.map((leaf) => hasher.leaf(leaf)),
    hasher,
  );
}
