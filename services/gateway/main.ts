import { loadGatewayKeys } from '../../libs/adapters/access/key-files.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { recordsIn } from '../../libs/adapters/event-log/records-in.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { openLog } from '../../libs/adapters/runtime/open-backends.ts';
import { runService } from '../../libs/adapters/runtime/run-service.ts';
import { createGateway, EVENT_TOPICS } from './gateway.ts';

const STOP_DEADLINE_MS = 10_000;

/** The gateway alone in a process. */
await runService({ name: 'gateway', port: 8080 }, async (context) => {
  const log = await openLog('gateway', context);
  const register = await openLogRegister(log);
  const { dataDir } = context;
  const history = await recordsIn(log, EVENT_TOPICS);
  const gateway = createGateway(
    { dataDir, keys: loadGatewayKeys(dataDir, history) },
    { ...context, onBroken: context.fail, log, register, clients: context.clients(), rules: loadTaxRules() },
  );
  await gateway.start();
  context.onStop(() => gateway.stop(STOP_DEADLINE_MS));
  return { routers: [gateway.router], ready: () => gateway.checkReady() };
});
