import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { openKafkaLog } from '../../libs/adapters/event-log/kafka/log.ts';
import { linkedStart } from '../../libs/adapters/stage/linked-output.ts';
import { openLinkedReader } from '../../libs/adapters/stage/linked-reader.ts';
import type { StageEvent, StageHandle } from '../../libs/adapters/stage/program.ts';
import { runStage } from '../../libs/adapters/stage/stage.ts';
import { openRedisStore } from '../../libs/adapters/state-store/redis-store.ts';
import { type KafkaProcess, startKafkaProcess } from '../../services/cli/servers/start-kafka.ts';
import { type RunningRedis, startRedis } from '../../services/cli/servers/start-redis.ts';
import { capability } from '../support/capabilities.ts';
import { type Counted, type CountedBody, CountingProgram } from '../support/counting-program.ts';
import { linkedJsonCodec } from '../support/linked-json-codec.ts';

const canRun = ['java', 'maven', 'redis'].every((name) => capability(name as 'java').available);
const PARTITIONS = 4;
const INPUTS = ['left.v1', 'right.v1'];
const OUTPUT = 'counts.v1';
const codec = linkedJsonCodec<CountedBody>();

let folder: string;
let kafka: KafkaProcess;
let redis: RunningRedis;
let log: EventLog;
let owners: Owner[] = [];

interface Owner {
  readonly stage: StageHandle;
  readonly events: StageEvent[];
  readonly leave: () => Promise<void>;
}

beforeAll(async () => {
  if (!canRun) return;
  folder = await mkdtemp(join(tmpdir(), 'stage-on-kafka-'));
  [kafka, redis] = await Promise.all([
    startKafkaProcess({ folder: join(folder, 'kafka') }),
    startRedis({ folder: join(folder, 'redis') }),
  ]);
  log = await openKafkaLog({ brokers: kafka.brokers, clientId: 'test' });
  await log.ensureTopics([...INPUTS, OUTPUT].map((topic) => ({ topic, partitions: PARTITIONS })));
}, 360_000);

afterAll(async () => {
  if (!canRun) return;
  await Promise.all(owners.map((owner) => owner.leave()));
  await log.close();
  await Promise.all([kafka.stop(), redis.stop()]);
  await rm(folder, { recursive: true, force: true });
}, 180_000);

/** An owner as a process of its own would be: nothing shared with the others but the brokers and the store. */
async function own(name: string, group = 'count'): Promise<Owner> {
  const ownLog = await openKafkaLog({ brokers: kafka.brokers, clientId: name });
  const store = await openRedisStore({
    url: redis.url,
    stage: 'count',
    ledger: 'test/ledger',
    commandTimeoutMs: 2_000,
  });
  const events: StageEvent[] = [];
  const stage = await runStage(
    { stage: 'count', group, output: OUTPUT, foldFrom: 'acknowledged', limits: { lookMs: 500 } },
    {
      log: ownLog,
      store,
      programFor: (partition) => new CountingProgram({ partition, entriesMax: 50, messageBytes: 20_000 }, { store }),
      codec,
      inputsOf: (partition) => INPUTS.map((topic) => ({ topic, partition })),
      randomBytes,
      observe: (event) => events.push(event),
    },
  );
  const owner: Owner = {
    stage,
    events,
    leave: async () => {
      owners = owners.filter((one) => one !== owner);
      await stage.stop(10_000);
      await ownLog.close();
      await store.close();
    },
  };
  owners.push(owner);
  return owner;
}

let isOver = true;
afterEach(() => {
  isOver = true;
});

/** Produces until told to stop; what was not surely appended is appended again, so inputs may have repeats, which count as records. */
function produce(): Promise<number> {
  isOver = false;
  const work = async () => {
    let rounds = 0;
    for (; !isOver; rounds += 1) {
      const appends = INPUTS.flatMap((topic) =>
        Array.from({ length: PARTITIONS }, (_, partition) => ({
          topic,
          partition,
          records: Array.from({ length: 20 }, (_unused, index) => ({
            key: `k${partition}-${(rounds + index) % 30}`,
            value: Buffer.from(`${rounds} ${index}`),
          })),
        })),
      );
      await log.append(appends);
      await sleep(20);
    }
    return rounds;
  };
  return work();
}

/** Every decision in the log, by a reader that follows the links; and what the store has in the end is what the log says. */
async function expectEverythingDecidedOnce(): Promise<number> {
  let records = 0;
  for (let partition = 0; partition < PARTITIONS; partition += 1) {
    const wanted: string[] = [];
    for (const topic of INPUTS) {
      const { high } = await log.bounds({ topic, partition });
      wanted.push(...Array.from({ length: high }, (_, offset) => `${topic} ${offset}`));
    }
    const decisions = await decided(partition, wanted.length);
    const found = decisions.map(({ topic, offset }) => `${topic} ${offset}`);
    const known = new Set(found);
    const missing = wanted.filter((place) => !known.has(place));
    expect(missing.slice(0, 5), `not decided of ${wanted.length} in partition ${partition}; ${state()}`).toEqual([]);
    expect(found.length, `decided in partition ${partition}`).toBe(wanted.length);
    const byKey = new Map<string, number>();
    for (const { key, number } of decisions) {
      expect(number).toBe((byKey.get(key) ?? 0) + 1);
      byKey.set(key, number);
    }
    records += wanted.length;
    await expectStored(partition, byKey);
  }
  return records;
}

