import { existsSync } from 'node:fs';
import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { createDashboard } from './create-dashboard.ts';
import { followSummaries } from './follow-summaries.ts';

/** The Treasury page alone in a process: RECONCILIATION_URL, RECONCILIATION_KEY (of a client with the role analyst). */
await runService({ name: 'dashboard', port: 8085 }, async (context) => {
  const { logger, clock, setting } = context;
  const source = followSummaries(
    { url: setting('RECONCILIATION_URL'), key: setting('RECONCILIATION_KEY') },
    { logger },
  );
  context.onStop(() => source.stop());
  // The page needs no clients: where their file is, those of them who watch have places of their own.
  const clients = existsSync(context.clientsFile) ? context.clients() : undefined;
  const dashboard = createDashboard({ source, logger, clock, clients });
  return { routers: [dashboard.router], ready: () => source.assertFresh(), endStreams: () => dashboard.endStreams() };
});
