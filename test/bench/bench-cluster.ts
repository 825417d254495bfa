import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ACKNOWLEDGEMENTS,
  BLOCKS,
  LIABILITIES,
  PAYE_EVENTS,
  REJECTIONS,
  VAT_EVENTS,
} from '../../libs/adapters/event-log/topics.ts';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import type { OwnClients } from '../../services/cli/start/own-clients.ts';
import {
  CLUSTER_SERVICES,
  clusterClients,
  clusterEnvironment,
  type ServiceName,
} from '../../services/cli/start/start-cluster.ts';
import type { BenchBuild } from './bench-children.ts';
import { type BenchServers, ourTopics, type SavedTopics } from './bench-servers.ts';
import { BenchService } from './bench-service.ts';
import { keepLogs } from './keep-logs.ts';
import { type PostTo, postEvents } from './post-events.ts';

/** What the input of a bench is copied between. */
export const INPUTS = [PAYE_EVENTS, VAT_EVENTS] as const;
const LEDGER_LOG = [BLOCKS, ACKNOWLEDGEMENTS] as const;
const OUTPUTS = [LIABILITIES, REJECTIONS, ...LEDGER_LOG] as const;
const LOOK_MS = 250;
const STALLED_MS = 240_000;

export interface OutboxCounts {
  readonly unsent: number;
  readonly receipted: number;
  readonly refused: number;
  readonly decided: number;
}

interface ServiceToBegin {
  readonly service: ServiceName;
  readonly urls: Readonly<Record<ServiceName, string>>;
  readonly logFolder: string;
}

/** The services of one spread on the bench's broker, with their data folder and its copy as it was before anything was decided. */
export class BenchCluster {
  readonly #servers: BenchServers;
  readonly #build: BenchBuild;
  readonly #profileFolder: string | null;
  readonly #folder: string;
  /** By the name of its process: that of the service, and for further ones with their number behind it. */
  readonly #services = new Map<string, BenchService>();
  #own: OwnClients | null = null;
  #saved: SavedTopics = new Map();

  /** @param folder of this spread. */
  constructor(
    options: { readonly folder: string; readonly profileFolder: string | null },
    { servers, build }: { readonly servers: BenchServers; readonly build: BenchBuild },
  ) {
    this.#folder = options.folder;
    this.#profileFolder = options.profileFolder;
    this.#servers = servers;
    this.#build = build;
  }

  get #dataDir(): string {
    return join(this.#folder, 'data');
  }

