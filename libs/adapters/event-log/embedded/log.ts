import { statfsSync } from 'node:fs';
import type { Database, RootDatabase } from 'lmdb';
import { assert } from '../../../core/errors/assert.ts';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { commitTogether } from '../../lmdb/commit.ts';
import { type DataFolderLock, lockDataFolder } from '../../lmdb/data-folder-lock.ts';
import { EVENT_LOG } from '../../lmdb/data-stores.ts';
import { openLmdb } from '../../lmdb/open-lmdb.ts';
import { type Clock, systemClock } from '../../time/clock.ts';
import {
  type AppendOutcome,
  type AppendRecord,
  type LogReader,
  type Membership,
  type MembershipOptions,
  type PartitionAppend,
  type PartitionPosition,
  RECORD_BYTES_MAX,
  type TopicPartition,
} from '../event-log.ts';
import type { InspectableLog, TopicState } from '../topic-state.ts';
import { EmbeddedMembership } from './membership.ts';
import { EmbeddedReader } from './reader.ts';
import { ChunkReader, HEADERS_MAX, packChunk, packedBytes, SHORT_TEXT_BYTES_MAX } from './record-chunk.ts';

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
const CHUNK_BYTES_MAX = 256 * 1024;
/** Appends that wait are committed together up to this many bytes. */
const GROUP_BYTES_MAX = 32 * 1024 ** 2;
const KEY_BYTES = 16;

interface Partition extends TopicPartition {
  readonly topicId: number;
  low: number;
  high: number;
}

interface Topic {
  readonly id: number;
  readonly partitions: readonly Partition[];
}

interface Packed {
  readonly partition: Partition;
  readonly chunks: readonly { readonly bytes: Buffer; readonly count: number }[];
}

interface WaitingAppend {
  readonly packed: readonly Packed[];
  readonly bytes: number;
  readonly resolve: (outcomes: AppendOutcome[]) => void;
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
  readonly #onBroken: (error: TallyError) => void;
  readonly #env: RootDatabase;
  readonly #lock: DataFolderLock;
  readonly #chunks: Database<Buffer, Buffer>;
  readonly #meta: Database<unknown, string>;
  readonly #topics = new Map<string, Topic>();
  readonly #readers = new Set<EmbeddedReader>();
  readonly #members = new Map<string, EmbeddedMembership>();
  #waiting: WaitingAppend[] = [];
  #committing: Promise<void> | null = null;
  #broken: TallyError | null = null;
  #closed = false;

  constructor(
    options: EmbeddedLogOptions,
    dependencies: EmbeddedLogDependencies,
    env: RootDatabase,
    lock: DataFolderLock,
  ) {
    this.#options = options;
    this.#clock = dependencies.clock ?? systemClock;
    this.#onBroken = dependencies.onBroken ?? (() => undefined);
    this.#env = env;
    this.#lock = lock;
    this.#chunks = env.openDB('chunks', { encoding: 'binary', keyEncoding: 'binary' });
    this.#meta = env.openDB('topics', { encoding: 'json' });
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
      const bytes = packed.reduce(
        (sum, { chunks }) => sum + chunks.reduce((all, chunk) => all + chunk.bytes.length, 0),
        0,
      );
      return new Promise((resolve) => {
        this.#waiting.push({ packed, bytes, resolve });
        this.#committing ??= this.#commitWaiting();
      });
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
    if (this.#isFull(0)) throw fullError(this.#options.folder);
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
    await this.#committing;
    for (const reader of [...this.#readers]) {
      await reader.close();
    }
    for (const group of this.#members.values()) {
      group.close();
    }
    await this.#env.close();
    await this.#lock.release();
  }

  async #commitWaiting(): Promise<void> {
    // One turn of microtasks: appends made together are committed together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      await this.#commitGroup(this.#takeGroup());
    }
    this.#committing = null;
  }

