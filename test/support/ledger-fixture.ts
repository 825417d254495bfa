import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClientRegistry, clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { type LedgerKeys, loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { createLedgerClient, type LedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { type Ledger, type LedgerOptions, openLedger } from '../../services/ledger/create-ledger.ts';
import { type CheckedLedger, checkLedger } from './check-ledger.ts';
import { LiabilitySource } from './liability-source.ts';

export const PARTITIONS = 3;
export const ALL_ACCOUNTS_KEY = 'all-accounts-client-key';
export const ONE_ACCOUNT_KEY = 'one-account-client-key';
export const ONE_ACCOUNT: Account = 'paye:123/AB456';

export interface RunningLedger {
  readonly ledger: Ledger;
  readonly client: LedgerClient;
  readonly url: string;
  /** Ends this owner; its folders stay. */
  stop(): Promise<void>;
}

/** A ledger on a real embedded log in a folder of its own, with real keys and HTTP. */
export class LedgerFixture {
  readonly folder: string;
  log: EventLog;
  readonly keys: LedgerKeys;
  readonly clients: ClientRegistry;
  source: LiabilitySource;
  readonly #running: RunningLedger[] = [];

  private constructor(folder: string, log: EventLog) {
    this.folder = folder;
    this.log = log;
    this.keys = loadLedgerKeys(folder);
    this.clients = clientRegistry([
      client('everyone', ALL_ACCOUNTS_KEY, '*'),
      client('one', ONE_ACCOUNT_KEY, [ONE_ACCOUNT]),
    ]);
    this.source = new LiabilitySource(log, PARTITIONS);
  }

  static async open(): Promise<LedgerFixture> {
    const folder = await mkdtemp(join(tmpdir(), 'tally-ledger-'));
    return new LedgerFixture(folder, await openLog(folder));
  }

  /** Starts an owner. `as` names its data folder: two names are two machines that share the log and the keys. */
  async start(options: Partial<LedgerOptions> = {}, as = 'main'): Promise<RunningLedger> {
    const metrics = createMetrics();
    const logger = createLogger({ service: 'ledger', level: 'silent' });
    const sealLimits = { payeAgeMs: 50, vatAgeMs: 50, checkpointMs: 20, ...options.sealLimits };
    const stageLimits = { pollWaitMs: 10, tickMs: 10, lookMs: 50, retryMs: 20, lingerMs: 5, ...options.stageLimits };
    const ledger = await openLedger(
      { group: `ledger-${as}`, ...options, dataDir: join(this.folder, as), sealLimits, stageLimits },
      { log: this.log, keys: this.keys, clients: this.clients, metrics, logger },
    );
    const app = createHttpApp({ routers: [ledger.router] }, { logger });
    const server: HttpServer = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
    let stopped = false;
    const running: RunningLedger = {
      ledger,
      url: server.url,
      client: this.clientOf(server.url, ALL_ACCOUNTS_KEY),
      stop: async () => {
        if (stopped) return;
        stopped = true;
        ledger.endStreams();
        await server.stop(1_000);
        await ledger.stop(5_000);
      },
    };
    this.#running.push(running);
    return running;
  }

  clientOf(url: string, clientKey: string): LedgerClient {
    return createLedgerClient({ url, clientKey, timeoutMs: 10_000 }, { fetch });
  }

  /** Waits until so many decisions are in blocks under a served checkpoint. */
  async sealed(running: RunningLedger, decisions: number, timeoutMs = 90_000): Promise<CheckedLedger> {
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const { openBlocks, leaves, signedLeaves, stage } = running.ledger.stats();
      const halted = stage.partitions.find((partition) => partition.status === 'halted');
      if (halted !== undefined) throw new Error(`the ledger halted: ${halted.haltCode}`);
      if (openBlocks === 0 && leaves > 0 && leaves === signedLeaves) {
        const checked = await this.check(false);
        if (checked.entries >= decisions) return checked;
      }
      if (Date.now() > deadline) {
        throw new Error(`not sealed in time: ${JSON.stringify({ openBlocks, leaves, signedLeaves })}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** The whole-ledger check. */
  check(complete: boolean): Promise<CheckedLedger> {
    const verifierKey = this.verifierKey();
    const ledgerName = this.keys.ledgerName;
    const origin = `${ledgerName}/${new Date().getUTCFullYear()}`;
    return checkLedger({ log: this.log, ledgerName, origin, verifierKey, master: this.keys.master, complete });
  }

  verifierKey(): string {
    const identity = this.#running[0]?.ledger.identity;
    if (identity === undefined) throw new Error('no ledger was started');
    return identity.verifierKey;
  }

  /** Ends every owner, checks the whole ledger, removes the folders. */
  async close(options: { readonly check: boolean } = { check: true }): Promise<void> {
    try {
      for (const running of this.#running) await running.stop();
      if (options.check && this.#running.length > 0) await this.check(false);
    } finally {
      await this.log.close();
      await rm(this.folder, { recursive: true, force: true });
    }
  }
}

async function openLog(folder: string): Promise<EventLog> {
  const log = await openEmbeddedLog({ folder: join(folder, 'log') });
  await log.ensureTopics(
    TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : PARTITIONS })),
  );
  return log;
}

function client(id: string, key: string, accounts: readonly Account[] | '*') {
  return { id, keySha256: digestOfKey(key), accounts, roles: ['payer', 'operator'] as const, expiresAt: null };
}
