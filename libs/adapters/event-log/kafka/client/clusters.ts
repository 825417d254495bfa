import type { ConnectionOptions } from 'node:tls';
import { type Cluster, Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { kafkaFault, within } from './faults.ts';
import { clusterOf } from './kafkajs-internals.ts';

export interface KafkaClientOptions {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** TLS: true for the system's own authorities. */
  readonly ssl?: boolean | ConnectionOptions;
  readonly sasl?: SASLOptions;
  /** A request without an answer by then has failed; below the session timeout of the group (6 s), or a stuck broker costs the share. */
  readonly requestTimeoutMs?: number;
}

export interface KafkaClientDependencies {
  /** What the client library has to say, faults of connections mostly: for a debug log. */
  readonly onClientLog?: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

export const REQUEST_TIMEOUT_MS = 4_000;
const CONNECTION_TIMEOUT_MS = 3_000;
/** Each broker given is tried. */
const CONNECT_WITHIN_MS = 12_000;
const IDLE_CLUSTERS_MAX = 4;

/** Never `retries: NaN` (kafkajs then swallows a message) and never its default of 5, which hides faults: what failed is told, and read back. */
const RETRY = { retries: 3, initialRetryTime: 100, maxRetryTime: 1_000, factor: 0.2, multiplier: 2 };

export function createKafka(options: KafkaClientOptions, dependencies: KafkaClientDependencies): Kafka {
  const { onClientLog } = dependencies;
  const config: KafkaConfig = {
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    retry: RETRY,
    logLevel: onClientLog === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator:
      () =>
      ({ log: { message, ...facts } }) =>
        onClientLog?.(message, facts),
    ...(options.ssl === undefined ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: options.sasl }),
  };
  return new Kafka(config);
}

/**
 * Connections to the brokers of the cluster, for those who speak the protocol themselves. kafkajs has no consumer with positions of
 * one's own and its producer hides which part of a send failed; its Cluster, which it gives to every assigner, has both: fetch and produce.
 * One that had a fault is never mended but thrown away: a new one costs some milliseconds and has no memory of missing topics
 * (kafkajs #1622, #1759) or of brokers that moved.
 */
export class KafkaClusters {
  readonly #kafka: Kafka;
  readonly #idle: Cluster[] = [];
  readonly #open = new Set<Cluster>();
  #closed = false;

  constructor(kafka: Kafka) {
    this.#kafka = kafka;
  }

  /** A connected cluster for one user: give it back or discard it. Throws LOG_UNAVAILABLE, LOG_CLOSED. */
  async take(): Promise<Cluster> {
    const idle = this.#idle.pop();
    if (idle !== undefined) {
      return idle;
    }
    const cluster = clusterOf(this.#kafka);
    this.#open.add(cluster);
    try {
      await within(CONNECT_WITHIN_MS, 'connection', cluster.connect());
      return cluster;
    } catch (error) {
      this.discard(cluster);
      throw kafkaFault(error);
    }
  }

  give(cluster: Cluster): void {
    if (this.#closed || this.#idle.length >= IDLE_CLUSTERS_MAX) {
      this.discard(cluster);
    } else {
      this.#idle.push(cluster);
    }
  }

  discard(cluster: Cluster): void {
    if (this.#open.delete(cluster)) {
      // It waits for requests under way; nobody waits for it.
      cluster.disconnect().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const open = [...this.#open];
    this.#open.clear();
    await Promise.allSettled(open.map((cluster) => cluster.disconnect()));
  }
}
