import { AssignerProtocol, type Cluster, type Consumer, type Kafka, type PartitionAssigner } from 'kafkajs';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { Membership, MembershipOptions, PartitionPosition } from './event-log.ts';
import { kafkaFault, within } from './kafka-faults.ts';
import { type Holder, sharePartitions } from './share-partitions.ts';

export interface KafkaMembershipOptions extends MembershipOptions {
  readonly requestTimeoutMs: number;
  readonly joinWithinMs: number;
  /** A member that was not heard of for so long, while the brokers answer, has stopped without a word. */
  readonly silenceMs: number;
}

export interface KafkaMembershipDependencies {
  readonly kafka: Kafka;
  readonly nowMs: () => number;
  /** Whether the brokers answer now, asked over other connections. */
  readonly brokersAnswer: () => Promise<boolean>;
  /** The membership has ended and can not be mended from within. */
  readonly onBroken: (error: TallyError) => void;
  readonly onLeave: (membership: KafkaMembership) => void;
}

const PROTOCOL = 'tallystick-outputs';
const PROTOCOL_VERSION = 1;
/** The least that brokers allow by default. */
const SESSION_TIMEOUT_MS = 6_000;
const REBALANCE_TIMEOUT_MS = 6_000;
const HEARTBEAT_MS = 500;
/** kafkajs sleeps so long between two looks, as every partition of it is paused (5 s by default, so joins would take 5 s). */
const LOOK_MS = 250;
const WATCH_MS = 1_000;
const RETRY = { retries: 3, initialRetryTime: 200, maxRetryTime: 2_000, factor: 0.2, multiplier: 2 };

/**
 * Share of a group in the partitions of one output topic, through Kafka's own group protocol with an assigner of ours. The consumer
 * behind it reads nothing: it is paused whole at every join. What it gives is advice; the fence is the link between messages.
 */
export class KafkaMembership implements Membership {
  readonly #options: KafkaMembershipOptions;
  readonly #dependencies: KafkaMembershipDependencies;
  readonly #consumer: Consumer;
  readonly #owned = new Map<number, number>();
  readonly #wakeUps = new Set<() => void>();
  #memberId = '';
  #lastTake = 0;
  #lastHeardMs: number;
  #broken: TallyError | null = null;
  #left = false;
  #isChecking = false;
  #watch: NodeJS.Timeout | null = null;

