import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect } from 'vitest';
import type { EventLog, LogRecord } from '../../libs/adapters/event-log/event-log.ts';
import { PAYE_EVENTS, TOPICS } from '../../libs/adapters/event-log/topics.ts';
import { filesUnder } from '../support/find-values.ts';
import { canRunKafkaWhole, type KafkaWhole, openKafkaWhole } from '../support/kafka-whole.ts';
import { uuidOfName } from '../support/own-events.ts';
import { eventually } from '../support/service-process.ts';
import { found, NAME, NINOS, PAYMENT, personalDataStaysOut } from './personal-data.ts';

const INGRESS = 'ingress.payer.v1';
type Place = readonly [string, Buffer];

describe.skipIf(!canRunKafkaWhole)('personal data on Kafka and Redis', () => {
  personalDataStaysOut({ open: openKafkaWhole, sendMore: produceToIngress, elsewhere: placesOf });
});

/**
 * By a client's own systems: a payment, one with a stray field, one that is no JSON. The first is in the payer's own record too, or its node
 * would report an entry of an event that it never sent.
 */
async function produceToIngress(whole: KafkaWhole): Promise<number> {
  const payment = { ...PAYMENT, eventId: uuidOfName('by ingress'), nino: NINOS[3], worksNumber: 'W-ingress' };
  const posted = await whole.service.call('payer', 'POST', '/payer/v1/events/paye', [payment]);
  expect(posted).toEqual({ status: 202, body: { queued: 1 } });
  const values = [
    JSON.stringify(payment),
    JSON.stringify({ ...payment, eventId: uuidOfName('with a name'), employeeName: NAME }),
    `${NINOS[0]} ${NAME}`,
  ];
  const place = { topic: INGRESS, partition: 0 };
  await whole.withLog(async (log) => {
    const records = values.map((value) => ({ key: 'paye:961/HMRC13', value: Buffer.from(value) }));
    const [outcome] = await log.append([{ ...place, records }]);
    expect(outcome?.status).toBe('appended');
    await eventually(
      () => log.bounds(place),
      ({ low, high }) => low === high,
    );
  });
  return 1;
}

/** Every record of every topic but ingress, what the broker has on its disk, and all that Redis holds. */
async function placesOf(whole: KafkaWhole): Promise<readonly Place[]> {
  const disk = filesUnder(join(whole.folder, 'kafka')).map(([name, bytes]) => [`kafka/${name}`, bytes] as const);
  const isIngress = ([name]: Place): boolean => name.includes(`/${INGRESS}-`);
  // The search finds what is there: ingress holds what clients produced, until its segment goes.
  expect(disk.filter(isIngress).flatMap(([name, bytes]) => found(bytes, name)).length).toBeGreaterThan(0);
  const places = [...(await recordsOf(whole)), ...(await redisOf(whole)), ...disk.filter((one) => !isIngress(one))];
  const names = places.map(([name]) => name);
  expect(names.some((name) => name.startsWith('redis tally:{tax:') && name.endsWith(':state'))).toBe(true);
  expect(names.some((name) => name.startsWith(`kafka/data/${PAYE_EVENTS}-`))).toBe(true);
  return places;
}

async function recordsOf(whole: KafkaWhole): Promise<Place[]> {
  const client = new Kafka({ clientId: 'privacy', brokers: [...whole.kafka.brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  const topics = (await admin.listTopics()).filter((topic) => topic !== INGRESS);
  await admin.disconnect();
  expect(topics).toEqual(expect.arrayContaining(TOPICS.map(({ topic }) => topic)));
  return await whole.withLog(async (log) => {
    const places: Place[] = [];
    for (const topic of topics) {
      const partitions = await log.partitionCount(topic);
      for (let partition = 0; partition < partitions; partition += 1) {
        const records = await recordsIn(log, topic, partition);
        const bytes = records.flatMap(({ key, value, headers }) => [
          Buffer.from(`${key} ${JSON.stringify(headers)} `),
          value ?? Buffer.alloc(0),
        ]);
        places.push([`${topic}/${partition}`, Buffer.concat(bytes)]);
      }
    }
    const read = places.filter(([, bytes]) => bytes.length > 0).map(([name]) => name.split('/')[0]);
    expect(read).toEqual(expect.arrayContaining([PAYE_EVENTS, 'liabilities.v1', 'blocks.v1', 'rejections.v1']));
    return places;
  });
}

async function recordsIn(log: EventLog, topic: string, partition: number): Promise<LogRecord[]> {
  const { low, high } = await log.bounds({ topic, partition });
  const records: LogRecord[] = [];
  const reader = log.reader([{ topic, partition, offset: low }]);
  try {
    for (let next = low; next < high; ) {
      const [batch] = await reader.poll({ maxBytes: 1 << 20, maxRecords: 10_000, waitMs: 1_000 });
      records.push(...(batch?.records ?? []));
      next = batch?.nextOffset ?? next;
    }
  } finally {
    await reader.close();
  }
  return records;
}

/** Every key with its value, and the snapshot as it would stand on a disk. */
async function redisOf(whole: KafkaWhole): Promise<Place[]> {
  const client = new Redis(whole.redis.url);
  try {
    const places: Place[] = [];
    for (const key of await client.keys('*')) {
      const isHash = (await client.type(key)) === 'hash';
      const value = isHash ? JSON.stringify(await client.hgetall(key)) : String(await client.get(key));
      places.push([`redis ${key}`, Buffer.from(`${key} ${value}`)]);
    }
    await client.config('SET', 'rdbcompression', 'no');
    await client.save();
    const files = filesUnder(join(whole.folder, 'redis')).map(([name, bytes]) => [`redis/${name}`, bytes] as const);
    expect(files.map(([name]) => name)).toContain('redis/dump.rdb');
    return [...places, ...files];
  } finally {
    client.disconnect();
  }
}