  /** Empty topics, an empty Redis and an empty data folder. */
  async empty(): Promise<void> {
    await this.stop();
    await this.#servers.emptyTopics(ourTopics());
    await this.#servers.emptyRedis();
    await rm(this.#dataDir, { recursive: true, force: true });
    await mkdir(this.#dataDir, { recursive: true });
    this.#own = clusterClients(this.#dataDir);
  }

  /** Starts services side by side and waits until all are ready. */
  async start(...names: readonly ServiceName[]): Promise<void> {
    const urls = { ...(await freeUrls()) };
    for (const { service, url } of this.#services.values()) urls[service] = url;
    const logFolder = await this.#logFolder();
    await this.#ready(names.map((service) => this.#begin(service, { service, urls, logFolder })));
  }

  /** Starts so many processes of one service, which share its partitions, and waits until all are ready. */
  async startSeveral(service: ServiceName, processes: number): Promise<void> {
    const names = Array.from({ length: processes }, (_, index) => (index === 0 ? service : `${service} ${index + 1}`));
    const logFolder = await this.#logFolder();
    const urlsOfEach = await Promise.all(names.map(() => freeUrls()));
    await this.#ready(
      urlsOfEach.map((urls, index) => this.#begin(names[index] ?? service, { service, urls, logFolder })),
    );
  }

  async #logFolder(): Promise<string> {
    const logFolder = join(this.#folder, 'logs');
    await mkdir(logFolder, { recursive: true });
    return logFolder;
  }

  /** Begun in the order in which they are shown. */
  #begin(name: string, { service, urls, logFolder }: ServiceToBegin): BenchService {
    const own = this.#own;
    if (own === null) throw new Error('the cluster has no data folder yet: empty() makes it');
    const env = clusterEnvironment(service, { dataDir: this.#dataDir, urls, own, backends: this.#servers.backends });
    const options = { service, url: urls[service], key: own.keys.operator, env, logFolder };
    const begun = new BenchService({ ...options, profileFolder: this.#profileFolder }, this.#build);
    this.#services.set(name, begun);
    return begun;
  }

  async #ready(services: readonly BenchService[]): Promise<void> {
    await Promise.all(services.map((service) => service.ready()));
  }

  service(name: ServiceName): BenchService {
    const service = this.#services.get(name);
    if (service === undefined) throw new Error(`${name} does not run in this case`);
    return service;
  }

  get payerKey(): string {
    return this.#own?.keys.payer ?? '';
  }

  /** Process ids of those that run, the servers last. */
  pids(): Map<string, number> {
    const pids = new Map<string, number>([...this.#services].map(([name, service]) => [name, service.pid]));
    const { brokerPid, redisPid } = this.#servers.where;
    return pids.set('broker', brokerPid).set('Redis', redisPid);
  }

  async assertRuns(): Promise<void> {
    for (const service of this.#services.values()) await service.assertRuns();
  }

  /** The doors first, then what is behind them. */
  async stop(): Promise<void> {
    for (const name of ['gateway', 'tax', 'payer-node', 'ledger', 'reconciliation', 'dashboard'] as const) {
      for (const [process, service] of this.#services) {
        if (service.service !== name) continue;
        await service.stop();
        this.#services.delete(process);
      }
    }
  }

  counts(): Promise<OutboxCounts> {
    return this.service('payer-node').json<OutboxCounts>('/payer/v1/outbox');
  }

  /** Of all processes of a service together. */
  async metric(service: ServiceName, name: string): Promise<number> {
    const ofService = [...this.#services.values()].filter((one) => one.service === service);
    const metrics = await Promise.all(ofService.map((one) => one.metrics()));
    return metrics.reduce((sum, one) => sum + (one.get(name) ?? 0), 0);
  }

  /** Sends events to the payer node's door. */
  async post(eventsFile: string, mayGoOn: PostTo['mayGoOn'] = null, eventsARequest?: number): Promise<void> {
    const { url } = this.service('payer-node');
    const path = (tax: 'paye' | 'vat'): string => `/payer/v1/events/${tax}`;
    await postEvents(eventsFile, { url, path, key: this.payerKey, mayGoOn }, eventsARequest);
  }

  /** Waits until the gateway has receipted everything and every chain holds the payer's key, as chains of all but new payers do. */
  async registered(events: number): Promise<void> {
    await this.until('receipted', events, async () => (await this.counts()).receipted);
    const { accounts } = await this.service('payer-node').json<{ accounts: unknown[] }>('/payer/v1/accounts');
    const verified = (): Promise<number> => this.metric('payer-node', 'tally_payer_entries_verified_total');
    await this.until('chains that hold the key', accounts.length, verified);
  }

  /** Waits until `count` gives at least `wanted`. Throws where it stands still. */
  async until(what: string, wanted: number, count: () => Promise<number>): Promise<void> {
    let last = -1;
    for (let movedMs = performance.now(); last < wanted; await sleep(LOOK_MS)) {
      await this.assertRuns();
      const now = await count();
      if (now !== last) movedMs = performance.now();
      last = now;
      if (performance.now() - movedMs > STALLED_MS) throw new Error(`${what}: stands still at ${last} of ${wanted}`);
    }
  }

  /** Keeps what stands now beside the input: the payer's record and the chains that hold its key. */
  async keep(): Promise<void> {
    await this.stop();
    this.#saved = await this.#servers.save(LEDGER_LOG);
    await rm(join(this.#folder, 'kept'), { recursive: true, force: true });
    await cp(this.#dataDir, join(this.#folder, 'kept'), { recursive: true });
  }

  /** Back to what was kept: nothing is decided. */
  async reset(): Promise<void> {
    await this.stop();
    await this.#servers.emptyTopics(ourTopics(OUTPUTS));
    await this.#servers.restore(this.#saved);
    await this.#servers.emptyRedis();
    await rm(this.#dataDir, { recursive: true });
    await cp(join(this.#folder, 'kept'), this.#dataDir, { recursive: true });
  }

  /** A failure with what helps to find its cause: the end of every log, how each service stands, and where all of it is kept. */
  async explained(failure: unknown): Promise<Error> {
    const files = new Map<string, string>();
    for (const service of this.#services.values()) {
      for (const [name, file] of await service.writeState()) files.set(name, file);
    }
    for (const [name, file] of this.#servers.logFiles) files.set(name, file);
    const what = failure instanceof Error ? failure.message : String(failure);
    return new Error(`${what}\n${await keepLogs(files)}`, { cause: failure });
  }

  async dispose(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** A free loopback address for each service. */
async function freeUrls(): Promise<Record<ServiceName, string>> {
  const ports = await freePorts(CLUSTER_SERVICES.length);
  const urls = CLUSTER_SERVICES.map((service, index) => [service, `http://127.0.0.1:${ports[index]}`] as const);
  return Object.fromEntries(urls) as Record<ServiceName, string>;
}
