import { join } from 'node:path';
import type { ServiceDefinition } from '../../libs/adapters/runtime/service.ts';
import { openReconciliation, type Reconciliation } from './create-reconciliation.ts';

/** The reconciliation; one process. */
export const reconciliationService: ServiceDefinition<Reconciliation> = {
  name: 'reconciliation',
  port: 8084,
  async open(context) {
    const folder = join(context.dataDir, 'reconciliation');
    return await openReconciliation({ folder }, { ...context, log: await context.log(), clients: context.clients() });
  },
};
