import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Cluster, type GroupMember } from 'kafkajs';
import { TallyError } from '../../../core/errors/tally-error.ts';
import type { Clock } from '../../time/clock.ts';
import { RetryDuration } from '../../time/retry-duration.ts';
import type { Membership, MembershipOptions, PartitionPosition } from '../event-log.ts';
import { type Holder, sharePartitions } from '../share-partitions.ts';
import type { KafkaClusters } from './client/clusters.ts';
import { brokerErrorType, kafkaFault, within } from './client/faults.ts';
import type { Coordinator } from './client/kafkajs-internals.ts';

// CommonJS: of its names Node finds only some, so this one comes by its default export.
const { AssignerProtocol } = kafkajs;

export interface KafkaMembershipOptions extends MembershipOptions {
  readonly requestTimeoutMs: number;
  readonly joinWithinMs: number;
  /** A member that tried for so long to get back into its group, while the brokers answer, can not. */
  readonly silenceMs: number;
}

export interface KafkaMembershipDependencies {
  readonly clusters: KafkaClusters;
  readonly clock: Clock;
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
const RETRY_MS = 200;
/** The pause between two looks for the first assignment: what a start may wait longer than it must. */
const JOIN_LOOK_MS = 20;
const RETRY_MAX_MS = 2_000;
/** Answers of the coordinator after which the same connection is right and the member joins again. */
const JOIN_AGAIN = ['REBALANCE_IN_PROGRESS', 'UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION'];
/** Nothing that trying again would change. */
const FATAL = [
  'INCONSISTENT_GROUP_PROTOCOL',
  'GROUP_AUTHORIZATION_FAILED',
  'INVALID_GROUP_ID',
  'INVALID_SESSION_TIMEOUT',
];

/**
 * Share of a group in the partitions of one output topic, through Kafka's own group protocol: join, sync, heartbeat. Not by kafkajs's
 * consumer, which was seen to stay silent for good after its broker was killed (kafkajs #659, #1441): here each step has its deadline,
 * and after any fault the member joins again over new connections. What it gives is advice; the fence is the link between messages.
 */
export class KafkaMembership implements Membership {
  readonly #options: KafkaMembershipOptions;
  readonly #dependencies: KafkaMembershipDependencies;
  readonly #owned = new Map<number, number>();
  readonly #silence: RetryDuration;
  readonly #leaving = new AbortController();
  #coordinator: Coordinator | null = null;
  #memberId = '';
  #generation = -1;
  #lastAssignment = 0;
  #failures = 0;
  #broken: TallyError | null = null;
  #running: Promise<void> = Promise.resolve();
  #left: Promise<void> | null = null;

  constructor(options: KafkaMembershipOptions, dependencies: KafkaMembershipDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#silence = new RetryDuration(options.silenceMs);
  }

  /** Joins, and resolves at the first assignment. Throws LOG_UNAVAILABLE, LOG_REFUSED: a start that fails is not tried again. */
  async join(): Promise<void> {
    const { joinWithinMs } = this.#options;
    this.#running = this.#run();
    // Counted, not timed: a process that was stopped meanwhile has not tried for so long.
    for (let waitedMs = 0; this.#generation < 0; waitedMs += JOIN_LOOK_MS) {
      if (this.#broken !== null || waitedMs > joinWithinMs) {
        const why = this.#broken ?? new Error(`no share of group ${this.#options.group} within ${joinWithinMs} ms`);
        await this.leave();
        throw kafkaFault(why);
      }
      await sleep(JOIN_LOOK_MS);
    }
  }

  owned(): ReadonlyMap<number, number> {
    if (this.#broken !== null) {
      throw this.#broken;
    }
    return this.#owned;
  }

