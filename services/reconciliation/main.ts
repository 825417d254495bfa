import { join } from 'node:path';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded-log.ts';
import { KEYED_PARTITIONS_DEFAULT, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { createHttpApp } from '../../libs/adapters/http/create-app.ts';
import { startHttpServer } from '../../libs/adapters/http/http-server.ts';
import { loadClients } from '../../libs/adapters/runtime/clients.ts';
import { createHealth } from '../../libs/adapters/telemetry/health.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { metricsRouter } from '../../libs/adapters/telemetry/metrics-router.ts';
import { createReconciliation } from './create-reconciliation.ts';

const STOP_DEADLINE_MS = 10_000;

/** The reconciliation alone: wiring only. DATA_DIR, PORT, HOST, CLIENTS_FILE. */
async function main(): Promise<void> {
  const dataDir = process.env['DATA_DIR'] ?? 'data';
  const logger = createLogger({ service: 'reconciliation', level: 'info' });
  const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
  await log.ensureTopics(
    TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : KEYED_PARTITIONS_DEFAULT })),
  );
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  const clients = loadClients(process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json'));
  const folder = join(dataDir, 'reconciliation');
  const reconciliation = await createReconciliation({ folder }, { log, clients, metrics, logger });
  const health = createHealth();
  health.check('reconciliation', () => reconciliation.assertReady());
  const routers = [health.router, metricsRouter(metrics.registry), reconciliation.router];
  const server = await startHttpServer(
    { host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 8084), furtherPorts: 0 },
    createHttpApp({ routers }, { logger }),
  );
  logger.info({ url: server.url }, 'the reconciliation serves');
  const stop = async (): Promise<void> => {
    health.drain();
    reconciliation.endStreams();
    await server.stop(STOP_DEADLINE_MS);
    await reconciliation.stop();
    await log.close();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
  void reconciliation.failed.then(() => {
    process.exitCode = 1;
    return stop();
  });
}

main().catch((error: unknown) => {
  createLogger({ service: 'reconciliation', level: 'info' }).fatal({ err: error }, 'the reconciliation did not start');
  process.exitCode = 1;
});
