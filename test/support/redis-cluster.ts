import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** Makes a server that was started with `cluster-enabled yes` a cluster of one node that serves every slot: scripts across slots are refused as on many. */
export async function makeClusterOfOne(url: string): Promise<void> {
  const client = new Redis(url);
  try {
    await client.call('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    while (!String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) {
      await sleep(50);
    }
  } finally {
    client.disconnect();
  }
}
