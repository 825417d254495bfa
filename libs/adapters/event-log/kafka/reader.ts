import type { Cluster } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import type { ElapsedClock } from '../../time/clock.ts';
import type { LogReader, PartitionPosition, PollOptions, RecordBatch, TopicPartition } from '../event-log.ts';
import { FairShare } from '../fair-share.ts';
import { partitionKey } from '../partition-key.ts';
import type { KafkaClusters } from './client/clusters.ts';
import { isOutOfRange, isUnreadableAnswer, kafkaFault, within } from './client/faults.ts';
import { type FetchAnswer, fetchRecords } from './fetch.ts';
import { PartitionFetch } from './partition-fetch.ts';

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

interface Wanted {
  readonly readings: PartitionFetch[];
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

/**
 * Reads partitions from positions of our own: plain fetches, outside every group, so there is no join, no rebalance and no offset of the
 * broker that could take the place of ours. One fetch is under way per broker; what it brings waits in a bounded queue.
 */
export class KafkaReader implements LogReader {
  readonly #options: KafkaReaderOptions;
  readonly #source: KafkaReaderSource;
  readonly #readings = new Map<string, PartitionFetch>();
  readonly #shares = new FairShare();
  readonly #busyNodes = new Set<string>();
  #cluster: Cluster | null = null;
  readonly #knownTopics = new Set<string>();
  #connecting = false;
  #failures = 0;
  #lastAnswerMs: number;
  #lastError: unknown = null;
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
      const waiting = [...this.#readings.values()].filter(({ hasRecords }) => hasRecords);
      const batches = this.#shares.read(waiting, options, (reading, share) => reading.readBatch(share));
      const leftMs = until - this.#source.clock.elapsedMs();
      if (batches.length > 0 || leftMs <= 0 || this.#closed) {
        this.#pump();
        return batches;
      }
      this.#throwUnavailable();
      await this.#waitForWake(leftMs);
    }
  }

  seek(position: PartitionPosition): void {
    this.drop(position);
    if (this.#readings.size === 0) {
      this.#lastAnswerMs = this.#source.clock.elapsedMs();
    }
    this.#readings.set(partitionKey(position), new PartitionFetch(position));
    this.#pump();
  }

  drop(partition: TopicPartition): void {
    this.#readings.delete(partitionKey(partition));
  }

  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    this.#readings.clear();
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
    let bytes = 0;
    for (const { bufferedBytes } of this.#readings.values()) bytes += bufferedBytes;
    return bytes;
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
    const isFull = this.bufferedBytes >= this.#options.prefetchBytes;
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

  async #ask(
    cluster: Cluster,
    node: string,
    readings: readonly PartitionFetch[],
    maxWaitTime: number,
  ): Promise<FetchAnswer> {
    const broker = await cluster.findBroker({ nodeId: node });
    return await fetchRecords(broker, {
      maxWaitTime,
      minBytes: 1,
      maxBytes: FETCH_ANSWER_BYTES,
      isolationLevel: READ_COMMITTED,
      topics: readings.map((reading) => this.#request(reading)),
    });
  }

  #request({ topic, partition, fetchOffset, isWide }: PartitionFetch) {
    const maxBytes = isWide ? WIDE_FETCH_BYTES : this.#options.fetchBytes;
    return { topic, partitions: [{ partition, fetchOffset: String(fetchOffset), maxBytes }] };
  }

  #answered(answer: FetchAnswer, readings: readonly PartitionFetch[]): void {
    this.#failures = 0;
    this.#lastAnswerMs = this.#source.clock.elapsedMs();
    const byKey = new Map(readings.map((reading) => [partitionKey(reading), reading]));
    for (const { topicName, partitions } of answer.responses) {
      for (const fetched of partitions) {
        const key = partitionKey({ topic: topicName, partition: fetched.partition });
        const reading = byKey.get(key);
        if (reading !== undefined && this.#readings.get(key) === reading) {
          if (reading.receive(fetched)) this.#wakeUp?.();
        }
      }
    }
  }

  async #fetchFailed(error: unknown, cluster: Cluster, readings: readonly PartitionFetch[]): Promise<void> {
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

  async #checkRange(reading: PartitionFetch): Promise<void> {
    const { topic, partition, fetchOffset } = reading;
    const { low, high } = await this.#source.bounds({ topic, partition });
    if ((fetchOffset < low || fetchOffset > high) && this.#readings.get(partitionKey(reading)) === reading) {
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

function unreadableFault({ topic, partition, fetchOffset }: PartitionFetch, cause: unknown): TallyError {
  return new TallyError(
    'BATCH_UNREADABLE',
    `the batch of ${topic}/${partition} at offset ${fetchOffset} can not be read: ${cause instanceof Error ? cause.message : String(cause)} (docs/operations.md, "Topics")`,
    { topic, partition, offset: fetchOffset },
    { cause },
  );
}
