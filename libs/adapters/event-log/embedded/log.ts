import type { Database, RootDatabase } from 'lmdb';
import { assert } from '../../../core/errors/assert.ts';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { commitTogether } from '../../lmdb/commit.ts';
import { type DataFolderLock, lockDataFolder } from '../../lmdb/data-folder-lock.ts';
import { EVENT_LOG } from '../../lmdb/data-stores.ts';
import { openLmdb } from '../../lmdb/open-lmdb.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import type {
  AppendOutcome,
  LogReader,
  Membership,
  MembershipOptions,
  PartitionAppend,
  PartitionPosition,
  TopicPartition,
} from '../event-log.ts';
import type { InspectableLog, TopicState } from '../topic-state.ts';
import { chunkKey, offsetOfKey, type Partition, partitionPrefix } from './chunk-keys.ts';
import { CommitGroup, fullError } from './commit-group.ts';
import { EmbeddedMembership } from './membership.ts';
import { packAppend } from './pack-append.ts';
import { EmbeddedReader } from './reader.ts';
import { ChunkReader } from './record-chunk.ts';

export interface EmbeddedLogOptions {
  /** Held under an exclusive lock while open. */
  readonly folder: string;
  /** Free bytes of the disk below which appends are refused as LOG_FULL, so that what is there can still be read, folded and stored. */
  readonly reserveBytes?: number;
}

export interface EmbeddedLogDependencies {
  readonly clock?: Clock;
  /** A commit failed though the disk is not full: nothing more is written, the process should end. */
  readonly onBroken?: (error: TallyError) => void;
}

const GIB = 1024 ** 3;
/** Address space set aside; the file grows only with its content. */
const MAP_SIZE_BYTES = 64 * GIB;
const RESERVE_BYTES = 64 * 1024 ** 2;

interface Topic {
  readonly id: number;
  readonly partitions: readonly Partition[];
}

/**
 * The durable event log in this process, on LMDB. One value holds one chunk of neighbouring records under (topic, partition, offset of the first);
 * everything that append() was given, and every append() that came while a commit was under way, is one transaction and one
 * sync. Readers see a record once it is synced. A full disk refuses appends (LOG_FULL) and heals when there is room; any other failed
 * commit is final (LOG_BROKEN), for after a failed fsync nobody knows what the disk holds.
 * Throws DATA_FOLDER_IN_USE, and STORE_DAMAGED where the file is not what LMDB left.
 */
