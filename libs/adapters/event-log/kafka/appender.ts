import type { Cluster } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import { systemClock } from '../../time/clock.ts';
import type { AppendOutcome, AppendRecord, PartitionAppend, TopicPartition } from '../event-log.ts';
import type { KafkaClusters } from './client.ts';
import type { KafkaCodec } from './codecs.ts';
import { fateOf, kafkaFault, within } from './faults.ts';
import { type ProduceAnswer, produce, recordBytes, type TopicBatches } from './produce.ts';

export interface KafkaAppenderOptions {
  readonly requestTimeoutMs: number;
  readonly compression: KafkaCodec;
}

interface Round {
  readonly records: readonly AppendRecord[];
  readonly bytes: number;
}

/** One PartitionAppend under way. */
interface Part {
  readonly rounds: Round[];
  baseOffset: number;
  nextOffset: number;
  /** Somebody else's records stand between two rounds. */
  isSplit: boolean;
  readonly settle: (outcome: AppendOutcome) => void;
}

interface Lane extends TopicPartition {
  readonly waiting: Part[];
  isBusy: boolean;
}

/** What of a lane goes into one request: the first rounds of its parts, in order, as one record batch. */
interface Sending {
  readonly lane: Lane;
  readonly pieces: readonly { readonly part: Part; readonly round: Round }[];
}

/** Everything for one partition in a request is one record batch, and a broker refuses those above 1 MiB (message.max.bytes). */
export const BATCH_BYTES_MAX = 1_000_000;
const REQUEST_BYTES_MAX = 8 * 1024 ** 2;

/**
 * Appends with acknowledgement by all replicas. Each partition is a lane in which one batch is under way at a time, so rounds keep
 * their order; whatever waits in the lanes of one broker goes in one request. Nothing is sent twice: an append whose answer did not
 * come is `unknown`, and who asked reads back.
 */
