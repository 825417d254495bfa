import { createRequire } from 'node:module';
import type { Broker, Cluster, GroupMember, Kafka } from 'kafkajs';
import { TallyError } from '../../../../core/errors/tally-error.ts';

/**
 * The parts of kafkajs that its typings leave out, and nothing else in the house reaches for: its cluster, its brokers' requests and the
 * pool that sends them. They hold for one version.
 */
const VERSION = '2.2.4';

/** Throws LOG_CLIENT_DIFFERS where another version of kafkajs is installed than the one whose internals are used. */
export function assertKafkajsVersion(): void {
  const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { readonly version: string };
  if (version !== VERSION) {
    const message = `kafkajs ${version} is installed and ${VERSION} is needed: run npm ci`;
    throw new TallyError('LOG_CLIENT_DIFFERS', message, { installed: version, needed: VERSION });
  }
}

/** The cluster of a client: kafkajs gives it to every assigner. The consumer itself is never run, so no group is joined. */
export function clusterOf(kafka: Kafka): Cluster {
  const found: Cluster[] = [];
  kafka.consumer({
    groupId: 'none',
    allowAutoTopicCreation: false,
    partitionAssigners: [
      ({ cluster }) => {
        found.push(cluster);
        return {
          name: 'none',
          version: 0,
          assign: async () => [],
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  return found[0] as Cluster;
}

/** How kafkajs writes one request and reads its answer. */
export interface Protocol {
  readonly request: { readonly apiVersion: number; readonly encode: () => Promise<unknown> };
  readonly response: { decode(answer: Buffer): Promise<unknown> };
}

/** A broker with the requests that are asked of it. */
export interface BrokerInside extends Broker {
  fetch(request: object): Promise<unknown>;
  produce(options: object): Promise<unknown>;
  describeConfigs(of: object): Promise<unknown>;
}

/** A broker that coordinates a group. */
export interface Coordinator extends Broker {
  joinGroup(request: {
    readonly groupId: string;
    readonly sessionTimeout: number;
    readonly rebalanceTimeout: number;
    readonly memberId: string;
    readonly groupProtocols: readonly { readonly name: string; readonly metadata: Buffer }[];
  }): Promise<{
    readonly generationId: number;
    readonly leaderId: string;
    readonly memberId: string;
    readonly members: readonly GroupMember[];
  }>;
  syncGroup(request: {
    readonly groupId: string;
    readonly generationId: number;
    readonly memberId: string;
    readonly groupAssignment: readonly { readonly memberId: string; readonly memberAssignment: Buffer }[];
  }): Promise<{ readonly memberAssignment: Buffer }>;
  heartbeat(request: {
    readonly groupId: string;
    readonly groupGenerationId: number;
    readonly memberId: string;
  }): Promise<unknown>;
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>;
}

interface Pooled extends Broker {
  readonly connectionPool: { send(protocol: object): Promise<unknown> };
}

/** Sends one request of our own over the broker's connections. */
export function sendRaw(broker: Broker, protocol: object): Promise<unknown> {
  return (broker as Pooled).connectionPool.send(protocol);
}

/** The same broker, whose requests are changed on their way to its connections. */
export function withProtocol(broker: Broker, change: (protocol: Protocol) => Protocol): BrokerInside {
  const pool = (broker as Pooled).connectionPool;
  const send = (protocol: Protocol): Promise<unknown> => pool.send(change(protocol));
  return Object.create(broker, { connectionPool: { value: Object.create(pool, { send: { value: send } }) } });
}

/** Bytes as kafkajs's own encoder shows itself to what writes the head of a request. */
export function encodedAs(bytes: Buffer): () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }> {
  return async () => ({ buf: bytes, buffer: bytes });
}