  constructor(options: KafkaMembershipOptions, dependencies: KafkaMembershipDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#lastHeardMs = dependencies.nowMs();
    this.#consumer = dependencies.kafka.consumer({
      groupId: options.group,
      allowAutoTopicCreation: false,
      sessionTimeout: SESSION_TIMEOUT_MS,
      rebalanceTimeout: REBALANCE_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: LOOK_MS,
      retry: { ...RETRY, restartOnFailure: async () => !this.#left },
      partitionAssigners: [outputAssigner(options.output, () => this.#owned)],
    });
  }

  /** Joins, and resolves at the first assignment. Throws LOG_UNAVAILABLE, LOG_REFUSED: a start that fails is not tried again. */
  async join(): Promise<void> {
    const { events } = this.#consumer;
    const joined = new Promise<void>((resolve, reject) => {
      this.#consumer.on(events.GROUP_JOIN, ({ payload }) => {
        this.#assigned(payload.memberId, payload.memberAssignment[this.#options.output] ?? []);
        resolve();
      });
      this.#consumer.on(events.CRASH, ({ payload }) => {
        if (!payload.restart) {
          reject(kafkaFault(payload.error));
          this.#break(`its consumer ended: ${payload.error.message}`, payload.error);
        }
      });
    });
    this.#consumer.on(events.HEARTBEAT, () => {
      this.#lastHeardMs = this.#dependencies.nowMs();
    });
    const begun = this.#begin();
    // A crash may come before run() has returned, and the other way round.
    joined.catch(() => undefined);
    try {
      await within(this.#options.joinWithinMs, 'assignment', Promise.all([begun, joined]));
    } catch (error) {
      await this.leave();
      throw kafkaFault(error);
    }
    this.#watch = setInterval(() => void this.#look(), WATCH_MS);
    this.#watch.unref();
  }

  owned(): ReadonlyMap<number, number> {
    if (this.#broken !== null) {
      throw this.#broken;
    }
    return this.#owned;
  }

  changed(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakeUps.delete(done);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#wakeUps.add(done);
    });
  }

  async commitForMonitoring(positions: readonly PartitionPosition[]): Promise<void> {
    const offsets = positions.map(({ topic, partition, offset }) => ({ topic, partition, offset: String(offset) }));
    try {
      await within(2 * this.#options.requestTimeoutMs, 'commit of offsets', this.#consumer.commitOffsets(offsets));
    } catch (error) {
      throw kafkaFault(error);
    }
  }

  async leave(): Promise<void> {
    if (this.#left) {
      return;
    }
    this.#left = true;
    clearInterval(this.#watch ?? undefined);
    this.#owned.clear();
    this.#notify();
    this.#dependencies.onLeave(this);
    // A broker that is away is told by the silence.
    await within(2 * this.#options.requestTimeoutMs, 'leave', this.#consumer.disconnect()).catch(() => undefined);
  }

  async #begin(): Promise<void> {
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [this.#options.output] });
    // Never called: all is paused. Without auto-commit, as positions are ours.
    await this.#consumer.run({ autoCommit: false, eachBatch: async () => undefined });
  }

  #assigned(memberId: string, partitions: readonly number[]): void {
    this.#lastHeardMs = this.#dependencies.nowMs();
    if (this.#left) {
      return;
    }
    this.#consumer.pause([{ topic: this.#options.output }]);
    // Another member id: the group had given this one up, and others may have worked on all of it.
    const isNewMember = memberId !== this.#memberId;
    this.#memberId = memberId;
    const now = new Set(partitions);
    for (const partition of [...this.#owned.keys()]) {
      if (!now.has(partition)) {
        this.#owned.delete(partition);
      }
    }
    for (const partition of now) {
      if (isNewMember || !this.#owned.has(partition)) {
        this.#owned.set(partition, this.#nextTake());
      }
    }
    this.#notify();
  }

  /** Grows here always, and as clocks go among processes: there it serves stickiness only. */
  #nextTake(): number {
    this.#lastTake = Math.max(this.#lastTake + 1, this.#dependencies.nowMs());
    return this.#lastTake;
  }

  /** kafkajs #659, #1441: a consumer may stop without a word. Where the brokers answer others, it is this one that has stopped. */
  async #look(): Promise<void> {
    const silentMs = () => this.#dependencies.nowMs() - this.#lastHeardMs;
    if (this.#left || this.#broken !== null || this.#isChecking || silentMs() < this.#options.silenceMs) {
      return;
    }
    this.#isChecking = true;
    try {
      if ((await this.#dependencies.brokersAnswer()) && !this.#left && silentMs() >= this.#options.silenceMs) {
        this.#break(`it was silent for ${Math.round(silentMs() / 1000)} s though the brokers answer`);
      }
    } finally {
      this.#isChecking = false;
    }
  }

  #break(why: string, cause?: unknown): void {
    if (this.#left || this.#broken !== null) {
      return;
    }
    const { group, output } = this.#options;
    const message = `the membership in group ${group} for ${output} has ended: ${why}. This process must be started again`;
    this.#broken = new TallyError('LOG_BROKEN', message, { group, output, reason: 'CONSUMER_STOPPED' }, { cause });
    this.#dependencies.onBroken(this.#broken);
    this.#notify();
  }

  #notify(): void {
    for (const wakeUp of [...this.#wakeUps]) {
      wakeUp();
    }
  }
}

/** Hands out the partitions of the output topic; what a member holds goes with its request, so that it keeps it. */
function outputAssigner(output: string, owned: () => ReadonlyMap<number, number>): PartitionAssigner {
  return ({ cluster }: { readonly cluster: Cluster }) => ({
    name: PROTOCOL,
    version: PROTOCOL_VERSION,
    protocol: ({ topics }) => ({
      name: PROTOCOL,
      metadata: AssignerProtocol.MemberMetadata.encode({
        version: PROTOCOL_VERSION,
        topics,
        userData: Buffer.from(JSON.stringify([...owned()])),
      }),
    }),
    assign: async ({ members }) => {
      const count = cluster.findTopicPartitionMetadata(output).length;
      const holders = members.map(({ memberId, memberMetadata }) => ({ id: memberId, held: heldOf(memberMetadata) }));
      return [...sharePartitions(holders, count)].map(([memberId, partitions]) => ({
        memberId,
        memberAssignment: AssignerProtocol.MemberAssignment.encode({
          version: PROTOCOL_VERSION,
          assignment: { [output]: partitions },
          userData: Buffer.alloc(0),
        }),
      }));
    },
  });
}

/** From another process, perhaps of another version: what can not be read holds nothing. */
function heldOf(metadata: Buffer): Holder['held'] {
  try {
    const userData = AssignerProtocol.MemberMetadata.decode(metadata)?.userData;
    const parsed: unknown = JSON.parse(userData?.toString() ?? '[]');
    const pairs = Array.isArray(parsed) ? parsed : [];
    return new Map(
      pairs.filter((pair): pair is [number, number] => Array.isArray(pair) && pair.every(Number.isSafeInteger)),
    );
  } catch {
    return new Map();
  }
}
