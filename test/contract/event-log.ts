import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type EventLog,
  type LogReader,
  type LogRecord,
  type Membership,
  RECORD_BYTES_MAX,
  type RecordBatch,
} from '../../libs/adapters/event-log/event-log.ts';

/** A log to be tested, and how to open it once more over the same content (a restart, or another process's view). */
export interface OpenedLog {
  readonly log: EventLog;
  /** Closes `log` and opens what it left. */
  readonly reopen: () => Promise<EventLog>;
  readonly close: () => Promise<void>;
}

const READ = { maxBytes: 1_000_000, maxRecords: 10_000, waitMs: 2_000 };
const AT_ONCE = { ...READ, waitMs: 0 };

/** What every adapter of the event log must do. Topics have random names, so that a shared broker serves many runs. */
export function eventLogContract(name: string, open: () => Promise<OpenedLog>): void {
  describe(`the event log contract: ${name}`, () => {
    let opened: OpenedLog;
    let log: EventLog;

    beforeAll(async () => {
      opened = await open();
      log = opened.log;
    });
    afterAll(async () => {
      await opened?.close();
    });

    async function newTopic(partitions = 1): Promise<string> {
      const topic = `contract.${randomBytes(6).toString('hex')}.v1`;
      await log.ensureTopics([{ topic, partitions }]);
      return topic;
    }

    const current = () => log;

    describe('topics', () => {
      it('makes what is missing, leaves what is there, and refuses another count of partitions', async () => {
        const topic = await newTopic(3);
        await log.ensureTopics([{ topic, partitions: 3 }]);
        expect(await log.partitionCount(topic)).toBe(3);
        await expect(log.ensureTopics([{ topic, partitions: 4 }])).rejects.toMatchObject({
          code: 'TOPIC_PARTITIONS_DIFFER',
          facts: { topic, existing: 3, asked: 4 },
        });
      });

      it('refuses an unknown topic', async () => {
        await expect(log.partitionCount('contract.missing.v1')).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
        const append = { topic: 'contract.missing.v1', partition: 0, records: [record('x')] };
        await expect(log.append([append])).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' });
      });
    });

    appendContract(current, newTopic);
    readContract(current, newTopic);
    membershipContract(current, newTopic);

    it('has after a restart what was acknowledged before it', async () => {
      const topic = await newTopic(2);
      await log.append([
        { topic, partition: 0, records: [record('before')] },
        { topic, partition: 1, records: [record('a'), record('b')] },
      ]);
      log = await opened.reopen();
      expect(await log.bounds({ topic, partition: 1 })).toEqual({ low: 0, high: 2 });
      expect((await readAll(log, topic, 1)).map(text)).toEqual(['a', 'b']);
      const [outcome] = await log.append([{ topic, partition: 0, records: [record('after')] }]);
      expect(outcome).toEqual({ status: 'appended', baseOffset: 1 });
    });
  });
}

