import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Client, clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { type GatewayKeys, loadGatewayKeys } from '../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics, type Metrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { type Clock, systemClock } from '../../libs/adapters/time/clock.ts';
import { account } from '../../libs/core/identity/account.ts';
import type { TaxRules } from '../../libs/core/tax/decide-event.ts';
import { type Gateway, type GatewayOptions, openGateway } from '../../services/gateway/gateway.ts';

export const PARTITIONS = 4;
export const EMPLOYER = account('paye:123/AB456');
export const TRADER = account('vat:101747696');

/** A client of the fixture's accounts, with the key `key-of-<id>`. */
export const client = (id: string, more: Partial<Client>): Client => ({
  id,
  keySha256: digestOfKey(`key-of-${id}`),
  accounts: [EMPLOYER, TRADER],
  roles: ['payer'],
  expiresAt: null,
  ...more,
});

const CLIENTS = [
  client('payer', {}),
  client('stranger', { accounts: [account('paye:999/ZZ1')] }),
  client('agent', { accounts: '*' }),
  client('bank', { accounts: '*', roles: ['bank'] }),
  client('expired', { expiresAt: '2020-01-01T00:00:00Z' }),
];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into by tests alone
  readonly body: any;
}

export interface GatewayFixture {
  readonly dataDir: string;
  readonly keys: GatewayKeys;
  readonly log: EventLog;
  readonly gateway: Gateway;
  readonly metrics: Metrics;
  readonly url: string;
  /** Log lines of the gateway and its server. */
  readonly lines: string[];
  post(
    path: string,
    body: unknown,
    options?: { readonly client?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<Answer>;
  records(topic: string): Promise<LogRecord[]>;
  /** In order: server, gateway, log. */
  stop(): Promise<void>;
  /** Without waiting for what is under way: the stores are closed as they are. */
  crash(): Promise<void>;
}

export interface FixtureOptions {
  /** Kept from an earlier fixture: a restart. */
  readonly dataDir?: string;
  /** Stands between gateway and log: for faults. */
  readonly around?: (log: EventLog) => EventLog;
  readonly clock?: Clock;
  readonly gateway?: Omit<GatewayOptions, 'dataDir' | 'keys'>;
  /** Other rules than those of this release. */
  readonly rules?: TaxRules;
  /** Beside those that every fixture has. */
  readonly clients?: readonly Client[];
}

/** A real gateway over HTTP, on an embedded log in a folder of its own. */
export async function startGateway(options: FixtureOptions = {}): Promise<GatewayFixture> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tally-gateway-'));
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
  await log.ensureTopics(
    TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : PARTITIONS })),
  );
  const lines: string[] = [];
  const logger = createLogger({ service: 'gateway', level: 'debug' }, { write: (line) => void lines.push(line) });
  const metrics = createMetrics();
  const keys = loadGatewayKeys(dataDir);
  const gateway = await openGateway(
    { dataDir, keys, ...options.gateway },
    {
      log: options.around === undefined ? log : options.around(log),
      register: await openLogRegister(log),
      clients: clientRegistry([...CLIENTS, ...(options.clients ?? [])]),
      rules: options.rules ?? loadTaxRules(),
      metrics,
      logger,
      clock: options.clock ?? systemClock,
    },
  ).catch(async (error: unknown) => {
    await log.close();
    throw error;
  });
  const server = await startHttpServer(
    { host: '127.0.0.1', port: 0, furtherPorts: 0 },
    createHttpApp({ routers: [gateway.router] }, { logger }),
  );
  return {
    dataDir,
    keys,
    log,
    gateway,
    metrics,
    url: server.url,
    lines,
    post: (path, body, more) => post(server.url, path, body, more ?? {}),
    records: (topic) => recordsOf(log, topic),
    stop: () => stopAll(server, gateway, log),
    crash: async () => {
      await server.stop(0);
      await gateway.stop(20);
      await log.close();
    },
  };
}

export function removeData(fixture: GatewayFixture): void {
  rmSync(fixture.dataDir, { recursive: true, force: true });
}

async function post(
  url: string,
  path: string,
  body: unknown,
  options: { readonly client?: string; readonly headers?: Readonly<Record<string, string>> },
): Promise<Answer> {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer key-of-${options.client ?? 'payer'}`,
      'content-type': 'application/json',
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

async function recordsOf(log: EventLog, topic: string): Promise<LogRecord[]> {
  const found: LogRecord[] = [];
  for (let partition = 0; partition < (await log.partitionCount(topic)); partition += 1) {
    const { low, high } = await log.bounds({ topic, partition });
    const reader = log.reader([{ topic, partition, offset: low }]);
    for (let next = low; next < high; ) {
      const [batch] = await reader.poll({ maxBytes: 1 << 20, maxRecords: 1_000, waitMs: 1_000 });
      found.push(...(batch?.records ?? []));
      next = batch?.nextOffset ?? next;
    }
    await reader.close();
  }
  return found;
}

async function stopAll(server: HttpServer, gateway: Gateway, log: EventLog): Promise<void> {
  await server.stop(1_000);
  await gateway.stop(5_000);
  await log.close();
}
