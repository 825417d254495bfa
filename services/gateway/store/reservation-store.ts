import type { Database, RootDatabase } from 'lmdb';
import type { PartitionPosition, TopicPartition } from '../../../libs/adapters/event-log/event-log.ts';
import { commitTogether } from '../../../libs/adapters/lmdb/commit.ts';
import { type DataFolderLock, lockDataFolder } from '../../../libs/adapters/lmdb/data-folder-lock.ts';
import { GATEWAY_STORE } from '../../../libs/adapters/lmdb/data-stores.ts';
import { openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { assertRoom, writeFault } from '../../../libs/adapters/lmdb/write-fault.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { PersonToken } from '../../../libs/core/identity/event-id.ts';
import type { VaultSeal } from './person-vault.ts';
import {
  type LogEnd,
  leavesOf,
  type NewReservation,
  numberKey,
  type PendingReceipt,
  type Reservation,
  type ReservationBatch,
  readNumber,
  readReceipt,
  readReservation,
  receiptBytes,
  reservationBytes,
  type StoredReceipt,
} from './reservation.ts';

export interface ReservationStoreOptions {
  /** Held under an exclusive lock while open. */
  readonly folder: string;
  readonly ledgerName: string;
  /** Free bytes of the disk below which nothing new is reserved: more than the log keeps, so that reservations never eat its reserve. */
  readonly reserveBytes?: number;
}

export interface ReservationStoreDependencies {
  readonly vault: VaultSeal;
  /** A commit failed though the disk is not full: nothing more is written, the process should end. */
  readonly onBroken?: (error: TallyError) => void;
}

const MAP_SIZE_BYTES = 64 * 1024 ** 3;
const META_KEY = 'store';
const REMOVED_TOGETHER_MAX = 10_000;
const RESERVE_BYTES = 72 * 1024 ** 2;

interface Meta {
  readonly version: 1;
  readonly ledgerName: string;
  /** False until the event topics were read into it: a store that is new, was lost, or is ahead of its log. */
  readonly complete: boolean;
  /** The id of the log that it is of; missing in a store from before logs had one. */
  readonly logId?: string;
  /** Fingerprints of the keys that receipts, tokens and vault were made with, by the names of their files. */
  readonly keys?: Readonly<Record<string, string>>;
}

/**
 * Reservations, receipts and the vault of persons, on LMDB, in one store so that one sync covers a request. Not a cache, but all save
 * the vault can be rebuilt from the event topics. Throws DATA_FOLDER_IN_USE, STORE_DAMAGED, STORE_OF_ANOTHER_LEDGER.
 */
export async function openReservationStore(
  options: ReservationStoreOptions,
  dependencies: ReservationStoreDependencies,
): Promise<ReservationStore> {
  const lock = await lockDataFolder(options.folder);
  try {
    // overlappingSync off: a write resolves when it is on the disk
    const env = openLmdb(GATEWAY_STORE, {
      path: options.folder,
      mapSize: MAP_SIZE_BYTES,
      overlappingSync: false,
      maxDbs: 8,
    });
    const store = new ReservationStore(options, env, lock, dependencies);
    await store.begin(options.ledgerName);
    return store;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

export class ReservationStore {
  readonly #options: ReservationStoreOptions;
  readonly #env: RootDatabase;
  readonly #lock: DataFolderLock;
  readonly #vault: VaultSeal;
  readonly #events: Database<Buffer, Buffer>;
  readonly #receipts: Database<Buffer, Buffer>;
  readonly #pending: Database<PendingReceipt, Buffer>;
  readonly #persons: Database<Buffer, Buffer>;
  readonly #meta: Database<Meta, string>;
  readonly #ingress: Database<number, string>;
  readonly #ends: Database<LogEnd, string>;
  readonly #onBroken: (error: TallyError) => void;
  #broken: TallyError | null = null;
  #closed = false;

  constructor(
    options: ReservationStoreOptions,
    env: RootDatabase,
    lock: DataFolderLock,
    { vault, onBroken }: ReservationStoreDependencies,
  ) {
    this.#options = options;
    this.#env = env;
    this.#lock = lock;
    this.#vault = vault;
    this.#onBroken = onBroken ?? (() => undefined);
    this.#events = env.openDB('events', { encoding: 'binary', keyEncoding: 'binary' });
    this.#receipts = env.openDB('receipts', { encoding: 'binary', keyEncoding: 'binary' });
    this.#pending = env.openDB('pending', { encoding: 'json', keyEncoding: 'binary' });
    this.#persons = env.openDB('persons', { encoding: 'binary', keyEncoding: 'binary' });
    this.#meta = env.openDB('meta', { encoding: 'json' });
    this.#ingress = env.openDB('ingress', { encoding: 'json' });
    this.#ends = env.openDB('ends', { encoding: 'json' });
  }

  async begin(ledgerName: string): Promise<void> {
    const meta = this.#meta.get(META_KEY);
    if (meta === undefined) {
      await this.#commit(() => [this.#meta.put(META_KEY, { version: 1, ledgerName, complete: false })]);
    } else if (meta.ledgerName !== ledgerName) {
      throw new TallyError(
        'STORE_OF_ANOTHER_LEDGER',
        `the gateway's store is of ${meta.ledgerName}, not ${ledgerName}`,
        {
          stored: meta.ledgerName,
          ledgerName,
        },
      );
    }
  }

  get isComplete(): boolean {
    return this.#meta.get(META_KEY)?.complete === true;
  }

  /** Fingerprints of the keys that made what it holds, or null in a store from before there were any. */
  get keyFingerprints(): Readonly<Record<string, string>> | null {
    return this.#meta.get(META_KEY)?.keys ?? null;
  }

  async setKeyFingerprints(keys: Readonly<Record<string, string>>): Promise<void> {
    await this.#putMeta({ keys });
  }

  /** The first token of the vault, null where it is empty. */
  somePerson(): PersonToken | null {
    for (const key of this.#persons.getKeys({ limit: 1 })) return Buffer.from(key).toString('hex') as PersonToken;
    return null;
  }

  /** The id of the log whose records it stands for, or null where it does not say. */
  get logId(): string | null {
    return this.#meta.get(META_KEY)?.logId ?? null;
  }

  /** The ends of the event partitions as far as the gateway knows them: none of a partition to which it appended nothing. */
  ends(): readonly LogEnd[] {
    return [...this.#ends.getRange()].map(({ value }) => value);
  }

  /**
   * From here until `endRecount` the store does not pass for complete. Forgets what only the log can tell anew: reservations that were rebuilt
   * from it, and how far the ingress topics were forwarded.
   */
  async beginRecount(): Promise<void> {
    await this.#putMeta({ complete: false });
    let rebuilt: Buffer[] = [];
    for (const { key, value } of this.#events.getRange()) {
      if (readNumber(value, 0) === 0) rebuilt.push(Buffer.from(key));
      if (rebuilt.length < REMOVED_TOGETHER_MAX) continue;
      const removed = rebuilt;
      await this.#commit(() => removed.map((one) => this.#events.remove(one)));
      rebuilt = [];
    }
    await this.#commit(() => rebuilt.map((one) => this.#events.remove(one)));
    await this.#commit(() => [this.#ingress.clearAsync(), this.#ends.clearAsync()]);
  }

  /** The whole log was read: whose it is, where it ends, and which receipts have events that it does not hold. Durable when it resolves. */
  async endRecount(
    logId: string,
    ends: readonly LogEnd[],
    pending: ReadonlyMap<number, PendingReceipt>,
  ): Promise<void> {
    const settled = [...this.pending().keys()].filter((number) => !pending.has(number));
    await this.settle(settled, pending, ends);
    await this.#putMeta({ complete: true, logId });
  }

  /** Every receipt's number with its events, oldest first. */
  *receiptSizes(): Generator<readonly [number, number]> {
    for (const { key, value } of this.#receipts.getRange()) {
      yield [readNumber(Buffer.from(key), 0), leavesOf(value)];
    }
  }

  reservation(key: Buffer): Reservation | null {
    const value = this.#events.get(key);
    if (value === undefined) return null;
    return readReservation(value);
  }

  /** The newest receipt's number, 0 before the first. */
  get lastReceipt(): number {
    for (const key of this.#receipts.getKeys({ reverse: true, limit: 1 })) return readNumber(Buffer.from(key), 0);
    return 0;
  }

  receipt(number: number): StoredReceipt {
    const value = this.#receipts.get(numberKey(number));
    assert(value !== undefined, 'a reservation names a receipt that is stored', { number });
    return readReceipt(value);
  }

  pending(): Map<number, PendingReceipt> {
    const found = new Map<number, PendingReceipt>();
    for (const { key, value } of this.#pending.getRange()) found.set(readNumber(Buffer.from(key), 0), value);
    return found;
  }

  /** Durable when it resolves. Throws STORE_FULL (retriable), nothing written, where the disk is. */
  async reserve(batch: ReservationBatch): Promise<void> {
    this.#assertOpen();
    this.assertRoom();
    const written: Promise<boolean>[] = [];
    // all writes of one turn of the event loop are one transaction of lmdb-js
    for (const { number, receipt, pending } of batch.receipts) {
      written.push(this.#receipts.put(numberKey(number), receiptBytes(receipt)));
      if (pending !== null) written.push(this.#pending.put(numberKey(number), pending));
    }
    for (const one of batch.reservations) written.push(this.#events.put(one.key, reservationBytes(one)));
    for (const { person, nino } of batch.persons) this.#putPerson(Buffer.from(person, 'hex'), nino, written);
    await this.#commit(() => written);
  }

  /** Durable soon; start-up finds out by itself what a crash forgets. */
  async settle(
    done: readonly number[],
    stillPending: ReadonlyMap<number, PendingReceipt>,
    ends: readonly LogEnd[],
  ): Promise<void> {
    this.#assertOpen();
    const written: Promise<boolean>[] = done.map((number) => this.#pending.remove(numberKey(number)));
    for (const [number, pending] of stillPending) written.push(this.#pending.put(numberKey(number), pending));
    for (const end of ends) written.push(this.#ends.put(`${end.topic}/${end.partition}`, end));
    await this.#commit(() => written);
  }

  /** Adds what the log holds and the store does not; what the store has stays. */
  async restore(reservations: readonly NewReservation[]): Promise<void> {
    this.#assertOpen();
    const missing = reservations.filter(({ key }) => !this.#events.doesExist(key));
    await this.#commit(() => missing.map((one) => this.#events.put(one.key, reservationBytes(one))));
  }

  /** The NINO behind a token, or null where the vault has none. Throws VAULT_DAMAGED. */
  ninoOf(person: PersonToken): string | null {
    const token = Buffer.from(person, 'hex');
    const sealed = this.#persons.get(token);
    return sealed === undefined ? null : this.#vault.open(token, sealed);
  }

  /** Up to where a partition of an ingress topic was forwarded, null where nothing is known. */
  ingressOffset({ topic, partition }: TopicPartition): number | null {
    return this.#ingress.get(`${topic}/${partition}`) ?? null;
  }

  /** Durable when it resolves. */
  async setIngressOffset({ topic, partition, offset }: PartitionPosition): Promise<void> {
    this.#assertOpen();
    await this.#commit(() => [this.#ingress.put(`${topic}/${partition}`, offset)]);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // lmdb-js begins what is queued at the end of the turn, and throws out of nowhere where the store is closed by then.
    await Promise.resolve(this.#env.committed).catch(() => undefined);
    await this.#env.close();
    await this.#lock.release();
  }

  async #putMeta(changed: Partial<Meta>): Promise<void> {
    this.#assertOpen();
    const meta = this.#meta.get(META_KEY);
    assert(meta !== undefined, 'an open store has its meta record');
    await this.#commit(() => [this.#meta.put(META_KEY, { ...meta, ...changed })]);
  }

  /** What goes on after the deadline of a stop must not queue anything more. */
  #assertOpen(): void {
    if (this.#broken !== null) throw this.#broken;
    if (!this.#closed) return;
    const { folder } = this.#options;
    throw new TallyError('STORE_CLOSED', `the store in ${folder} is closed`, { folder });
  }

  /** Throws STORE_FULL (retriable) where nothing new can be reserved. */
  assertRoom(): void {
    assertRoom(this.#options.folder, this.#options.reserveBytes ?? RESERVE_BYTES);
  }

  /** Throws STORE_FULL (retriable) on a full disk, and STORE_BROKEN, told once, where the disk fails otherwise: then nothing more is written. */
  async #commit(write: () => readonly Promise<unknown>[]): Promise<void> {
    try {
      await commitTogether(this.#env, write);
    } catch (cause) {
      const fault = writeFault(this.#options.folder, cause);
      if (!fault.retriable && this.#broken === null) {
        this.#broken = fault;
        this.#onBroken(fault);
      }
      throw fault;
    }
  }

  #putPerson(token: Buffer, nino: string, written: Promise<boolean>[]): void {
    if (!this.#persons.doesExist(token)) written.push(this.#persons.put(token, this.#vault.seal(token, nino)));
  }
}
