import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import kafkajs from 'kafkajs';
import type { EventLog, LogReader, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { KEYED_PARTITIONS_DEFAULT, REGISTER, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { type BenchBuild, forkModule } from './bench-children.ts';
import type { ServersMessage } from './serve-bench.ts';

// CommonJS: of its names Node finds only some, so these come by its default export.
const { Kafka, logLevel } = kafkajs;

const POLL = { maxBytes: 4 * 1024 ** 2, maxRecords: 20_000, waitMs: 500 };
const APPEND_RECORDS = 2_000;
const GONE_WITHIN_MS = 30_000;
const LOOK_MS = 50;

/** Records of topics by partition as they stood, to be put back at the same offsets. */
export type SavedTopics = ReadonlyMap<string, readonly (readonly LogRecord[])[]>;

/** One broker and one Redis for all cases of a bench, and what is done to them between two cases. */
export class BenchServers {
  readonly where: ServersMessage;
  readonly #folder: string;
  readonly #end: () => Promise<void>;

  private constructor(folder: string, where: ServersMessage, end: () => Promise<void>) {
    this.#folder = folder;
    this.where = where;
    this.#end = end;
  }

  /** Throws where Java, Maven or Redis are missing: what the child wrote says which. */
  static async open(folder: string, build: BenchBuild): Promise<BenchServers> {
    // Killed, it would leave its servers behind; without its channel it ends them.
    const child = forkModule('test/bench/serve-bench', { folder }, build, hangUp);
    const started = once(child, 'message') as Promise<[ServersMessage]>;
    const ended = once(child, 'exit').then(() => {
      throw new Error('the broker or the Redis of the bench did not start: see above');
    });
    const [where] = await Promise.race([started, ended]);
    ended.catch(() => undefined);
    const exit = once(child, 'exit');
    return new BenchServers(folder, where, async () => {
      hangUp(child);
      await exit;
    });
  }

  /** What a service's environment says of them. */
  get backends(): Readonly<Record<string, string>> {
    const { brokers, redisUrl } = this.where;
    return { KAFKA_BROKERS: brokers.join(','), REDIS_URL: redisUrl, TOPIC_REPLICATION: '1' };
  }

  /** What broker and Redis wrote. */
  get logFiles(): ReadonlyMap<string, string> {
    return new Map(['kafka', 'redis'].map((name) => [name, join(this.#folder, name, 'server.log')]));
  }

  end(): Promise<void> {
    return this.#end();
  }

  async withLog<T>(work: (log: EventLog) => Promise<T>): Promise<T> {
    const log = await openKafkaLog({ brokers: this.where.brokers, clientId: 'bench', replicationFactor: 1 });
    try {
      return await work(log);
    } finally {
      await log.close();
    }
  }

  /** Deletes topics where they exist, and makes those that have partitions given here again, empty. */
  async emptyTopics(topics: readonly { readonly topic: string; readonly partitions: number }[]): Promise<void> {
    // A log whose topics are made anew is another log: what the register knew of them goes too.
    await this.deleteTopics([...topics.map(({ topic }) => topic), REGISTER]);
    await this.withLog((log) => log.ensureTopics(topics));
  }

  async deleteTopics(names: readonly string[]): Promise<void> {
    const kafka = new Kafka({ clientId: 'bench', brokers: [...this.where.brokers], logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    try {
      const here = async () => (await admin.listTopics()).filter((topic) => names.includes(topic));
      const topics = await here();
      if (topics.length > 0) await admin.deleteTopics({ topics });
      for (const untilMs = performance.now() + GONE_WITHIN_MS; (await here()).length > 0; ) {
        if (performance.now() > untilMs) throw new Error(`the broker does not delete ${names.join(', ')}`);
        await sleep(LOOK_MS);
      }
    } finally {
      await admin.disconnect();
    }
  }

  async emptyRedis(): Promise<void> {
    const redis = new Redis(this.where.redisUrl);
    await redis.flushall();
    redis.disconnect();
  }

  save(names: readonly string[]): Promise<SavedTopics> {
    return this.withLog(async (log) => {
      const saved = new Map<string, LogRecord[][]>();
      for (const topic of names) {
        const partitions = await log.partitionCount(topic);
        saved.set(
          topic,
          await Promise.all(Array.from({ length: partitions }, (_, partition) => readAll(topic, partition, log))),
        );
      }
      return saved;
    });
  }

  /** Into topics that are empty: offsets become what they were. */
  restore(saved: SavedTopics): Promise<void> {
    return this.withLog(async (log) => {
      for (const [topic, partitions] of saved) {
        for (const [partition, records] of partitions.entries()) await appendAll(topic, partition, records, log);
      }
    });
  }
}

function hangUp(child: ChildProcess): void {
  if (child.connected) child.disconnect();
}

/** Our topics with their partition counts, those alone that are named. */
export function ourTopics(names?: readonly string[]): readonly { topic: string; partitions: number }[] {
  return TOPICS.filter(({ topic }) => names?.includes(topic) ?? true).map(({ topic, partitions }) => ({
    topic,
    partitions: partitions === 'one' ? 1 : KEYED_PARTITIONS_DEFAULT,
  }));
}

async function readAll(topic: string, partition: number, log: EventLog): Promise<LogRecord[]> {
  const { low, high } = await log.bounds({ topic, partition });
  const records: LogRecord[] = [];
  const reader: LogReader = log.reader([{ topic, partition, offset: low }]);
  try {
    for (let next = low; next < high; ) {
      for (const batch of await reader.poll(POLL)) {
        records.push(...batch.records);
        next = batch.nextOffset;
      }
    }
  } finally {
    await reader.close();
  }
  return records;
}

async function appendAll(topic: string, partition: number, all: readonly LogRecord[], log: EventLog): Promise<void> {
  for (let from = 0; from < all.length; from += APPEND_RECORDS) {
    const records = all.slice(from, from + APPEND_RECORDS).map(({ key, value }) => ({ key, value }));
    const [outcome] = await log.append([{ topic, partition, records }]);
    if (outcome?.status !== 'appended' || outcome.baseOffset !== all[from]?.offset) {
      throw new Error(`${topic}/${partition} could not be put back at offset ${all[from]?.offset}`);
    }
  }
}
