import { sameBytes } from '../../../libs/core/encoding/compare-bytes.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import { headerNames } from '../../../libs/core/ledger/block/block-header.ts';
import { logLeafOf, slotTagOf } from '../../../libs/core/ledger/block/log-leaf.ts';
import { rootOfLeaves } from '../../../libs/core/ledger/tree/compact-range.ts';
import type { BlockBytes } from './block-frame.ts';
import type { LedgerCrypto } from './ledger-identity.ts';
import type { StoredChain } from './ledger-records.ts';
import { damaged, type LedgerStore } from './ledger-store.ts';

export interface ReadBlockDependencies {
  readonly store: LedgerStore;
  readonly crypto: LedgerCrypto;
}

export interface VerifiedBlock extends BlockBytes {
  /** In the log. */
  readonly index: number;
  /** 32 bytes. */
  readonly blockHash: Uint8Array;
}

/**
 * A block of the store, hashed again down to its leaf in the log's tree: header, totals, entries. What is served has passed here, so rot
 * on the disk is found before a payer sees it. Throws BLOCK_DAMAGED, and the errors of the tree (LogTree.leafHash).
 */
export function readBlock(
  chain: StoredChain,
  seq: number,
  index: number,
  dependencies: ReadBlockDependencies,
): VerifiedBlock {
  const { store, crypto } = dependencies;
  const { sha256, tree } = crypto.hashes;
  const { chainNumber, header, totals, entries } = store.committedBlock(chain, seq, index);
  const blockHash = sha256(header);
  const leaf = logLeafOf(slotTagOf(chain.keys.tagKey, seq, crypto.hmac), blockHash);
  if (!sameBytes(crypto.treeHasher.leaf(leaf), store.tree.leafHash(index))) {
    throw damaged(chain, seq, 'its header is not the leaf of the log');
  }
  const entriesRoot = tree.toBytes(rootOfLeaves(entries, tree));
  const named = { entryCount: entries.length, entriesRoot, totalsHash: sha256(totals) };
  if (!headerNames(header.toString('latin1'), named)) throw damaged(chain, seq, 'its totals or entries differ');
  return { chainNumber, header, totals, entries, index, blockHash };
}

/** 64 hex of the hash of a chain's block, or null where the chain has no block of that seq yet. Throws BLOCK_DAMAGED. */
export function blockHashAt(chain: StoredChain, seq: number, dependencies: ReadBlockDependencies): string | null {
  if (seq === chain.head.seq) return chain.head.blockHash;
  const index = seq < chain.head.seq ? dependencies.store.committedIndices(chain, seq, 1)[0] : undefined;
  return index === undefined ? null : toHex(readBlock(chain, seq, index, dependencies).blockHash);
}
