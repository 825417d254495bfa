import { existsSync } from 'node:fs';
import { failure, type Service, type ServiceDefinition } from '../../libs/adapters/runtime/service.ts';
import { createDashboard, type DashboardDependencies, type SummarySource } from './create-dashboard.ts';
import { followSummaries } from './follow-summaries.ts';

/** The Treasury page: RECONCILIATION_URL, RECONCILIATION_KEY (of a client with the role analyst). */
export const dashboardService: ServiceDefinition = {
  name: 'dashboard',
  port: 8085,
  async open(context) {
    const { logger, setting } = context;
    const reconciliation = { url: setting('RECONCILIATION_URL'), key: setting('RECONCILIATION_KEY') };
    const source = followSummaries(reconciliation, { logger });
    // The page needs no clients: where their file is, those of them who watch have places of their own.
    const clients = existsSync(context.clientsFile) ? context.clients() : undefined;
    const ends = { assertReady: () => source.assertFresh(), stop: () => source.stop() };
    return dashboardOf(source, { logger, clock: context.clock, clients }, ends);
  },
};

/** The page in the process of the reconciliation whose summaries it shows: it is ready whenever that is. */
export function dashboardOn(source: SummarySource): ServiceDefinition {
  const { name, port } = dashboardService;
  const ends = { assertReady: () => undefined, stop: async () => undefined };
  return {
    name,
    port,
    open: async ({ logger, clock, clients }) => dashboardOf(source, { logger, clock, clients: clients() }, ends),
  };
}

function dashboardOf(
  source: SummarySource,
  dependencies: Omit<DashboardDependencies, 'source'>,
  ends: Pick<Service, 'assertReady' | 'stop'>,
): Service {
  return { ...createDashboard({ ...dependencies, source }), ...ends, failed: failure().failed };
}
