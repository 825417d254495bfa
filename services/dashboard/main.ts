import { createHttpApp } from '../../libs/adapters/http/create-app.ts';
import { startHttpServer } from '../../libs/adapters/http/http-server.ts';
import { createHealth } from '../../libs/adapters/telemetry/health.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { addProcessMetrics, createMetrics } from '../../libs/adapters/telemetry/metrics-registry.ts';
import { metricsRouter } from '../../libs/adapters/telemetry/metrics-router.ts';
import { createDashboard } from './create-dashboard.ts';
import { followSummaries } from './follow-summaries.ts';

const STOP_DEADLINE_MS = 10_000;

/** The Treasury page alone: wiring only. RECONCILIATION_URL, RECONCILIATION_KEY (a client with the role analyst), PORT, HOST. */
async function main(): Promise<void> {
  const logger = createLogger({ service: 'dashboard', level: 'info' });
  const metrics = createMetrics();
  addProcessMetrics(metrics.registry);
  const source = followSummaries(
    {
      url: process.env['RECONCILIATION_URL'] ?? 'http://127.0.0.1:8084',
      key: process.env['RECONCILIATION_KEY'] ?? '',
    },
    { logger },
  );
  const dashboard = createDashboard({}, { source, logger });
  const health = createHealth();
  const server = await startHttpServer(
    { host: process.env['HOST'] ?? '127.0.0.1', port: Number(process.env['PORT'] ?? 8080), furtherPorts: 0 },
    createHttpApp({ routers: [health.router, metricsRouter(metrics.registry), dashboard.router] }, { logger }),
  );
  logger.info({ url: server.url }, 'the Treasury page serves');
  const stop = async (): Promise<void> => {
    health.drain();
    dashboard.endStreams();
    await server.stop(STOP_DEADLINE_MS);
    await source.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop());
}

main().catch((error: unknown) => {
  createLogger({ service: 'dashboard', level: 'info' }).fatal({ err: error }, 'the Treasury page did not start');
  process.exitCode = 1;
});
