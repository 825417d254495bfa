import type { Cluster } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import type { ElapsedClock } from '../../time/clock.ts';
import type {
  LogReader,
  LogRecord,
  PartitionPosition,
  PollOptions,
  RecordBatch,
  TopicPartition,
} from '../event-log.ts';
import type { KafkaClusters } from './client.ts';
import { isOutOfRange, isUnreadableAnswer, kafkaFault, within } from './faults.ts';
import { type FetchAnswer, type FetchedMessage, type FetchedPartition, fetchRecords } from './fetch.ts';
import { ListCursor, type RecordCursor } from './plain-records.ts';

export interface KafkaReaderOptions {
  /** Bytes kept ready for the next poll, over all partitions: read ahead while the last batch is worked on, and no further. */
  readonly prefetchBytes: number;
  /** Bytes asked of one partition at a time (performance.md: 48-128 KB). */
  readonly fetchBytes: number;
  /** How long a fetch may wait at the broker where nothing is there. */
  readonly fetchWaitMs: number;
  readonly requestTimeoutMs: number;
  /** Without an answer for so long, poll throws LOG_UNAVAILABLE; the reader goes on trying. */
  readonly unavailableMs: number;
}

export interface KafkaReaderSource {
  readonly clusters: KafkaClusters;
  readonly bounds: (partition: TopicPartition) => Promise<{ readonly low: number; readonly high: number }>;
  readonly clock: ElapsedClock;
  readonly onClose: (reader: KafkaReader) => void;
}

/** Records of one fetch, less those that were polled. */
interface Chunk {
  readonly records: RecordCursor;
  readonly bytes: number;
  readonly nextOffset: number;
}

/** One partition from one seek on: an answer to an older one is known by its object and dropped. */
interface Reading extends TopicPartition {
  /** Next offset to be polled. */
  offset: number;
  /** Next offset to be fetched. */
  fetchOffset: number;
  chunks: Chunk[];
  bufferedBytes: number;
  highOffset: number;
  /** At the end as far as known: not asked again before somebody polls, so that a reader that is only closed leaves no fetch behind. */
  isDry: boolean;
  /** A message larger than fetchBytes stands there: ask for all that a message can be. */
  isWide: boolean;
  /** Something in the answer could not be decoded: asked alone, to see whose it is. */
  isSuspect: boolean;
  fault: TallyError | null;
}

interface Wanted {
  readonly readings: Reading[];
  /** Some partitions of the broker are not asked now, for enough of them waits to be polled. */
  isHoldingBack: boolean;
}

/** Of all partitions in one answer. */
export const FETCH_ANSWER_BYTES = 4 * 1024 ** 2;
const WIDE_FETCH_BYTES = 1024 ** 2 + 64 * 1024;
/** Some partitions wait to be polled: the others are asked without a long wait, so that these are fetched again as soon as they may be. */
const SHORT_FETCH_WAIT_MS = 20;
const RETRY_MS = 100;
const RETRY_MAX_MS = 1_000;
const READ_COMMITTED = 1;
const RECORD_OVERHEAD_BYTES = 64;

/**
 * Reads partitions from positions of our own: plain fetches, outside every group, so there is no join, no rebalance and no offset of the
 * broker that could take the place of ours. One fetch is under way per broker; what it brings waits in a bounded queue.
 */