  async commitForMonitoring(positions: readonly PartitionPosition[]): Promise<void> {
    const coordinator = this.#coordinator;
    if (coordinator === null || positions.length === 0) {
      return;
    }
    const topics = [...new Set(positions.map(({ topic }) => topic))].map((topic) => ({
      topic,
      partitions: positions
        .filter((position) => position.topic === topic)
        .map(({ partition, offset }) => ({ partition, offset: String(offset) })),
    }));
    const { group: groupId, requestTimeoutMs } = this.#options;
    const request = { groupId, groupGenerationId: this.#generation, memberId: this.#memberId, topics };
    try {
      await within(2 * requestTimeoutMs, 'commit of offsets', coordinator.offsetCommit(request));
    } catch (error) {
      throw kafkaFault(error);
    }
  }

  leave(): Promise<void> {
    this.#left ??= this.#leave();
    return this.#left;
  }

  async #leave(): Promise<void> {
    this.#leaving.abort();
    this.#owned.clear();
    this.#dependencies.onLeave(this);
    const coordinator = this.#coordinator;
    if (coordinator !== null && this.#memberId !== '') {
      const request = { groupId: this.#options.group, memberId: this.#memberId };
      // A broker that is away is told by the silence.
      await within(this.#options.requestTimeoutMs, 'leave', coordinator.leaveGroup(request)).catch(() => undefined);
    }
    await within(this.#options.requestTimeoutMs, 'leave', this.#running).catch(() => undefined);
  }

  get #isLeaving(): boolean {
    return this.#leaving.signal.aborted;
  }

  async #run(): Promise<void> {
    while (!this.#isLeaving && this.#broken === null) {
      let cluster: Cluster | null = null;
      try {
        cluster = await this.#dependencies.clusters.take();
        await this.#takePart(cluster);
        this.#dependencies.clusters.give(cluster);
      } catch (error) {
        if (cluster !== null) {
          this.#dependencies.clusters.discard(cluster);
        }
        await this.#failed(error);
      } finally {
        this.#coordinator = null;
      }
    }
  }

  /** Is a member, over one set of connections, until it leaves. */
  async #takePart(cluster: Cluster): Promise<void> {
    const { group: groupId, output, requestTimeoutMs } = this.#options;
    const found = async () => {
      await cluster.addTargetTopic(output);
      await cluster.refreshMetadata();
      return (await cluster.findGroupCoordinator({ groupId })) as Coordinator;
    };
    const coordinator = await within(4 * requestTimeoutMs, 'coordinator of the group', found());
    while (!this.#isLeaving) {
      try {
        await this.#joinAndSync(cluster, coordinator);
        this.#coordinator = coordinator;
        await this.#beat(coordinator);
      } catch (error) {
        const type = brokerErrorType(error);
        if (!JOIN_AGAIN.includes(type)) {
          throw error;
        }
        if (type !== 'REBALANCE_IN_PROGRESS') {
          this.#memberId = '';
        }
      }
    }
  }

