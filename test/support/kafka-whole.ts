import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { type KafkaProcess, startKafkaProcess } from '../../services/cli/servers/start-kafka.ts';
import { type RunningRedis, startRedis } from '../../services/cli/servers/start-redis.ts';
import { capability } from './capabilities.ts';
import type { CheckedLedger } from './check-ledger.ts';
import { endWhole } from './operate-service.ts';
import { ServiceProcess } from './service-process.ts';
import type { Whole } from './whole.ts';
import { checkLog } from './whole-ledger.ts';

export const canRunKafkaWhole = (['java', 'maven', 'redis'] as const).every((name) => capability(name).available);

const SETTLE_MS = 240_000;

/** Pids of the service processes that a process has started and that run now, by service. */
export function pidsOf(starter: number): Map<string, number> {
  // It says 1 where there are none.
  const { stdout } = spawnSync('ps', ['-o', 'pid=,args=', '--ppid', String(starter)], { encoding: 'utf8' });
  const lines = stdout.split('\n');
  const pids = new Map<string, number>();
  for (const line of lines) {
    const match = /^\s*(\d+) .*services\/([a-z-]+)\/main\.ts/.exec(line);
    if (match !== null) pids.set(match[2] ?? '', Number(match[1]));
  }
  return pids;
}

/** `tally start` with every service as a process of its own, on a broker and a Redis of the test's. */
export class KafkaWhole implements Whole {
  readonly folder: string;
  readonly kafka: KafkaProcess;
  readonly redis: RunningRedis;
  readonly service: ServiceProcess;

  constructor(folder: string, kafka: KafkaProcess, redis: RunningRedis, env: NodeJS.ProcessEnv) {
    this.folder = folder;
    this.kafka = kafka;
    this.redis = redis;
    const backends = { KAFKA_BROKERS: kafka.brokers.join(','), REDIS_URL: redis.url, TOPIC_REPLICATION: '1' };
    this.service = new ServiceProcess({ env: { ...backends, ...env }, dataDir: join(folder, 'data') });
  }

  /** SIGKILL to one service; its starter starts it again. */
  kill(service: string): void {
    const pid = pidsOf(this.service.pid).get(service);
    if (pid === undefined) throw new Error(`${service} does not run: it can not be killed`);
    process.kill(pid, 'SIGKILL');
  }

  async crash(): Promise<void> {
    for (const pid of pidsOf(this.service.pid).values()) process.kill(pid, 'SIGKILL');
    await this.service.kill();
  }

  logOf(service: string): string {
    return readFileSync(join(this.service.dataDir, 'logs', `${service}.log`), 'utf8');
  }

  logs(): string {
    const folder = join(this.service.dataDir, 'logs');
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    return [this.service.output, ...files].join('\n');
  }

  checkLedger(options: { readonly complete: boolean }): Promise<CheckedLedger> {
    return this.withLog((log) => checkLog(log, this.service.dataDir, options));
  }

  end(events: { readonly paye?: number; readonly vat?: number } = {}): ReturnType<typeof endWhole> {
    const check = () => this.checkLedger({ complete: true });
    return endWhole(this.service, events, { settleMs: SETTLE_MS, check });
  }

  async withLog<T>(work: (log: EventLog) => Promise<T>): Promise<T> {
    const { brokers } = this.kafka;
    const log = await openKafkaLog({ brokers, clientId: `test-${randomUUID()}`, replicationFactor: 1 });
    try {
      return await work(log);
    } finally {
      await log.close();
    }
  }

  async dispose(): Promise<void> {
    await this.service.stop();
    await this.redis.stop();
    await this.kafka.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Starts a broker and a Redis; the services are started by the test. */
export async function openKafkaWhole(env: NodeJS.ProcessEnv = {}): Promise<KafkaWhole> {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-kafka-'));
  const [kafka, redis] = await Promise.all([
    startKafkaProcess({ folder: join(folder, 'kafka') }),
    startRedis({ folder: join(folder, 'redis') }),
  ]);
  return new KafkaWhole(folder, kafka, redis, env);
}
