import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database, RootDatabase } from 'lmdb';
import { attendTo, commitError } from '../../../libs/adapters/lmdb/commit.ts';
import { PAYER_STORE } from '../../../libs/adapters/lmdb/data-stores.ts';
import { openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { answeredInTime, assertRoom, finalWriteFault } from '../../../libs/adapters/lmdb/write-fault.ts';
import type { StateValue } from '../../../libs/core/decisions/decision.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { hasCode, type TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { DivergenceTable } from './divergence-table.ts';
import { type HeadProof, readAccountRecord, readHeadProof, seqOfHeadProof, writeHeadProof } from './head-proofs.ts';
import { accountKey } from './payer-keys.ts';
import type { AppendedEvent, FollowedAccount, NodeState, StoredReceipt } from './payer-records.ts';
import { readAppended, readReceipt } from './payer-values.ts';

export interface PayerStoreOptions {
  readonly folder: string;
  /** Told when a write waits for room on the disk. */
  readonly onWaiting?: (error: TallyError) => void;
  /** How long a commit may take before its disk counts as failed. */
  readonly commitMsMax?: number;
}

type Bytes = Database<Buffer, Buffer>;
type Texts = Database<string, Buffer>;
type Values = Database<StateValue, Buffer>;

/**
 * The payer's own store (LMDB): one environment, and in each table a key range per account, so that one node serves thousands. It is
 * not a cache: what it holds exists nowhere else. Each table has one writer, so that no value is read, changed and written by two.
 *
 * | table      | key              | value                                                         | writer   |
 * |------------|------------------|---------------------------------------------------------------|----------|
 * | submitted  | account, event   | the event as it was posted, JSON (may hold a NINO)            | outbox   |
 * | unsent     | lane, position   | account, event                                                | outbox   |
 * | refused    | account, event   | why the gateway refused it                                    | outbox   |
 * | appended   | account, event   | its receipt, place in it, and the bytes as appended           | outbox   |
 * | watched    | time, receipt    | account, event of each of ours under it, until all are decided or rejected (withheld-events.ts) | both     |
 * | paths      | account, event   | inclusion path, where we do not hold all leaves of a receipt  | outbox   |
 * | receipts   | receipt          | the signed note, and its leaves where all are ours            | outbox   |
 * | fetched    | account          | position up to which the gateway's list of its events was read | outbox  |
 * | blocks     | account, seq     | header, totals, entries                                       | follower |
 * | entries    | account, event   | seq and position of the entry of an event of ours             | follower |
 * | bankEntries| account, event   | the same of money at HMRC's bank, of which we have no event   | follower |
 * | rejected   | account, event   | code, and the signed note that says so                        | follower |
 * | flags      | account, event   | codes of what was odd about an accepted event, as a JSON list | follower |
 * | redriven   | account, event   | rejected once, and decided since                              | follower |
 * | state      | account, key     | state of the payer's own recomputation                        | follower |
 * | payeEntries| account, list     | seq, position and event of payments by employment and by month, of claims by year (paye-index.ts) | follower |
 * | payeMonths | account, month   | sums of a tax month's entries, JSON                           | follower |
 * | divergences| number           | report with both versions                                     | follower |
 * | accounts   | account          | chain, keys, verified head                                    | follower |
 * | headProofs | account          | where the head stands in the public log (head-proofs.ts)      | follower |
 * | countersigned | account       | our newest countersignature (head-proofs.ts)                  | follower |
 * | node       | name             | which ledger, the last checkpoint                             | follower |
 * | rules      | tax, hash        | rate cards that a block may name, JSON                        | node     |
 * | tillHeads  | account, till    | number and hash of the till's event with the highest number sent (till-heads.ts) | outbox |
 * | filings    | account, period  | VAT returns that were declared here (vat-filings.ts), JSON    | filings  |
 */
export class PayerStore {
  readonly submitted: Texts;
  readonly unsent: Bytes;
  readonly refused: Texts;
  readonly appended: Bytes;
  readonly watched: Bytes;
  readonly paths: Bytes;
  readonly receipts: Bytes;
  readonly fetched: Bytes;
  readonly blocks: Bytes;
  readonly entries: Bytes;
  readonly bankEntries: Bytes;
  readonly rejected: Texts;
  readonly redriven: Bytes;
  readonly state: Values;
  readonly rules: Texts;
  readonly filings: Texts;
  readonly tillHeads: Texts;
  readonly flags: Texts;
  readonly divergences: DivergenceTable;
  readonly payeEntries: Bytes;
  readonly payeMonths: Texts;
  readonly #accounts: Texts;
  readonly #headProofs: Bytes;
  readonly #countersigned: Bytes;
  readonly #node: Texts;
  readonly #folder: string;
  readonly #root: RootDatabase;
  readonly #byAccount = new Map<Account, FollowedAccount>();
  readonly #byNumber = new Map<number, FollowedAccount>();
  readonly #numberByChain = new Map<string, number>();
  /** Numbers of accounts without a chain, of those whose head is not countersigned, and of those that a divergence stopped. */
  readonly #unregistered = new Set<number>();
  readonly #uncountersigned = new Set<number>();
  readonly #halted = new Set<number>();
  readonly #onWaiting: (error: TallyError) => void;
  readonly #commitMsMax: number | undefined;
  #isStopping = false;
  #isBroken = false;

  /** Throws STORE_DAMAGED where the file is not what LMDB left. */
  constructor(options: PayerStoreOptions) {
    this.#folder = options.folder;
    this.#commitMsMax = options.commitMsMax;
    this.#onWaiting = options.onWaiting ?? (() => undefined);
    this.#root = openLmdb(PAYER_STORE, { path: options.folder, maxDbs: 32 });
    const bytes = (name: string): Bytes => this.#root.openDB({ name, keyEncoding: 'binary', encoding: 'binary' });
    const texts = (name: string): Texts => this.#root.openDB({ name, keyEncoding: 'binary', encoding: 'string' });
    this.submitted = texts('submitted');
    this.unsent = bytes('unsent');
    this.refused = texts('refused');
    this.appended = bytes('appended');
    this.watched = bytes('watched');
    this.paths = bytes('paths');
    this.receipts = bytes('receipts');
    this.fetched = bytes('fetched');
    this.blocks = bytes('blocks');
    this.entries = bytes('entries');
    this.bankEntries = bytes('bankEntries');
    this.rejected = texts('rejected');
    this.redriven = bytes('redriven');
    this.state = this.#root.openDB({ name: 'state', keyEncoding: 'binary', encoding: 'json' });
    this.rules = texts('rules');
    this.filings = texts('filings');
    this.tillHeads = texts('tillHeads');
    this.flags = texts('flags');
    this.payeEntries = bytes('payeEntries');
    this.payeMonths = texts('payeMonths');
    const divergences = texts('divergences');
    this.divergences = new DivergenceTable(divergences, countOf(divergences));
    this.#accounts = texts('accounts');
    this.#headProofs = bytes('headProofs');
    this.#countersigned = bytes('countersigned');
    this.#node = texts('node');
    this.#root.transactionSync(() => {
      for (const { key, value } of [...this.#accounts.getRange()]) this.#holdRecord(key, value);
    });
  }

  /**
   * All writes made in `write` reach the disk together, or none. Resolves once they are durable. On a full disk it waits until there is room,
   * before anything is changed. Throws STORE_BROKEN where the disk fails: what memory holds is ahead of it then, so the process ends.
   */
  async commit(write: () => void): Promise<void> {
    await this.#onceRoom();
    await this.#written(this.#root.batch(write).then(() => this.#root.flushed));
  }

  /** As commit, but resolves once they are written, not durable: the next commit makes them so, never without these. */
  async write(write: () => void): Promise<void> {
    await this.#onceRoom();
    await this.#written(this.#root.batch(write));
  }

  /** As commit, but `action` sees its own and every earlier write, and no other transaction runs beside it. */
  async exclusively<Result>(action: () => Result): Promise<Result> {
    await this.#onceRoom();
    return this.#written(this.#root.transaction(action).then((result) => this.#root.flushed.then(() => result)));
  }

  /** Bytes that the disk of the store still has for us. */
  freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.#folder);
    return bavail * bsize;
  }

  /** The account as followed, or undefined where this node has never heard of it. */
  account(owner: Account): FollowedAccount | undefined {
    return this.#byAccount.get(owner);
  }

  accountOfNumber(number: number): FollowedAccount {
    const found = this.#byNumber.get(number);
    assert(found !== undefined, 'the store holds the account of every key', { number });
    return found;
  }

  /** By the id of its chain (32 lower-case hex). */
  accountOfChain(chain: string): FollowedAccount | undefined {
    const number = this.#numberByChain.get(chain);
    return number === undefined ? undefined : this.#byNumber.get(number);
  }

  get accountCount(): number {
    return this.#byAccount.size;
  }

  /** Accounts that a divergence stopped. */
  get haltedCount(): number {
    return this.#halted.size;
  }

  accounts(): IterableIterator<FollowedAccount> {
    return this.#byAccount.values();
  }

  /** Accounts that the ledger has not given a chain yet. */
  *unregistered(): IterableIterator<FollowedAccount> {
    for (const number of this.#unregistered) yield this.accountOfNumber(number);
  }

  /** Accounts whose newest head is stored, and whose countersignature the ledger has not taken. */
  *uncountersigned(): IterableIterator<FollowedAccount> {
    for (const number of this.#uncountersigned) yield this.accountOfNumber(number);
  }

  /** Gives an account its number, inside commit or exclusively. */
  addAccount(owner: Account): FollowedAccount {
    const known = this.#byAccount.get(owner);
    if (known !== undefined) return known;
    const added: FollowedAccount = {
      number: this.#byAccount.size + 1,
      account: owner,
      chain: null,
      chainKey: null,
      head: null,
      penceByHead: {},
      unconfirmedPence: 0,
      rejectionsNext: 0,
      keyRegistered: false,
      acknowledgedSeq: null,
      haltedBy: null,
    };
    this.putAccount(added);
    return added;
  }

  /** Writes an account, inside commit or exclusively; held in memory at once. */
  putAccount(changed: FollowedAccount): void {
    void this.#accounts.put(accountKey(changed.number), JSON.stringify(changed));
    this.#hold(changed);
  }

  /** A head that moved on, with the proof that it is in the public log, inside commit. */
  putHead(moved: FollowedAccount, proof: HeadProof): void {
    void this.#headProofs.put(accountKey(moved.number), writeHeadProof(proof));
    this.putAccount(moved);
  }

  /** The newest head of the account on the disk, under a checkpoint; undefined before the first. */
  headProof(number: number): HeadProof | undefined {
    const value = this.#headProofs.get(accountKey(number));
    return value === undefined ? undefined : readHeadProof(value);
  }

  /** What the ledger took of our countersignatures, inside commit. */
  putAcknowledgement(followed: FollowedAccount, acknowledgement: HeadProof): void {
    void this.#countersigned.put(accountKey(followed.number), writeHeadProof(acknowledgement));
    this.#hold({ ...followed, acknowledgedSeq: acknowledgement.seq });
  }

  /** Our newest countersignature over a head of the account. */
  acknowledgement(number: number): HeadProof | undefined {
    const value = this.#countersigned.get(accountKey(number));
    return value === undefined ? undefined : readHeadProof(value);
  }

  node<Name extends keyof NodeState>(name: Name): NodeState[Name] | undefined {
    const text = this.#node.get(Buffer.from(name));
    return text === undefined ? undefined : (JSON.parse(text) as NodeState[Name]);
  }

  putNode<Name extends keyof NodeState>(name: Name, value: NodeState[Name]): void {
    void this.#node.put(Buffer.from(name), JSON.stringify(value));
  }

  receipt(key: Buffer): StoredReceipt | undefined {
    const bytes = this.receipts.get(key);
    return bytes === undefined ? undefined : readReceipt(bytes);
  }

  /** Events whose receipt is in hand and whose decision is not. */
  awaitingCount(): number {
    const settled = countOf(this.entries) + countOf(this.rejected) - countOf(this.redriven);
    // A rejection may come before the receipt.
    return Math.max(0, countOf(this.appended) - settled);
  }

  /** Whether the record has an event of this key: sent from here, or fetched with its receipt. */
  hasEvent(key: Buffer): boolean {
    return this.submitted.doesExist(key) || this.appended.doesExist(key);
  }

  appendedEvent(key: Buffer): AppendedEvent | undefined {
    const bytes = this.appended.get(key);
    return bytes === undefined ? undefined : readAppended(bytes);
  }

  /** As appendedEvent, for `look` alone: what it is given is the store's own buffer, overwritten by the next read. Nothing is copied. */
  lookAtAppended<Result>(key: Buffer, look: (event: AppendedEvent) => Result): Result | undefined {
    const bytes = this.appended.getBinaryFast(key);
    return bytes === undefined ? undefined : look(readAppended(bytes.subarray(0, bytes.length)));
  }

  /** Whoever waits for room gives up: the process ends. */
  stopWaiting(): void {
    this.#isStopping = true;
  }

  async close(): Promise<void> {
    // After a failed write LMDB waits for a sync that never comes: the process ends without it.
    if (!this.#isBroken) await this.#root.close();
  }

  /** Said once for each time that the disk is full. */
  async #onceRoom(): Promise<void> {
    for (let isSaid = false; ; isSaid = true) {
      try {
        return assertRoom(this.#folder);
      } catch (error) {
        if (this.#isStopping || !hasCode(error, 'STORE_FULL')) throw error;
        if (!isSaid) this.#onWaiting(error);
      }
      await sleep(ROOM_LOOK_MS);
    }
  }

  async #written<Result>(writing: Promise<Result>): Promise<Result> {
    attendTo(this.#root);
    try {
      return await answeredInTime(this.#folder, writing, this.#commitMsMax);
    } catch (cause) {
      if (hasCode(cause, 'STORE_BROKEN')) this.#isBroken = true;
      if (!isOfCommit(cause)) throw cause;
      this.#isBroken = true;
      throw finalWriteFault(this.#folder, await commitError(cause));
    }
  }

  #holdRecord(key: Buffer, value: string): void {
    const { account, head, countersigned } = readAccountRecord(value);
    if (head !== null) this.#headProofs.putSync(key, writeHeadProof(head));
    if (countersigned !== null) this.#countersigned.putSync(key, writeHeadProof(countersigned));
    const newest = this.#countersigned.get(key);
    this.#hold({ ...account, acknowledgedSeq: newest === undefined ? null : seqOfHeadProof(newest) });
    if (head !== null) this.#accounts.putSync(key, JSON.stringify(account));
  }

  #hold(changed: FollowedAccount): void {
    this.#byAccount.set(changed.account, changed);
    this.#byNumber.set(changed.number, changed);
    const { number, chain, head, keyRegistered, acknowledgedSeq, haltedBy } = changed;
    if (chain !== null) this.#numberByChain.set(chain, number);
    keep(this.#unregistered, number, chain === null);
    keep(this.#uncountersigned, number, head !== null && keyRegistered && head.seq !== acknowledgedSeq);
    keep(this.#halted, number, haltedBy !== null);
  }
}

const ROOM_LOOK_MS = 500;

/** Whether an error is LMDB's, of a commit that failed, and not one that the writer itself threw. */
function isOfCommit(error: unknown): boolean {
  return error instanceof Error && ('commitError' in error || ('code' in error && typeof error.code === 'number'));
}

function keep(set: Set<number>, number: number, isIn: boolean): void {
  if (isIn) set.add(number);
  else set.delete(number);
}

/** Number of keys of a table, without reading them. */
export function countOf(table: { getStats(): object }): number {
  const stats = table.getStats() as { readonly entryCount?: number };
  return stats.entryCount ?? 0;
}