  async #joinAndSync(cluster: Cluster, coordinator: Coordinator): Promise<void> {
    const { group: groupId, output, requestTimeoutMs } = this.#options;
    const joined = await within(
      REBALANCE_TIMEOUT_MS + 2 * requestTimeoutMs,
      'place in the group',
      coordinator.joinGroup({
        groupId,
        sessionTimeout: SESSION_TIMEOUT_MS,
        rebalanceTimeout: REBALANCE_TIMEOUT_MS,
        memberId: this.#memberId,
        groupProtocols: [{ name: PROTOCOL, metadata: this.#metadata() }],
      }),
    );
    const { memberId, generationId, leaderId, members } = joined;
    const groupAssignment = memberId === leaderId ? assign(output, members, cluster) : [];
    const synced = await within(
      REBALANCE_TIMEOUT_MS + requestTimeoutMs,
      'assignment',
      coordinator.syncGroup({ groupId, generationId, memberId, groupAssignment }),
    );
    const assignment = AssignerProtocol.MemberAssignment.decode(synced.memberAssignment)?.assignment ?? {};
    this.#assigned(memberId, generationId, assignment[output] ?? []);
  }

  async #beat(coordinator: Coordinator): Promise<void> {
    const { group: groupId, requestTimeoutMs } = this.#options;
    while (!this.#isLeaving) {
      await sleep(HEARTBEAT_MS, undefined, { signal: this.#leaving.signal }).catch(() => undefined);
      if (!this.#isLeaving) {
        const request = { groupId, groupGenerationId: this.#generation, memberId: this.#memberId };
        await within(requestTimeoutMs, 'answer to a heartbeat', coordinator.heartbeat(request));
        this.#heard();
      }
    }
  }

  /** What a member holds goes with its request, so that it keeps it. */
  #metadata(): Buffer {
    const userData = Buffer.from(JSON.stringify([...this.#owned]));
    const topics = [this.#options.output];
    return AssignerProtocol.MemberMetadata.encode({ version: PROTOCOL_VERSION, topics, userData });
  }

  #assigned(memberId: string, generationId: number, partitions: readonly number[]): void {
    this.#heard();
    // Another member id: the group had given this one up, and others may have worked on all of it.
    const isNewMember = memberId !== this.#memberId;
    this.#memberId = memberId;
    this.#generation = generationId;
    if (this.#isLeaving) {
      return;
    }
    const now = new Set(partitions);
    for (const partition of [...this.#owned.keys()]) {
      if (!now.has(partition)) {
        this.#owned.delete(partition);
      }
    }
    for (const partition of now) {
      if (isNewMember || !this.#owned.has(partition)) {
        this.#owned.set(partition, this.#nextAssignment());
      }
    }
  }

  /** Grows here always, and as clocks go among processes: there it serves stickiness only. */
  #nextAssignment(): number {
    this.#lastAssignment = Math.max(this.#lastAssignment + 1, this.#dependencies.clock.civilMs());
    return this.#lastAssignment;
  }

  #heard(): void {
    this.#silence.heard();
    this.#failures = 0;
  }

  async #failed(error: unknown): Promise<void> {
    if (this.#isLeaving) {
      return;
    }
    const silentMs = this.#silence.failed(this.#dependencies.clock.elapsedMs());
    if (FATAL.includes(brokerErrorType(error)) || kafkaFault(error).code === 'LOG_REFUSED') {
      return this.#break(kafkaFault(error).message, error);
    }
    if (silentMs > this.#options.silenceMs) {
      if (await this.#dependencies.brokersAnswer()) {
        if (this.#isLeaving) return;
        const seconds = Math.round(silentMs / 1000);
        return this.#break(`not in it for ${seconds} s though the brokers answer: ${kafkaFault(error).message}`, error);
      }
      // They were away: once they are back, a coordinator takes its time.
      this.#silence.heard();
    }
    this.#failures += 1;
    const pauseMs = Math.min(RETRY_MS * this.#failures, RETRY_MAX_MS);
    await sleep(pauseMs, undefined, { signal: this.#leaving.signal }).catch(() => undefined);
  }

  #break(why: string, cause: unknown): void {
    const { group, output } = this.#options;
    const message = `the membership in group ${group} for ${output} has ended: ${why}. This process must be started again`;
    this.#broken = new TallyError('LOG_BROKEN', message, { group, output, reason: 'MEMBERSHIP_LOST' }, { cause });
    // A join that fails is told to who joins.
    if (this.#generation >= 0) {
      this.#dependencies.onBroken(this.#broken);
    }
  }
}

/** Hands out the partitions of the output topic: the leader of the group does it for all. */
function assign(output: string, members: readonly GroupMember[], cluster: Cluster) {
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
}

/** From another process, perhaps of another version: what can not be read holds nothing. */
function heldOf(metadata: Buffer): Holder['held'] {
  try {
    const userData = AssignerProtocol.MemberMetadata.decode(metadata)?.userData;
    const parsed: unknown = JSON.parse(userData?.toString() ?? '[]');
    const pairs: unknown[] = Array.isArray(parsed) ? parsed : [];
    return new Map(pairs.filter(isHeld));
  } catch {
    return new Map();
  }
}

function isHeld(pair: unknown): pair is [number, number] {
  return Array.isArray(pair) && pair.length === 2 && pair.every(Number.isSafeInteger);
}
