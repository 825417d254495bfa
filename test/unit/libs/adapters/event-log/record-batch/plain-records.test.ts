import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AppendRecord, LogRecord } from '../../../../../../libs/adapters/event-log/event-log.ts';
import { encodeProduce } from '../../../../../../libs/adapters/event-log/kafka/produce.ts';
import {
  ListCursor,
  PlainRecords,
  type RecordCursor,
} from '../../../../../../libs/adapters/event-log/record-batch/plain-records.ts';

const NOW_MS = 1_790_000_000_000;
/** Transactional id, acks, timeout, topics; topic `t`, its partitions; partition, bytes of the batch. */
const BYTES_BEFORE_BATCH = 2 + 2 + 4 + 4 + 3 + 4 + 4 + 4;

async function batchOf(records: readonly AppendRecord[], firstOffset: number): Promise<Buffer> {
  const topics = [{ topic: 't', partitions: [{ partition: 0, records }] }];
  const bytes = await encodeProduce({ topics, timeoutMs: 1, compression: 'none', civilMs: NOW_MS });
  const batch = Buffer.from(bytes.subarray(BYTES_BEFORE_BATCH));
  batch.writeBigInt64BE(BigInt(firstOffset), 0);
  return batch;
}

/** Batches one behind another, each a hundred offsets behind the one before. */
async function recordsOf(batches: readonly (readonly AppendRecord[])[]): Promise<PlainRecords> {
  const encoded = await Promise.all(batches.map((records, index) => batchOf(records, index * 100)));
  const records = new PlainRecords(Buffer.concat(encoded));
  let at = 0;
  for (const { length } of encoded) {
    expect(records.add(at, at + length)).toBe(true);
    at += length;
  }
  return records;
}

function expected(batches: readonly (readonly AppendRecord[])[]): LogRecord[] {
  return batches.flatMap((records, batch) =>
    records.map(({ key, value, headers = {} }, index) => ({
      offset: batch * 100 + index,
      timestampMs: NOW_MS,
      key,
      value,
      headers,
    })),
  );
}

/** All that is left, each record looked at twice before it is passed. */
function drained(cursor: RecordCursor): LogRecord[] {
  const records: LogRecord[] = [];
  for (let next = cursor.peek(); next !== null; next = cursor.peek()) {
    expect(cursor.peek()).toBe(next);
    records.push(next);
    cursor.skip();
  }
  expect(cursor.peek()).toBeNull();
  return records;
}

const arbitraryBatches = fc.array(
  fc.array(
    fc.record({
      key: fc.option(fc.string()),
      value: fc.option(fc.uint8Array({ maxLength: 150 }).map((bytes) => Buffer.from(bytes))),
      headers: fc.dictionary(
        fc.string({ minLength: 1 }).filter((name) => name !== '__proto__'),
        fc.string(),
      ),
    }),
    { minLength: 1, maxLength: 20 },
  ),
);

describe('Plain records', () => {
  it('are made one by one as they were appended, from several batches, by each cursor anew', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryBatches, async (batches) => {
        const records = await recordsOf(batches);
        const wanted = expected(batches);
        expect(drained(records.cursor())).toEqual(wanted);
        expect([...records]).toEqual(wanted);
        expect(records.count).toBe(wanted.length);
        expect(records.lastOffset).toBe(wanted.at(-1)?.offset ?? -1);
        expect(records.valueBytes).toBe(wanted.reduce((sum, { value }) => sum + (value?.length ?? 0), 0));
      }),
    );
  });

  it('may be passed without being looked at', async () => {
    const cursor = (await recordsOf([[{ key: 'a', value: null }], [{ key: 'b', value: null }]])).cursor();
    cursor.skip();
    expect(cursor.peek()?.key).toBe('b');
    cursor.skip();
    cursor.skip();
    expect(cursor.peek()).toBeNull();
  });

  it('are refused where a batch ends elsewhere than its records, or is packed', async () => {
    const batch = await batchOf([{ key: 'a', value: Buffer.from('value') }], 0);
    expect(new PlainRecords(batch).add(0, batch.length - 1)).toBe(false);
    expect(new PlainRecords(Buffer.concat([batch, Buffer.alloc(1)])).add(0, batch.length + 1)).toBe(false);
    const packed = Buffer.from(batch);
    packed.writeInt16BE(1, 21);
    expect(new PlainRecords(packed).add(0, packed.length)).toBe(false);
  });
});

it('A cursor over a list of records gives each in its turn', async () => {
  const records = expected([
    [
      { key: 'a', value: null },
      { key: 'b', value: Buffer.from('b') },
    ],
  ]);
  expect(drained(new ListCursor(records))).toEqual(records);
});
