import { join } from 'node:path';
import { createHttpApp } from '../../libs/adapters/http/create-app.ts';
import { createGatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import { startHttpServer } from '../../libs/adapters/http/http-server.ts';
import { createLedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { loadClients } from '../../libs/adapters/runtime/clients.ts';
import { loadPayerSigner } from '../../libs/adapters/runtime/key-files.ts';
import { loadRules } from '../../libs/adapters/runtime/load-rules.ts';
import { createHealth } from '../../libs/adapters/telemetry/health.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { metricsRouter } from '../../libs/adapters/telemetry/metrics-router.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { account } from '../../libs/core/identity/account.ts';
import { createPayerNode, PAYER_NODE_DEFAULTS } from './payer-node.ts';

const STOP_DEADLINE_MS = 10_000;
const CALL_TIMEOUT_MS = 30_000;

/**
 * The payer's node alone: wiring only. DATA_DIR, PORT, HOST, CLIENTS_FILE (who may use this node), GATEWAY_URL, LEDGER_URL, CLIENT_KEY (ours
 * with both), GATEWAY_VERIFIER_KEY (whose receipts count), NODE_NAME (of the key that countersigns), ACCOUNTS (comma-separated).
 */
async function main(): Promise<void> {
  const dataDir = process.env['DATA_DIR'] ?? 'data';
  const logger = createLogger({ service: 'payer-node', level: 'info' });
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  const clientKey = needed('CLIENT_KEY');
  const reach = { clientKey, timeoutMs: CALL_TIMEOUT_MS };
  const loaded = loadRules();
  const health = createHealth();
  let stop = async (): Promise<void> => {};
  const node = await createPayerNode(
    {
      ...PAYER_NODE_DEFAULTS,
      folder: join(dataDir, 'payer', 'store'),
      accounts: (process.env['ACCOUNTS'] ?? '').split(',').filter(Boolean).map(account),
      gatewayKeys: [needed('GATEWAY_VERIFIER_KEY')],
    },
    {
      gateway: createGatewayClient({ url: needed('GATEWAY_URL'), ...reach }, { fetch }),
      ledger: createLedgerClient({ url: needed('LEDGER_URL'), ...reach }, { fetch }),
      signer: loadPayerSigner(dataDir, process.env['NODE_NAME'] ?? 'payer-node'),
      rules: loaded.rules,
      rateCards: loaded.cards,
      clients: loadClients(process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json')),
      clock: Date.now,
      random: Math.random,
      logger,
      metrics,
      onFatal: (error) => {
        logger.fatal({ err: error }, 'the payer node ended');
        process.exitCode = 1;
        void stop();
      },
    },
  );
  const app = createHttpApp({ routers: [health.router, metricsRouter(metrics.registry), node.router] }, { logger });
  const server = await startHttpServer(
    { host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 8083), furtherPorts: 0 },
    app,
  );
  node.start();
  logger.info({ url: server.url }, 'the payer node serves');
  let stopping: Promise<void> | null = null;
  stop = () => {
    stopping ??= (async () => {
      health.drain();
      await server.stop(STOP_DEADLINE_MS);
      await node.stop();
    })();
    return stopping;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

function needed(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new TallyError('SETTING_MISSING', `set ${name}`, { name });
  return value;
}

main().catch((error: unknown) => {
  createLogger({ service: 'payer-node', level: 'info' }).fatal({ err: error }, 'the payer node did not start');
  process.exitCode = 1;
});
