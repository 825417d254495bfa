import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import kafkajs, { type Admin, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import type { InspectableLog } from '../../libs/adapters/event-log/topic-state.ts';
import { TopicWatch } from '../../libs/adapters/event-log/topic-watch.ts';
import { LIABILITIES, REJECTIONS, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import { type KafkaProcess, startKafkaProcess } from '../../services/cli/servers/start-kafka.ts';
import { type RunningRedis, startRedis } from '../../services/cli/servers/start-redis.ts';
import { ChildService } from '../../services/cli/start/child-service.ts';
import { ownClients } from '../../services/cli/start/own-clients.ts';
import { capability } from '../support/capabilities.ts';
import { eventually } from '../support/service-process.ts';

const { ConfigResourceTypes } = kafkajs;
const needs = [capability('java'), capability('maven'), capability('redis')];
/** In which a service says what it lacks. */
const SAID_WITHIN_MS = 5_000;

interface Readiness {
  readonly status: number;
  readonly checks: readonly { readonly name: string; readonly code: string | null; readonly message: string | null }[];
}

describe.skipIf(needs.some((one) => !one.available))('a service that lacks something of its log or store', () => {
  let folder: string;
  let kafka: KafkaProcess;
  let redis: RunningRedis;
  let log: InspectableLog;
  let admin: Admin;
  const services: ChildService[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'topics-changed-'));
    [kafka, redis] = await Promise.all([
      startKafkaProcess({ folder: join(folder, 'kafka') }),
      startRedis({ folder: join(folder, 'redis') }),
    ]);
    log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'test' });
    admin = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    mkdirSync(join(folder, 'data', 'logs'), { recursive: true });
    const { clients } = ownClients(join(folder, 'data')).clients;
    writeFileSync(join(folder, 'data', 'clients.json'), JSON.stringify({ clients }), { mode: 0o600 });
  }, 360_000);

  afterAll(async () => {
    await Promise.all(services.map((service) => service.stop()));
    await admin?.disconnect();
    await log?.close();
    await Promise.all([redis?.stop(), kafka?.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }, 180_000);

  async function start(service: string): Promise<ChildService> {
    const [port = 0] = await freePorts(1);
    const env = {
      DATA_DIR: join(folder, 'data'),
      HOST: '127.0.0.1',
      PORT: String(port),
      KAFKA_BROKERS: kafka.brokers.join(','),
      REDIS_URL: redis.url,
      TOPIC_REPLICATION: '1',
    };
    const options = { service, url: `http://127.0.0.1:${port}`, logFolder: join(folder, 'data', 'logs'), env };
    const child = new ChildService(options, { tell: () => undefined });
    services.push(child);
    child.start().catch(() => undefined);
    return child;
  }

  async function readinessOf({ url }: ChildService): Promise<Readiness | null> {
    try {
      const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(4_000) });
      return { status: answer.status, ...((await answer.json()) as Omit<Readiness, 'status'>) };
    } catch {
      return null;
    }
  }

  function until(service: ChildService, code: string | null, withinMs: number): Promise<Readiness | null> {
    const isSo = (seen: Readiness | null): boolean =>
      code === null ? seen?.status === 200 : seen?.status === 503 && seen.checks.some((check) => check.code === code);
    return eventually(() => readinessOf(service), isSo, withinMs);
  }

  /** Kafka replaces all settings of the topic by these. */
  async function setTopic(retentionMs: string, compression = 'uncompressed'): Promise<void> {
    const configEntries = [
      { name: 'retention.ms', value: retentionMs },
      { name: 'compression.type', value: compression },
    ];
    const resources = [{ type: ConfigResourceTypes.TOPIC, name: LIABILITIES, configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
  }

  it('says so within seconds, stays up, and goes on by itself: broker, Redis, a topic that forgets, one that keeps what is not read', async () => {
    const tax = await start('tax');
    await until(tax, null, 120_000);
    const pid = tax.pid;
    redis.signal('SIGSTOP');
    const stopped = await until(tax, 'STORE_UNAVAILABLE', SAID_WITHIN_MS);
    expect(stopped?.checks.find(({ code }) => code === 'STORE_UNAVAILABLE')?.message).toContain('REDIS_URL');
    redis.signal('SIGCONT');
    await until(tax, null, 60_000);
    await redis.kill();
    await until(tax, 'STORE_UNAVAILABLE', SAID_WITHIN_MS);
    await redis.startAgain();
    await until(tax, null, 60_000);
    kafka.signal('SIGSTOP');
    await until(tax, 'LOG_UNAVAILABLE', SAID_WITHIN_MS);
    expect((await fetch(`${tax.url}/health/live`)).status).toBe(200);
    kafka.signal('SIGCONT');
    await until(tax, null, 60_000);
    await setTopic('604800000');
    await until(tax, 'TOPIC_FORGETS', SAID_WITHIN_MS);
    await setTopic('-1', 'producer');
    await until(tax, 'TOPIC_COMPRESSION_DIFFERS', SAID_WITHIN_MS);
    await setTopic('-1');
    await until(tax, null, 60_000);
    expect(tax.pid).toBe(pid);
  }, 480_000);

  it('waits at its start for a topic that differs, live and not ready, says it once, and goes on when it is mended', async () => {
    await setTopic('604800000');
    const reconciliation = await start('reconciliation');
    await until(reconciliation, 'TOPIC_FORGETS', 60_000);
    const pid = reconciliation.pid;
    await new Promise((resolve) => setTimeout(resolve, 7_000));
    expect((await fetch(`${reconciliation.url}/health/live`)).status).toBe(200);
    await setTopic('-1');
    await until(reconciliation, null, 60_000);
    expect(reconciliation.pid).toBe(pid);
    const lines = readFileSync(join(folder, 'data', 'logs', 'reconciliation.log'), 'utf8').split('\n');
    expect(lines.filter((line) => line.includes('TOPIC_FORGETS'))).toHaveLength(1);
    await reconciliation.stop();
  }, 240_000);

  it('finds first records deleted, a topic grown, deleted and made anew, each by its code', async () => {
    const topics = TOPICS.map(({ topic, partitions }) => ({ topic, partitions: partitions === 'one' ? 1 : 12 }));
    const watch = new TopicWatch({ topics }, { log });
    await watch.open();
    await watch.check();
    const tax = services[0];
    if (tax === undefined) throw new Error('tax was started above');
    await log.append([{ topic: REJECTIONS, partition: 3, records: [{ key: null, value: Buffer.from('x') }] }]);
    await log.deleteBefore({ topic: REJECTIONS, partition: 3, offset: 1 });
    const pid = tax.pid;
    await expect(watch.check()).rejects.toMatchObject({ code: 'RECORDS_DELETED', facts: { partition: 3, low: 1 } });
    await until(tax, 'RECORDS_DELETED', SAID_WITHIN_MS);
    await admin.createPartitions({ topicPartitions: [{ topic: REJECTIONS, count: 24 }] });
    await until(tax, 'TOPIC_PARTITIONS_DIFFER', SAID_WITHIN_MS);
    const all24 = topics.map((one) => ({ ...one, partitions: one.partitions === 1 ? 1 : 24 }));
    await expect(new TopicWatch({ topics: all24 }, { log }).open()).rejects.toMatchObject({
      code: 'TOPIC_PARTITIONS_DIFFER',
      facts: { existing: 12, asked: 24 },
    });
    await admin.deleteTopics({ topics: [REJECTIONS] });
    await until(tax, 'TOPIC_DELETED', SAID_WITHIN_MS);
    await expect(new TopicWatch({ topics }, { log }).open()).rejects.toMatchObject({ code: 'TOPIC_DELETED' });
    const configEntries = [{ name: 'retention.ms', value: '-1' }];
    const anew = { topic: REJECTIONS, numPartitions: 12, configEntries };
    await admin.createTopics({ topics: [anew], waitForLeaders: false });
    await until(tax, 'TOPIC_MADE_ANEW', 2 * SAID_WITHIN_MS);
    expect((await fetch(`${tax.url}/health/live`)).status).toBe(200);
    expect(tax.pid).toBe(pid);
  }, 240_000);
});