  #takeGroup(): WaitingAppend[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > GROUP_BYTES_MAX) {
        break;
      }
      bytes += waiting.bytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commitGroup(group: readonly WaitingAppend[]): Promise<void> {
    if (this.#broken !== null) {
      return failGroup(group, 'failed', this.#broken);
    }
    const bytes = group.reduce((sum, waiting) => sum + waiting.bytes, 0);
    const highs = new Map<Partition, number>();
    const outcomes: AppendOutcome[][] = [];
    try {
      if (this.#isFull(bytes)) {
        return failGroup(group, 'failed', fullError(this.#options.folder));
      }
      await commitTogether(this.#chunks, () => {
        const written: Promise<boolean>[] = [];
        for (const waiting of group) {
          outcomes.push(waiting.packed.map((packed) => this.#put(packed, highs, written)));
        }
        return written;
      });
    } catch (error) {
      return this.#commitFailed(group, bytes, error);
    }
    for (const [partition, high] of highs) {
      partition.high = high;
    }
    for (const [index, waiting] of group.entries()) {
      waiting.resolve(outcomes[index] ?? []);
    }
    for (const reader of this.#readers) {
      reader.wake();
    }
  }

  #put({ partition, chunks }: Packed, highs: Map<Partition, number>, written: Promise<boolean>[]): AppendOutcome {
    const baseOffset = highs.get(partition) ?? partition.high;
    let offset = baseOffset;
    for (const { bytes, count } of chunks) {
      written.push(this.#chunks.put(chunkKey(partition, offset), bytes));
      offset += count;
    }
    highs.set(partition, offset);
    return { status: 'appended', baseOffset };
  }

  #commitFailed(group: readonly WaitingAppend[], bytes: number, cause: unknown): void {
    const touched = new Set(group.flatMap((waiting) => waiting.packed.map((packed) => packed.partition)));
    if (this.#isFull(bytes) && [...touched].every((partition) => this.#storedHigh(partition) === partition.high)) {
      failGroup(group, 'failed', fullError(this.#options.folder, cause));
      return;
    }
    this.#broken = brokenError(this.#options.folder, cause);
    this.#onBroken(this.#broken);
    failGroup(group, 'unknown', this.#broken);
  }

  /** LMDB tells a full disk as EIO (a short write), like a broken one: so the free space itself is asked, before a commit and after a failure. */
  #isFull(bytes: number): boolean {
    const { bavail, bsize } = statfsSync(this.#options.folder);
    return bavail * bsize < (this.#options.reserveBytes ?? RESERVE_BYTES) + 2 * bytes;
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
    if (this.#broken !== null) {
      throw this.#broken;
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

function packAppend(append: PartitionAppend, partition: Partition, timestampMs: number): Packed {
  const chunks: { bytes: Buffer; count: number }[] = [];
  let records: AppendRecord[] = [];
  let bytes = 0;
  for (const record of append.records) {
    assertFits(record, append);
    const recordBytes = packedBytes(record);
    if (records.length > 0 && bytes + recordBytes > CHUNK_BYTES_MAX) {
      chunks.push({ bytes: packChunk(records, bytes, timestampMs), count: records.length });
      records = [];
      bytes = 0;
    }
    records.push(record);
    bytes += recordBytes;
  }
  if (records.length > 0) {
    chunks.push({ bytes: packChunk(records, bytes, timestampMs), count: records.length });
  }
  return { partition, chunks };
}

function assertFits(record: AppendRecord, { topic, partition }: TopicPartition): void {
  const bytes = record.value?.length ?? 0;
  if (bytes > RECORD_BYTES_MAX) {
    throw new TallyError('RECORD_TOO_LARGE', `a record of ${bytes} bytes is larger than ${RECORD_BYTES_MAX}`, {
      topic,
      partition,
      bytes,
      maxBytes: RECORD_BYTES_MAX,
    });
  }
  const headers = record.headers === undefined ? [] : Object.entries(record.headers);
  const texts = record.key === null ? headers.flat() : [record.key, ...headers.flat()];
  if (headers.length > HEADERS_MAX || texts.some((text) => Buffer.byteLength(text) > SHORT_TEXT_BYTES_MAX)) {
    throw new TallyError('RECORD_TOO_LARGE', 'a key or header of a record is too long, or there are too many headers', {
      topic,
      partition,
      headers: headers.length,
      textMaxBytes: SHORT_TEXT_BYTES_MAX,
    });
  }
}

function chunkKey(partition: Partition, offset: number): Buffer {
  const key = Buffer.allocUnsafe(KEY_BYTES);
  key.writeUInt32BE(partition.topicId, 0);
  key.writeUInt32BE(partition.partition, 4);
  key.writeUInt32BE(Math.floor(offset / 2 ** 32), 8);
  key.writeUInt32BE(offset % 2 ** 32, 12);
  return key;
}

/** Sorts before every key of the partition and after all of the one before. */
function partitionPrefix(partition: Partition): Buffer {
  return chunkKey(partition, 0).subarray(0, 8);
}

function offsetOfKey(key: Uint8Array): number {
  const bytes = Buffer.from(key.buffer, key.byteOffset, key.byteLength);
  return bytes.readUInt32BE(8) * 2 ** 32 + bytes.readUInt32BE(12);
}

function failGroup(group: readonly WaitingAppend[], status: 'failed' | 'unknown', error: TallyError): void {
  for (const waiting of group) {
    waiting.resolve(waiting.packed.map(() => ({ status, error })));
  }
}

function fullError(folder: string, cause?: unknown): TallyError {
  return new TallyError(
    'LOG_FULL',
    `the disk of ${folder} is full: nothing is accepted until there is room`,
    { folder },
    { retriable: true, cause },
  );
}

function brokenError(folder: string, cause: unknown): TallyError {
  return new TallyError(
    'LOG_BROKEN',
    `a commit of the event log in ${folder} failed: its disk can not be trusted, restart when it is sound`,
    { folder },
    { cause },
  );
}
