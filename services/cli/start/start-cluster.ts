import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadGatewayKeys } from '../../../libs/adapters/access/key-files.ts';
import { loadRules } from '../../../libs/adapters/rules/load-rules.ts';
import { systemClock } from '../../../libs/adapters/time/clock.ts';
import { printVerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import { RUNNING_FILE, type RunningService, ServiceClient } from '../client/service-client.ts';
import { postPayments } from '../demo/run-feed.ts';
import { keepServerUp, type StartsAgain } from '../servers/keep-server-up.ts';
import { keptPorts } from '../servers/kept-ports.ts';
import { type RunningKafka, startKafka } from '../servers/start-kafka.ts';
import { startRedis } from '../servers/start-redis.ts';
import { ChildService } from './child-service.ts';
import { type OwnClients, ownClients } from './own-clients.ts';
import type { Running } from './running.ts';

export interface StartClusterOptions {
  readonly dataDir: string;
  /** Of the Treasury page; 0 for any. */
  readonly port: number;
}

export interface StartClusterDependencies {
  /** Told what is being done while it starts, and later what has ended and is started again: lines for the one who runs it. */
  readonly progress: (line: string) => void;
}

export const CLUSTER_SERVICES = ['gateway', 'tax', 'ledger', 'payer-node', 'reconciliation', 'dashboard'] as const;
export type ServiceName = (typeof CLUSTER_SERVICES)[number];
/** Kafka's own port, so that the addresses of the README hold where it is free. */
const KAFKA_PORT = 9_092;
/** As in the embedded way: a person who looks sees blocks at once. */
const BLOCK_AGE_MS = '2000';
const DRAIN_LOOK_MS = 300;

type Closer = () => Promise<unknown> | unknown;

/**
 * Every service as a process of its own, on Kafka and Redis (design section 8): those of KAFKA_BROKERS and REDIS_URL where they are given,
 * else a broker and a Redis started here, on loopback, with their data in the data folder. Throws what is missing with the way to install it
 * (JAVA_MISSING, MAVEN_MISSING, REDIS_SERVER_MISSING), SERVICE_DID_NOT_START.
 */
export async function startCluster(
  options: StartClusterOptions,
  dependencies: StartClusterDependencies,
): Promise<Running> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await startParts(options, dependencies, closers, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startParts(
  { dataDir, port }: StartClusterOptions,
  { progress }: StartClusterDependencies,
  closers: Closer[],
  stop: () => Promise<void>,
): Promise<Running> {
  const logFolder = join(dataDir, 'logs');
  mkdirSync(logFolder, { recursive: true });
  const own = clusterClients(dataDir);
  const ports = await portsOf(dataDir, port, progress);
  const backends = await startBackends(dataDir, ports, progress, closers);
  const urls = urlsAt(ports);
  const services = new Map<ServiceName, ChildService>();
  for (const service of CLUSTER_SERVICES) {
    const env = clusterEnvironment(service, { dataDir, urls, own, backends });
    services.set(service, new ChildService({ service, url: urls[service], logFolder, env }, { tell: progress }));
  }
  progress('starting the services');
  closers.push(() => stopInOrder(services));
  await Promise.all([...services.values()].map((service) => service.start()));
  const running: RunningService = {
    url: urls.gateway,
    pid: process.pid,
    key: own.keys.operator,
    backends,
    urls: {
      gateway: urls.gateway,
      tax: urls.tax,
      ledger: urls.ledger,
      payer: urls['payer-node'],
      reconciliation: urls.reconciliation,
      dashboard: urls.dashboard,
    },
  };
  writeFileSync(join(dataDir, RUNNING_FILE), `${JSON.stringify(running)}\n`, { mode: 0o600 });
  closers.push(() => rmSync(join(dataDir, RUNNING_FILE), { force: true }));
  return runningOf(dataDir, urls, own, backends, stop);
}

/** The clients of a cluster on this machine, and the file that its services read them from. */
export function clusterClients(dataDir: string): OwnClients {
  const own = ownClients(dataDir);
  writeFileSync(join(dataDir, 'clients.json'), JSON.stringify({ clients: own.clients.clients }), { mode: 0o600 });
  return own;
}

/** A broker and a Redis of our own where none are given. One that ends by itself is started again, on the same port and data. */
async function startBackends(
  dataDir: string,
  ports: ReadonlyMap<string, number>,
  progress: (line: string) => void,
  closers: Closer[],
): Promise<Record<string, string>> {
  let brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined) {
    const kept = keepServerUp({ name: 'Kafka' }, progress);
    const kafka = await startKafka(
      { folder: join(dataDir, 'kafka'), ports: [ports.get('kafka') ?? 0, ports.get('kafka-controller') ?? 0] },
      { progress, onEnded: (line) => startsAgain(kafka) && kept.ended(line, kafka) },
    );
    closers.push(
      () => kafka.stop(),
      () => kept.stop(),
    );
    brokers = kafka.brokers.join(',');
  }
  let redisUrl = process.env['REDIS_URL'];
  if (redisUrl === undefined) {
    progress('starting Redis');
    const kept = keepServerUp({ name: 'Redis' }, progress);
    const redis = await startRedis(
      { folder: join(dataDir, 'redis'), port: ports.get('redis') ?? 0 },
      { onEnded: (line) => kept.ended(line, redis) },
    );
    closers.push(
      () => redis.stop(),
      () => kept.stop(),
    );
    redisUrl = redis.url;
  }
  const replication = process.env['KAFKA_BROKERS'] === undefined ? { TOPIC_REPLICATION: '1' } : {};
  return { KAFKA_BROKERS: brokers, REDIS_URL: redisUrl, ...replication };
}

function startsAgain(kafka: RunningKafka): kafka is RunningKafka & StartsAgain {
  return kafka.startAgain !== undefined;
}

/** Ports of the services and of the servers of our own; a start on port 0, as tests make it, takes any at first. */
function portsOf(dataDir: string, port: number, tell: (line: string) => void): Promise<ReadonlyMap<string, number>> {
  const services = CLUSTER_SERVICES.map((name) =>
    name === 'dashboard' && port !== 0 ? { name, given: port } : { name },
  );
  const kafka = port === 0 ? { name: 'kafka' } : { name: 'kafka', usual: KAFKA_PORT };
  const servers = [kafka, { name: 'kafka-controller' }, { name: 'redis' }];
  return keptPorts(join(dataDir, 'ports.json'), [...services, ...servers], tell);
}

function urlsAt(ports: ReadonlyMap<string, number>): Record<ServiceName, string> {
  const urls = CLUSTER_SERVICES.map((service) => [service, `http://127.0.0.1:${ports.get(service)}`] as const);
  return Object.fromEntries(urls) as Record<ServiceName, string>;
}

export interface ClusterOfServices {
  readonly dataDir: string;
  readonly urls: Readonly<Record<ServiceName, string>>;
  readonly own: OwnClients;
  /** Where Kafka and Redis are. */
  readonly backends: Readonly<Record<string, string>>;
}

/** The environment of a service of a cluster on this machine: where it listens, what it keeps and what it needs to know of the others. */
export function clusterEnvironment(service: ServiceName, cluster: ClusterOfServices): Readonly<Record<string, string>> {
  const { dataDir, urls, backends } = cluster;
  const common = { DATA_DIR: dataDir, HOST: '127.0.0.1', PORT: new URL(urls[service]).port, ...backends };
  return { ...common, ...settingsOf(service, cluster) };
}

function settingsOf(service: ServiceName, { dataDir, urls, own: { keys } }: ClusterOfServices): Record<string, string> {
  switch (service) {
    case 'payer-node':
      return {
        GATEWAY_URL: urls.gateway,
        LEDGER_URL: urls.ledger,
        CLIENT_KEY: keys.payer,
        GATEWAY_VERIFIER_KEY: printVerifierKey(loadGatewayKeys(dataDir).signer.key),
      };
    case 'ledger':
      return { LEDGER_PAYE_AGE_MS: BLOCK_AGE_MS, LEDGER_VAT_AGE_MS: BLOCK_AGE_MS };
    case 'dashboard':
      return { RECONCILIATION_URL: urls.reconciliation, RECONCILIATION_KEY: keys.analyst };
    case 'gateway':
    case 'tax':
    case 'reconciliation':
      return {};
  }
}

/** The doors first, then what is behind them. */
async function stopInOrder(services: ReadonlyMap<ServiceName, ChildService>): Promise<void> {
  for (const service of ['gateway', 'payer-node', 'tax', 'ledger', 'reconciliation', 'dashboard'] as const) {
    await services.get(service)?.stop();
  }
}

interface SummaryPart {
  readonly taxes: Readonly<
    Record<string, { readonly differences: readonly { readonly inFlight: { readonly events: number } }[] }>
  >;
}

function runningOf(
  dataDir: string,
  urls: Record<ServiceName, string>,
  own: OwnClients,
  backends: Readonly<Record<string, string>>,
  stop: () => Promise<void>,
): Running {
  const client = new ServiceClient({ dataDir });
  return {
    rules: loadRules(),
    places: [
      `Treasury page   ${urls.dashboard}/`,
      `gateway         ${urls.gateway}/v1/paye/events  /v1/vat/events  /v1/payments`,
      `payer node      ${urls['payer-node']}/payer/v1/events/paye  /payer/v1/events/vat`,
      `metrics         ${CLUSTER_SERVICES.map((service) => `${urls[service]}/metrics`).join('  ')}`,
      `ingress         Kafka at ${backends['KAFKA_BROKERS']}, topic ingress.payer.v1`,
      `logs            ${dataDir}/logs`,
    ],
    feedTarget: {
      // The payer node follows an account from its first event on.
      follow: async () => undefined,
      submit: async (tax, events) => {
        await client.call('POST', `/payer/v1/events/${tax}`, events);
        return [];
      },
      pay: (payments) => postPayments(urls.gateway, own.keys.bank, payments),
    },
    drain: async (deadlineMs) => {
      const untilMs = systemClock.elapsedMs() + deadlineMs;
      while (systemClock.elapsedMs() < untilMs) {
        const { taxes } = await client.call<SummaryPart>('GET', '/reconciliation/v1/summary');
        const inFlight = Object.values(taxes).flatMap((tax) => tax.differences.map((one) => one.inFlight.events));
        if (inFlight.every((events) => events === 0)) return;
        await sleep(DRAIN_LOOK_MS);
      }
    },
    stop,
  };
}
