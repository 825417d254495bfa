import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadGatewayKeys } from '../../libs/adapters/access/key-files.ts';
import type { StageStats } from '../../libs/adapters/stage/program.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { RUNNING_FILE } from '../../services/cli/client/service-client.ts';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import {
  type KafkaProcess,
  type StartKafkaOptions,
  startKafkaProcess,
} from '../../services/cli/servers/start-kafka.ts';
import { type RunningRedis, startRedis } from '../../services/cli/servers/start-redis.ts';
import { ChildService } from '../../services/cli/start/child-service.ts';
import { type OwnClient, type OwnClients, ownClients } from '../../services/cli/start/own-clients.ts';
import type { PayerDoor } from './operate-service.ts';
import { eventually } from './service-process.ts';

const SERVICES = ['gateway', 'tax', 'ledger', 'payer-node'] as const;
type ServiceName = (typeof SERVICES)[number];
type Settings = Readonly<Record<string, string>>;

export interface ServiceClusterOptions {
  /** Of the broker, beyond the usual. */
  readonly kafka?: Pick<StartKafkaOptions, 'listeners' | 'properties'>;
  /** Of single services, over the usual. */
  readonly settings?: Partial<Record<ServiceName, Settings>>;
}

const BLOCK_AGE_MS = '500';
const ASK_MS_MAX = 2_000;
const READY_MS_MAX = 300_000;

/**
 * A real broker, Redis and the services as processes of their own, each supervised as `tally start --kafka` does it: with as many tax and
 * ledger processes as a test wants, each of which it may stop, wake and end. `running.json` is written, so that the command line reaches it.
 */
export class ServiceCluster {
  readonly folder: string;
  readonly dataDir: string;
  readonly kafka: KafkaProcess;
  readonly #redis: RunningRedis;
  /** What an operator would have been told. */
  readonly told: string[] = [];
  readonly #own: OwnClients;
  readonly #services: ChildService[] = [];
  readonly #urls: Partial<Record<ServiceName, string>> = {};

