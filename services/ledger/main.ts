import { join } from 'node:path';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded-log.ts';
import { KEYED_PARTITIONS_DEFAULT, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { createHttpApp } from '../../libs/adapters/http/create-app.ts';
import { startHttpServer } from '../../libs/adapters/http/http-server.ts';
import { loadClients } from '../../libs/adapters/runtime/clients.ts';
import { loadLedgerKeys } from '../../libs/adapters/runtime/key-files.ts';
import { createHealth } from '../../libs/adapters/telemetry/health.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { metricsRouter } from '../../libs/adapters/telemetry/metrics-router.ts';
import { createLedger } from './create-ledger.ts';

const STOP_DEADLINE_MS = 10_000;

/** The ledger alone: wiring only. DATA_DIR, PORT, HOST, CLIENTS_FILE; payers' clients are in the clients file. */
async function main(): Promise<void> {
  const dataDir = process.env['DATA_DIR'] ?? 'data';
  const logger = createLogger({ service: 'ledger', level: 'info' });
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
  await log.ensureTopics(
    TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : KEYED_PARTITIONS_DEFAULT })),
  );
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  const clients = loadClients(process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json'));
  const ledger = await createLedger({ dataDir }, { log, keys: loadLedgerKeys(dataDir), clients, metrics, logger });
  const health = createHealth();
  health.check('ledger', () => ledger.assertReady());
  const app = createHttpApp({ routers: [health.router, metricsRouter(metrics.registry), ledger.router] }, { logger });
  const server = await startHttpServer(
    { host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 8082), furtherPorts: 0 },
    app,
  );
  logger.info({ url: server.url, ledger: ledger.identity.name }, 'the ledger serves');
  const stop = async (): Promise<void> => {
    health.drain();
    ledger.endStreams();
    await server.stop(STOP_DEADLINE_MS);
    await ledger.stop(STOP_DEADLINE_MS);
    await log.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  void ledger.failed.then((error) => {
    logger.fatal({ err: error }, 'the ledger ended');
    process.exitCode = 1;
    return stop();
  });
}

main().catch((error: unknown) => {
  createLogger({ service: 'ledger', level: 'info' }).fatal({ err: error }, 'the ledger did not start');
  process.exitCode = 1;
});