export class KafkaAppender {
  readonly #options: KafkaAppenderOptions;
  readonly #clusters: KafkaClusters;
  readonly #lanes = new Map<string, Lane>();
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
    const key = `${topic}/${partition}`;
    const lane = this.#lanes.get(key) ?? { topic, partition, waiting: [], isBusy: false };
    this.#lanes.set(key, lane);
    return new Promise((settle) => {
      lane.waiting.push({ rounds: roundsOf(records), baseOffset: -1, nextOffset: -1, isSplit: false, settle });
    });
  }

  #pump(): void {
    const waiting = [...this.#lanes.values()].filter((lane) => !lane.isBusy && lane.waiting.length > 0);
    if (waiting.length === 0 || this.#connecting) {
      this.#tellIdle();
      return;
    }
    const cluster = this.#cluster;
    if (cluster === null || waiting.some(({ topic }) => !this.#knownTopics.has(topic))) {
      void this.#connect([...new Set(waiting.map(({ topic }) => topic))]);
      return;
    }
    for (const [node, lanes] of this.#byNode(cluster, waiting)) {
      if (!this.#busyNodes.has(node)) {
        void this.#send(cluster, node, takeRequest(lanes));
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
      for (const lane of this.#lanes.values()) {
        if (!lane.isBusy) {
          failLane(lane, error);
        }
      }
    } finally {
      this.#connecting = false;
    }
    this.#pump();
  }

  #byNode(cluster: Cluster, lanes: readonly Lane[]): Map<string, Lane[]> {
    const byNode = new Map<string, Lane[]>();
    for (const lane of lanes) {
      const node = leaderOf(cluster, lane);
      if (node === undefined) {
        this.#forgetConnections();
        failLane(lane, new Error(`${lane.topic}/${lane.partition} has no leader`));
      } else {
        byNode.set(node, [...(byNode.get(node) ?? []), lane]);
      }
    }
    return byNode;
  }

  async #send(cluster: Cluster, node: string, sendings: readonly Sending[]): Promise<void> {
    this.#busyNodes.add(node);
    const { requestTimeoutMs } = this.#options;
    let hasBegun = false;
    try {
      const broker = await within(2 * requestTimeoutMs, 'connection', cluster.findBroker({ nodeId: node }));
      hasBegun = true;
      const produced = produce(broker, {
        topics: topicsOf(sendings),
        timeoutMs: Math.max(requestTimeoutMs - 500, 500),
        compression: this.#options.compression,
        civilMs: systemClock.civilMs(),
      });
      const answer: ProduceAnswer = await within(requestTimeoutMs + 1_000, 'answer to an append', produced);
      for (const sending of sendings) {
        settleAppended(sending, answer);
      }
    } catch (error) {
      if (cluster === this.#cluster) {
        this.#forgetConnections();
      }
      // Of several partitions kafkajs tells the first error only: the others may be in the log.
      const fate = hasBegun && !(sendings.length === 1 && fateOf(error) === 'failed') ? 'unknown' : 'failed';
      for (const { lane, pieces } of sendings) {
        for (const { part } of pieces) {
          settleFailed(lane, part, fate, error);
        }
        lane.isBusy = false;
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
      [...this.#lanes.values()].every((lane) => !lane.isBusy && lane.waiting.length === 0);
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

function roundsOf(all: readonly AppendRecord[]): Round[] {
  const rounds: Round[] = [];
  let records: AppendRecord[] = [];
  let bytes = 0;
  for (const record of all) {
    const size = recordBytes(record);
    if (records.length > 0 && bytes + size > BATCH_BYTES_MAX) {
      rounds.push({ records, bytes });
      records = [];
      bytes = 0;
    }
    records.push(record);
    bytes += size;
  }
  rounds.push({ records, bytes });
  return rounds;
}

/** Takes from each lane what fits into one batch, and lanes until the request is full; those are then busy. */
function takeRequest(lanes: readonly Lane[]): Sending[] {
  const sendings: Sending[] = [];
  let requestBytes = 0;
  for (const lane of lanes) {
    if (requestBytes >= REQUEST_BYTES_MAX) {
      break;
    }
    const pieces: { part: Part; round: Round }[] = [];
    let bytes = 0;
    for (const part of [...lane.waiting]) {
      const round = part.rounds[0];
      if (round === undefined || (pieces.length > 0 && bytes + round.bytes > BATCH_BYTES_MAX)) {
        break;
      }
      part.rounds.shift();
      pieces.push({ part, round });
      bytes += round.bytes;
      if (part.rounds.length > 0) {
        // Its further rounds come before anybody else's.
        break;
      }
      lane.waiting.shift();
    }
    lane.isBusy = true;
    requestBytes += bytes;
    sendings.push({ lane, pieces });
  }
  return sendings;
}

function topicsOf(sendings: readonly Sending[]): TopicBatches[] {
  const byTopic = new Map<string, TopicBatches['partitions'][number][]>();
  for (const { lane, pieces } of sendings) {
    const [first] = pieces;
    const records =
      pieces.length === 1 && first !== undefined ? first.round.records : pieces.flatMap(({ round }) => round.records);
    byTopic.set(lane.topic, [...(byTopic.get(lane.topic) ?? []), { partition: lane.partition, records }]);
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
}

function settleAppended({ lane, pieces }: Sending, answer: ProduceAnswer): void {
  const ofTopic = answer.topics.find(({ topicName }) => topicName === lane.topic);
  const base = ofTopic?.partitions.find(({ partition }) => partition === lane.partition)?.baseOffset;
  let offset = base === undefined ? -1 : Number(base);
  for (const { part, round } of pieces) {
    if (offset < 0) {
      settleFailed(lane, part, 'unknown', new Error('the answer says nothing of this partition'));
      continue;
    }
    if (part.baseOffset < 0) {
      part.baseOffset = offset;
    } else if (part.nextOffset !== offset) {
      part.isSplit = true;
    }
    offset += round.records.length;
    part.nextOffset = offset;
    if (part.rounds.length === 0) {
      part.settle(part.isSplit ? splitOutcome(lane) : { status: 'appended', baseOffset: part.baseOffset });
    }
  }
  lane.isBusy = false;
}

/** All of it is in the log, but not where its first offset tells: read back. */
function splitOutcome({ topic, partition }: TopicPartition): AppendOutcome {
  const message = `another process appended to ${topic}/${partition} between two batches of one append`;
  return {
    status: 'unknown',
    error: new TallyError('APPEND_SPLIT', message, { topic, partition }, { retriable: true }),
  };
}

/** What is said to have failed is sent no more, its further rounds included. */
function settleFailed(lane: Lane, part: Part, fate: 'failed' | 'unknown', error: unknown): void {
  if (lane.waiting[0] === part) {
    lane.waiting.shift();
  }
  part.settle({ status: part.baseOffset >= 0 ? 'unknown' : fate, error: kafkaFault(error) });
}

/** Nothing of what waits in the lane was sent. */
function failLane(lane: Lane, error: unknown): void {
  for (const part of [...lane.waiting]) {
    settleFailed(lane, part, 'failed', error);
  }
}
