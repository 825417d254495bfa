import { join } from 'node:path';
import { openLog } from '../../libs/adapters/runtime/open-backends.ts';
import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { createReconciliation } from './create-reconciliation.ts';

/** The reconciliation alone in a process. */
await runService({ name: 'reconciliation', port: 8084 }, async (context) => {
  const log = await openLog('reconciliation', context);
  const folder = join(context.dataDir, 'reconciliation');
  const reconciliation = await createReconciliation({ folder }, { ...context, log, clients: context.clients() });
  context.onStop(() => reconciliation.stop());
  void reconciliation.failed.then(context.fail);
  return {
    routers: [reconciliation.router],
    ready: () => reconciliation.assertReady(),
    endStreams: () => reconciliation.endStreams(),
  };
});
