import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openEmbeddedLog } from '../../libs/adapters/event-log/embedded/log.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import { eventLogContract } from './event-log.ts';
import { stateStoreContract } from './state-store.ts';

eventLogContract('embedded (LMDB)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'contract-log-'));
  let log = await openEmbeddedLog({ folder });
  return {
    log,
    reopen: async () => {
      await log.close();
      log = await openEmbeddedLog({ folder });
      return log;
    },
    close: async () => {
      await log.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});

stateStoreContract('embedded (LMDB)', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'contract-store-'));
  let store = await openEmbeddedStore({ folder, stage: 'contract' });
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openEmbeddedStore({ folder, stage: 'contract' });
      return store;
    },
    close: async () => {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
