import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { openLog, openStore } from '../../libs/adapters/runtime/open-backends.ts';
import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { createTax } from './create-tax.ts';

const STOP_DEADLINE_MS = 10_000;

/** The tax service alone in a process; several share the partitions. */
await runService({ name: 'tax', port: 8081 }, async (context) => {
  const log = await openLog('tax', context);
  const store = await openStore('tax', context);
  const tax = await createTax({}, { ...context, log, store, clients: context.clients(), rules: loadTaxRules() });
  context.onStop(() => tax.stop(STOP_DEADLINE_MS));
  void tax.failed.then(context.fail);
  return { routers: [tax.router], ready: () => tax.ready() };
});
