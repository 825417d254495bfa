import type { Database, RootDatabase } from 'lmdb';
import type {
  EventLog,
  PartitionPosition,
  RecordBatch,
  TopicPartition,
} from '../../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../../libs/adapters/event-log/partition-of.ts';
import { readAt } from '../../../libs/adapters/event-log/read-at.ts';
import { PAYE_EVENTS, VAT_EVENTS } from '../../../libs/adapters/event-log/topics.ts';
import { commitTogether } from '../../../libs/adapters/lmdb/commit.ts';
import { GATEWAY_INDEX } from '../../../libs/adapters/lmdb/data-stores.ts';
import { type OnDiscarded, openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { assertRoom, writeFault } from '../../../libs/adapters/lmdb/write-fault.ts';
import type { ElapsedClock } from '../../../libs/adapters/time/clock.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { type Account, taxOf } from '../../../libs/core/identity/account.ts';
import { hashOfValue } from '../intake/compare-with-log.ts';

export interface AccountIndexOptions {
  /** The index is a cache: the folder may be deleted while the gateway is stopped. */
  readonly folder: string;
  /** Partitions of each event topic. */
  readonly partitions: ReadonlyMap<string, number>;
}

export interface AccountIndexDependencies {
  readonly log: EventLog;
  readonly clock: ElapsedClock;
  /** Called where the index was damaged and begins anew. */
  readonly onDiscarded: OnDiscarded;
}

/** A page of an account's list: the offsets of its records in the partition that holds them all. */
export interface IndexedEvents {
  readonly partition: TopicPartition;
  readonly offsets: readonly number[];
  /** The offset at which the next page begins. */
  readonly next: number;
  readonly more: boolean;
}

/** How far a partition is indexed; offset and SHA-256 of the newest record read tell a log that was restored or cut. */
interface IndexedTo {
  readonly offset: number;
  readonly last: { readonly offset: number; readonly hash: string } | null;
}

const MAP_SIZE_BYTES = 64 * 1024 ** 3;
const FREE_BYTES_MIN = 72 * 1024 ** 2;
const OFFSET_BYTES = 8;
const POLL = { maxBytes: 4 * 1024 * 1024, maxRecords: 10_000, waitMs: 1_000 } as const;
/** One request indexes for this long at most; the answer then says that there is more. */
const INDEXING_MS_MAX = 5_000;
const NOTHING = Buffer.alloc(0);

/**
 * Where the PAYE and VAT events of an account are in the log, whoever sent them: a fold of the event topics, which is brought up to date when
 * a page is asked for. An event that nobody asks about costs nothing when it is taken.
 */
export class AccountIndex {
  readonly #options: AccountIndexOptions;
  readonly #dependencies: AccountIndexDependencies;
  readonly #env: RootDatabase;
  /** Keys: account, a zero byte, offset. */
  readonly #offsets: Database<Buffer, Buffer>;
  readonly #indexedTo: Database<IndexedTo, string>;
  /** The newest indexing of each partition: the next begins after it. */
  readonly #indexing = new Map<string, Promise<unknown>>();
  readonly #compared = new Set<string>();
  readonly #stopping = new AbortController();

  /** The caller holds the lock of the gateway's folder. */
  constructor(options: AccountIndexOptions, dependencies: AccountIndexDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    const env = { path: options.folder, mapSize: MAP_SIZE_BYTES, maxDbs: 2 };
    this.#env = openLmdb(GATEWAY_INDEX, env, dependencies.onDiscarded);
    this.#offsets = this.#env.openDB('offsets', { encoding: 'binary', keyEncoding: 'binary' });
    this.#indexedTo = this.#env.openDB('indexedTo', { encoding: 'json' });
  }

  /**
   * The records of an account from an offset on, at most `eventsMax`; every record that was in the log when the page was asked for is in it or in
   * a later page. Throws STORE_FULL and LOG_UNAVAILABLE (both retriable), STORE_BROKEN.
   */
  async page(owner: Account, from: number, eventsMax: number): Promise<IndexedEvents> {
    const partition = this.#partitionOf(owner);
    const { indexedTo, high } = await this.#index(partition);
    const range = { start: keyOf(owner, from), end: keyOf(owner, Number.MAX_SAFE_INTEGER), limit: eventsMax };
    const offsets = [...this.#offsets.getKeys(range)].map(offsetOf);
    const last = offsets.at(-1);
    if (last !== undefined && offsets.length === eventsMax) return { partition, offsets, next: last + 1, more: true };
    return { partition, offsets, next: indexedTo, more: indexedTo < high };
  }

  /** Resolves once nothing reads or writes any more. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await Promise.allSettled(this.#indexing.values());
    await this.#env.close();
  }

  #partitionOf(owner: Account): TopicPartition {
    const topic = taxOf(owner) === 'paye' ? PAYE_EVENTS : VAT_EVENTS;
    const partitions = this.#options.partitions.get(topic);
    assert(partitions !== undefined, 'the partitions of every event topic are known', { topic });
    return { topic, partition: partitionOf(owner, partitions) };
  }

  /** Each request indexes after those before it, up to an end that it looked up itself. */
  async #index(place: TopicPartition): Promise<{ readonly indexedTo: number; readonly high: number }> {
    const name = nameOf(place);
    const before = this.#indexing.get(name) ?? Promise.resolve();
    const indexing = before.catch(() => undefined).then(() => this.#indexToEnd(place));
    this.#indexing.set(name, indexing);
    return await indexing;
  }

  async #indexToEnd(place: TopicPartition): Promise<{ readonly indexedTo: number; readonly high: number }> {
    this.#stopping.signal.throwIfAborted();
    const { log, clock } = this.#dependencies;
    const { low, high } = await log.bounds(place);
    let indexedTo = Math.max(low, await this.#comparedOffset(place, high));
    if (indexedTo >= high) return { indexedTo, high };
    assertRoom(this.#options.folder, FREE_BYTES_MIN);
    const untilMs = clock.elapsedMs() + INDEXING_MS_MAX;
    const reader = log.reader([{ ...place, offset: indexedTo }]);
    try {
      while (indexedTo < high && clock.elapsedMs() < untilMs && !this.#stopping.signal.aborted) {
        for (const batch of await reader.poll(POLL)) {
          await this.#put(batch);
          indexedTo = batch.nextOffset;
        }
      }
    } finally {
      await reader.close();
    }
    return { indexedTo, high };
  }

  async #put({ topic, partition, records, nextOffset }: RecordBatch): Promise<void> {
    const newest = records.at(-1);
    const place = { topic, partition };
    const last =
      newest === undefined
        ? (this.#indexedTo.get(nameOf(place))?.last ?? null)
        : { offset: newest.offset, hash: hashOfValue(newest.value) };
    await this.#commit(() => [
      ...records.flatMap(({ key, offset }) => (key === null ? [] : [this.#offsets.put(keyOf(key, offset), NOTHING)])),
      this.#indexedTo.put(nameOf(place), { offset: nextOffset, last }),
    ]);
  }

  /** Up to where the partition is indexed; 0, with the whole index begun anew, where the log is not the one that was indexed. */
  async #comparedOffset(place: TopicPartition, high: number): Promise<number> {
    const name = nameOf(place);
    const known = this.#indexedTo.get(name);
    const isCompared = this.#compared.has(name);
    this.#compared.add(name);
    if (known === undefined) return 0;
    if (known.offset <= high && (isCompared || (await this.#isOf(place, known)))) return known.offset;
    await this.#commit(() => [this.#offsets.clearAsync(), this.#indexedTo.clearAsync()]);
    return 0;
  }

  async #isOf(place: TopicPartition, { last }: IndexedTo): Promise<boolean> {
    if (last === null) return true;
    const position: PartitionPosition = { ...place, offset: last.offset };
    const record = await readAt(position, this.#dependencies.log);
    return record !== null && hashOfValue(record.value) === last.hash;
  }

  async #commit(write: () => readonly Promise<unknown>[]): Promise<void> {
    try {
      await commitTogether(this.#env, write);
    } catch (cause) {
      throw writeFault(this.#options.folder, cause);
    }
  }
}

function nameOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function keyOf(owner: string, offset: number): Buffer {
  const key = Buffer.allocUnsafe(owner.length + 1 + OFFSET_BYTES);
  key.write(owner, 0, 'latin1');
  key[owner.length] = 0;
  key.writeBigUInt64BE(BigInt(offset), owner.length + 1);
  return key;
}

function offsetOf(key: Buffer): number {
  return Number(key.readBigUInt64BE(key.length - OFFSET_BYTES));
}
