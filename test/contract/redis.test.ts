import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { openRedisStore } from '../../libs/adapters/state-store/redis-store.ts';
import { startRedis } from '../../services/cli/servers/start-redis.ts';
import { capability } from '../support/capabilities.ts';
import { makeClusterOfOne } from '../support/redis-cluster.ts';
import { stateStoreContract } from './state-store.ts';

describe.skipIf(!capability('redis').available)('Redis', () => {
  stateStoreContract('Redis', () => openOn(false));
  stateStoreContract('Redis Cluster', () => openOn(true));
});

const CLUSTER = { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' };

async function openOn(cluster: boolean) {
  const folder = await mkdtemp(join(tmpdir(), 'contract-redis-'));
  const redis = await startRedis({ folder, settings: cluster ? CLUSTER : {} });
  if (cluster) await makeClusterOfOne(redis.url);
  const options = { url: redis.url, stage: 'contract', ledger: 'contract.example/ledger', cluster };
  let store = await openRedisStore(options);
  return {
    store,
    reopen: async () => {
      await store.close();
      store = await openRedisStore(options);
      return store;
    },
    close: async () => {
      await store.close();
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
