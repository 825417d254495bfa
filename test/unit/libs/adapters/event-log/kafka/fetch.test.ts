import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { KafkaMessage } from 'kafkajs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AppendRecord, LogRecord } from '../../../../../../libs/adapters/event-log/event-log.ts';
import { decodeFetch } from '../../../../../../libs/adapters/event-log/kafka/fetch.ts';
import { encodeProduce } from '../../../../../../libs/adapters/event-log/kafka/produce.ts';
import { registerGzip } from '../../../../../../libs/adapters/event-log/record-batch/codecs.ts';

interface KafkajsAnswer {
  readonly responses: readonly {
    readonly topicName: string;
    readonly partitions: readonly { readonly messages: readonly KafkaMessage[]; readonly highWatermark: string }[];
  }[];
}

const require = createRequire(import.meta.url);
const kafkajs = require('kafkajs/src/protocol/requests/fetch/v11/response.js') as {
  decode(answer: Buffer): Promise<KafkajsAnswer>;
};
const NOW_MS = 1_790_000_000_000;
/** Transactional id, acks, timeout, topics; topic `t`, its partitions; partition, bytes of the batch. */
const BYTES_BEFORE_BATCH = 2 + 2 + 4 + 4 + 3 + 4 + 4 + 4;
const [FIRST_OFFSET_AT, ATTRIBUTES_AT, FIRST_TIME_AT, LAST_TIME_AT] = [0, 21, 27, 35];

async function batchOf(records: readonly AppendRecord[], compression: 'none' | 'gzip' = 'none'): Promise<Buffer> {
  const topics = [{ topic: 't', partitions: [{ partition: 0, records }] }];
  const bytes = await encodeProduce({ topics, timeoutMs: 1, compression, civilMs: NOW_MS });
  return Buffer.from(bytes.subarray(BYTES_BEFORE_BATCH));
}

/** As a broker has stored it. */
function stored(batch: Buffer, of: { firstOffset?: bigint; attributes?: number; firstTimeMs?: bigint }): Buffer {
  const copy = Buffer.from(batch);
  copy.writeBigInt64BE(of.firstOffset ?? 0n, FIRST_OFFSET_AT);
  copy.writeInt16BE(of.attributes ?? copy.readInt16BE(ATTRIBUTES_AT), ATTRIBUTES_AT);
  copy.writeBigInt64BE(of.firstTimeMs ?? BigInt(NOW_MS), FIRST_TIME_AT);
  copy.writeBigInt64BE(BigInt(NOW_MS) + 5n, LAST_TIME_AT);
  return copy;
}

/** An answer of version 11: for each topic, the bytes of its partitions. */
function answerOf(topics: Readonly<Record<string, readonly Buffer[]>>): Buffer {
  const parts: Buffer[] = [numbers([4, 70], [2, 0], [4, 9], [4, Object.keys(topics).length])];
  for (const [topic, partitions] of Object.entries(topics)) {
    parts.push(numbers([2, topic.length]), Buffer.from(topic), numbers([4, partitions.length]));
    for (const [partition, bytes] of partitions.entries()) {
      parts.push(
        numbers([4, partition], [2, 0], [8, 2 ** 40 + 3], [8, 2 ** 40 + 1], [8, 0], [4, 1], [8, 77], [8, 12], [4, -1]),
      );
      parts.push(numbers([4, bytes.length]), bytes);
    }
  }
  return Buffer.concat(parts);
}

function numbers(...list: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  return Buffer.concat(
    list.map(([bytes, value]) => {
      const buffer = Buffer.alloc(bytes);
      if (bytes === 8) buffer.writeBigInt64BE(BigInt(value));
      else buffer.writeIntBE(value, 0, bytes);
      return buffer;
    }),
  );
}

/** What kafkajs reads, as records of the log. */
async function byKafkajs(answer: Buffer): Promise<readonly (readonly LogRecord[])[]> {
  const { responses } = await kafkajs.decode(answer);
  return responses.flatMap(({ partitions }) =>
    partitions.map(({ messages }) =>
      messages.map(({ offset, timestamp, key, value, headers }) => ({
        offset: Number(offset),
        timestampMs: Number(timestamp),
        key: key === null ? null : key.toString(),
        value,
        headers: Object.fromEntries(
          Object.entries(headers ?? {}).map(([name, given]) => [
            name,
            String(Array.isArray(given) ? given.at(-1) : given),
          ]),
        ),
      })),
    ),
  );
}

const recordsOf = (answer: Buffer) =>
  decodeFetch(answer)?.responses.flatMap(({ partitions }) => partitions.map(({ records }) => [...(records ?? [])]));

const arbitraryRecord: fc.Arbitrary<AppendRecord> = fc.record({
  key: fc.option(fc.string({ unit: 'grapheme' })),
  value: fc.option(fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))),
  headers: fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
    fc.string(),
  ),
});

