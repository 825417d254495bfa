import { parseBlockHeader } from '../../libs/core/ledger/block-header.ts';
import { totalsHashOf } from '../../libs/core/ledger/block-totals.ts';
import { rootOfLeaves } from '../../libs/core/ledger/compact-range.ts';
import { sameBytes } from '../../libs/core/ledger/compare-bytes.ts';
import { utf8 } from '../../libs/core/ledger/hash-input.ts';
import { toHex } from '../../libs/core/ledger/hex.ts';
import { logLeafOf, slotTagOf } from '../../libs/core/ledger/log-leaf.ts';
import type { StoredBlock } from './block-frame.ts';
import type { LedgerCrypto } from './ledger-identity.ts';
import { damaged, type LedgerStore, type StoredChain } from './ledger-store.ts';

export interface ReadBlockDependencies {
  readonly store: LedgerStore;
  readonly crypto: LedgerCrypto;
}

export interface VerifiedBlock extends StoredBlock {
  readonly seq: number;
  /** In the log. */
  readonly index: number;
  /** 32 bytes. */
  readonly blockHash: Uint8Array;
}

/**
 * A block of the store, hashed again down to its leaf in the log's tree: header, totals, entries. What is served has passed here, so rot
 * on the disk is found before a payer sees it. Throws BLOCK_DAMAGED.
 */
export function readBlock(
  chain: StoredChain,
  seq: number,
  index: number,
  dependencies: ReadBlockDependencies,
): VerifiedBlock {
  const { store, crypto } = dependencies;
  const { sha256, tree } = crypto.hashes;
  const block = store.committedBlock(chain, seq, index);
  const blockHash = sha256(utf8(block.header));
  const leaf = logLeafOf(slotTagOf(chain.keys.tagKey, seq, crypto.hmac), blockHash);
  if (!sameBytes(crypto.treeHasher.leaf(leaf), store.tree.leafHash(index))) {
    throw damaged(chain, seq, 'its header is not the leaf of the log');
  }
  const header = parseBlockHeader(block.header);
  if (!sameBytes(totalsHashOf(block.totals, sha256), header.totalsHash)) throw damaged(chain, seq, 'its totals differ');
  const root = tree.toBytes(rootOfLeaves(block.entries, tree));
  if (block.entries.length !== header.entryCount || !sameBytes(root, header.entriesRoot)) {
    throw damaged(chain, seq, 'its entries differ');
  }
  return { ...block, seq, index, blockHash };
}

/** 64 hex of the hash of a chain's block, or null where the chain has no block of that seq yet. Throws BLOCK_DAMAGED. */
export function blockHashAt(chain: StoredChain, seq: number, dependencies: ReadBlockDependencies): string | null {
  if (seq === chain.head.seq) return chain.head.blockHash;
  const index = seq < chain.head.seq ? dependencies.store.committedIndices(chain, seq, 1)[0] : undefined;
  return index === undefined ? null : toHex(readBlock(chain, seq, index, dependencies).blockHash);
}