function appendContract(log: () => EventLog, newTopic: (partitions?: number) => Promise<string>): void {
  describe('append', () => {
    it('answers with the offset of the first record of each append, in the order of the argument', async () => {
      const topic = await newTopic(3);
      await log().append([{ topic, partition: 1, records: [record('x')] }]);
      const outcomes = await log().append([
        { topic, partition: 2, records: [record('a')] },
        { topic, partition: 1, records: [record('b'), record('c')] },
        { topic, partition: 0, records: [record('d')] },
      ]);
      expect(outcomes).toEqual([0, 1, 0].map((baseOffset) => ({ status: 'appended', baseOffset })));
      expect(await log().bounds({ topic, partition: 1 })).toEqual({ low: 0, high: 3 });
    });

    it('keeps key, value and headers byte for byte, and says when the record came', async () => {
      const topic = await newTopic();
      const value = randomBytes(1_000);
      const before = Date.now();
      await log().append([
        {
          topic,
          partition: 0,
          records: [
            { key: 'paye:123/AB456 £', value, headers: { origin: 'till', 'correlation-id': 'é' } },
            { key: null, value: Buffer.alloc(0) },
            { key: '', value: null },
          ],
        },
      ]);
      const [first, second, third] = await readAll(log(), topic, 0);
      expect(first).toMatchObject({ offset: 0, key: 'paye:123/AB456 £' });
      expect(first?.headers).toEqual({ origin: 'till', 'correlation-id': 'é' });
      expect(first?.value?.equals(value)).toBe(true);
      expect(first?.timestampMs).toBeGreaterThanOrEqual(before - 1_000);
      expect(first?.timestampMs).toBeLessThanOrEqual(Date.now() + 1_000);
      expect([second?.key, second?.value?.length, second?.headers]).toEqual([null, 0, {}]);
      expect([third?.key, third?.value]).toEqual(['', null]);
    });

    it('keeps the records of one append next to one another and in order, whatever is appended beside it', async () => {
      const topic = await newTopic();
      const appends = Array.from({ length: 20 }, (_, number) =>
        log().append([
          { topic, partition: 0, records: Array.from({ length: 5 }, (_unused, index) => record(`${number} ${index}`)) },
        ]),
      );
      const outcomes = (await Promise.all(appends)).flat();
      const texts = (await readAll(log(), topic, 0)).map(text);
      for (const [number, outcome] of outcomes.entries()) {
        expect(outcome.status).toBe('appended');
        const base = outcome.status === 'appended' ? outcome.baseOffset : -1;
        expect(texts.slice(base, base + 5)).toEqual([0, 1, 2, 3, 4].map((index) => `${number} ${index}`));
      }
    });

    it('takes two appends to one partition in one call', async () => {
      const topic = await newTopic();
      const appends = ['a', 'b'].map((content) => ({ topic, partition: 0, records: [record(content)] }));
      expect(await log().append(appends)).toEqual([0, 1].map((baseOffset) => ({ status: 'appended', baseOffset })));
    });

    it('takes the largest record and refuses a larger one, with nothing of that call in the log', async () => {
      const topic = await newTopic();
      const largest = { key: 'k', value: randomBytes(RECORD_BYTES_MAX) };
      expect((await log().append([{ topic, partition: 0, records: [largest] }]))[0]?.status).toBe('appended');
      const tooLarge = { key: 'k', value: Buffer.alloc(RECORD_BYTES_MAX + 1) };
      const append = { topic, partition: 0, records: [record('small'), tooLarge] };
      await expect(log().append([append])).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' });
      const records = await readAll(log(), topic, 0);
      expect(records.map(({ value }) => value?.equals(largest.value))).toEqual([true]);
    });
  });
}

