import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, Cluster, Kafka } from 'kafkajs';
import { assert } from '../../../core/errors/assert.ts';
import { TallyError } from '../../../core/errors/tally-error.ts';
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
  type TopicToMake,
} from '../event-log.ts';
import { type KafkaCodec, registerGzip } from '../record-batch/codecs.ts';
import { recordBytes } from '../record-batch/write-batch.ts';
import type { InspectableLog, TopicState } from '../topic-state.ts';
import { BATCH_BYTES_MAX, KafkaAppender } from './appender.ts';
import {
  createKafka,
  type KafkaClientDependencies,
  type KafkaClientOptions,
  KafkaClusters,
  REQUEST_TIMEOUT_MS,
} from './client/clusters.ts';
import { isLeaderMoving, isUnknownTopic, kafkaFault, within } from './client/faults.ts';
import { assertKafkajsVersion } from './client/kafkajs-internals.ts';
import { KafkaMembership } from './membership.ts';
import { KafkaReader } from './reader.ts';
import { createTopics } from './topics/create-topics.ts';
import { partitionBounds, topicStates } from './topics/topic-states.ts';

export interface KafkaLogOptions extends KafkaClientOptions {
  readonly compression?: KafkaCodec;
  /** Of topics that are made: 3 with min.insync.replicas 2 in production, 1 and 1 on a single broker. */
  readonly replicationFactor?: number;
  readonly minInsyncReplicas?: number;
  /** Bytes that each reader keeps ready, over all its partitions. */
  readonly prefetchBytes?: number;
  /** Bytes that a reader asks of one partition at a time. */
  readonly fetchBytes?: number;
  /** How long a fetch waits at the broker where nothing is there, ms. */
  readonly fetchWaitMs?: number;
  /** A reader without an answer for so long says LOG_UNAVAILABLE. */
  readonly unavailableMs?: number;
  /** A member that can not get back into its group for so long, while brokers answer, is broken. */
  readonly silenceMs?: number;
  readonly closeDeadlineMs?: number;
}

export interface KafkaLogDependencies extends KafkaClientDependencies {
  readonly clock?: Clock;
  /** Something has stopped that can not be mended from within: the process should end and be started again. */
  readonly onBroken?: (error: TallyError) => void;
}

/** How a reader fetches unless it is told otherwise; of one answer at most FETCH_ANSWER_BYTES. */
export const FETCH_BYTES = 128 * 1024;
export const FETCH_WAIT_MS = 250;
const PREFETCH_BYTES = 8 * 1024 ** 2;
const UNAVAILABLE_MS = 10_000;
const SILENCE_MS = 60_000;
const JOIN_WITHIN_MS = 30_000;
const CLOSE_DEADLINE_MS = 8_000;
/** A broker on a busy machine takes a while to lead what the metadata says it leads: of 240 new partitions more than 30 s were seen. Counted, not timed: who was stopped has not looked. */
const LEADER_LOOKS_MAX = 240;
const LEADER_LOOK_MS = 250;
/** A look at the topics tells whether the brokers answer at all, and must be over before it counts as none. */
const LOOK_WITHIN_MS = 2_500;

/**
 * The event log on Kafka (kafkajs 2.2.4). Positions are the caller's own, appends are acknowledged by all replicas in sync, and an
 * append without a sure answer is `unknown`. Throws LOG_UNAVAILABLE where no broker answers: a start that fails is not tried again.
 */
export async function openKafkaLog(
  options: KafkaLogOptions,
  dependencies: KafkaLogDependencies = {},
): Promise<InspectableLog> {
  assertKafkajsVersion();
  registerGzip();
  const kafka = createKafka(options, dependencies);
  const clusters = new KafkaClusters(kafka);
  try {
    clusters.give(await clusters.take());
  } catch (error) {
    await clusters.close();
    throw error;
  }
  return new KafkaLog(options, dependencies, kafka, clusters);
}

class KafkaLog implements InspectableLog {
  readonly #options: KafkaLogOptions;
  readonly #clock: Clock;
  readonly #onBroken: (error: TallyError) => void;
  readonly #kafka: Kafka;
  readonly #clusters: KafkaClusters;
  readonly #appender: KafkaAppender;
  readonly #requestTimeoutMs: number;
  readonly #partitionCounts = new Map<string, number>();
  readonly #counting = new Map<string, Promise<number>>();
  readonly #readers = new Set<KafkaReader>();
  readonly #memberships = new Set<KafkaMembership>();
  #broken: TallyError | null = null;
  #closed = false;

