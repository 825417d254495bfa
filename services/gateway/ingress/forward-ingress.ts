import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../../libs/adapters/access/clients.ts';
import { encodeDeadLetter } from '../../../libs/adapters/codec/dead-letter-codec.ts';
import type { EventLog, LogReader, RecordBatch, TopicPartition } from '../../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../../libs/adapters/event-log/partition-of.ts';
import { ingressTopic, REJECTIONS } from '../../../libs/adapters/event-log/topics.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';
import type { Rejection } from '../../../libs/core/decisions/decision.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type DeadLetter, deadLetterKey } from '../../../libs/core/events/dead-letter.ts';
import type { TaxRules } from '../../../libs/core/tax/decide-event.ts';
import { countTaken, type GatewayMetrics } from '../intake/gateway-metrics.ts';
import type { PreparedEvent } from '../intake/prepared-event.ts';
import type { Intake } from '../intake/take-events.ts';
import type { ReservationStore } from '../store/reservation-store.ts';
import { readIngressRecord, refusalOf } from './read-ingress-record.ts';

export interface ForwardIngressOptions {
  /** Those whose systems produce to a topic of their own. */
  readonly clients: readonly Client[];
  readonly personTokenKey: Uint8Array;
}

export interface ForwardIngressDependencies {
  readonly log: EventLog;
  readonly store: ReservationStore;
  readonly intake: Intake;
  readonly rules: TaxRules;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface IngressForwarder {
  /** Ends after what is under way; what it leaves is forwarded by the next start. */
  stop(): Promise<void>;
}

const POLL = { maxBytes: 4 * 1024 * 1024, maxRecords: 2_000, waitMs: 500 } as const;
/** How often forwarded records are deleted at most. */
const DELETE_EVERY_MS = 1_000;
const RETRY_MS = 200;
const RETRY_MS_MAX = 5_000;

/**
 * Reads what clients produce to their ingress topics, makes the topics where they are missing, and sends each record on through the same
 * intake as HTTP (design section 4). At least once: a record read again finds its reservation, so it stands in its topic once.
 */
export async function forwardIngress(
  options: ForwardIngressOptions,
  dependencies: ForwardIngressDependencies,
): Promise<IngressForwarder> {
  const specs = options.clients.map(({ id }) => ingressTopic(id));
  await dependencies.log.ensureTopics(
    specs.map(({ topic, retention }) => ({ topic, retention, partitions: INGRESS_PARTITIONS })),
  );
  const rejectionPartitions = await dependencies.log.partitionCount(REJECTIONS);
  const forwarder = new Forwarder(options, dependencies, rejectionPartitions);
  return { stop: () => forwarder.stop() };
}

const INGRESS_PARTITIONS = 1;

/** An event that was read and is not taken, and why. */
interface RefusedEvent {
  readonly refused: PreparedEvent;
  readonly code: string;
}

class Forwarder {
  readonly #options: ForwardIngressOptions;
  readonly #dependencies: ForwardIngressDependencies;
  readonly #rejectionPartitions: number;
  readonly #clients: ReadonlyMap<string, Client>;
  readonly #places: readonly TopicPartition[];
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;
  /** Where records are forwarded and not deleted yet, by topic. */
  readonly #toDelete = new Map<string, number>();
  readonly #behind = new Map<string, number>();
  #deletedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: ForwardIngressOptions, dependencies: ForwardIngressDependencies, rejectionPartitions: number) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#rejectionPartitions = rejectionPartitions;
    this.#clients = new Map(options.clients.map((client) => [ingressTopic(client.id).topic, client]));
    this.#places = [...this.#clients.keys()].map((topic) => ({ topic, partition: 0 }));
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  /** Whatever fails is tried again from the positions in the store: the doors of HTTP stay open meanwhile. */
  async #run(): Promise<void> {
    let retryMs = RETRY_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#forwardFrom(await this.#openReader(), () => {
          retryMs = RETRY_MS;
        });
      } catch (error) {
        if (this.#stopping.signal.aborted) break;
        this.#dependencies.logger.warn({ err: error }, 'ingress is not forwarded now, and is tried again');
        await this.#pause(retryMs);
        retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
    }
    await this.#deleteForwarded();
  }

  async #openReader(): Promise<LogReader> {
    const { log, store } = this.#dependencies;
    const positions = [];
    for (const place of this.#places) {
      const { low, high } = await log.bounds(place);
      const stored = store.ingressOffset(place);
      // a topic that was made anew, or a store that is new: what is read again finds its reservation
      const offset = stored !== null && stored >= low && stored <= high ? stored : low;
      if (offset > low) this.#toDelete.set(place.topic, offset);
      positions.push({ ...place, offset });
    }
    return log.reader(positions);
  }

  async #forwardFrom(reader: LogReader, onRead: () => void): Promise<void> {
    try {
      while (!this.#stopping.signal.aborted) {
        const batches = await reader.poll(POLL);
        onRead();
        await Promise.all(batches.map((batch) => this.#forward(batch)));
        this.#showBehind(batches);
        if (this.#dependencies.clock.elapsedMs() - this.#deletedAtMs >= DELETE_EVERY_MS) {
          await this.#deleteForwarded();
        }
      }
    } finally {
      await reader.close();
    }
  }

  /** The order that must not change: events durable, dead letters durable, position durable; only then are records deleted. */
  async #forward(batch: RecordBatch): Promise<void> {
    const client = this.#clients.get(batch.topic);
    if (client === undefined) throw new TallyError('TOPIC_UNKNOWN', `nobody produces to ${batch.topic}`, {});
    const { rules, store, metrics } = this.#dependencies;
    const prepared: PreparedEvent[] = [];
    const letters: DeadLetter[] = [];
    for (const [index, record] of batch.records.entries()) {
      const { personTokenKey } = this.#options;
      const reading = readIngressRecord(record, index, {
        client,
        personTokenKey,
        rules,
        receivedAtMs: this.#dependencies.clock.civilMs(),
      });
      if (reading.kind === 'event') prepared.push(reading.prepared);
      else letters.push(this.#letterOf(batch, index, reading.rejection));
    }
    for (const { refused, code } of await this.#take(prepared)) {
      letters.push(this.#letterOf(batch, refused.draft.index, refusalOf(refused, client, code)));
    }
    await this.#appendLetters(letters);
    for (const { code } of letters) metrics.faults.add({ code });
    metrics.ingressRecords.add({ outcome: 'refused' }, letters.length);
    await store.setIngressOffset({ topic: batch.topic, partition: batch.partition, offset: batch.nextOffset });
    this.#toDelete.set(batch.topic, batch.nextOffset);
  }

  /** Resolves when all but the refused ones, which it gives, are durable. Throws when it is to stop before. */
  async #take(prepared: readonly PreparedEvent[]): Promise<readonly RefusedEvent[]> {
    const { intake, metrics } = this.#dependencies;
    const refused: RefusedEvent[] = [];
    let left = prepared;
    const leaveOut = (codes: ReadonlyMap<number, string>): void => {
      for (const one of left) {
        const code = codes.get(one.draft.index);
        if (code !== undefined) refused.push({ refused: one, code });
      }
      left = left.filter(({ draft }) => !codes.has(draft.index));
    };
    for (let retryMs = RETRY_MS; left.length > 0; ) {
      const result = await intake.take(left);
      switch (result.kind) {
        case 'taken':
          countTaken(metrics, left, result.fresh);
          metrics.ingressRecords.add({ outcome: 'forwarded' }, result.fresh.length);
          metrics.ingressRecords.add({ outcome: 'repeated' }, left.length - result.fresh.length);
          return refused;
        case 'conflicts':
          leaveOut(new Map(result.indexes.map((index) => [index, 'EVENT_ID_CONFLICT'])));
          break;
        case 'unwritable':
          leaveOut(new Map(result.events.map(({ index, code }) => [index, code])));
          break;
        case 'unavailable':
          await this.#pause(retryMs);
          this.#stopping.signal.throwIfAborted();
          retryMs = Math.min(retryMs * 2, RETRY_MS_MAX);
      }
    }
    return refused;
  }

  #letterOf({ topic, partition, records }: RecordBatch, index: number, rejection: Rejection): DeadLetter {
    const record = records[index];
    const origin = { topic, partition, offset: record?.offset ?? 0 };
    const receivedAtMs = record?.timestampMs ?? null;
    return { ...rejection, receivedAtMs, origin, decision: null, recordedAtMs: this.#dependencies.clock.civilMs() };
  }

  async #appendLetters(letters: readonly DeadLetter[]): Promise<void> {
    const byPartition = new Map<number, { key: string; value: Buffer }[]>();
    for (const letter of letters) {
      const key = deadLetterKey(letter);
      const partition = partitionOf(key, this.#rejectionPartitions);
      const records = byPartition.get(partition) ?? [];
      records.push({ key, value: encodeDeadLetter(letter) });
      byPartition.set(partition, records);
    }
    const appends = [...byPartition].map(([partition, records]) => ({ topic: REJECTIONS, partition, records }));
    for (const outcome of await this.#dependencies.log.append(appends)) {
      // written again where it is not known: a letter that comes twice has one key
      if (outcome.status !== 'appended') throw outcome.error;
    }
  }

  async #deleteForwarded(): Promise<void> {
    this.#deletedAtMs = this.#dependencies.clock.elapsedMs();
    for (const [topic, offset] of [...this.#toDelete]) {
      try {
        await this.#dependencies.log.deleteBefore({ topic, partition: 0, offset });
        if (this.#toDelete.get(topic) === offset) this.#toDelete.delete(topic);
      } catch (error) {
        this.#dependencies.logger.warn({ err: error, topic }, 'forwarded records are not deleted yet');
      }
    }
  }

  #showBehind(batches: readonly RecordBatch[]): void {
    for (const { topic, nextOffset, highOffset } of batches) this.#behind.set(topic, highOffset - nextOffset);
    const records = [...this.#behind.values()].reduce((sum, one) => sum + one, 0);
    this.#dependencies.metrics.ingressWaiting.set({}, records);
  }

  async #pause(durationMs: number): Promise<void> {
    await sleep(durationMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
  }
}