function readContract(log: () => EventLog, newTopic: (partitions?: number) => Promise<string>): void {
  describe('reading', () => {
    it('gives batches that follow one another without a hole, from the position asked for', async () => {
      const topic = await newTopic();
      await fill(log(), topic, 0, 100);
      const reader = log().reader([{ topic, partition: 0, offset: 30 }]);
      const batches = await drain(reader, { ...READ, maxRecords: 7 }, 70);
      await reader.close();
      expect(batches[0]?.fromOffset).toBe(30);
      for (const [index, batch] of batches.entries()) {
        expect(batch.fromOffset).toBe(batches[index - 1]?.nextOffset ?? 30);
        expect(batch.records.length).toBeLessThanOrEqual(7);
        expect(batch.highOffset).toBe(100);
      }
      expect(batches.flatMap((batch) => batch.records.map(text))).toEqual(
        Array.from({ length: 70 }, (_, index) => String(index + 30)),
      );
    });

    it('keeps to the bytes asked for, roughly, and still gives a record that is larger', async () => {
      const topic = await newTopic();
      const records = Array.from({ length: 20 }, () => ({ key: null, value: randomBytes(10_000) }));
      await log().append([{ topic, partition: 0, records }]);
      const reader = log().reader([{ topic, partition: 0, offset: 0 }]);
      const [limited] = await reader.poll({ ...READ, maxBytes: 35_000 });
      expect(limited?.records.length).toBeLessThanOrEqual(4);
      const [single] = await reader.poll({ ...READ, maxBytes: 100 });
      expect(single?.records.length).toBe(1);
      await reader.close();
    });

    it('is fair: no partition starves behind a full one', async () => {
      const topic = await newTopic(4);
      await fill(log(), topic, 0, 2_000);
      await Promise.all([1, 2, 3].map((partition) => fill(log(), topic, partition, 5)));
      const positions = [0, 1, 2, 3].map((partition) => ({ topic, partition, offset: 0 }));
      const reader = log().reader(positions);
      const seen = new Set<number>();
      for (let polls = 0; polls < 8 && seen.size < 4; polls += 1) {
        for (const batch of await reader.poll({ ...READ, maxRecords: 40 })) {
          seen.add(batch.partition);
        }
      }
      await reader.close();
      expect([...seen].sort()).toEqual([0, 1, 2, 3]);
    });

    it('wakes when something is appended, and answers with nothing when nothing is', async () => {
      const topic = await newTopic();
      const reader = log().reader([{ topic, partition: 0, offset: 0 }]);
      expect(await reader.poll({ ...AT_ONCE, waitMs: 50 })).toEqual([]);
      const waiting = reader.poll({ ...READ, waitMs: 10_000 });
      await log().append([{ topic, partition: 0, records: [record('late')] }]);
      expect((await waiting).flatMap((batch) => batch.records.map(text))).toEqual(['late']);
      await reader.close();
    });

    it('goes where it is sought, reads what is added and leaves what is dropped', async () => {
      const topic = await newTopic(2);
      await Promise.all([0, 1].map((partition) => fill(log(), topic, partition, 10)));
      const reader = log().reader([{ topic, partition: 0, offset: 0 }]);
      expect(texts(await drain(reader, READ, 10))).toHaveLength(10);
      reader.seek({ topic, partition: 0, offset: 8 });
      expect(texts(await drain(reader, READ, 2))).toEqual(['8', '9']);
      reader.seek({ topic, partition: 1, offset: 9 });
      reader.drop({ topic, partition: 0 });
      await fill(log(), topic, 0, 1);
      const batches = await drain(reader, READ, 1);
      expect(batches.map(({ partition, fromOffset }) => [partition, fromOffset])).toEqual([[1, 9]]);
      await reader.close();
    });

    it('refuses a position outside the log, loudly, and never goes elsewhere', async () => {
      const topic = await newTopic();
      await fill(log(), topic, 0, 3);
      const reader = log().reader([{ topic, partition: 0, offset: 4 }]);
      await expect(reader.poll(READ)).rejects.toMatchObject({
        code: 'POSITION_OUT_OF_RANGE',
        facts: { topic, partition: 0, offset: 4 },
      });
      reader.seek({ topic, partition: 0, offset: 3 });
      expect(await reader.poll({ ...READ, waitMs: 20 })).toEqual([]);
      await reader.close();
    });

    it('forgets records below an offset and refuses positions there', async () => {
      const topic = await newTopic();
      await fill(log(), topic, 0, 10);
      await fill(log(), topic, 0, 10);
      await log().deleteBefore({ topic, partition: 0, offset: 12 });
      expect(await log().bounds({ topic, partition: 0 })).toEqual({ low: 12, high: 20 });
      expect((await readAll(log(), topic, 0, 12)).map(({ offset }) => offset)).toEqual([
        12, 13, 14, 15, 16, 17, 18, 19,
      ]);
      const reader = log().reader([{ topic, partition: 0, offset: 11 }]);
      await expect(reader.poll(READ)).rejects.toMatchObject({ code: 'POSITION_OUT_OF_RANGE' });
      await reader.close();
      await log().deleteBefore({ topic, partition: 0, offset: 20 });
      expect(await log().bounds({ topic, partition: 0 })).toEqual({ low: 20, high: 20 });
      const [outcome] = await log().append([{ topic, partition: 0, records: [record('next')] }]);
      expect(outcome).toEqual({ status: 'appended', baseOffset: 20 });
    });
  });
}

