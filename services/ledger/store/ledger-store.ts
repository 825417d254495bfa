import { attendTo, commitError } from '../../../libs/adapters/lmdb/commit.ts';
import type { OnDiscarded } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { assertRoom, writeFault } from '../../../libs/adapters/lmdb/write-fault.ts';
import type { Checkpoint as StageCheckpoint } from '../../../libs/adapters/state-store/state-store.ts';
import type { Sha256 } from '../../../libs/core/encoding/sha256.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { ChainKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';
import type { TreeHasher } from '../../../libs/core/ledger/tree/tree-hash.ts';
import { type BlockBytes, chainNumberOfFrame, decodeFrame, encodeFrame, type StoredBlock } from './block-frame.ts';
import { headOfText, identityOfText, PAGE_SEQS, pageOf } from './chain-texts.ts';
import type { AcknowledgedSeq, RejectionsPosition, StoredChain, StoredRejection } from './ledger-records.ts';
import { LedgerTables } from './ledger-tables.ts';
import { LogTree } from './log-tree.ts';
import { noPending, writePending } from './pending-changes.ts';

/** Chains kept in memory between commits, by default. */
const CHAINS_CACHED_MAX = 20_000;

export interface LedgerStoreOptions {
  readonly folder: string;
  /** A store of another ledger is refused (STORE_OF_ANOTHER_LEDGER). */
  readonly ledgerName: string;
  readonly chainsCachedMax?: number;
}

export interface LedgerStoreDependencies {
  readonly hasher: TreeHasher<Uint8Array>;
  readonly sha256: Sha256;
  /** Told where the store was damaged and begins anew. */
  readonly onDiscarded?: OnDiscarded;
}

/**
 * The fold of blocks.v1 on LMDB: one transaction and one sync a batch, a cache that can be deleted and rebuilt to the same bytes.
 * Blocks stand under their log index (appends); a chain has a head and a page of indices for each 32 blocks. Changes are gathered in
 * memory and written by `commit`; what other readers see (methods named `committed…`) is what was committed.
 * The rejections of an account come from liabilities.v1, with positions of their own.
 */
export class LedgerStore {
  readonly #options: LedgerStoreOptions;
  readonly #tables: LedgerTables;
  readonly tree: LogTree;

