import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { dockerAnswers } from './docker-engine.ts';
import { freePorts } from './free-port.ts';
import { KAFKA_VERSION, type KafkaJars, kafkaJars } from './kafka-jars.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const run = promisify(execFile);

export interface StartKafkaOptions {
  /** Where the broker keeps its data, settings, output and process id; an absolute path. It goes on with what is there. */
  readonly folder: string;
  readonly version?: string;
  /** Where jars are kept: default TALLY_CACHE_DIR, else ~/.cache/tallystick. */
  readonly cacheDir?: string;
  /** `auto`: Docker where an engine answers, else Apache Kafka's own jars. */
  readonly way?: 'auto' | 'docker' | 'jars';
  /** Beyond the plain one on loopback. */
  readonly listeners?: readonly KafkaListener[];
  /** Lines of server.properties beyond ours. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Free loopback ports of the broker and of its controller; any where they are left out. */
  readonly ports?: readonly [broker: number, controller: number];
}

export interface KafkaListener {
  /** Upper case; its settings are `listener.name.<name in lower case>.…`. */
  readonly name: string;
  readonly protocol: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
  readonly port: number;
  /** Where clients are sent, where it is not the port itself. */
  readonly advertisedPort?: number;
}

export interface StartKafkaDependencies {
  /** Told what is being done, in words for the one who waits. */
  readonly progress?: (line: string) => void;
  /** Told, in such words, when a broker of ours ends though nobody asked it to (the way without Docker). */
  readonly onEnded?: (line: string) => void;
}

/** A single-node broker of our own on loopback. */
export interface RunningKafka {
  readonly way: 'docker' | 'jars';
  readonly brokers: readonly string[];
  stop(): Promise<void>;
  /** Only where it runs as a child process. */
  startAgain?(): Promise<void>;
}

/** One that runs as a child process: it can be killed and started again on the same port with the same data. */
export interface KafkaProcess extends RunningKafka {
  readonly pid: () => number;
  kill(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  startAgain(): Promise<void>;
}

/** One that can not start ends by itself and is told at once; after SIGKILL, on a machine with ten others at work, 90 s were too few. */
const READY_WITHIN_MS = 240_000;
const STOP_DEADLINE_MS = 20_000;

/**
 * Starts a real single-node Kafka (KRaft) on free loopback ports and waits until it answers a request. Nothing is started where brokers
 * are given: then do not call this. Throws JAVA_MISSING, JAVA_TOO_OLD, MAVEN_MISSING, KAFKA_DOWNLOAD_FAILED, SERVER_DID_NOT_START.
 */
export async function startKafka(
  options: StartKafkaOptions,
  dependencies: StartKafkaDependencies = {},
): Promise<RunningKafka> {
  const way = options.way ?? 'auto';
  const progress = dependencies.progress ?? (() => undefined);
  if (way === 'docker' || (way === 'auto' && (await dockerAnswers()))) {
    try {
      progress('starting Kafka in Docker');
      return await startInDocker(options.version ?? KAFKA_VERSION, options.ports?.[0]);
    } catch (error) {
      if (way === 'docker') {
        throw error;
      }
      progress(`Docker answers but gives no Kafka (${error instanceof Error ? error.message : String(error)})`);
    }
  }
  return await startKafkaProcess(options, dependencies);
}

/** The way without Docker: Apache Kafka's own jars in a Java process of ours. */
export async function startKafkaProcess(
  options: StartKafkaOptions,
  dependencies: StartKafkaDependencies = {},
): Promise<KafkaProcess> {
  const progress = dependencies.progress ?? (() => undefined);
  progress('looking for Java and the jars of Apache Kafka (fetched once)');
  const jars = await kafkaJars(options);
  const [port = 0, controllerPort = 0] = options.ports ?? (await freePorts(2));
  const brokers = [`127.0.0.1:${port}`];
  await mkdir(options.folder, { recursive: true });
  const properties = join(options.folder, 'server.properties');
  await writeFile(properties, propertiesOf(options, port, controllerPort));
  if (!existsSync(join(options.folder, 'data', 'meta.properties'))) {
    const id = clusterIdOf(randomBytes(16));
    const format = ['kafka.tools.StorageTool', 'format', '--ignore-formatted', '-t', id, '-c', properties];
    await run(jars.java, ['-cp', jars.classPath, ...format]);
  }
  progress('starting the Kafka broker');
  const start = () => startBroker(jars, options.folder, properties, brokers, dependencies.onEnded);
  let server = await start();
  return {
    way: 'jars',
    brokers,
    pid: () => server.pid,
    stop: () => server.stop(STOP_DEADLINE_MS),
    kill: () => server.kill(),
    signal: (signal) => server.signal(signal),
    startAgain: async () => {
      server = await start();
    },
  };
}

/** 22 characters of base64url, never with a hyphen in front: the tool that formats would take that for an option. */
export function clusterIdOf(random: Uint8Array): string {
  const bytes = Buffer.from(random);
  bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
  return bytes.toString('base64url');
}

function startBroker(
  jars: KafkaJars,
  folder: string,
  properties: string,
  brokers: readonly string[],
  onEnded: (line: string) => void = () => undefined,
): Promise<ServerProcess> {
  const flags = ['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', '-Djava.awt.headless=true'];
  return startServerProcess(
    {
      name: 'Kafka',
      command: jars.java,
      args: [...flags, '-cp', jars.classPath, 'kafka.Kafka', properties],
      folder,
      readyWithinMs: READY_WITHIN_MS,
    },
    { isReady: () => brokerAnswers(brokers), onEnded },
  );
}

/** True where a broker answers requests (ApiVersions, then metadata), not where merely a port is open. */
export async function brokerAnswers(brokers: readonly string[]): Promise<boolean> {
  const kafka = new Kafka({
    clientId: 'tallystick-ready',
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 2_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  });
  const admin = kafka.admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.length > 0;
  } catch {
    return false;
  } finally {
    await admin.disconnect().catch(() => undefined);
  }
}