  private constructor(folder: string, kafka: KafkaProcess, redis: RunningRedis) {
    this.folder = folder;
    this.dataDir = join(folder, 'data');
    this.kafka = kafka;
    this.#redis = redis;
    mkdirSync(this.dataDir, { recursive: true });
    this.#own = ownClients(this.dataDir);
    const clients = JSON.stringify({ clients: this.#own.clients.clients });
    writeFileSync(join(this.dataDir, 'clients.json'), clients, { mode: 0o600 });
  }

  static async start(options: ServiceClusterOptions = {}): Promise<ServiceCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'tallystick-services-'));
    const [kafka, redis] = await Promise.all([
      startKafkaProcess({ folder: join(folder, 'kafka'), ...options.kafka }),
      startRedis({ folder: join(folder, 'redis') }),
    ]);
    const cluster = new ServiceCluster(folder, kafka, redis);
    try {
      await cluster.#startServices(options.settings ?? {});
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** A further process of a service. `ready` comes when it is; a ledger that stands by is not before it has taken over. */
  async add(
    service: ServiceName,
    name: string,
    settings: Settings = {},
  ): Promise<{ readonly process: ChildService; readonly ready: Promise<void> }> {
    const [port = 0] = await freePorts(1);
    const added = this.#service(service, name, `http://127.0.0.1:${port}`, settings);
    const ready = this.#ready(added, name);
    // Of a ledger that stands by nobody waits for it.
    ready.catch(() => undefined);
    return { process: added, ready };
  }

  /** One of the processes that the cluster began with. */
  first(service: ServiceName): ChildService {
    const url = this.#urls[service];
    const found = this.#services.find((one) => one.url === url);
    if (found === undefined) throw new Error(`${service} was not started`);
    return found;
  }

  get payer(): PayerDoor {
    const url = this.first('payer-node').url;
    return {
      urlOf: () => url,
      key: (client) => this.#own.keys[client],
      call: async <T>(client: OwnClient, method: string, path: string, body?: unknown) => {
        const headers = { authorization: `Bearer ${this.#own.keys[client]}`, 'content-type': 'application/json' };
        const sent = body === undefined ? {} : { body: JSON.stringify(body) };
        const response = await fetch(`${url}${path}`, { method, headers, ...sent });
        return { status: response.status, body: (await response.json()) as T };
      },
    };
  }

  /** How a tax process stands, once it is so. One that was stopped and woke may first reset connections that are too old by then. */
  async taxUntil(
    { url }: ChildService,
    isSo: (status: StageStats) => boolean,
    withinMs = 180_000,
  ): Promise<StageStats> {
    const headers = { authorization: `Bearer ${this.#own.keys.operator}` };
    const ask = async (): Promise<StageStats | null> => {
      try {
        const response = await fetch(`${url}/tax/v1/status`, { headers, signal: AbortSignal.timeout(ASK_MS_MAX) });
        return (await response.json()) as StageStats;
      } catch {
        return null;
      }
    };
    const status = await eventually(ask, (seen) => seen !== null && isSo(seen), withinMs);
    if (status === null) throw new Error('it answered nothing');
    return status;
  }

  /** Stops a service for good, in order. */
  async remove(service: ChildService): Promise<void> {
    this.#services.splice(this.#services.indexOf(service), 1);
    await service.stop();
  }

  async close(): Promise<void> {
    const services = this.#services.splice(0);
    for (const service of services) signal(service, 'SIGCONT');
    await Promise.all(services.map((service) => service.stop()));
    await Promise.all([this.#redis.stop(), this.kafka.stop()]);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startServices(settings: Partial<Record<ServiceName, Settings>>): Promise<void> {
    const ports = await freePorts(SERVICES.length);
    for (const [index, service] of SERVICES.entries()) this.#urls[service] = `http://127.0.0.1:${ports[index]}`;
    const { gateway = '', ledger = '', tax = '', 'payer-node': payer = '' } = this.#urls;
    const usual: Record<ServiceName, Settings> = {
      gateway: {},
      tax: {},
      ledger: {},
      'payer-node': {
        GATEWAY_URL: gateway,
        LEDGER_URL: ledger,
        CLIENT_KEY: this.#own.keys.payer,
        GATEWAY_VERIFIER_KEY: printVerifierKey(loadGatewayKeys(this.dataDir).signer.key),
      },
    };
    await Promise.all(
      SERVICES.map((service) => {
        const own = { ...usual[service], ...settings[service] };
        return this.#ready(this.#service(service, service, this.#urls[service] ?? '', own), service);
      }),
    );
    const running = {
      url: gateway,
      pid: process.pid,
      key: this.#own.keys.operator,
      urls: { payer, tax, ledger },
    };
    writeFileSync(join(this.dataDir, RUNNING_FILE), JSON.stringify(running), { mode: 0o600 });
  }

  /** However busy the machine is: what it waits for in vain it shows the end of the log of. */
  async #ready(service: ChildService, name: string): Promise<void> {
    service.start().catch(() => undefined);
    try {
      await eventually(
        () => service.isReady(),
        (isReady) => isReady,
        READY_MS_MAX,
      );
    } catch (cause) {
      throw new Error(`${name} is not ready: ${this.told.join('; ')}\n${this.logOf(name).slice(-3_000)}`, { cause });
    }
  }

  /** All that the process of this name has written. */
  logOf(name: string): string {
    const folder = join(this.folder, 'logs', name);
    return readdirSync(folder)
      .map((file) => readFileSync(join(folder, file), 'utf8'))
      .join('');
  }

  #service(service: ServiceName, name: string, url: string, settings: Settings): ChildService {
    const logFolder = join(this.folder, 'logs', name);
    mkdirSync(logFolder, { recursive: true });
    const env = {
      DATA_DIR: this.dataDir,
      HOST: '127.0.0.1',
      PORT: new URL(url).port,
      KAFKA_BROKERS: this.kafka.brokers.join(','),
      REDIS_URL: this.#redis.url,
      TOPIC_REPLICATION: '1',
      LEDGER_PAYE_AGE_MS: BLOCK_AGE_MS,
      LEDGER_VAT_AGE_MS: BLOCK_AGE_MS,
      ...settings,
    };
    const child = new ChildService({ service, url, logFolder, env }, { tell: (line) => this.told.push(line) });
    this.#services.push(child);
    return child;
  }
}

/** Only to a process that is there. */
export function signal(service: ChildService, name: 'SIGSTOP' | 'SIGCONT'): void {
  if (service.pid > 0) {
    try {
      process.kill(service.pid, name);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}
