import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafkaProcess } from '../../services/cli/servers/start-kafka.ts';
import { startRedis } from '../../services/cli/servers/start-redis.ts';

/**
 * The broker and the Redis of a bench, started as `tally start --kafka` does, in a process between: when the bench is gone, however it
 * went, this process ends, and its servers with it.
 */
export interface ServersRequest {
  readonly folder: string;
}

export type ServersMessage = {
  readonly brokers: readonly string[];
  readonly brokerPid: number;
  readonly redisUrl: string;
  readonly redisPid: number;
};

const { folder } = JSON.parse(process.argv[2] ?? '{}') as ServersRequest;
// Ctrl-C is the bench's: it closes the channel.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit(0));
await mkdir(folder, { recursive: true });
const kafka = await startKafkaProcess({ folder: join(folder, 'kafka') });
const redis = await startRedis({ folder: join(folder, 'redis') });
const started: ServersMessage = {
  brokers: kafka.brokers,
  brokerPid: kafka.pid(),
  redisUrl: redis.url,
  redisPid: redis.pid(),
};
process.send?.(started);
