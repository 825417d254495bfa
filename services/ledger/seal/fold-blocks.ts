import { sameBytes } from '../../../libs/core/encoding/compare-bytes.ts';
import { fromHex, toHex } from '../../../libs/core/encoding/hex.ts';
import { SHA256_BYTES } from '../../../libs/core/encoding/sha256.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { parseBlockHeader } from '../../../libs/core/ledger/block/block-header.ts';
import { totalsHashOf } from '../../../libs/core/ledger/block/block-totals.ts';
import type { BlocksBody, SealedBlock } from '../../../libs/core/ledger/block/blocks-message.ts';
import { type ChainHead, headAfterBlock, nextSeqOf, prevHashOf } from '../../../libs/core/ledger/block/chain-head.ts';
import { logLeafOf, slotTagOf } from '../../../libs/core/ledger/block/log-leaf.ts';
import type { Sealed } from '../../../libs/core/ledger/block/seal-block.ts';
import type { ChainKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';
import { decodeEntry } from '../../../libs/core/ledger/entry/entry-codec.ts';
import { openCheckpoint } from '../../../libs/core/ledger/note/checkpoint.ts';
import { rootOfLeaves } from '../../../libs/core/ledger/tree/compact-range.ts';
import { chainKeysFor, type LedgerCrypto, type LedgerIdentity } from '../store/ledger-identity.ts';
import type { LedgerStore } from '../store/ledger-store.ts';

export interface FoldDependencies {
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
}

/**
 * The fold of blocks.v1 (evolve): blocks to their chains and to the log's tree, in the order of the messages. A message here is
 * valid by its link; that its content is what this ledger may serve is checked all the same, for rot and for faults of our own:
 * chain and seq, hash link, totals, entries root, and every signed checkpoint against the tree as it then stood.
 */
export class BlockFold {
  readonly #identity: LedgerIdentity;
  readonly #crypto: LedgerCrypto;
  readonly #store: LedgerStore;
  /** Blocks that this process sealed and has not read back yet, in their order: they need not be worked out again. */
  #own: OwnBlock[] = [];
  #ownNext = 0;

  #signedSize = 0;

  constructor(dependencies: FoldDependencies) {
    this.#identity = dependencies.identity;
    this.#crypto = dependencies.crypto;
    this.#store = dependencies.store;
  }

  /** Leaves under the newest signed checkpoint that was read back. */
  get signedSize(): number {
    return this.#signedSize;
  }

  /** Begins upon what the store has committed. Throws CHECKPOINT_DIVERGES where that is not what was signed: the store is rotten. */
  resume(): void {
    this.forgetExpected();
    this.#signedSize = 0;
    const note = this.#store.committedNote();
    if (note !== undefined) this.#signedSize = this.#checked(note, this.#store.checkpoint()?.outputNext ?? 0);
  }

  /** A block of our own is on its way to the log. */
  expect(sealed: Sealed, keys: ChainKeys): void {
    this.#own.push({ sealed, keys });
  }

  /** Blocks under way will not come, or not be ours. */
  forgetExpected(): void {
    this.#own = [];
    this.#ownNext = 0;
  }

  /** Throws CHECKPOINT_DIVERGES, BLOCK_OF_ANOTHER_CHAIN, BLOCK_LINK_BROKEN, BLOCK_CONTENT_DIFFERS and the errors of its parsers. */
  fold(body: BlocksBody, offset: number): void {
    // The checkpoint of a message is over what came before it.
    if (body.checkpoint !== null) this.#foldCheckpoint(body.checkpoint, offset);
    for (const block of body.blocks) this.#foldBlock(block, offset);
    for (const { account, seq, blockHash } of body.acknowledged)
      this.#store.setAcknowledged(account, { seq, blockHash });
  }

  #foldCheckpoint(note: string, offset: number): void {
    this.#signedSize = this.#checked(note, offset);
    this.#store.setServedNote(note);
  }

  /** The size of a checkpoint that we signed over this very tree. */
  #checked(note: string, offset: number): number {
    const { tree } = this.#store;
    const expected = { origin: this.#identity.origin, keys: [this.#identity.signer.key] };
    const { size, root } = openCheckpoint(note, expected, this.#crypto.verify);
    if (size > tree.size || !sameBytes(tree.root(size), root)) {
      const facts = { offset, signedSize: size, treeSize: tree.size };
      throw new TallyError(
        'CHECKPOINT_DIVERGES',
        `the log to offset ${offset} has not the root that was signed`,
        facts,
      );
    }
    return size;
  }

  #foldBlock(block: SealedBlock, offset: number): void {
    const { account, header, totals, entries } = block;
    const chain = this.#store.chainOf(account);
    const own = this.#takeOwn(header);
    const keys = own?.keys ?? chain?.keys ?? chainKeysFor(this.#identity, this.#crypto, account);
    const head = own?.sealed.head ?? this.#checkedHead(block, chain?.head ?? null, keys, offset);
    if (head.seq !== nextSeqOf(chain?.head ?? null)) throw broken('BLOCK_LINK_BROKEN', block, offset, 'seq');
    const leaf = logLeafOf(slotTagOf(keys.tagKey, head.seq, this.#crypto.hmac), fromHex(head.blockHash, SHA256_BYTES));
    this.#store.appendBlock({ header, totals, entries }, keys, head, this.#crypto.treeHasher.leaf(leaf));
    if (head.seq > 0 && closedByKey(header)) this.#foldPayerKey(block);
  }

  /** What comes back of our own comes in the order in which it was sealed; anything else is somebody else's. */
  #takeOwn(header: string): OwnBlock | undefined {
    const next = this.#own[this.#ownNext];
    if (next === undefined || next.sealed.block.header !== header) return undefined;
    this.#ownNext += 1;
    if (this.#ownNext === this.#own.length) this.forgetExpected();
    return next;
  }

  /** The head that a block leaves which somebody else sealed, or this process in an earlier life. */
  #checkedHead(block: SealedBlock, previous: ChainHead | null, keys: ChainKeys, offset: number): ChainHead {
    const header = parseBlockHeader(block.header);
    if (header.ledgerName !== this.#identity.name || header.chain !== keys.chain || block.chain !== keys.chain) {
      throw broken('BLOCK_OF_ANOTHER_CHAIN', block, offset, 'chain');
    }
    if (toHex(header.prev) !== prevHashOf(previous)) throw broken('BLOCK_LINK_BROKEN', block, offset, 'prev');
    const { tree, sha256 } = this.#crypto.hashes;
    if (!sameBytes(totalsHashOf(block.totals, sha256), header.totalsHash)) {
      throw broken('BLOCK_CONTENT_DIFFERS', block, offset, 'totals');
    }
    const root = tree.toBytes(rootOfLeaves(block.entries, tree));
    if (block.entries.length !== header.entryCount || !sameBytes(root, header.entriesRoot)) {
      throw broken('BLOCK_CONTENT_DIFFERS', block, offset, 'entries');
    }
    return headAfterBlock(previous, block, sha256);
  }

  /** A registration's entry closes its block, so it is the last. */
  #foldPayerKey(block: SealedBlock): void {
    const last = block.entries[block.entries.length - 1];
    if (last === undefined) return;
    const entry = decodeEntry(last);
    if (entry.kind === 'key event') this.#store.setPayerKey(block.account, entry.detail);
  }
}

interface OwnBlock {
  readonly sealed: Sealed;
  readonly keys: ChainKeys;
}

/** Of a header that was checked: its only line with a time ends in the reason. */
function closedByKey(header: string): boolean {
  return header.includes('Z key\n');
}

function broken(code: string, block: SealedBlock, offset: number, field: string): TallyError {
  const facts = { offset, chain: block.chain, field };
  return new TallyError(code, `a block of chain ${block.chain} at offset ${offset} does not fit: ${field}`, facts);
}
