import { join } from 'node:path';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded-log.ts';
import { KEYED_PARTITIONS_DEFAULT, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { createHttpApp } from '../../libs/adapters/http/create-app.ts';
import { startHttpServer } from '../../libs/adapters/http/http-server.ts';
import { loadClients } from '../../libs/adapters/runtime/clients.ts';
import { loadGatewayKeys } from '../../libs/adapters/runtime/key-files.ts';
import { loadTaxRules } from '../../libs/adapters/runtime/load-rules.ts';
import { createHealth } from '../../libs/adapters/telemetry/health.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { metricsRouter } from '../../libs/adapters/telemetry/metrics-router.ts';
import { createGateway } from './gateway.ts';

/** The gateway alone in a process: DATA_DIR, CLIENTS_FILE, HOST, PORT. */
const STOP_DEADLINE_MS = 10_000;

const dataDir = process.env['DATA_DIR'] ?? 'data';
const logger = createLogger({ service: 'gateway', level: 'info' });
const metrics = createMetrics();
addProcessMetrics(metrics.registry);

const log = await openEmbeddedLog({ folder: join(dataDir, 'log') });
await log.ensureTopics(
  TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : KEYED_PARTITIONS_DEFAULT })),
);
const clients = loadClients(process.env['CLIENTS_FILE'] ?? join(dataDir, 'clients.json'));
const gateway = createGateway(
  { dataDir, keys: loadGatewayKeys(dataDir) },
  { log, clients, rules: loadTaxRules(), metrics, logger, nowMs: Date.now },
);
await gateway.start();

const health = createHealth();
health.check('gateway', () => gateway.checkReady());
const server = await startHttpServer(
  { host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 8080), furtherPorts: 0 },
  createHttpApp({ routers: [health.router, metricsRouter(metrics.registry), gateway.router] }, { logger }),
);
logger.info({ url: server.url }, 'the gateway takes events');

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    health.drain();
    server
      .stop(STOP_DEADLINE_MS)
      .then(() => gateway.stop(STOP_DEADLINE_MS))
      .then(() => log.close())
      .catch((error: unknown) => {
        logger.fatal({ err: error }, 'the gateway did not stop in order');
        process.exitCode = 1;
      });
  });
}