export async function openEmbeddedLog(
  options: EmbeddedLogOptions,
  dependencies: EmbeddedLogDependencies = {},
): Promise<InspectableLog> {
  const lock = await lockDataFolder(options.folder);
  try {
    // overlappingSync off: a commit resolves when it is synced. Writes run on LMDB's own thread, so the event loop does not wait for the disk.
    const env = openLmdb(EVENT_LOG, {
      path: options.folder,
      mapSize: MAP_SIZE_BYTES,
      overlappingSync: false,
      maxDbs: 4,
    });
    return new EmbeddedLog(options, dependencies, env, lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

class EmbeddedLog implements InspectableLog {
  readonly #options: EmbeddedLogOptions;
  readonly #clock: Clock;
  readonly #commits: CommitGroup;
  readonly #env: RootDatabase;
  readonly #lock: DataFolderLock;
  readonly #chunks: Database<Buffer, Buffer>;
  readonly #meta: Database<unknown, string>;
  readonly #topics = new Map<string, Topic>();
  readonly #readers = new Set<EmbeddedReader>();
  readonly #members = new Map<string, EmbeddedMembership>();
  #closed = false;

  constructor(
    options: EmbeddedLogOptions,
    dependencies: EmbeddedLogDependencies,
    env: RootDatabase,
    lock: DataFolderLock,
  ) {
    this.#options = options;
    this.#clock = dependencies.clock ?? systemClock;
    this.#env = env;
    this.#lock = lock;
    this.#chunks = env.openDB('chunks', { encoding: 'binary', keyEncoding: 'binary' });
    this.#meta = env.openDB('topics', { encoding: 'json' });
    this.#commits = new CommitGroup({
      folder: options.folder,
      reserveBytes: options.reserveBytes ?? RESERVE_BYTES,
      chunks: this.#chunks,
      storedHigh: (partition) => this.#storedHigh(partition),
      onCommitted: () => {
        for (const reader of this.#readers) {
          reader.wake();
        }
      },
      onBroken: dependencies.onBroken ?? (() => undefined),
    });
    for (const { key, value } of this.#meta.getRange()) {
      this.#loadTopic(String(key), value);
    }
  }

  async ensureTopics(topics: readonly { readonly topic: string; readonly partitions: number }[]): Promise<void> {
    this.#assertOpen();
    for (const { topic, partitions } of topics) {
      assert(Number.isSafeInteger(partitions) && partitions > 0, 'a topic has at least one partition', { topic });
      const existing = this.#topics.get(topic)?.partitions.length;
      if (existing !== undefined && existing !== partitions) {
        throw new TallyError(
          'TOPIC_PARTITIONS_DIFFER',
          `topic ${topic} has ${existing} partitions, ${partitions} are asked for: the count is set when a topic is made`,
          { topic, existing, asked: partitions },
        );
      }
      if (existing === undefined) {
        const stored = { id: this.#topics.size + 1, partitions, lows: {} };
        await commitTogether(this.#meta, () => [this.#meta.put(topic, stored)]);
        this.#loadTopic(topic, stored);
      }
    }
  }

  async partitionCount(topic: string): Promise<number> {
    return this.#topic(topic).partitions.length;
  }

  append(appends: readonly PartitionAppend[]): Promise<AppendOutcome[]> {
    try {
      this.#assertOpen();
      const timestampMs = this.#clock.civilMs();
      const packed = appends.map((append) => packAppend(append, this.#partition(append), timestampMs));
      if (packed.every(({ chunks }) => chunks.length === 0)) {
        return Promise.resolve(
          packed.map(({ partition }) => ({ status: 'appended', baseOffset: partition.high }) as const),
        );
      }
      return this.#commits.add(packed);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async bounds(partition: TopicPartition): Promise<{ readonly low: number; readonly high: number }> {
    this.#assertOpen();
    const { low, high } = this.#partition(partition);
    return { low, high };
  }

  reader(positions: readonly PartitionPosition[]): LogReader {
    this.#assertOpen();
    const reader = new EmbeddedReader({
      bounds: (partition) => {
        this.#assertOpen();
        return this.#partition(partition);
      },
      chunkAt: (partition, offset) => this.#chunkAt(this.#partition(partition), offset),
      onClose: (closed) => this.#readers.delete(closed),
    });
    for (const position of positions) {
      reader.seek(position);
    }
    this.#readers.add(reader);
    return reader;
  }

  async join(options: MembershipOptions): Promise<Membership> {
    this.#assertOpen();
    const partitions = await this.partitionCount(options.output);
    const name = `${options.group} ${options.output}`;
    let group = this.#members.get(name);
    if (group === undefined) {
      group = new EmbeddedMembership(partitions);
      this.#members.set(name, group);
    }
    return group.join();
  }

  async look(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>> {
    this.#assertOpen();
    if (this.#commits.isFull(0)) throw fullError(this.#options.folder);
    const states = new Map<string, TopicState>();
    for (const topic of topics) {
      const known = this.#topics.get(topic);
      if (known === undefined) continue;
      const lows = known.partitions.map(({ low }) => low);
      states.set(topic, { id: String(known.id), partitions: lows.length, lows, forgets: null, compression: null });
    }
    return states;
  }

  async deleteBefore(position: PartitionPosition): Promise<void> {
    this.#assertOpen();
    const partition = this.#partition(position);
    const low = Math.min(Math.max(position.offset, partition.low), partition.high);
    if (low === partition.low) {
      return;
    }
    const stored = this.#meta.get(position.topic);
    assert(isStoredTopic(stored), 'a topic in use is stored', { topic: position.topic });
    const below = { start: partitionPrefix(partition), end: chunkKey(partition, low + 1) };
    const keys = [...this.#chunks.getKeys(below)].map((key) => Buffer.from(key));
    // The last of them holds the new low position, or is what tells the end of the partition: it stays.
    const lows = { ...stored.lows, [position.partition]: low };
    await commitTogether(this.#chunks, () => [
      ...keys.slice(0, -1).map((key) => this.#chunks.remove(key)),
      this.#meta.put(position.topic, { ...stored, lows }),
    ]);
    partition.low = low;
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    await this.#commits.end();
    for (const reader of [...this.#readers]) {
      await reader.close();
    }
    for (const group of this.#members.values()) {
      group.close();
    }
    await this.#env.close();
    await this.#lock.release();
  }

  #chunkAt(partition: Partition, offset: number): ChunkReader {
    const direct = this.#chunks.get(chunkKey(partition, offset));
    if (direct !== undefined) {
      return new ChunkReader(direct, offset, { topic: partition.topic, partition: partition.partition });
    }
    const range = { start: chunkKey(partition, offset), end: partitionPrefix(partition), reverse: true, limit: 1 };
    for (const { key, value } of this.#chunks.getRange(range)) {
      const base = offsetOfKey(key);
      const chunk = new ChunkReader(value, base, { topic: partition.topic, partition: partition.partition });
      chunk.skipTo(offset);
      if (!chunk.done) {
        return chunk;
      }
    }
    throw new TallyError('LOG_CORRUPT', 'a record within the bounds of the event log is missing', {
      topic: partition.topic,
      partition: partition.partition,
      offset,
    });
  }

  #loadTopic(topic: string, stored: unknown): void {
    assert(isStoredTopic(stored), 'a stored topic is readable', { topic });
    const partitions: Partition[] = [];
    for (let number = 0; number < stored.partitions; number += 1) {
      const partition = { topic, partition: number, topicId: stored.id, low: stored.lows[number] ?? 0, high: 0 };
      partition.high = this.#storedHigh(partition);
      partitions.push(partition);
    }
    this.#topics.set(topic, { id: stored.id, partitions });
  }

  #storedHigh(partition: Partition): number {
    const end = partitionPrefix(partition);
    const range = { start: chunkKey(partition, Number.MAX_SAFE_INTEGER), end, reverse: true, limit: 1 };
    for (const { key, value } of this.#chunks.getRange(range)) {
      const base = offsetOfKey(key);
      return base + new ChunkReader(value, base, { topic: partition.topic, partition: partition.partition }).count;
    }
    return partition.low;
  }

  #topic(topic: string): Topic {
    const known = this.#topics.get(topic);
    if (known === undefined) {
      throw new TallyError('TOPIC_UNKNOWN', `there is no topic ${topic}: topics are made at start (ensureTopics)`, {
        topic,
      });
    }
    return known;
  }

  #partition({ topic, partition }: TopicPartition): Partition {
    const known = this.#topic(topic).partitions[partition];
    if (known === undefined) {
      throw new TallyError('TOPIC_UNKNOWN', `topic ${topic} has no partition ${partition}`, { topic, partition });
    }
    return known;
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new TallyError('LOG_CLOSED', 'the event log is closed', { folder: this.#options.folder });
    }
    if (this.#commits.broken !== null) {
      throw this.#commits.broken;
    }
  }
}

interface StoredTopic {
  readonly id: number;
  readonly partitions: number;
  /** Low positions by partition, where records were deleted. */
  readonly lows: Readonly<Record<string, number>>;
}

function isStoredTopic(value: unknown): value is StoredTopic {
  return typeof value === 'object' && value !== null && 'id' in value && 'partitions' in value && 'lows' in value;
}
