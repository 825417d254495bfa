import type { Cluster } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { systemClock } from '../../time/clock.ts';
import type { AppendOutcome, AppendRecord, PartitionAppend, TopicPartition } from '../event-log.ts';
import { partitionKey } from '../partition-key.ts';
import type { KafkaCodec } from '../record-batch/codecs.ts';
import { recordBytes } from '../record-batch/write-batch.ts';
import type { KafkaClusters } from './client/clusters.ts';
import { fateOf, kafkaFault, within } from './client/faults.ts';
import { type ProduceAnswer, produce, type TopicBatches } from './produce.ts';

export interface KafkaAppenderOptions {
  readonly requestTimeoutMs: number;
  readonly compression: KafkaCodec;
}

/** As many neighbouring records of an append as one record batch holds. */
interface RecordList {
  readonly records: readonly AppendRecord[];
  readonly bytes: number;
}

/** A PartitionAppend that waits, or is under way. */
interface PendingAppend {
  readonly lists: RecordList[];
  baseOffset: number;
  nextOffset: number;
  /** Another process's records lie between two lists. */
  isSplit: boolean;
  readonly settle: (outcome: AppendOutcome) => void;
}

interface PartitionQueue extends TopicPartition {
  readonly waiting: PendingAppend[];
  isBusy: boolean;
}

/** What one request takes of a queue: the first lists of its appends, in order, as one record batch. */
interface BatchInRequest {
  readonly queue: PartitionQueue;
  readonly pieces: readonly { readonly pending: PendingAppend; readonly list: RecordList }[];
}

/** All that a request has for one partition is one record batch, and a broker refuses those above 1 MiB (message.max.bytes). */
export const BATCH_BYTES_MAX = 1_000_000;
const REQUEST_BYTES_MAX = 8 * 1024 ** 2;

/**
 * Appends with acknowledgement by all replicas. Each partition is a queue in which one batch is under way at a time, so lists keep
 * their order; whatever waits in the queues of one broker goes in one request. Nothing is sent twice: an append whose answer did not
 * come is `unknown`, and who asked reads back.
 */
export class KafkaAppender {
  readonly #options: KafkaAppenderOptions;
  readonly #clusters: KafkaClusters;
  readonly #queues = new Map<string, PartitionQueue>();
  readonly #busyNodes = new Set<string>();
  readonly #idleWaiters: (() => void)[] = [];
  readonly #knownTopics = new Set<string>();
  #cluster: Cluster | null = null;
  #connecting = false;

  constructor(options: KafkaAppenderOptions, clusters: KafkaClusters) {
    this.#options = options;
    this.#clusters = clusters;
  }

  append(appends: readonly PartitionAppend[]): Promise<AppendOutcome[]> {
    const outcomes = appends.map((append) => this.#enqueue(append));
    this.#pump();
    return Promise.all(outcomes);
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve);
      this.#tellIdle();
    });
  }

  #enqueue({ topic, partition, records }: PartitionAppend): Promise<AppendOutcome> {
    const key = partitionKey({ topic, partition });
    const queue = this.#queues.get(key) ?? { topic, partition, waiting: [], isBusy: false };
    this.#queues.set(key, queue);
    return new Promise((settle) => {
      queue.waiting.push({ lists: listsOf(records), baseOffset: -1, nextOffset: -1, isSplit: false, settle });
    });
  }

  #pump(): void {
    const waiting = [...this.#queues.values()].filter((queue) => !queue.isBusy && queue.waiting.length > 0);
    if (waiting.length === 0 || this.#connecting) {
      this.#tellIdle();
      return;
    }
    const cluster = this.#cluster;
    if (cluster === null || waiting.some(({ topic }) => !this.#knownTopics.has(topic))) {
      void this.#connect([...new Set(waiting.map(({ topic }) => topic))]);
      return;
    }
    for (const [node, queues] of this.#byNode(cluster, waiting)) {
      if (!this.#busyNodes.has(node)) {
        void this.#send(cluster, node, takeRequest(queues));
      }
    }
  }

  async #connect(topics: readonly string[]): Promise<void> {
    this.#connecting = true;
    try {
      const cluster = this.#cluster ?? (await this.#clusters.take());
      this.#cluster = cluster;
      const metadata = cluster.addMultipleTargetTopics([...topics]).then(() => cluster.refreshMetadataIfNecessary());
      await within(2 * this.#options.requestTimeoutMs, 'metadata', metadata);
      for (const topic of topics) {
        this.#knownTopics.add(topic);
      }
    } catch (error) {
      this.#forgetConnections();
      // Nothing of it was sent.
      for (const queue of this.#queues.values()) {
        if (!queue.isBusy) {
          failPartitionQueue(queue, error);
        }
      }
    } finally {
      this.#connecting = false;
    }
    this.#pump();
  }

  #byNode(cluster: Cluster, queues: readonly PartitionQueue[]): Map<string, PartitionQueue[]> {
    const byNode = new Map<string, PartitionQueue[]>();
    for (const queue of queues) {
      const node = leaderOf(cluster, queue);
      if (node === undefined) {
        this.#forgetConnections();
        failPartitionQueue(queue, new Error(`${queue.topic}/${queue.partition} has no leader`));
      } else {
        byNode.set(node, [...(byNode.get(node) ?? []), queue]);
      }
    }
    return byNode;
  }

  async #send(cluster: Cluster, node: string, batches: readonly BatchInRequest[]): Promise<void> {
    this.#busyNodes.add(node);
    const { requestTimeoutMs } = this.#options;
    let hasBegun = false;
    try {
      const broker = await within(2 * requestTimeoutMs, 'connection', cluster.findBroker({ nodeId: node }));
      hasBegun = true;
      const produced = produce(broker, {
        topics: topicsOf(batches),
        timeoutMs: Math.max(requestTimeoutMs - 500, 500),
        compression: this.#options.compression,
        civilMs: systemClock.civilMs(),
      });
      const answer: ProduceAnswer = await within(requestTimeoutMs + 1_000, 'answer to an append', produced);
      for (const batch of batches) {
        settleAppended(batch, answer);
      }
    } catch (error) {
      if (cluster === this.#cluster) {
        this.#forgetConnections();
      }
      // Of several partitions kafkajs tells the first error only: the others may be in the log.
      const fate = hasBegun && !(batches.length === 1 && fateOf(error) === 'failed') ? 'unknown' : 'failed';
      for (const { queue, pieces } of batches) {
        for (const { pending } of pieces) {
          settleFailed(queue, pending, fate, error);
        }
        queue.isBusy = false;
      }
    } finally {
      this.#busyNodes.delete(node);
    }
    this.#pump();
  }

  #forgetConnections(): void {
    if (this.#cluster !== null) {
      this.#clusters.discard(this.#cluster);
      this.#cluster = null;
    }
    this.#knownTopics.clear();
  }

  #tellIdle(): void {
    const isIdle =
      this.#busyNodes.size === 0 &&
      !this.#connecting &&
      [...this.#queues.values()].every((queue) => !queue.isBusy && queue.waiting.length === 0);
    if (isIdle) {
      for (const tell of this.#idleWaiters.splice(0)) {
        tell();
      }
    }
  }
}

