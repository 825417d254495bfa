import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import kafkajs, { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { EventLog, LogReader, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import {
  type KafkaLogDependencies,
  type KafkaLogOptions,
  openKafkaLog,
} from '../../libs/adapters/event-log/kafka/log.ts';
import { KafkaReader } from '../../libs/adapters/event-log/kafka/reader.ts';
import type { InspectableLog } from '../../libs/adapters/event-log/topic-state.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import { type KafkaProcess, startKafkaProcess } from '../../services/cli/servers/start-kafka.ts';
import { capability } from '../support/capabilities.ts';
import { openTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const { CompressionCodecs, CompressionTypes } = kafkajs;
const canRun = capability('java').available && capability('maven').available && capability('kcat').available;
const READ = { maxBytes: 1e6, maxRecords: 1_000, waitMs: 500 };
/** Api keys of the protocol. */
const PRODUCE = 0;
const FIND_COORDINATOR = 10;
const HEARTBEAT = 12;

let folder: string;
let kafka: KafkaProcess;
let proxy: TcpProxy;
let securePort: number;
/** Over an undisturbed line. */
let direct: InspectableLog;
const opened: EventLog[] = [];

beforeAll(async () => {
  if (!canRun) return;
  folder = await mkdtemp(join(tmpdir(), 'kafka-pains-'));
  const [proxied = 0, secure = 0] = await freePorts(2);
  securePort = secure;
  proxy = await openTcpProxy({ port: 0, target: () => proxied });
  const keystore = await makeCertificate();
  kafka = await startKafkaProcess({
    folder: join(folder, 'kafka'),
    listeners: [
      { name: 'PROXIED', protocol: 'PLAINTEXT', port: proxied, advertisedPort: proxy.port },
      { name: 'SECURE', protocol: 'SASL_SSL', port: secure },
    ],
    properties: {
      'sasl.enabled.mechanisms': 'PLAIN',
      'listener.name.secure.plain.sasl.jaas.config':
        'org.apache.kafka.common.security.plain.PlainLoginModule required user_tally="tally-secret";',
      'listener.name.secure.ssl.keystore.location': keystore,
      'listener.name.secure.ssl.keystore.password': 'changeit',
      'listener.name.secure.ssl.keystore.type': 'PKCS12',
    },
  });
  direct = await openKafkaLog({ brokers: kafka.brokers, clientId: 'direct' });
}, 360_000);

afterEach(async () => {
  proxy?.pass();
  await Promise.all(opened.splice(0).map((log) => log.close()));
});

afterAll(async () => {
  if (!canRun) return;
  await direct.close();
  await kafka.stop();
  await proxy.close();
  await rm(folder, { recursive: true, force: true });
}, 180_000);

async function makeCertificate(): Promise<string> {
  const keystore = join(folder, 'keystore.p12');
  const store = ['-keystore', keystore, '-storetype', 'PKCS12', '-storepass', 'changeit', '-alias', 'broker'];
  const keytool = promisify(execFile);
  const subject = ['-dname', 'CN=localhost', '-ext', 'SAN=ip:127.0.0.1,dns:localhost', '-validity', '2'];
  await keytool('keytool', ['-genkeypair', '-keyalg', 'EC', ...subject, ...store]);
  await keytool('keytool', ['-exportcert', '-rfc', '-file', join(folder, 'ca.pem'), ...store]);
  return keystore;
}

/** A log whose line can be disturbed. */
async function throughProxy(
  options: Partial<KafkaLogOptions> = {},
  dependencies: KafkaLogDependencies = {},
): Promise<EventLog> {
  const brokers = [`127.0.0.1:${proxy.port}`];
  const log = await openKafkaLog({ brokers, clientId: 'proxied', requestTimeoutMs: 1_000, ...options }, dependencies);
  opened.push(log);
  return log;
}

async function newTopic(partitions = 1): Promise<string> {
  const topic = `pains.${randomBytes(6).toString('hex')}.v1`;
  await direct.ensureTopics([{ topic, partitions }]);
  return topic;
}

function texts(...contents: string[]) {
  return contents.map((content) => ({ key: 'k', value: Buffer.from(content) }));
}

async function readUntil(reader: LogReader, count: number, withinMs = 90_000): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for (const end = Date.now() + withinMs; records.length < count && Date.now() < end; ) {
    records.push(...(await reader.poll(READ)).flatMap((batch) => batch.records));
  }
  return records;
}

async function until(what: () => boolean | Promise<boolean>, withinMs = 90_000): Promise<void> {
  for (const end = Date.now() + withinMs; !(await what()); await sleep(50)) {
    if (Date.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
  }
}

function apiKeyOf(request: Buffer): number {
  return request.length >= 6 ? request.readInt16BE(4) : -1;
}

describe.skipIf(!canRun)('pains of kafkajs on a real broker', { timeout: 180_000 }, () => {
  silentConsumers();
  compressedRecords();
  producers();
  shutdown();
  boundedMemory();

  it('makes no topic by itself, and refuses one that would forget records', async () => {
    const admin = new Kafka({ clientId: 'admin', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const topic = `pains.${randomBytes(6).toString('hex')}.v1`;
    await expect(direct.bounds({ topic, partition: 0 })).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
    expect(await admin.listTopics()).not.toContain(topic);
    await admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1 }] });
    await admin.disconnect();
    await expect(direct.ensureTopics([{ topic, partitions: 1 }])).rejects.toMatchObject({
      code: 'TOPIC_FORGETS',
      facts: { topic, settings: 'retention.ms=604800000, retention.bytes=-1, cleanup.policy=delete' },
    });
  });

  it('waits until what another process has just made has leaders, instead of failing at the start', async () => {
    const topics = Array.from({ length: 10 }, () => ({
      topic: `pains.${randomBytes(6).toString('hex')}.v1`,
      partitions: 24,
    }));
    const place = { topic: topics.at(-1)?.topic ?? '', partition: 23 };
    const starting = async (clientId: string) => {
      const log = await openKafkaLog({ brokers: kafka.brokers, clientId });
      opened.push(log);
      // From the very moment when the topic is known.
      for (;;) {
        try {
          return await log.bounds(place);
        } catch (error) {
          if (!(error instanceof TallyError) || error.code !== 'TOPIC_UNKNOWN') throw error;
        }
      }
    };
    const others = Promise.all(['a', 'b', 'c', 'd'].map(starting));
    others.catch(() => undefined);
    await direct.ensureTopics(topics);
    expect(await others).toEqual(Array.from({ length: 4 }, () => ({ low: 0, high: 0 })));
  });

  it('speaks TLS and SASL, and says why where the password is wrong', async () => {
    const ca = await readFile(join(folder, 'ca.pem'), 'utf8');
    const secure = (password: string): KafkaLogOptions => ({
      brokers: [`127.0.0.1:${securePort}`],
      clientId: 'secure',
      ssl: { ca },
      sasl: { mechanism: 'plain', username: 'tally', password },
    });
    const topic = await newTopic();
    const log = await openKafkaLog(secure('tally-secret'));
    opened.push(log);
    expect(await log.append([{ topic, partition: 0, records: texts('sealed') }])).toMatchObject([
      { status: 'appended' },
    ]);
    const reader = log.reader([{ topic, partition: 0, offset: 0 }]);
    expect((await readUntil(reader, 1)).map(({ value }) => value?.toString())).toEqual(['sealed']);
    await reader.close();
    await expect(openKafkaLog(secure('wrong'))).rejects.toMatchObject({ code: 'LOG_REFUSED' });
    // The plain line gets no answer from a listener that speaks TLS.
    const plain = { brokers: [`127.0.0.1:${securePort}`], clientId: 'plain', requestTimeoutMs: 500 };
    await expect(openKafkaLog(plain)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
  });
});

function silentConsumers(): void {
  describe('consumers that stop without a word (#659, #1441)', () => {
    it('replaces a line that is dead without a word, and reads on from where it was', async () => {
      const topic = await newTopic();
      const log = await throughProxy();
      const reader = log.reader([{ topic, partition: 0, offset: 0 }]);
      await direct.append([{ topic, partition: 0, records: texts('before') }]);
      expect(await readUntil(reader, 1)).toHaveLength(1);
      proxy.freeze();
      await direct.append([{ topic, partition: 0, records: texts('after', 'more') }]);
      const records = await readUntil(reader, 2);
      expect(records.map(({ offset, value }) => [offset, value?.toString()])).toEqual([
        [1, 'after'],
        [2, 'more'],
      ]);
      await reader.close();
    });

    it('says that nothing can be read while no broker answers, and reads on when one does', async () => {
      const topic = await newTopic();
      const log = await throughProxy({ unavailableMs: 1_500 });
      const reader = log.reader([{ topic, partition: 0, offset: 0 }]);
      kafka.signal('SIGSTOP');
      try {
        const poll = async () => {
          for (;;) await reader.poll(READ);
        };
        await expect(poll()).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE', retriable: true });
      } finally {
        kafka.signal('SIGCONT');
      }
      await until(
        async () => (await direct.append([{ topic, partition: 0, records: texts('x') }]))[0]?.status === 'appended',
      );
      const records: LogRecord[] = [];
      await until(async () => {
        records.push(...(await reader.poll(READ).catch(() => [])).flatMap((batch) => batch.records));
        return records.length > 0;
      });
      await reader.close();
    });

    it('joins its group again over a new line, as the same member with the same partitions', async () => {
      const output = await newTopic(3);
      const log = await throughProxy();
      const member = await log.join({ group: 'frozen', output });
      const before = new Map(member.owned());
      expect(before.size).toBe(3);
      proxy.freeze();
      await sleep(2_500);
      await until(async () => {
        const commit = member.commitForMonitoring([{ topic: output, partition: 0, offset: 0 }]);
        return await commit.then(
          () => true,
          () => false,
        );
      });
      expect(new Map(member.owned())).toEqual(before);
      await member.leave();
    });

    it('ends the process where a member can not get back though the brokers answer', async () => {
      const output = await newTopic(2);
      const errors: TallyError[] = [];
      const log = await throughProxy({ silenceMs: 2_000 }, { onBroken: (error) => errors.push(error) });
      const member = await log.join({ group: 'lost', output });
      const strikes = proxy.cutNextAnswers((request) => [FIND_COORDINATOR, HEARTBEAT].includes(apiKeyOf(request)));
      await until(() => errors.length > 0);
      expect(strikes()).toBeGreaterThan(0);
      expect(errors).toMatchObject([{ code: 'LOG_BROKEN', facts: { group: 'lost', reason: 'MEMBERSHIP_LOST' } }]);
      expect(() => member.owned()).toThrow(expect.objectContaining({ code: 'LOG_BROKEN' }));
      await expect(log.append([{ topic: output, partition: 0, records: texts('x') }])).rejects.toMatchObject({
        code: 'LOG_BROKEN',
      });
    });

    it('fails at the start, rather than later, in a group that speaks another protocol', async () => {
      const output = await newTopic(2);
      const client = new Kafka({ clientId: 'other', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
      const other = client.consumer({ groupId: 'taken', maxWaitTimeInMs: 100 });
      await other.subscribe({ topics: [output] });
      const joined = new Promise((resolve) => other.on(other.events.GROUP_JOIN, resolve));
      await other.run({ eachBatch: async () => undefined });
      await joined;
      await expect(direct.join({ group: 'taken', output })).rejects.toMatchObject({ code: 'LOG_BROKEN' });
      await other.disconnect();
      // The log itself is none the worse.
      const member = await direct.join({ group: 'free', output });
      expect(member.owned().size).toBe(2);
      await member.leave();
    });
  });
}

function boundedMemory(): void {
  it('reads ahead of the one who polls by a bounded number of bytes, and no further (#1719)', async () => {
    const topic = await newTopic(4);
    const partitions = [0, 1, 2, 3];
    const records = Array.from({ length: 40 }, () => ({ key: null, value: Buffer.alloc(20_000, 'x') }));
    for (let round = 0; round < 3; round += 1) {
      await direct.append(partitions.map((partition) => ({ topic, partition, records })));
    }
    const log = await throughProxy({ prefetchBytes: 300_000, fetchBytes: 50_000, requestTimeoutMs: 4_000 });
    const reader = log.reader(partitions.map((partition) => ({ topic, partition, offset: 0 })));
    expect(reader).toBeInstanceOf(KafkaReader);
    let seen = 0;
    let mostBytes = 0;
    for (; seen < 480; ) {
      const batches = await reader.poll({ ...READ, maxRecords: 7 });
      seen += batches.reduce((sum, batch) => sum + batch.records.length, 0);
      mostBytes = Math.max(mostBytes, (reader as KafkaReader).bufferedBytes);
      await sleep(5);
    }
    await reader.close();
    // Beyond the bound at most what one fetch brings: a record batch of each partition (1 MB, as they were appended) is never split.
    expect(mostBytes).toBeGreaterThan(0);
    expect(mostBytes).toBeLessThan(300_000 + 4 * 1_000_000);
  });
}

function compressedRecords(): void {
  describe('records that their sender compressed', () => {
    it.each(['gzip', 'snappy', 'lz4', 'zstd'])(
      'are plain in the log, whatever their sender packed them with: %s',
      async (codec) => {
        const topic = await newTopic();
        expect(await configOf(topic, 'compression.type')).toBe('uncompressed');
        const contents = Array.from({ length: 20 }, (_, index) => `entry ${index} `.repeat(20));
        await producePacked(topic, codec, contents);
        const reader = direct.reader([{ topic, partition: 0, offset: 0 }]);
        expect((await readUntil(reader, 20)).map(({ value }) => value?.toString())).toEqual(contents);
        await reader.close();
      },
    );

    it('are refused to their sender by the broker where they do not unpack, and what is sent after them is read', async () => {
      const topic = await newTopic();
      await expect(produceUnpackable(topic)).rejects.toMatchObject({ name: expect.stringContaining('KafkaJS') });
      await direct.append([{ topic, partition: 0, records: texts('after') }]);
      const reader = direct.reader([{ topic, partition: 0, offset: 0 }]);
      expect((await readUntil(reader, 1)).map(({ value }) => value?.toString())).toEqual(['after']);
      await reader.close();
    });

    it('end the reading of their partition with their place where they are from before the setting', async () => {
      const topic = `pains.${randomBytes(6).toString('hex')}.v1`;
      await makeOfEarlierVersion(topic);
      await producePacked(topic, 'zstd', ['of an earlier version', 'of an earlier version']);
      await direct.ensureTopics([{ topic, partitions: 1 }]);
      expect(await configOf(topic, 'compression.type')).toBe('uncompressed');
      expect(await configOf(topic, 'retention.ms')).toBe('-1');
      expect(await configOf(topic, 'message.timestamp.type')).toBe('LogAppendTime');
      await producePacked(topic, 'zstd', ['of this version', 'of this version']);
      const reader = direct.reader([{ topic, partition: 0, offset: 0 }]);
      const error = await readUntil(reader, 1).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'BATCH_UNREADABLE', facts: { topic, partition: 0, offset: 0 } });
      expect((error as Error).message).toContain('ZSTD compression not implemented');
      reader.seek({ topic, partition: 0, offset: 2 });
      const values = (await readUntil(reader, 2)).map(({ value }) => value?.toString());
      expect(values).toEqual(['of this version', 'of this version']);
      await reader.close();
    });

    it('are looked for in the topic that somebody sets to keep them', async () => {
      const topic = await newTopic();
      expect((await direct.look([topic])).get(topic)).toMatchObject({ forgets: null, compression: null });
      await alter(topic, { ...KEPT, 'compression.type': 'producer' });
      expect((await direct.look([topic])).get(topic)).toMatchObject({ compression: 'producer' });
      await expect(direct.ensureTopics([{ topic, partitions: 1 }])).rejects.toMatchObject({
        code: 'TOPIC_COMPRESSION_DIFFERS',
        facts: { topic, compression: 'producer' },
      });
    });

    it('reads what is compressed with gzip, and writes it where that is set', async () => {
      const topic = await newTopic();
      const log = await throughProxy({ compression: 'gzip', requestTimeoutMs: 4_000 });
      const contents = Array.from({ length: 100 }, (_, index) => `entry ${index} `.repeat(20));
      await log.append([{ topic, partition: 0, records: texts(...contents) }]);
      const reader = direct.reader([{ topic, partition: 0, offset: 90 }]);
      expect((await readUntil(reader, 10)).map(({ value }) => value?.toString())).toEqual(contents.slice(90));
      await reader.close();
    });
  });
}

/** By kcat: each text a record, in one batch of this codec. */
async function producePacked(topic: string, codec: string, contents: readonly string[]): Promise<void> {
  const reach = ['-P', '-b', kafka.brokers.join(','), '-t', topic, '-p', '0', '-X', 'acks=all', '-X', 'linger.ms=500'];
  const child = execFile(capability('kcat').path, [...reach, '-z', codec]);
  child.stdin?.end(contents.map((text) => `${text}\n`).join(''));
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code).toBe(0);
}

/** By kafkajs's own producer: a batch that says gzip and is none. */
async function produceUnpackable(topic: string): Promise<void> {
  const ours = CompressionCodecs[CompressionTypes.GZIP];
  CompressionCodecs[CompressionTypes.GZIP] = () => ({
    compress: async () => Buffer.from('this is not gzip'),
    decompress: async () => Buffer.alloc(0),
  });
  const client = new Kafka({ clientId: 'gzip', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
  const producer = client.producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry: { retries: 0 },
  });
  try {
    await producer.connect();
    await producer.send({ topic, compression: CompressionTypes.GZIP, messages: [{ value: 'x', partition: 0 }] });
  } finally {
    await producer.disconnect();
    CompressionCodecs[CompressionTypes.GZIP] = ours;
  }
}

const KEPT = {
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'cleanup.policy': 'delete',
  'message.timestamp.type': 'LogAppendTime',
} as const;

async function asAdmin<T>(work: (admin: kafkajs.Admin) => Promise<T>): Promise<T> {
  const admin = new Kafka({ clientId: 'admin', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

/** As 28df9b8 made its topics: with everything but a compression. */
function makeOfEarlierVersion(topic: string): Promise<boolean> {
  const configEntries = Object.entries(KEPT).map(([name, value]) => ({ name, value }));
  return asAdmin((admin) =>
    admin.createTopics({ waitForLeaders: true, topics: [{ topic, numPartitions: 1, configEntries }] }),
  );
}

async function alter(topic: string, settings: Readonly<Record<string, string>>): Promise<void> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
  await asAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    }),
  );
}