  constructor(options: KafkaLogOptions, dependencies: KafkaLogDependencies, kafka: Kafka, clusters: KafkaClusters) {
    this.#options = options;
    this.#clock = dependencies.clock ?? systemClock;
    this.#onBroken = dependencies.onBroken ?? (() => undefined);
    this.#kafka = kafka;
    this.#clusters = clusters;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#appender = new KafkaAppender(
      { requestTimeoutMs: this.#requestTimeoutMs, compression: options.compression ?? 'none' },
      clusters,
    );
  }

  async ensureTopics(topics: readonly TopicToMake[]): Promise<void> {
    this.#assertOpen();
    for (const { topic, partitions } of topics) {
      assert(Number.isSafeInteger(partitions) && partitions > 0, 'a topic has at least one partition', { topic });
    }
    const { replicationFactor = 1, minInsyncReplicas = 1, compression = 'none' } = this.#options;
    const asked = { topics, replicationFactor, minInsyncReplicas, compression };
    await this.#asAdmin((admin) => createTopics(asked, { admin }));
    for (const { topic, partitions } of topics) {
      this.#partitionCounts.set(topic, partitions);
    }
  }

  async partitionCount(topic: string): Promise<number> {
    this.#assertOpen();
    const known = this.#partitionCounts.get(topic);
    if (known !== undefined) {
      return known;
    }
    // Asked once for all who wait for it: of two appends the first to come goes on first.
    const counting = this.#counting.get(topic) ?? this.#count(topic);
    this.#counting.set(topic, counting);
    return await counting;
  }

