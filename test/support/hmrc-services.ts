import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientRegistry, digestOfKey } from '../../libs/adapters/access/clients.ts';
import { loadGatewayKeys, loadLedgerKeys } from '../../libs/adapters/access/key-files.ts';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import { printVerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { openGateway } from '../../services/gateway/gateway.ts';
import { type Ledger, openLedger } from '../../services/ledger/create-ledger.ts';
import { openTax } from '../../services/tax/create-tax.ts';

export const AGENT_KEY = 'key-of-agent';
export const BANK_KEY = 'key-of-bank';

export interface HmrcServices {
  readonly url: string;
  readonly dataDir: string;
  /** Verifier key of the gateway. */
  readonly gatewayKey: string;
  readonly ledger: Ledger;
  stop(): Promise<void>;
}

/** Gateway, tax and ledger, the real ones, over HTTP on an embedded log in a folder of their own. */
export async function startHmrcServices(): Promise<HmrcServices> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tally-hmrc-'));
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
  await log.ensureTopics(TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : 4 })));
  const logger = createLogger({ service: 'hmrc', level: (process.env['TEST_LOG'] as 'info' | undefined) ?? 'silent' });
  const clients = clientRegistry([
    { id: 'agent', keySha256: digestOfKey(AGENT_KEY), accounts: '*', roles: ['payer'], expiresAt: null },
    { id: 'bank', keySha256: digestOfKey(BANK_KEY), accounts: '*', roles: ['bank'], expiresAt: null },
  ]);
  const shared = { log, register: await openLogRegister(log), clients, logger, clock: systemClock };
  const rules = loadTaxRules();
  const gatewayKeys = loadGatewayKeys(dataDir);
  const gateway = await openGateway({ dataDir, keys: gatewayKeys }, { ...shared, rules, metrics: createMetrics() });
  const store = await openEmbeddedStore({ folder: join(dataDir, 'state'), stage: 'tax' });
  const tax = await openTax({}, { ...shared, rules, store, metrics: createMetrics() });
  const keys = loadLedgerKeys(dataDir);
  const ledger = await openLedger(
    { dataDir, sealLimits: { payeAgeMs: 200, vatAgeMs: 200, checkpointMs: 200 } },
    { ...shared, keys, metrics: createMetrics() },
  );
  const app = createHttpApp({ routers: [gateway.router, tax.router, ledger.router] }, { logger });
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  return {
    url: server.url,
    dataDir,
    gatewayKey: printVerifierKey(gatewayKeys.signer.key),
    ledger,
    async stop() {
      ledger.endStreams();
      await server.stop(1_000);
      await gateway.stop(5_000);
      await tax.stop(5_000);
      await ledger.stop(5_000);
      await store.close();
      await log.close();
    },
  };
}