describe('An answer with records', () => {
  beforeAll(registerGzip);

  it('is read as kafkajs reads it: several topics, partitions and batches, none without what it should have', async () => {
    const arbitraryBatches = fc.array(
      fc.tuple(fc.array(arbitraryRecord, { minLength: 1, maxLength: 20 }), fc.nat(2 ** 31)),
    );
    await fc.assert(
      fc.asyncProperty(arbitraryBatches, arbitraryBatches, fc.boolean(), async (first, second, isAppendTime) => {
        const attributes = isAppendTime ? 8 : 0;
        const bytesOf = async (batches: typeof first): Promise<Buffer> =>
          Buffer.concat(
            await Promise.all(
              batches.map(async ([records, offset]) =>
                stored(await batchOf(records), { firstOffset: BigInt(offset) * 1_000n, attributes }),
              ),
            ),
          );
        const partitions = [await bytesOf(first), Buffer.alloc(0), await bytesOf(second)];
        const answer = answerOf({ 'vat.events.v1': partitions, 'paye.events.v1': partitions.slice(1) });
        expect(recordsOf(answer)).toEqual(await byKafkajs(answer));
      }),
    );
  });

  it('has its ends, faults and transactions where kafkajs has them', async () => {
    const answer = answerOf({ 'vat.events.v1': [await batchOf([{ key: 'k', value: Buffer.from('v') }])] });
    const { responses: theirs, ...theirHead } = (await kafkajs.decode(answer)) as KafkajsAnswer & object;
    const { responses: ours, ...ourHead } = decodeFetch(answer) ?? { responses: [] };
    expect(ourHead).toEqual(theirHead);
    const { messages: _, ...their } = theirs[0]?.partitions[0] ?? { messages: [] };
    const { records: __, messages, ...our } = ours[0]?.partitions[0] ?? { messages: null };
    expect(their).toMatchObject(our);
    expect(messages).toEqual([]);
  });

  it('has times and offsets of 53 bits, and records of many sizes', async () => {
    const sizes = [0, 1, 62, 63, 64, 65, 8_190, 8_192, 70_000];
    const batch = await batchOf(sizes.map((size) => ({ key: 'k'.repeat(size % 300), value: Buffer.alloc(size, 7) })));
    const answer = answerOf({ t: [stored(batch, { firstOffset: 2n ** 53n - 100n, firstTimeMs: 2n ** 52n })] });
    expect(recordsOf(answer)).toEqual(await byKafkajs(answer));
  });

  it('that ends within a batch has the batches before it, wherever it is cut', async () => {
    const record = { key: 'vat:101747696', value: Buffer.alloc(30, 1) };
    const whole = Buffer.concat([
      await batchOf([record, record]),
      stored(await batchOf([record]), { firstOffset: 2n }),
      stored(await batchOf([record]), { firstOffset: 3n }),
    ]);
    for (let bytes = 0; bytes <= whole.length; bytes += 1) {
      const answer = answerOf({ t: [whole.subarray(0, bytes)] });
      // Of fewer than 17 bytes kafkajs can not tell what they are, and throws.
      const expected = bytes < 17 ? [[]] : await byKafkajs(answer);
      expect(recordsOf(answer)).toEqual(expected);
    }
  });

  it('is left to kafkajs where a batch is packed, of a transaction, of control, of another form, or not what it says', async () => {
    const records = [{ key: 'k', value: Buffer.from('v'.repeat(100)) }];
    const plain = await batchOf(records);
    const oddMagic = Buffer.from(plain);
    oddMagic[16] = 1;
    const oddLength = Buffer.from(plain);
    oddLength.writeInt32BE(3, 57);
    const odd = [
      await batchOf(records, 'gzip'),
      stored(plain, { attributes: 0x10 }),
      stored(plain, { attributes: 0x20 }),
      oddMagic,
      oddLength,
    ];
    for (const bytes of odd) expect(decodeFetch(answerOf({ t: [plain, Buffer.concat([plain, bytes])] }))).toBeNull();
    const answer = answerOf({ t: [plain] });
    for (let bytes = 0; bytes < answer.length; bytes += 1) expect(decodeFetch(answer.subarray(0, bytes))).toBeNull();
  });

  it('that was altered anywhere is read as something or left to kafkajs, and never throws', async () => {
    const answer = answerOf({ t: [await batchOf([{ key: 'key', value: Buffer.alloc(40, 3), headers: { a: 'b' } }])] });
    fc.assert(
      fc.property(fc.nat(answer.length - 1), fc.nat(255), (at, byte) => {
        const altered = Buffer.from(answer);
        altered[at] = byte;
        decodeFetch(altered);
      }),
      { numRuns: 2_000 },
    );
  });
});