  async #count(topic: string): Promise<number> {
    try {
      const count = await this.#onCluster('metadata', async (cluster) => {
        await cluster.addTargetTopic(topic);
        await cluster.refreshMetadataIfNecessary();
        return cluster.findTopicPartitionMetadata(topic).length;
      });
      this.#partitionCounts.set(topic, count);
      return count;
    } catch (error) {
      throw isUnknownTopic(error) ? unknownTopic({ topic }) : error;
    } finally {
      this.#counting.delete(topic);
    }
  }

  async append(appends: readonly PartitionAppend[]): Promise<AppendOutcome[]> {
    this.#assertOpen();
    if (appends.some(({ topic }) => !this.#partitionCounts.has(topic))) {
      await Promise.all(appends.map(({ topic }) => this.partitionCount(topic)));
      this.#assertOpen();
    }
    // From here to the lanes without a pause: what was called before close() is finished by it.
    for (const append of appends) {
      this.#assertPartition(append, this.#partitionCounts.get(append.topic) ?? 0);
      for (const record of append.records) {
        assertFits(record, append);
      }
    }
    const filled = appends.filter(({ records }) => records.length > 0);
    const outcomes = await this.#appender.append(filled);
    return await Promise.all(
      appends.map(async (append): Promise<AppendOutcome> => {
        const outcome = outcomes[filled.indexOf(append)];
        return outcome ?? { status: 'appended', baseOffset: (await this.bounds(append)).high };
      }),
    );
  }

  async bounds(place: TopicPartition): Promise<{ readonly low: number; readonly high: number }> {
    this.#assertOpen();
    await this.#assertKnown(place);
    for (let looks = 1; ; looks += 1, await sleep(LEADER_LOOK_MS)) {
      try {
        return await this.#onCluster('bounds', (cluster) => partitionBounds(cluster, place));
      } catch (error) {
        const isMoving = error instanceof TallyError && isLeaderMoving(error);
        if (!isMoving || looks >= LEADER_LOOKS_MAX) {
          throw error;
        }
      }
    }
  }

  reader(positions: readonly PartitionPosition[]): LogReader {
    this.#assertOpen();
    const options = this.#options;
    const reader = new KafkaReader(
      {
        prefetchBytes: options.prefetchBytes ?? PREFETCH_BYTES,
        fetchBytes: options.fetchBytes ?? FETCH_BYTES,
        fetchWaitMs: options.fetchWaitMs ?? FETCH_WAIT_MS,
        unavailableMs: options.unavailableMs ?? UNAVAILABLE_MS,
        requestTimeoutMs: this.#requestTimeoutMs,
      },
      {
        clusters: this.#clusters,
        bounds: (partition) => this.bounds(partition),
        clock: this.#clock,
        onClose: (closed) => this.#readers.delete(closed),
      },
    );
    this.#readers.add(reader);
    for (const position of positions) {
      reader.seek(position);
    }
    return reader;
  }

  async join(options: MembershipOptions): Promise<Membership> {
    this.#assertOpen();
    await this.partitionCount(options.output);
    const membership = new KafkaMembership(
      {
        ...options,
        requestTimeoutMs: this.#requestTimeoutMs,
        joinWithinMs: JOIN_WITHIN_MS,
        silenceMs: this.#options.silenceMs ?? SILENCE_MS,
      },
      {
        clusters: this.#clusters,
        clock: this.#clock,
        brokersAnswer: () => this.#brokersAnswer(options.output),
        onBroken: (error) => {
          this.#broken = error;
          this.#onBroken(error);
        },
        onLeave: (left) => this.#memberships.delete(left),
      },
    );
    this.#memberships.add(membership);
    await membership.join();
    return membership;
  }

  async look(topics: readonly string[]): Promise<ReadonlyMap<string, TopicState>> {
    this.#assertOpen();
    return await within(
      LOOK_WITHIN_MS,
      'topics',
      this.#onCluster('topics', (cluster) => topicStates(cluster, topics)),
    );
  }

  async deleteBefore({ topic, partition, offset }: PartitionPosition): Promise<void> {
    const { low, high } = await this.bounds({ topic, partition });
    if (offset <= low) {
      return;
    }
    await this.#asAdmin(async (admin) => {
      // Loads the metadata, which deleteTopicRecords takes for granted.
      await admin.fetchTopicOffsets(topic);
      const partitions = [{ partition, offset: String(Math.min(offset, high)) }];
      await admin.deleteTopicRecords({ topic, partitions });
    });
  }

  /** In order: nothing new, what is under way finished, readers, groups, connections; all of it by the deadline. */
  async close(): Promise<void> {
    if (this.#closed) {
      return;
    }
    this.#closed = true;
    const ordered = async () => {
      await this.#appender.idle();
      await Promise.all([...this.#readers].map((reader) => reader.close()));
      await Promise.all([...this.#memberships].map((membership) => membership.leave()));
      await this.#clusters.close();
    };
    await within(this.#options.closeDeadlineMs ?? CLOSE_DEADLINE_MS, 'close', ordered()).catch(() => undefined);
  }

  /** Work over connections of the pool; after a fault they are thrown away. */
  async #onCluster<T>(what: string, work: (cluster: Cluster) => Promise<T>): Promise<T> {
    const cluster = await this.#clusters.take();
    try {
      const result = await within(2 * this.#requestTimeoutMs, what, work(cluster));
      this.#clusters.give(cluster);
      return result;
    } catch (error) {
      this.#clusters.discard(cluster);
      throw isUnknownTopic(error) ? error : kafkaFault(error);
    }
  }

  async #asAdmin(work: (admin: Admin) => Promise<void>): Promise<void> {
    const admin = this.#kafka.admin();
    try {
      await admin.connect();
      await work(admin);
    } catch (error) {
      throw kafkaFault(error);
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  async #brokersAnswer(topic: string): Promise<boolean> {
    try {
      await this.bounds({ topic, partition: 0 });
      return true;
    } catch {
      return false;
    }
  }

  async #assertKnown(place: TopicPartition): Promise<void> {
    this.#assertPartition(place, await this.partitionCount(place.topic));
  }

  #assertPartition({ topic, partition }: TopicPartition, count: number): void {
    if (partition < 0 || partition >= count) {
      throw unknownTopic({ topic, partition });
    }
  }

  #assertOpen(): void {
    if (this.#closed) {
      throw new TallyError('LOG_CLOSED', 'the event log is closed', { brokers: this.#options.brokers });
    }
    if (this.#broken !== null) {
      throw this.#broken;
    }
  }
}

function unknownTopic(facts: { readonly topic: string; readonly partition?: number }): TallyError {
  const { topic, partition } = facts;
  const message =
    partition === undefined
      ? `there is no topic ${topic}: topics are made at start (ensureTopics)`
      : `topic ${topic} has no partition ${partition}`;
  return new TallyError('TOPIC_UNKNOWN', message, { ...facts });
}

function assertFits(record: AppendRecord, { topic, partition }: TopicPartition): void {
  const valueBytes = record.value?.length ?? 0;
  const bytes = recordBytes(record);
  if (valueBytes > RECORD_BYTES_MAX || bytes > BATCH_BYTES_MAX) {
    const facts = { topic, partition, bytes: valueBytes, maxBytes: RECORD_BYTES_MAX };
    throw new TallyError('RECORD_TOO_LARGE', `a record of ${bytes} bytes is larger than a broker takes`, facts);
  }
}