function configOf(topic: string, name: string): Promise<string | undefined> {
  return asAdmin(async (admin) => {
    const asked = { type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [name] };
    const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [asked] });
    return resources[0]?.configEntries[0]?.configValue;
  });
}

function producers(): void {
  describe('producers', () => {
    it('lets no missing topic stand in the way of the others (#1622, #1759)', async () => {
      const [good, gone] = [await newTopic(), await newTopic()];
      const log = await throughProxy({ requestTimeoutMs: 4_000 });
      const append = (topic: string) => ({ topic, partition: 0, records: texts('x') });
      await expect(log.append([append(good), append('pains.missing.v1')])).rejects.toMatchObject({
        code: 'TOPIC_UNKNOWN',
      });
      expect(await log.append([append(good), append(gone)])).toMatchObject([
        { status: 'appended' },
        { status: 'appended' },
      ]);
      const reader = log.reader([{ topic: good, partition: 0, offset: 0 }]);
      await deleteTopic(gone);
      const [, ofGone] = await log.append([append(good), append(gone)]);
      expect(ofGone?.status).not.toBe('appended');
      expect(await log.append([append(good)])).toMatchObject([{ status: 'appended' }]);
      expect((await readUntil(reader, 2)).length).toBeGreaterThanOrEqual(2);
      await reader.close();
    });

    it('calls an append whose answer was cut off unknown, though it is in the log', async () => {
      const topic = await newTopic();
      const log = await throughProxy();
      await log.append([{ topic, partition: 0, records: texts('before') }]);
      const strikes = proxy.cutNextAnswers((request) => apiKeyOf(request) === PRODUCE);
      const [outcome] = await log.append([{ topic, partition: 0, records: texts('cut') }]);
      expect(strikes()).toBe(1);
      expect(outcome).toMatchObject({ status: 'unknown', error: { code: 'LOG_UNAVAILABLE', retriable: true } });
      proxy.pass();
      expect(await direct.bounds({ topic, partition: 0 })).toEqual({ low: 0, high: 2 });
      // Nothing was sent again behind our back.
      expect(await log.append([{ topic, partition: 0, records: texts('after') }])).toEqual([
        { status: 'appended', baseOffset: 2 },
      ]);
    });

    it('sends what is larger than a batch in rounds that keep its order', async () => {
      const topic = await newTopic();
      const log = await throughProxy({ requestTimeoutMs: 4_000 });
      const records = Array.from({ length: 10 }, (_, index) => ({ key: null, value: Buffer.alloc(400_000, index) }));
      const outcomes = await Promise.all([
        log.append([{ topic, partition: 0, records }]),
        log.append([{ topic, partition: 0, records: texts('between') }]),
      ]);
      expect(outcomes.flat()).toEqual([
        { status: 'appended', baseOffset: 0 },
        { status: 'appended', baseOffset: 10 },
      ]);
      const reader = direct.reader([{ topic, partition: 0, offset: 0 }]);
      const read = await readUntil(reader, 11);
      await reader.close();
      expect(read.map(({ value }) => value?.[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 'b'.charCodeAt(0)]);
    });
  });
}

async function deleteTopic(topic: string): Promise<void> {
  const admin = new Kafka({ clientId: 'admin', brokers: [...kafka.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [topic] });
  await admin.disconnect();
}

function shutdown(): void {
  describe('shutdown (#1626, #1017, #767)', () => {
    it('finishes what is under way and takes nothing new', async () => {
      const topic = await newTopic();
      const log = await throughProxy({ requestTimeoutMs: 4_000 });
      await log.partitionCount(topic);
      const pending = Array.from({ length: 20 }, (_, index) =>
        log.append([{ topic, partition: 0, records: texts(`${index}`) }]),
      );
      await Promise.resolve();
      await log.close();
      const outcomes = (await Promise.all(pending)).flat();
      expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 'appended'));
      await expect(log.append([{ topic, partition: 0, records: texts('late') }])).rejects.toMatchObject({
        code: 'LOG_CLOSED',
      });
    });

    it('keeps its deadline on a line that is dead, and then says unknown of what was under way', async () => {
      const topic = await newTopic();
      const log = await throughProxy({ requestTimeoutMs: 3_000, closeDeadlineMs: 1_000 });
      await log.append([{ topic, partition: 0, records: texts('first') }]);
      proxy.freeze();
      const pending = log.append([{ topic, partition: 0, records: texts('lost') }]);
      await sleep(50);
      const before = performance.now();
      await log.close();
      expect(performance.now() - before).toBeLessThan(2_500);
      expect((await pending)[0]?.status).toBe('unknown');
    });
  });
}