export class KafkaReader implements LogReader {
  readonly #options: KafkaReaderOptions;
  readonly #source: KafkaReaderSource;
  readonly #readings = new Map<string, Reading>();
  readonly #busyNodes = new Set<string>();
  #cluster: Cluster | null = null;
  readonly #knownTopics = new Set<string>();
  #connecting = false;
  #bufferedBytes = 0;
  #failures = 0;
  #lastAnswerMs: number;
  #lastError: unknown = null;
  #turn = 0;
  #wakeUp: (() => void) | null = null;
  #retryTimer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: KafkaReaderOptions, source: KafkaReaderSource) {
    this.#options = options;
    this.#source = source;
    this.#lastAnswerMs = source.clock.elapsedMs();
  }

  async poll(options: PollOptions): Promise<RecordBatch[]> {
    const until = this.#source.clock.elapsedMs() + options.waitMs;
    for (const reading of this.#readings.values()) {
      reading.isDry = false;
    }
    for (;;) {
      this.#pump();
      this.#throwFault();
      const batches = this.#take(options);
      const leftMs = until - this.#source.clock.elapsedMs();
      if (batches.length > 0 || leftMs <= 0 || this.#closed) {
        this.#pump();
        return batches;
      }
      this.#throwUnavailable();
      await this.#waitForWake(leftMs);
    }
  }

  seek({ topic, partition, offset }: PartitionPosition): void {
    this.drop({ topic, partition });
    if (this.#readings.size === 0) {
      this.#lastAnswerMs = this.#source.clock.elapsedMs();
    }
    this.#readings.set(keyOf({ topic, partition }), {
      topic,
      partition,
      offset,
      fetchOffset: offset,
      chunks: [],
      bufferedBytes: 0,
      highOffset: offset,
      isDry: false,
      isWide: false,
      isSuspect: false,
      fault: null,
    });
    this.#pump();
  }

  drop(partition: TopicPartition): void {
    const reading = this.#readings.get(keyOf(partition));
    if (reading !== undefined) {
      this.#bufferedBytes -= reading.bufferedBytes;
      this.#readings.delete(keyOf(partition));
    }
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#readings.clear();
    this.#bufferedBytes = 0;
    clearTimeout(this.#retryTimer ?? undefined);
    if (this.#cluster !== null && this.#busyNodes.size === 0) {
      this.#source.clusters.give(this.#cluster);
      this.#cluster = null;
    }
    this.#wakeUp?.();
    this.#source.onClose(this);
  }

  /** Bytes that wait to be polled. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  #throwFault(): void {
    for (const { fault } of this.#readings.values()) {
      if (fault !== null) {
        throw fault;
      }
    }
  }

  #throwUnavailable(): void {
    const silentMs = this.#source.clock.elapsedMs() - this.#lastAnswerMs;
    if (this.#readings.size > 0 && this.#failures > 0 && silentMs > this.#options.unavailableMs) {
      throw kafkaFault(this.#lastError);
    }
  }

  #waitForWake(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakeUp = null;
        resolve();
      };
      // Not for ever at once: that nothing comes at all must be noticed.
      const timer = setTimeout(done, Math.min(waitMs, this.#options.unavailableMs));
      this.#wakeUp = done;
    });
  }

  /** As the embedded reader: an equal share of what is left for each, another one first each time. */
  #take(options: PollOptions): RecordBatch[] {
    const waiting = [...this.#readings.values()].filter(({ chunks }) => chunks.length > 0);
    const left = { bytes: options.maxBytes, records: options.maxRecords };
    const batches: RecordBatch[] = [];
    this.#turn = waiting.length === 0 ? 0 : (this.#turn + 1) % waiting.length;
    for (let index = 0; index < waiting.length && left.records > 0; index += 1) {
      const reading = waiting[(index + this.#turn) % waiting.length];
      if (reading !== undefined) {
        const sharers = waiting.length - index;
        const share = { bytes: left.bytes / sharers, records: Math.ceil(left.records / sharers) };
        const { batch, bytes } = this.#takeBatch(reading, share);
        left.bytes = Math.max(left.bytes - bytes, 0);
        left.records -= batch.records.length;
        batches.push(batch);
      }
    }
    return batches;
  }

  #takeBatch(reading: Reading, share: { readonly bytes: number; readonly records: number }) {
    const { topic, partition, offset: fromOffset } = reading;
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let chunk = reading.chunks[0]; chunk !== undefined; chunk = reading.chunks[0]) {
      let record = chunk.records.peek();
      for (; record !== null && records.length < share.records; record = chunk.records.peek()) {
        const valueBytes = record.value?.length ?? 0;
        if (records.length > 0 && bytes + valueBytes > share.bytes) {
          break;
        }
        records.push(record);
        chunk.records.skip();
        bytes += valueBytes;
        reading.offset = record.offset + 1;
      }
      if (record !== null) {
        break;
      }
      reading.offset = chunk.nextOffset;
      reading.chunks.shift();
      reading.bufferedBytes -= chunk.bytes;
      this.#bufferedBytes -= chunk.bytes;
    }
    const highOffset = Math.max(reading.highOffset, reading.offset);
    return { batch: { topic, partition, records, fromOffset, nextOffset: reading.offset, highOffset }, bytes };
  }

  /** Begins every fetch that may begin now. */
  #pump(): void {
    if (this.#closed || this.#readings.size === 0 || this.#connecting || this.#retryTimer !== null) {
      return;
    }
    const cluster = this.#cluster;
    const topics = [...new Set([...this.#readings.values()].map(({ topic }) => topic))];
    if (cluster === null || topics.some((topic) => !this.#knownTopics.has(topic))) {
      void this.#connect(topics);
      return;
    }
    try {
      for (const [node, wanted] of this.#wantedByNode(cluster)) {
        if (wanted.readings.length > 0 && !this.#busyNodes.has(node)) {
          void this.#fetch(cluster, node, wanted);
        }
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  async #connect(topics: readonly string[]): Promise<void> {
    this.#connecting = true;
    try {
      const cluster = this.#cluster ?? (await this.#source.clusters.take());
      this.#cluster = cluster;
      const metadata = cluster.addMultipleTargetTopics([...topics]).then(() => cluster.refreshMetadataIfNecessary());
      await within(2 * this.#options.requestTimeoutMs, 'metadata', metadata);
      for (const topic of topics) {
        this.#knownTopics.add(topic);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#connecting = false;
    }
    if (this.#closed) {
      this.#release();
    } else {
      this.#pump();
    }
  }

  #wantedByNode(cluster: Cluster): Map<string, Wanted> {
    const byNode = new Map<string, Wanted>();
    const isFull = this.#bufferedBytes >= this.#options.prefetchBytes;
    for (const reading of this.#readings.values()) {
      if (reading.fault !== null || reading.isDry) {
        continue;
      }
      const [node] = Object.keys(cluster.findLeaderForPartitions(reading.topic, [reading.partition]));
      if (node === undefined) {
        throw new Error(`there is no partition ${reading.topic}/${reading.partition}`);
      }
      const wanted = byNode.get(node) ?? { readings: [], isHoldingBack: false };
      if (isFull || reading.bufferedBytes >= this.#options.fetchBytes) {
        wanted.isHoldingBack = true;
      } else {
        wanted.readings.push(reading);
      }
      byNode.set(node, wanted);
    }
    return byNode;
  }

  async #fetch(cluster: Cluster, node: string, wanted: Wanted): Promise<void> {
    const suspect = wanted.readings.find(({ isSuspect }) => isSuspect);
    const readings = suspect === undefined ? wanted.readings : [suspect];
    const isWaited = suspect === undefined && !wanted.isHoldingBack;
    const maxWaitTime = isWaited ? this.#options.fetchWaitMs : SHORT_FETCH_WAIT_MS;
    this.#busyNodes.add(node);
    try {
      const answer = await within(
        maxWaitTime + 2 * this.#options.requestTimeoutMs,
        'fetch',
        this.#ask(cluster, node, readings, maxWaitTime),
      );
      this.#answered(answer, readings);
    } catch (error) {
      await this.#fetchFailed(error, cluster, readings);
    } finally {
      this.#busyNodes.delete(node);
    }
    if (this.#closed) {
      this.#release();
    } else {
      this.#pump();
    }
  }

  async #ask(cluster: Cluster, node: string, readings: readonly Reading[], maxWaitTime: number): Promise<FetchAnswer> {
    const broker = await cluster.findBroker({ nodeId: node });
    return await fetchRecords(broker, {
      maxWaitTime,
      minBytes: 1,
      maxBytes: FETCH_ANSWER_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: readings.map((reading) => this.#request(reading)),
    });
  }

  #request({ topic, partition, fetchOffset, isWide }: Reading) {
    const maxBytes = isWide ? WIDE_FETCH_BYTES : this.#options.fetchBytes;
    return { topic, partitions: [{ partition, fetchOffset: String(fetchOffset), maxBytes }] };
  }

  #answered(answer: FetchAnswer, readings: readonly Reading[]): void {
    this.#failures = 0;
    this.#lastAnswerMs = this.#source.clock.elapsedMs();
    const byKey = new Map(readings.map((reading) => [keyOf(reading), reading]));
    for (const { topicName, partitions } of answer.responses) {
      for (const fetched of partitions) {
        const key = keyOf({ topic: topicName, partition: fetched.partition });
        const reading = byKey.get(key);
        if (reading !== undefined && this.#readings.get(key) === reading) {
          this.#received(reading, fetched);
        }
      }
    }
  }

  #received(reading: Reading, fetched: FetchedPartition): void {
    reading.isSuspect = false;
    reading.highOffset = highOf(fetched);
    const lastOffset = fetched.records?.lastOffset ?? Number(fetched.messages.at(-1)?.offset ?? -1);
    const nextOffset = lastOffset < 0 ? reading.fetchOffset : lastOffset + 1;
    if (nextOffset <= reading.fetchOffset) {
      // Behind and yet nothing: the next message is larger than what was asked for.
      reading.isDry = reading.fetchOffset >= reading.highOffset;
      reading.isWide ||= !reading.isDry;
      return;
    }
    const { records, bytes } = cursorOf(fetched);
    // A batch of the broker begins where it begins: what stands before our position is not ours.
    for (let first = records.peek(); first !== null && first.offset < reading.fetchOffset; first = records.peek()) {
      records.skip();
    }
    reading.chunks.push({ records, bytes, nextOffset });
    reading.fetchOffset = nextOffset;
    reading.isDry = nextOffset >= reading.highOffset;
    reading.bufferedBytes += bytes;
    this.#bufferedBytes += bytes;
    this.#wakeUp?.();
  }

  async #fetchFailed(error: unknown, cluster: Cluster, readings: readonly Reading[]): Promise<void> {
    if (isOutOfRange(error)) {
      // The broker does not say whose position it is where several are asked.
      await Promise.all(readings.map((reading) => this.#checkRange(reading))).catch((cause) => this.#failed(cause));
      if (readings.every(({ fault }) => fault === null)) {
        // It was only late: a new leader may be behind for a moment.
        this.#failed(error);
      }
      return;
    }
    if (isUnreadableAnswer(error)) {
      const [only] = readings;
      if (readings.length === 1 && only !== undefined) {
        only.fault = unreadableFault(only, error);
        this.#wakeUp?.();
      } else {
        for (const reading of readings) {
          reading.isSuspect = true;
        }
      }
      return;
    }
    if (cluster === this.#cluster) {
      this.#failed(error);
    }
  }

  async #checkRange(reading: Reading): Promise<void> {
    const { topic, partition, fetchOffset } = reading;
    const { low, high } = await this.#source.bounds({ topic, partition });
    if ((fetchOffset < low || fetchOffset > high) && this.#readings.get(keyOf(reading)) === reading) {
      reading.fault = new TallyError(
        'POSITION_OUT_OF_RANGE',
        `position ${fetchOffset} of ${topic}/${partition} is outside the log, which holds ${low} to ${high}`,
        { topic, partition, offset: fetchOffset, low, high },
      );
      this.#wakeUp?.();
    }
  }

  /** The connections are thrown away and made anew after a pause. */
  #failed(error: unknown): void {
    this.#failures += 1;
    this.#lastError = error;
    if (this.#cluster !== null) {
      this.#source.clusters.discard(this.#cluster);
      this.#cluster = null;
    }
    this.#knownTopics.clear();
    if (!this.#closed && this.#retryTimer === null) {
      this.#retryTimer = setTimeout(
        () => {
          this.#retryTimer = null;
          this.#pump();
        },
        Math.min(RETRY_MS * this.#failures, RETRY_MAX_MS),
      );
    }
  }

  #release(): void {
    if (this.#cluster !== null && this.#busyNodes.size === 0) {
      this.#source.clusters.give(this.#cluster);
      this.#cluster = null;
    }
  }
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

/** The end for a reader of committed records. */
function highOf({ highWatermark, lastStableOffset }: FetchedPartition): number {
  const stable = Number(lastStableOffset ?? -1);
  return stable >= 0 ? stable : Number(highWatermark);
}

/** The records of a fetch, and about what they take while they wait. */
function cursorOf(fetched: FetchedPartition): { readonly records: RecordCursor; readonly bytes: number } {
  if (fetched.records !== undefined) {
    const { count, valueBytes } = fetched.records;
    return { records: fetched.records.cursor(), bytes: valueBytes + count * RECORD_OVERHEAD_BYTES };
  }
  const records = readByKafkajs(fetched);
  const valueBytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  return { records: new ListCursor(records), bytes: valueBytes + records.length * RECORD_OVERHEAD_BYTES };
}

function readByKafkajs({ messages, abortedTransactions }: FetchedPartition): readonly LogRecord[] {
  return withoutAborted(messages, abortedTransactions ?? []).map(recordOf);
}

function recordOf(message: FetchedMessage): LogRecord {
  const { offset, timestamp, key, value } = message;
  return {
    offset: Number(offset),
    timestampMs: Number(timestamp),
    key: key === null || key === undefined ? null : key.toString(),
    value: value ?? null,
    headers: headersOf(message),
  };
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

function headersOf({ headers }: FetchedMessage): Readonly<Record<string, string>> {
  let texts: Record<string, string> | null = null;
  for (const name in headers) {
    const given = headers[name];
    // Twice the same name: the last one counts.
    const value = Array.isArray(given) ? given.at(-1) : given;
    texts ??= {};
    texts[name] = value === undefined || value === null ? '' : value.toString();
  }
  return texts ?? NO_HEADERS;
}

/** Less control records and the records of transactions that were given up (a client's own producer on its ingress topic may have them). */
function withoutAborted(
  messages: readonly FetchedMessage[],
  aborted: readonly { readonly producerId: string; readonly firstOffset: string }[],
): readonly FetchedMessage[] {
  if (aborted.length === 0) {
    return messages.some(({ isControlRecord }) => isControlRecord === true)
      ? messages.filter(({ isControlRecord }) => isControlRecord !== true)
      : messages;
  }
  const waiting = [...aborted].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const open = new Set<string>();
  return messages.filter((message) => {
    for (
      let next = waiting[0];
      next !== undefined && Number(next.firstOffset) <= Number(message.offset);
      next = waiting[0]
    ) {
      open.add(next.producerId);
      waiting.shift();
    }
    const { producerId = '', inTransaction = false } = message.batchContext ?? {};
    if (message.isControlRecord === true) {
      open.delete(producerId);
      return false;
    }
    return !(inTransaction && open.has(producerId));
  });
}

function unreadableFault({ topic, partition, fetchOffset }: Reading, cause: unknown): TallyError {
  return new TallyError(
    'BATCH_UNREADABLE',
    `the batch of ${topic}/${partition} at offset ${fetchOffset} can not be read: ${cause instanceof Error ? cause.message : String(cause)} (docs/operations.md, "Topics")`,
    { topic, partition, offset: fetchOffset },
    { cause },
  );
}
