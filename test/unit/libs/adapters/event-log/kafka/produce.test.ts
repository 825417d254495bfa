import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import type { AppendRecord } from '../../../../../../libs/adapters/event-log/event-log.ts';
import { encodeProduce } from '../../../../../../libs/adapters/event-log/kafka/produce.ts';
import { registerGzip } from '../../../../../../libs/adapters/event-log/record-batch/codecs.ts';
import { recordBytes } from '../../../../../../libs/adapters/event-log/record-batch/write-batch.ts';

type KafkajsRequest = (options: object) => { encode(): Promise<{ readonly buffer: Buffer }> };
type KafkajsDecoder = new (buffer: Buffer) => { readonly offset: number };

const require = createRequire(import.meta.url);
const kafkajsProduce = require('kafkajs/src/protocol/requests/produce/v7/request.js') as KafkajsRequest;
const Decoder = require('kafkajs/src/protocol/decoder.js') as KafkajsDecoder;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder.js') as (decoder: object) => Promise<{
  readonly records: readonly { readonly key: Buffer | null; readonly value: Buffer | null; readonly offset: string }[];
}>;

const NOW_MS = 1_790_000_000_000;
const ALL_REPLICAS = -1;
/** Transactional id, acks, timeout, topics; topic `t`, its partitions; partition, bytes of the batch. */
const BYTES_BEFORE_BATCH = 2 + 2 + 4 + 4 + 3 + 4 + 4 + 4;

function kafkajsBytes(topics: Parameters<typeof encodeProduce>[0]['topics']): Promise<Buffer> {
  const topicData = topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition, records }) => ({
      partition,
      messages: records.map((record) => ({ ...record, timestamp: NOW_MS })),
    })),
  }));
  return kafkajsProduce({ acks: ALL_REPLICAS, timeout: 3_500, topicData })
    .encode()
    .then(({ buffer }) => Buffer.from(buffer));
}

const RECORDS: Readonly<Record<string, readonly AppendRecord[]>> = {
  'one record without a key': [{ key: null, value: Buffer.from('value') }],
  'no value': [{ key: 'key', value: null }],
  'empty key and value': [{ key: '', value: Buffer.alloc(0) }],
  'text beyond ASCII and headers': [
    { key: 'Zoë £', value: Buffer.from('ü'), headers: { origin: 'paye.events.v1', näme: '', long: 'x'.repeat(200) } },
  ],
  'lengths about the steps of a varint': [62, 63, 64, 65, 8_190, 8_192, 20_000].map((length) => ({
    key: 'k'.repeat(length % 70),
    value: Buffer.alloc(length, 7),
  })),
  'ten thousand records': Array.from({ length: 10_000 }, (_, at) => ({
    key: `vat:${at}`,
    value: Buffer.from(`${at}`),
  })),
};

describe('A request to append', () => {
  it.each(Object.entries(RECORDS))('has the bytes that kafkajs would send: %s', async (_, records) => {
    const topics = [{ topic: 'liabilities.v1', partitions: [{ partition: 3, records }] }];

    const bytes = await encodeProduce({ topics, timeoutMs: 3_500, compression: 'none', civilMs: NOW_MS });

    expect(bytes.equals(await kafkajsBytes(topics))).toBe(true);
  });

  it('has the bytes that kafkajs would send for several topics and partitions', async () => {
    const topics = ['a.v1', 'b.v1'].map((topic) => ({
      topic,
      partitions: Object.values(RECORDS).map((records, partition) => ({ partition, records })),
    }));

    const bytes = await encodeProduce({ topics, timeoutMs: 3_500, compression: 'none', civilMs: NOW_MS });

    expect(bytes.equals(await kafkajsBytes(topics))).toBe(true);
  });

  it.each([
    ['that packing makes small', 'text beyond ASCII and headers'],
    ['that packing makes larger', 'no value'],
    ['of ten thousand records', 'ten thousand records'],
  ])('packed with gzip is read by kafkajs as what was given: a batch %s', async (_, name) => {
    registerGzip();
    const records = RECORDS[name] ?? [];
    const topics = [{ topic: 't', partitions: [{ partition: 0, records }] }];

    const bytes = await encodeProduce({ topics, timeoutMs: 3_500, compression: 'gzip', civilMs: NOW_MS });

    const batch = await decodeBatch(new Decoder(bytes.subarray(BYTES_BEFORE_BATCH)));
    expect(batch.records.map(({ key, value }) => ({ key: key?.toString() ?? null, value }))).toEqual(
      records.map(({ key, value }) => ({ key, value })),
    );
    expect(batch.records.at(-1)?.offset).toBe(String(records.length - 1));
  });

  it('takes no more room than is counted before', async () => {
    for (const records of Object.values(RECORDS)) {
      const topics = [{ topic: 't', partitions: [{ partition: 0, records }] }];
      const bytes = await encodeProduce({ topics, timeoutMs: 3_500, compression: 'none', civilMs: NOW_MS });
      const most = records.reduce((sum, record) => sum + recordBytes(record), 0);
      expect(bytes.length - BYTES_BEFORE_BATCH - 61).toBeLessThanOrEqual(most);
    }
  });
});
