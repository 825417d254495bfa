import { join } from 'node:path';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import { endWhole } from './operate-service.ts';
import { ServiceProcess } from './service-process.ts';
import type { Whole } from './whole.ts';
import { checkDataFolder } from './whole-ledger.ts';

/** The house in one process on its own log and stores. It is started by the test. */
export function openEmbeddedWhole(env: NodeJS.ProcessEnv = {}): Whole {
  const service = new ServiceProcess({ env });
  return {
    service,
    crash: () => service.kill(),
    logs: () => service.output,
    checkLedger: (options) => checkDataFolder(service.dataDir, options),
    end: (events = {}) => endWhole(service, events),
    async withLog(work) {
      const wasRunning = !service.hasEnded;
      if (wasRunning) await service.stop();
      const log = await openEmbeddedLog({ folder: join(service.dataDir, 'log') });
      const result = await work(log).finally(() => log.close());
      if (wasRunning) await service.start();
      return result;
    },
    dispose: () => service.dispose(),
  };
}