function membershipContract(log: () => EventLog, newTopic: (partitions?: number) => Promise<string>): void {
  describe('membership', () => {
    it('gives one member everything, shares with a second one, and gives it back with new take numbers', async () => {
      const output = await newTopic(5);
      const group = `contract-${randomBytes(4).toString('hex')}`;
      const first = await log().join({ group, output });
      await ownership(() => first.owned().size === 5, [first]);
      const before = new Map(first.owned());
      const second = await log().join({ group, output });
      await ownership(() => isShared([first, second], 5), [first, second]);
      expect(Math.abs(first.owned().size - second.owned().size)).toBeLessThanOrEqual(1);
      // An owner that keeps a partition may keep its take; one that gets it has a later one than all before.
      for (const [partition, take] of second.owned()) {
        expect(take).toBeGreaterThan(before.get(partition) ?? 0);
      }
      const whileShared = new Map(second.owned());
      await first.commitForMonitoring([{ topic: output, partition: 0, offset: 0 }]);
      await second.leave();
      await ownership(() => first.owned().size === 5, [first]);
      for (const [partition, take] of whileShared) {
        expect(first.owned().get(partition)).toBeGreaterThan(take);
      }
      await first.leave();
      expect(first.owned().size).toBe(0);
    });

    it('keeps groups apart', async () => {
      const output = await newTopic(2);
      const names = ['a', 'b'].map((name) => `contract-${name}-${randomBytes(4).toString('hex')}`);
      const members = await Promise.all(names.map((group) => log().join({ group, output })));
      await ownership(() => members.every((member) => member.owned().size === 2), members);
      await Promise.all(members.map((member) => member.leave()));
    });
  });
}

async function ownership(isSo: () => boolean, members: readonly Membership[]): Promise<void> {
  const end = Date.now() + 30_000;
  while (!isSo()) {
    if (Date.now() > end) {
      throw new Error(`ownership did not settle: ${members.map((member) => [...member.owned().keys()].join())}`);
    }
    await sleep(20);
  }
}

function isShared(members: readonly Membership[], partitions: number): boolean {
  const owned = members.flatMap((member) => [...member.owned().keys()]);
  return owned.length === partitions && new Set(owned).size === partitions && members.every((m) => m.owned().size > 0);
}

function record(content: string) {
  return { key: 'k', value: Buffer.from(content) };
}

function text({ value }: LogRecord): string {
  return value?.toString() ?? '';
}

function texts(batches: readonly RecordBatch[]): string[] {
  return batches.flatMap((batch) => batch.records.map(text));
}

async function fill(log: EventLog, topic: string, partition: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => record(String(index)));
  await log.append([{ topic, partition, records }]);
}

/** Polls until this many records have come. */
async function drain(
  reader: LogReader,
  options: Parameters<LogReader['poll']>[0],
  count: number,
): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = [];
  let found = 0;
  while (found < count) {
    const polled = await reader.poll(options);
    if (polled.length === 0) {
      throw new Error(`${found} of ${count} records came`);
    }
    batches.push(...polled);
    found += polled.reduce((sum, batch) => sum + batch.records.length, 0);
  }
  return batches;
}

async function readAll(log: EventLog, topic: string, partition: number, from = 0): Promise<LogRecord[]> {
  const { high } = await log.bounds({ topic, partition });
  const reader = log.reader([{ topic, partition, offset: from }]);
  try {
    return (await drain(reader, READ, high - from)).flatMap((batch) => batch.records);
  } finally {
    await reader.close();
  }
}
