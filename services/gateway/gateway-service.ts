import { loadGatewayKeys } from '../../libs/adapters/access/key-files.ts';
import { openLogRegister } from '../../libs/adapters/event-log/log-register.ts';
import { recordsIn } from '../../libs/adapters/event-log/records-in.ts';
import type { ServiceDefinition } from '../../libs/adapters/runtime/service.ts';
import { EVENT_TOPICS, type Gateway, openGateway } from './gateway.ts';

/** The gateway; one process. */
export const gatewayService: ServiceDefinition<Gateway> = {
  name: 'gateway',
  port: 8080,
  async open(context) {
    const { dataDir } = context;
    const log = await context.log();
    const register = await openLogRegister(log);
    const keys = loadGatewayKeys(dataDir, await recordsIn(log, EVENT_TOPICS));
    const { rules } = context.rules();
    return await openGateway({ dataDir, keys }, { ...context, log, register, clients: context.clients(), rules });
  },
};
