import type { Database, Key, RootDatabase } from 'lmdb';
import { attendTo, commitError } from '../../../libs/adapters/lmdb/commit.ts';
import { LEDGER_FOLD } from '../../../libs/adapters/lmdb/data-stores.ts';
import { type OnDiscarded, openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { openSealedText, sealText } from '../../../libs/adapters/lmdb/sealed-text.ts';
import { assertRoom, writeFault } from '../../../libs/adapters/lmdb/write-fault.ts';
import type { Checkpoint as StageCheckpoint } from '../../../libs/adapters/state-store/state-store.ts';
import type { Sha256 } from '../../../libs/core/encoding/sha256.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { ChainKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';
import type { TreeHasher } from '../../../libs/core/ledger/tree/tree-hash.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { type BlockBytes, chainNumberOfFrame, decodeFrame, encodeFrame, type StoredBlock } from './block-frame.ts';
import { LogTree, type SealedTile } from './log-tree.ts';

/** Seqs of one page of a chain's index: one write of the index for so many blocks. */
const PAGE_SEQS = 32;
/** Chains kept in memory between commits, by default. */
const CHAINS_CACHED_MAX = 20_000;
/** 2: texts are sealed (sealed-text.ts). A store of format 1 is forgotten and folded again. */
const FORMAT = 2;

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

/** A chain as folded. `head` moves with each block. */
export interface StoredChain {
  /** In the order in which chains began in blocks.v1. */
  readonly number: number;
  readonly account: Account;
  readonly keys: ChainKeys;
  head: ChainHead;
  /** Log indices of the newest blocks, from seq - seq % 32. */
  page: readonly number[];
}

export interface AcknowledgedSeq {
  readonly seq: number;
  /** 64 lower-case hex. */
  readonly blockHash: string;
}

export interface StoredRejection {
  readonly eventId: string;
  readonly code: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** Where the reading of rejections stands in a partition of liabilities.v1: the next offset, and the id of the valid message before it. */
export interface RejectionsPosition {
  readonly offset: number;
  readonly tip: string;
}

/**
 * The fold of blocks.v1 on LMDB: one transaction and one sync a batch, a cache that can be deleted and rebuilt to the same bytes.
 * Blocks stand under their log index (appends); a chain has a head and a page of indices for each 32 blocks. Changes are gathered in
 * memory and written by `commit`; what other readers see (methods named `committed…`) is what was committed.
 * The rejections of an account come from liabilities.v1, with positions of their own.
 */
export class LedgerStore {
  readonly #options: LedgerStoreOptions;
  readonly #onDiscarded: OnDiscarded | undefined;
  readonly #env: RootDatabase;
  readonly #meta: Database<string, string>;
  readonly #tails: Database<Buffer, string>;
  readonly #tiles: Database<Buffer, number[]>;
  readonly #blocks: Database<Buffer, number>;
  readonly #chains: Database<string, number>;
  readonly #heads: Database<string, number>;
  readonly #pages: Database<string, number[]>;
  readonly #accounts: Database<number, string>;
  readonly #chainIds: Database<number, string>;
  readonly #payerKeys: Database<string, number>;
  readonly #acknowledged: Database<string, number>;
  readonly #rejections: Database<string, [string, number]>;
  readonly #rejectionCounts: Database<number, string>;
  readonly #rejectionPositions: Database<string, number>;
  readonly tree: LogTree;

  #cache = new Map<Account, StoredChain>();
  /** What of a committed chain never changes, by its number: each pull asks for it of every chain that it names. */
  #identities = new Map<number, Pick<StoredChain, 'account' | 'keys'>>();
  #chainCount = 0;
  #pending = emptyPending();
  #writing: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: LedgerStoreOptions, dependencies: LedgerStoreDependencies) {
    this.#options = options;
    this.#onDiscarded = dependencies.onDiscarded;
    const env = { path: options.folder, maxDbs: 16, overlappingSync: false };
    this.#env = openLmdb(LEDGER_FOLD, env, dependencies.onDiscarded);
    const text = { encoding: 'string' } as const;
    const bytes = { encoding: 'binary' } as const;
    this.#meta = this.#env.openDB({ name: 'meta', ...text });
    this.#tails = this.#env.openDB({ name: 'tails', ...bytes });
    this.#tiles = this.#env.openDB({ name: 'tiles', ...bytes });
    this.#blocks = this.#env.openDB({ name: 'blocks', ...bytes });
    this.#chains = this.#env.openDB({ name: 'chains', ...text });
    this.#heads = this.#env.openDB({ name: 'heads', ...text });
    this.#pages = this.#env.openDB({ name: 'pages', ...text });
    this.#accounts = this.#env.openDB({ name: 'accounts', encoding: 'json' });
    this.#chainIds = this.#env.openDB({ name: 'chain-ids', encoding: 'json' });
    this.#payerKeys = this.#env.openDB({ name: 'payer-keys', ...text });
    this.#acknowledged = this.#env.openDB({ name: 'acknowledged', ...text });
    this.#rejections = this.#env.openDB({ name: 'rejections', ...text });
    this.#rejectionCounts = this.#env.openDB({ name: 'rejection-counts', encoding: 'json' });
    this.#rejectionPositions = this.#env.openDB({ name: 'rejection-positions', ...text });
    this.tree = new LogTree({
      ...dependencies,
      readTile: (level, index) => this.#tiles.get([level, index]),
    });
    this.#claim();
    this.discard();
  }

  /** Where the committed fold stands in blocks.v1; null for an empty store. */
  checkpoint(): StageCheckpoint | null {
    this.#assertOpen();
    const text = this.#text(this.#meta, 'stage');
    return text === undefined ? null : (JSON.parse(text) as StageCheckpoint);
  }

  /** Forgets what was folded and not committed: memory is again what the store holds. */
  discard(): void {
    if (this.#closed) return;
    this.#pending = emptyPending();
    this.#cache = new Map();
    this.#identities = new Map();
    this.#chainCount = (this.#chains.getStats() as { entryCount: number }).entryCount;
    this.tree.loadTails(this.#tails.get('tails'));
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
    return this.#pending.payerKeys.get(number) ?? this.#text(this.#payerKeys, number);
  }

  setAcknowledged(account: Account, acknowledged: AcknowledgedSeq): void {
    this.#pending.acknowledged.set(this.#numberOf(account), acknowledged);
  }

  acknowledgedOf(account: Account): AcknowledgedSeq | undefined {
    const number = this.chainOf(account)?.number;
    if (number === undefined) return undefined;
    return this.#pending.acknowledged.get(number) ?? parsed<AcknowledgedSeq>(this.#text(this.#acknowledged, number));
  }

  /** The signed checkpoint that stands last in blocks.v1. */
  setServedNote(note: string): void {
    this.#pending.servedNote = note;
  }

  addRejection(account: Account, rejection: StoredRejection): void {
    const count = this.#pending.rejectionCounts.get(account) ?? this.#rejectionCounts.get(account) ?? 0;
    this.#pending.rejectionCounts.set(account, count + 1);
    this.#pending.rejections.push([[account, count], rejection]);
  }

  setRejectionsPosition(partition: number, position: RejectionsPosition): void {
    this.#pending.rejectionPositions.set(partition, position);
  }

  rejectionsPosition(partition: number): RejectionsPosition | undefined {
    return (
      this.#pending.rejectionPositions.get(partition) ??
      parsed<RejectionsPosition>(this.#text(this.#rejectionPositions, partition))
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
    const writing = this.#env.transaction(() => this.#write(pending, sealed, checkpoint));
    attendTo(this.#env);
    this.#writing = writing.catch(() => undefined);
    try {
      await writing;
    } catch (cause) {
      throw writeFault(this.#options.folder, await commitError(cause));
    }
    // Another take may have begun anew in the meantime: what it gathered is not what was written here.
    if (this.#pending !== pending) return;
    this.#pending = emptyPending();
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
    return this.#text(this.#meta, 'served');
  }

  committedChain(account: Account): StoredChain | undefined {
    this.#assertOpen();
    const number = this.#accounts.get(account);
    if (number === undefined) return undefined;
    const chain = this.#chainOfNumber(number);
    if (chain.account !== account) throw this.#notAsWritten('accounts', number);
    return chain;
  }

  committedChainById(chain: string): StoredChain | undefined {
    this.#assertOpen();
    const number = this.#chainIds.get(chain);
    if (number === undefined) return undefined;
    const found = this.#chainOfNumber(number);
    if (found.keys.chain !== chain) throw this.#notAsWritten('chain-ids', number);
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
    const frame = this.#blocks.get(index);
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
    const frame = this.#blocks.get(index);
    return frame === undefined ? undefined : chainNumberOfFrame(frame);
  }

  /** Whose chain a number stands for. */
  committedIdentity(number: number): { readonly account: Account; readonly chain: string } {
    const { account, keys } = this.#identityOf(number);
    return { account, chain: keys.chain };
  }

  committedPayerKey(chain: StoredChain): string | undefined {
    return this.#text(this.#payerKeys, chain.number);
  }

  committedAcknowledgement(account: Account): AcknowledgedSeq | undefined {
    this.#assertOpen();
    const number = this.#accounts.get(account);
    return number === undefined ? undefined : parsed<AcknowledgedSeq>(this.#text(this.#acknowledged, number));
  }

  committedRejections(account: Account, from: number, limit: number): readonly StoredRejection[] {
    const found: StoredRejection[] = [];
    for (let n = from; found.length < limit; n += 1) {
      const text = this.#text(this.#rejections, [account, n]);
      if (text === undefined) break;
      found.push(JSON.parse(text) as StoredRejection);
    }
    return found;
  }

  /** Every key and value, in order: what a rebuilt store must equal byte for byte. */
  *dump(): Generator<readonly [string, unknown, unknown]> {
    for (const [name, database] of this.#databases()) {
      for (const { key, value } of database.getRange()) yield [name, key, value];
    }
  }

  /** Forgets everything; the next fold begins at the start of blocks.v1. */
  async wipe(): Promise<void> {
    await Promise.all([...this.#databases().values()].map((database) => database.clearAsync()));
    this.#claim();
    this.discard();
  }

  /** Whoever still comes gets STORE_CLOSED: LMDB itself takes no read after its end. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    await this.#env.close();
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

  #write(pending: Pending, sealed: readonly SealedTile[], checkpoint: StageCheckpoint | undefined): void {
    for (const chain of pending.begun) this.#writeChain(chain);
    for (const [index, frame] of pending.blocks) this.#put(this.#blocks, index, frame);
    for (const chain of pending.heads) this.#putText(this.#heads, chain.number, headText(chain));
    for (const [key, page] of pending.pages) this.#putText(this.#pages, key, JSON.stringify(page));
    for (const [number, key] of pending.payerKeys) this.#putText(this.#payerKeys, number, key);
    for (const [number, seq] of pending.acknowledged) this.#putText(this.#acknowledged, number, JSON.stringify(seq));
    for (const [key, rejection] of pending.rejections) this.#putText(this.#rejections, key, JSON.stringify(rejection));
    for (const [account, count] of pending.rejectionCounts) this.#put(this.#rejectionCounts, account, count);
    for (const [partition, position] of pending.rejectionPositions) {
      this.#putText(this.#rejectionPositions, partition, JSON.stringify(position));
    }
    for (const tile of sealed) this.#put(this.#tiles, [tile.level, tile.index], tile.bytes);
    if (pending.blocks.length > 0) this.#put(this.#tails, 'tails', this.tree.saveTails());
    if (pending.servedNote !== null) this.#putText(this.#meta, 'served', pending.servedNote);
    if (checkpoint !== undefined) this.#putText(this.#meta, 'stage', JSON.stringify(checkpoint));
  }

  #writeChain(chain: StoredChain): void {
    const { account, keys } = chain;
    const stored: ChainText = {
      account,
      chain: keys.chain,
      chainKey: base64(keys.chainKey),
      tagKey: base64(keys.tagKey),
      personKey: base64(keys.personKey),
    };
    this.#putText(this.#chains, chain.number, JSON.stringify(stored));
    this.#put(this.#accounts, account, chain.number);
    this.#put(this.#chainIds, keys.chain, chain.number);
  }

  /** Within a transaction: written at once, in it. */
  #put<StoreKey extends Key, Value>(database: Database<Value, StoreKey>, key: StoreKey, value: Value): void {
    database.putSync(key, value);
  }

  #putText<StoreKey extends Key>(database: Database<string, StoreKey>, key: StoreKey, text: string): void {
    this.#put(database, key, sealText(String(key), text));
  }

  /** Throws STORE_DAMAGED where the text is not what was written under the key: the stage then folds everything again. */
  #text<StoreKey extends Key>(database: Database<string, StoreKey>, key: StoreKey): string | undefined {
    const sealed = database.get(key);
    if (sealed === undefined) return undefined;
    const text = openSealedText(String(key), sealed);
    if (text === null) throw this.#notAsWritten(this.#nameOf(database), key);
    return text;
  }

  #nameOf(database: unknown): string {
    for (const [name, one] of this.#databases()) if (one === database) return name;
    return '';
  }

  #notAsWritten(table: string, key: Key): TallyError {
    const { folder } = this.#options;
    const message = `a value of table ${table} in the ledger's fold in ${folder} is not what was written: it is folded again from the log`;
    return new TallyError('STORE_DAMAGED', message, {
      folder,
      table,
      ...(typeof key === 'number' ? { number: key } : {}),
    });
  }

  #chainOfNumber(number: number): StoredChain {
    const { account, keys } = this.#identityOf(number);
    const head = this.#text(this.#heads, number);
    if (head === undefined) throw this.#notAsWritten('heads', number);
    return { number, account, keys, ...headOfText(account, keys.chain, head) };
  }

  #identityOf(number: number): Pick<StoredChain, 'account' | 'keys'> {
    const known = this.#identities.get(number);
    if (known !== undefined) return known;
    const stored = parsed<ChainText>(this.#text(this.#chains, number));
    if (stored === undefined) throw this.#notAsWritten('chains', number);
    const { account, chain } = stored;
    const keys = {
      chain,
      chainKey: Buffer.from(stored.chainKey, 'base64'),
      tagKey: Buffer.from(stored.tagKey, 'base64'),
      personKey: Buffer.from(stored.personKey, 'base64'),
    };
    if (this.#identities.size >= IDENTITIES_CACHED_MAX) this.#identities.clear();
    this.#identities.set(number, { account, keys });
    return { account, keys };
  }

  #page(number: number, page: number): readonly number[] {
    return parsed<readonly number[]>(this.#text(this.#pages, [number, page])) ?? [];
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

  #claim(): void {
    const identityOf = (format: number) => JSON.stringify({ format, ledger: this.#options.ledgerName });
    const identity = identityOf(FORMAT);
    const isFormer = this.#meta.get('identity') === identityOf(1);
    const damage = isFormer ? null : this.#damageOfMeta();
    if (damage !== null) this.#onDiscarded?.(damage);
    if (damage !== null || isFormer) {
      for (const database of this.#databases().values()) database.clearSync();
    }
    const found = this.#meta.get('identity');
    if (found === undefined) {
      this.#meta.putSync('identity', identity);
    } else if (found !== identity) {
      const facts = { folder: this.#options.folder, found, expected: identity };
      throw new TallyError('STORE_OF_ANOTHER_LEDGER', 'this ledger store belongs to another ledger or format', facts);
    }
  }

  /** What is wrong with where the fold stands, which is asked for before anything else; null where it is sound. */
  #damageOfMeta(): TallyError | null {
    try {
      for (const key of ['stage', 'served']) this.#text(this.#meta, key);
      return null;
    } catch (error) {
      if (!hasCode(error, 'STORE_DAMAGED')) throw error;
      return error;
    }
  }

  #databases(): ReadonlyMap<string, Database> {
    const named: readonly (readonly [string, unknown])[] = [
      ['meta', this.#meta],
      ['tails', this.#tails],
      ['tiles', this.#tiles],
      ['blocks', this.#blocks],
      ['chains', this.#chains],
      ['heads', this.#heads],
      ['pages', this.#pages],
      ['accounts', this.#accounts],
      ['chain-ids', this.#chainIds],
      ['payer-keys', this.#payerKeys],
      ['acknowledged', this.#acknowledged],
      ['rejections', this.#rejections],
      ['rejection-counts', this.#rejectionCounts],
      ['rejection-positions', this.#rejectionPositions],
    ];
    return new Map(named as readonly (readonly [string, Database])[]);
  }
}

interface Pending {
  readonly begun: StoredChain[];
  readonly heads: Set<StoredChain>;
  readonly blocks: [number, Buffer][];
  readonly pages: [number[], readonly number[]][];
  readonly payerKeys: Map<number, string>;
  readonly acknowledged: Map<number, AcknowledgedSeq>;
  readonly rejections: [[string, number], StoredRejection][];
  readonly rejectionCounts: Map<string, number>;
  readonly rejectionPositions: Map<number, RejectionsPosition>;
  servedNote: string | null;
}

function emptyPending(): Pending {
  return {
    begun: [],
    heads: new Set(),
    blocks: [],
    pages: [],
    payerKeys: new Map(),
    acknowledged: new Map(),
    rejections: [],
    rejectionCounts: new Map(),
    rejectionPositions: new Map(),
    servedNote: null,
  };
}

/** About 600 bytes each. */
const IDENTITIES_CACHED_MAX = 100_000;

interface ChainText {
  readonly account: Account;
  readonly chain: string;
  readonly chainKey: string;
  readonly tagKey: string;
  readonly personKey: string;
}

/** A head as short as JSON allows: it is rewritten with every block. */
function headText(chain: StoredChain): string {
  const { head, page } = chain;
  return JSON.stringify([
    head.seq,
    head.blockHash,
    head.entriesSince0,
    head.chargesSince0Pence,
    head.paymentsSince0Pence,
    head.balancePence,
    head.lastDecision,
    head.closedAtMs,
    ...page,
  ]);
}

function headOfText(account: Account, chain: string, text: string): { head: ChainHead; page: readonly number[] } {
  const [seq, blockHash, entriesSince0, charges, payments, balance, lastDecision, closedAtMs, ...page] = JSON.parse(
    text,
  ) as [number, string, number, PenceSum, PenceSum, PenceSum, number, number, ...number[]];
  const head = {
    account,
    chain,
    seq,
    blockHash,
    entriesSince0,
    chargesSince0Pence: charges,
    paymentsSince0Pence: payments,
    balancePence: balance,
    lastDecision,
    closedAtMs,
  };
  return { head, page };
}

function pageOf(seq: number): number {
  return Math.floor(seq / PAGE_SEQS);
}

function parsed<Value>(text: string | undefined): Value | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Value);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** A block of HMRC's copy that is not what was sealed: its chain halts until it is repaired from another copy. */
export function damaged(chain: StoredChain, seq: number, why: string): TallyError {
  const facts = { chain: chain.keys.chain, seq, why };
  return new TallyError('BLOCK_DAMAGED', `block ${seq} of chain ${chain.keys.chain} is damaged: ${why}`, facts);
}