function leaderOf(cluster: Cluster, { topic, partition }: TopicPartition): string | undefined {
  try {
    return Object.keys(cluster.findLeaderForPartitions(topic, [partition]))[0];
  } catch {
    return undefined;
  }
}

function listsOf(all: readonly AppendRecord[]): RecordList[] {
  const lists: RecordList[] = [];
  let records: AppendRecord[] = [];
  let bytes = 0;
  for (const record of all) {
    const size = recordBytes(record);
    if (records.length > 0 && bytes + size > BATCH_BYTES_MAX) {
      lists.push({ records, bytes });
      records = [];
      bytes = 0;
    }
    records.push(record);
    bytes += size;
  }
  lists.push({ records, bytes });
  return lists;
}

/** Takes from each queue what fits into one batch, and queues until the request is full; those are then busy. */
function takeRequest(queues: readonly PartitionQueue[]): BatchInRequest[] {
  const batches: BatchInRequest[] = [];
  let requestBytes = 0;
  for (const queue of queues) {
    if (requestBytes >= REQUEST_BYTES_MAX) {
      break;
    }
    const pieces: { pending: PendingAppend; list: RecordList }[] = [];
    let bytes = 0;
    for (const pending of [...queue.waiting]) {
      const list = pending.lists[0];
      if (list === undefined || (pieces.length > 0 && bytes + list.bytes > BATCH_BYTES_MAX)) {
        break;
      }
      pending.lists.shift();
      pieces.push({ pending, list });
      bytes += list.bytes;
      if (pending.lists.length > 0) {
        // Its further lists come before anybody else's.
        break;
      }
      queue.waiting.shift();
    }
    queue.isBusy = true;
    requestBytes += bytes;
    batches.push({ queue, pieces });
  }
  return batches;
}

function topicsOf(batches: readonly BatchInRequest[]): TopicBatches[] {
  const byTopic = new Map<string, TopicBatches['partitions'][number][]>();
  for (const { queue, pieces } of batches) {
    const [first] = pieces;
    const records =
      pieces.length === 1 && first !== undefined ? first.list.records : pieces.flatMap(({ list }) => list.records);
    byTopic.set(queue.topic, [...(byTopic.get(queue.topic) ?? []), { partition: queue.partition, records }]);
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
}

function settleAppended({ queue, pieces }: BatchInRequest, answer: ProduceAnswer): void {
  const ofTopic = answer.topics.find(({ topicName }) => topicName === queue.topic);
  const base = ofTopic?.partitions.find(({ partition }) => partition === queue.partition)?.baseOffset;
  let offset = base === undefined ? -1 : Number(base);
  for (const { pending, list } of pieces) {
    if (offset < 0) {
      settleFailed(queue, pending, 'unknown', new Error('the answer says nothing of this partition'));
      continue;
    }
    if (pending.baseOffset < 0) {
      pending.baseOffset = offset;
    } else if (pending.nextOffset !== offset) {
      pending.isSplit = true;
    }
    offset += list.records.length;
    pending.nextOffset = offset;
    if (pending.lists.length === 0) {
      pending.settle(pending.isSplit ? splitOutcome(queue) : { status: 'appended', baseOffset: pending.baseOffset });
    }
  }
  queue.isBusy = false;
}

/** All of it is in the log, but not where its first offset tells: read back. */
function splitOutcome({ topic, partition }: TopicPartition): AppendOutcome {
  const message = `another process appended to ${topic}/${partition} between two batches of one append`;
  return {
    status: 'unknown',
    error: new TallyError('APPEND_SPLIT', message, { topic, partition }, { retriable: true }),
  };
}

/** What is said to have failed is sent no more, its further lists included. */
function settleFailed(queue: PartitionQueue, pending: PendingAppend, fate: 'failed' | 'unknown', error: unknown): void {
  if (queue.waiting[0] === pending) {
    queue.waiting.shift();
  }
  pending.settle({ status: pending.baseOffset >= 0 ? 'unknown' : fate, error: kafkaFault(error) });
}

/** Nothing of what waits in the queue was sent. */
function failPartitionQueue(queue: PartitionQueue, error: unknown): void {
  for (const pending of [...queue.waiting]) {
    settleFailed(queue, pending, 'failed', error);
  }
}