function propertiesOf(options: StartKafkaOptions, port: number, controllerPort: number): string {
  const further = options.listeners ?? [];
  const properties = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [
      `PLAINTEXT://127.0.0.1:${port}`,
      `CONTROLLER://127.0.0.1:${controllerPort}`,
      ...further.map((listener) => `${listener.name}://127.0.0.1:${listener.port}`),
    ].join(),
    'advertised.listeners': [
      `PLAINTEXT://127.0.0.1:${port}`,
      ...further.map((listener) => `${listener.name}://127.0.0.1:${listener.advertisedPort ?? listener.port}`),
    ].join(),
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      'PLAINTEXT:PLAINTEXT',
      ...further.map(({ name, protocol }) => `${name}:${protocol}`),
    ].join(),
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(options.folder, 'data'),
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.num.partitions': '2',
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'log.cleaner.enable': 'true',
    'num.network.threads': '2',
    'num.io.threads': '4',
    ...options.properties,
  };
  return `${Object.entries(properties)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n')}\n`;
}

async function startInDocker(version: string, wantedPort?: number): Promise<RunningKafka> {
  // A development dependency: production images do not have it, and need none of this.
  const { GenericContainer, Wait } = await import('testcontainers');
  const [port = 0] = wantedPort === undefined ? await freePorts(1) : [wantedPort];
  const container = await new GenericContainer(`apache/kafka:${version}`)
    .withExposedPorts({ container: 9092, host: port })
    .withEnvironment({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
    })
    .withWaitStrategy(Wait.forListeningPorts())
    .withStartupTimeout(READY_WITHIN_MS)
    .start();
  const brokers = [`127.0.0.1:${port}`];
  const end = systemClock.elapsedMs() + READY_WITHIN_MS;
  while (!(await brokerAnswers(brokers))) {
    if (systemClock.elapsedMs() > end) {
      await container.stop();
      throw new Error(`the container of apache/kafka:${version} did not answer within ${READY_WITHIN_MS} ms`);
    }
  }
  return { way: 'docker', brokers, stop: async () => void (await container.stop()) };
}