  #cache = new Map<Account, StoredChain>();
  /** What of a committed chain never changes, by its number: each pull asks for it of every chain that it names. */
  #identities = new Map<number, Pick<StoredChain, 'account' | 'keys'>>();
  #chainCount = 0;
  #pending = noPending();
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: LedgerStoreOptions, dependencies: LedgerStoreDependencies) {
    this.#options = options;
    this.#tables = new LedgerTables(options, dependencies.onDiscarded);
    this.tree = new LogTree({
      ...dependencies,
      readTile: (level, index) => this.#tables.tiles.get([level, index]),
    });
    this.discard();
  }

  /** Where the committed fold stands in blocks.v1; null for an empty store. */
  checkpoint(): StageCheckpoint | null {
    this.#assertOpen();
    const text = this.#tables.text(this.#tables.meta, 'stage');
    return text === undefined ? null : (JSON.parse(text) as StageCheckpoint);
  }

  /** Forgets what was folded and not committed: memory is again what the store holds. */
  discard(): void {
    if (this.#closed) return;
    this.#pending = noPending();
    this.#cache = new Map();
    this.#identities = new Map();
    this.#chainCount = (this.#tables.chains.getStats() as { entryCount: number }).entryCount;
    this.tree.loadTails(this.#tables.tails.get('tails'));
  }

  /** The chain as folded, committed or not. */
  chainOf(account: Account): StoredChain | undefined {
    const cached = this.#cache.get(account);
    if (cached !== undefined) return cached;
    const read = this.committedChain(account);
    if (read !== undefined) this.#cache.set(account, read);
    return read;
  }

  /** Takes a block as the next of its chain and the next leaf of the log, and gives its log index. Everything about it has been checked. */
  appendBlock(block: Omit<StoredBlock, 'chainNumber'>, keys: ChainKeys, head: ChainHead, leafHash: Uint8Array): number {
    const index = this.tree.append(leafHash);
    const chain = this.chainOf(head.account);
    const number = chain?.number ?? this.#beginChain(head, keys, index);
    if (chain !== undefined) {
      if (head.seq % PAGE_SEQS === 0) this.#pending.pages.push([[number, pageOf(chain.head.seq)], chain.page]);
      chain.page = head.seq % PAGE_SEQS === 0 ? [index] : [...chain.page, index];
      chain.head = head;
      this.#pending.heads.add(chain);
    }
    this.#pending.blocks.push([index, encodeFrame({ chainNumber: number, ...block })]);
    return index;
  }

  setPayerKey(account: Account, verifierKey: string): void {
    this.#pending.payerKeys.set(this.#numberOf(account), verifierKey);
  }

  payerKeyOf(account: Account): string | undefined {
    const number = this.chainOf(account)?.number;
    if (number === undefined) return undefined;
    return this.#pending.payerKeys.get(number) ?? this.#tables.text(this.#tables.payerKeys, number);
  }

  setAcknowledged(account: Account, acknowledged: AcknowledgedSeq): void {
    this.#pending.acknowledged.set(this.#numberOf(account), acknowledged);
  }

  acknowledgedOf(account: Account): AcknowledgedSeq | undefined {
    const number = this.chainOf(account)?.number;
    if (number === undefined) return undefined;
    return (
      this.#pending.acknowledged.get(number) ??
      parsed<AcknowledgedSeq>(this.#tables.text(this.#tables.acknowledged, number))
    );
  }

  /** The signed checkpoint that stands last in blocks.v1. */
  setServedNote(note: string): void {
    this.#pending.servedNote = note;
  }

  addRejection(account: Account, rejection: StoredRejection): void {
    const count = this.#pending.rejectionCounts.get(account) ?? this.#tables.rejectionCounts.get(account) ?? 0;
    this.#pending.rejectionCounts.set(account, count + 1);
    this.#pending.rejections.push([[account, count], rejection]);
  }

  setRejectionsPosition(partition: number, position: RejectionsPosition): void {
    this.#pending.rejectionPositions.set(partition, position);
  }

  rejectionsPosition(partition: number): RejectionsPosition | undefined {
    return (
      this.#pending.rejectionPositions.get(partition) ??
      parsed<RejectionsPosition>(this.#tables.text(this.#tables.rejectionPositions, partition))
    );
  }

  /** Whether rejections wait for a commit. */
  get hasPendingRejections(): boolean {
    return this.#pending.rejections.length > 0;
  }

  /**
   * Writes everything gathered in one transaction, with the stage's checkpoint where one is given; resolves when it is synced.
   * Throws STORE_FULL (retriable): what was gathered is kept, and the next commit writes it. Throws STORE_BROKEN where the disk fails otherwise.
   */
  async commit(checkpoint?: StageCheckpoint): Promise<void> {
    this.#assertOpen();
    assertRoom(this.#options.folder);
    const pending = this.#pending;
    const sealed = this.tree.sealedTiles();
    const writing = this.#tables.env.transaction(() => {
      writePending(this.#tables, pending, checkpoint);
      for (const tile of sealed) this.#tables.put(this.#tables.tiles, [tile.level, tile.index], tile.bytes);
      if (pending.blocks.length > 0) this.#tables.put(this.#tables.tails, 'tails', this.tree.saveTails());
    });
    attendTo(this.#tables.env);
    this.#writing = writing.catch(() => undefined);
    try {
      await writing;
    } catch (cause) {
      throw writeFault(this.#options.folder, await commitError(cause));
    }
    // Another take may have begun anew in the meantime: what it gathered is not what was written here.
    if (this.#pending !== pending) return;
    this.#pending = noPending();
    this.tree.forgetSealed(sealed);
    this.#evict();
  }

  /** What an earlier take was still writing is written; memory is what the store holds. */
  async settle(): Promise<void> {
    await this.#writing;
    this.#assertOpen();
    this.discard();
  }

  /** The newest signed checkpoint that was read back and committed, or undefined before the first. */
  committedNote(): string | undefined {
    this.#assertOpen();
    return this.#tables.text(this.#tables.meta, 'served');
  }

  committedChain(account: Account): StoredChain | undefined {
    this.#assertOpen();
    const number = this.#tables.accounts.get(account);
    if (number === undefined) return undefined;
    const chain = this.#chainOfNumber(number);
    if (chain.account !== account) throw this.#tables.notAsWritten('accounts', number);
    return chain;
  }

  committedChainById(chain: string): StoredChain | undefined {
    this.#assertOpen();
    const number = this.#tables.chainIds.get(chain);
    if (number === undefined) return undefined;
    const found = this.#chainOfNumber(number);
    if (found.keys.chain !== chain) throw this.#tables.notAsWritten('chain-ids', number);
    return found;
  }

  /** Log indices of a chain's blocks from a seq up to `limit` of them. */
  committedIndices(chain: StoredChain, fromSeq: number, limit: number): readonly number[] {
    const indices: number[] = [];
    for (let seq = fromSeq; seq <= chain.head.seq && indices.length < limit; seq += 1) {
      const page = pageOf(seq) === pageOf(chain.head.seq) ? chain.page : this.#page(chain.number, pageOf(seq));
      const index = page[seq % PAGE_SEQS];
      if (index === undefined) throw damaged(chain, seq, 'its index is missing');
      indices.push(index);
    }
    return indices;
  }

  /** The bytes under a log index, decoded but not verified (read-block.ts does); throws BLOCK_DAMAGED where they are no block of the chain. */
  committedBlock(chain: StoredChain, seq: number, index: number): BlockBytes {
    const frame = this.#tables.blocks.get(index);
    if (frame === undefined) throw damaged(chain, seq, 'it is missing');
    let block: BlockBytes;
    try {
      block = decodeFrame(frame);
    } catch {
      throw damaged(chain, seq, 'its frame is broken');
    }
    if (block.chainNumber !== chain.number) throw damaged(chain, seq, 'it names another chain');
    return block;
  }

  /** The number of the chain whose block stands at a place of the log; undefined where there is none, or a broken one. */
  committedChainNumberAt(index: number): number | undefined {
    this.#assertOpen();
    const frame = this.#tables.blocks.get(index);
    return frame === undefined ? undefined : chainNumberOfFrame(frame);
  }

  /** Whose chain a number stands for. */
  committedIdentity(number: number): { readonly account: Account; readonly chain: string } {
    const { account, keys } = this.#identityOf(number);
    return { account, chain: keys.chain };
  }

  committedPayerKey(chain: StoredChain): string | undefined {
    return this.#tables.text(this.#tables.payerKeys, chain.number);
  }

  committedAcknowledgement(account: Account): AcknowledgedSeq | undefined {
    this.#assertOpen();
    const number = this.#tables.accounts.get(account);
    return number === undefined
      ? undefined
      : parsed<AcknowledgedSeq>(this.#tables.text(this.#tables.acknowledged, number));
  }

  committedRejections(account: Account, from: number, limit: number): readonly StoredRejection[] {
    const found: StoredRejection[] = [];
    for (let n = from; found.length < limit; n += 1) {
      const text = this.#tables.text(this.#tables.rejections, [account, n]);
      if (text === undefined) break;
      found.push(JSON.parse(text) as StoredRejection);
    }
    return found;
  }

  /** Every key and value, in order: what a rebuilt store must equal byte for byte. */
  *dump(): Generator<readonly [string, unknown, unknown]> {
    for (const [name, database] of this.#tables.all()) {
      for (const { key, value } of database.getRange()) yield [name, key, value];
    }
  }

  /** Forgets everything; the next fold begins at the start of blocks.v1. */
  async wipe(): Promise<void> {
    await this.#tables.clear();
    this.discard();
  }

  /** Whoever still comes gets STORE_CLOSED: LMDB itself takes no read after its end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#tables.env.close();
  }

  #assertOpen(): void {
    if (this.#closed) throw new TallyError('STORE_CLOSED', 'the ledger store is closed', {}, { retriable: true });
  }

  #beginChain(head: ChainHead, keys: ChainKeys, index: number): number {
    assert(head.seq === 0, 'a chain begins with block 0', { chain: head.chain, seq: head.seq });
    const chain: StoredChain = { number: this.#chainCount, account: head.account, keys, head, page: [index] };
    this.#chainCount += 1;
    this.#cache.set(head.account, chain);
    this.#pending.begun.push(chain);
    this.#pending.heads.add(chain);
    return chain.number;
  }

  #chainOfNumber(number: number): StoredChain {
    const { account, keys } = this.#identityOf(number);
    const head = this.#tables.text(this.#tables.heads, number);
    if (head === undefined) throw this.#tables.notAsWritten('heads', number);
    return { number, account, keys, ...headOfText(account, keys.chain, head) };
  }

  #identityOf(number: number): Pick<StoredChain, 'account' | 'keys'> {
    const known = this.#identities.get(number);
    if (known !== undefined) return known;
    const text = this.#tables.text(this.#tables.chains, number);
    if (text === undefined) throw this.#tables.notAsWritten('chains', number);
    const { account, keys } = identityOfText(text);
    if (this.#identities.size >= IDENTITIES_CACHED_MAX) this.#identities.clear();
    this.#identities.set(number, { account, keys });
    return { account, keys };
  }

  #page(number: number, page: number): readonly number[] {
    return parsed<readonly number[]>(this.#tables.text(this.#tables.pages, [number, page])) ?? [];
  }

  #numberOf(account: Account): number {
    const chain = this.chainOf(account);
    assert(chain !== undefined, 'the account has a chain', { account });
    return chain.number;
  }

  /** The oldest go first; whatever is asked for again is read again. */
  #evict(): void {
    const limit = this.#options.chainsCachedMax ?? CHAINS_CACHED_MAX;
    if (this.#cache.size <= limit) return;
    for (const account of this.#cache.keys()) {
      this.#cache.delete(account);
      if (this.#cache.size <= limit / 2) return;
    }
  }
}

/** About 600 bytes each. */
const IDENTITIES_CACHED_MAX = 100_000;

function parsed<Value>(text: string | undefined): Value | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Value);
}

/** A block of HMRC's copy that is not what was sealed: its chain halts until it is repaired from another copy. */
export function damaged(chain: StoredChain, seq: number, why: string): TallyError {
  const facts = { chain: chain.keys.chain, seq, why };
  return new TallyError('BLOCK_DAMAGED', `block ${seq} of chain ${chain.keys.chain} is damaged: ${why}`, facts);
}