async function expectStored(partition: number, byKey: ReadonlyMap<string, number>): Promise<void> {
  const store = await openRedisStore({ url: redis.url, stage: 'count' });
  try {
    const keys = [...byKey.keys()];
    await until(async () => {
      const { values } = await store.get(partition, keys);
      return keys.every((key, index) => values[index] === `{"count":${byKey.get(key)}}`);
    });
  } finally {
    await store.close();
  }
}

async function decided(partition: number, atLeast: number): Promise<Counted[]> {
  const reader = openLinkedReader([linkedStart({ topic: OUTPUT, partition })], { log, codec });
  const all: Counted[] = [];
  const end = Date.now() + 30_000;
  while (all.length < atLeast && Date.now() < end) {
    const batches = await reader.poll({ maxBytes: 4e6, maxRecords: 1_000, waitMs: 500 });
    all.push(...batches.flatMap((batch) => batch.messages.flatMap((message) => message.body.decisions)));
  }
  await reader.close();
  return all;
}

async function until(what: () => boolean | Promise<boolean>, timeoutMs = 90_000) {
  const end = Date.now() + timeoutMs;
  while (!(await what())) {
    if (Date.now() > end) {
      throw new Error(`not within ${timeoutMs} ms: ${what}; ${state()}`);
    }
    await sleep(20);
  }
}

/** What the owners say of themselves, for the message of a test that fails. */
function state(): string {
  const lines = owners.map(({ events, stage }) => {
    const last = events.slice(-6).map((event) => ('error' in event ? { ...event, error: String(event.error) } : event));
    const partitions = stage
      .stats()
      .partitions.map(
        ({ partition, status, outputNext, covered, lagRecords }) =>
          `${partition} ${status} ${outputNext} ${covered.map(({ offset }) => offset)} lag ${lagRecords}`,
      );
    return JSON.stringify({ partitions, last }, null, 1);
  });
  return lines.join('\n');
}

function ofType(type: StageEvent['type']): StageEvent[] {
  return owners.flatMap(({ events }) => events.filter((event) => event.type === type));
}

describe.skipIf(!canRun)('a stage on Kafka and Redis', { timeout: 270_000 }, () => {
  it('decides every record once though its broker is killed, Redis is wiped and killed, and owners come and go', async () => {
    const first = await own('first');
    const second = await own('second');
    const produced = produce();
    await until(() => first.stage.stats().recordsDecided > 200 && second.stage.stats().recordsDecided > 200);

    const flusher = new Redis(redis.url);
    await flusher.flushall();
    flusher.disconnect();
    await until(() => ofType('storeStale').length > 0);

    await kafka.kill();
    await sleep(1_000);
    await kafka.startAgain();
    expect(ofType('retrying').length + ofType('appendUnsettled').length).toBeGreaterThan(0);

    await second.leave();
    const third = await own('third');
    await until(() => third.stage.stats().recordsDecided > 100);

    await redis.kill();
    await sleep(500);
    // Without a snapshot in between: it comes back with nothing, or with what it had at some earlier time.
    await redis.startAgain();
    const before = first.stage.stats().recordsDecided;
    await until(() => first.stage.stats().recordsDecided > before + 100);
    isOver = true;
    expect(await produced).toBeGreaterThan(20);
    const records = await expectEverythingDecidedOnce();
    expect(records).toBeGreaterThan(1_000);
  });

  it('trusts no offset of the group: committed ones that are wrong are neither skipped to nor gone back to (kafkajs #1414)', async () => {
    await Promise.all(owners.map((owner) => owner.leave()));
    const membership = await log.join({ group: 'count', output: OUTPUT });
    await membership.commitForMonitoring(
      INPUTS.flatMap((topic) =>
        [0, 1, 2, 3].map((partition) => ({ topic, partition, offset: partition % 2 === 0 ? 0 : 999_999 })),
      ),
    );
    await membership.leave();
    const owner = await own('after');
    await log.append(
      INPUTS.map((topic) => ({ topic, partition: 1, records: [{ key: 'k1-0', value: Buffer.from('x') }] })),
    );
    await until(() => owner.stage.stats().recordsDecided === 2);
    await expectEverythingDecidedOnce();
  });

  it('is fenced by the link, not by the group: a stopped broker and a partition with two owners decide nothing twice', async () => {
    const [survivor] = owners;
    expect(survivor).toBeDefined();
    // A second owner of every partition, in another group: as one that was stopped and woke.
    const rival = await own('rival', 'count-rival');
    const produced = produce();
    await until(() => rival.events.some(({ type }) => ['foreignFolded', 'appendLost', 'storeStale'].includes(type)));
    kafka.signal('SIGSTOP');
    await sleep(6_000);
    kafka.signal('SIGCONT');
    await sleep(1_000);
    isOver = true;
    await produced;
    await expectEverythingDecidedOnce();
    expect(ofType('appendUnsettled').length + ofType('retrying').length).toBeGreaterThan(0);
  });
});
