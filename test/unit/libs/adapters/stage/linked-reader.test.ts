import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog, LogReader } from '../../../../../libs/adapters/event-log/event-log.ts';
import { linkedPositionAt, linkedStart } from '../../../../../libs/adapters/stage/linked-output.ts';
import { type LinkedReader, openLinkedReader } from '../../../../../libs/adapters/stage/linked-reader.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { linkedJsonCodec } from '../../../../support/linked-json-codec.ts';

const codec = linkedJsonCodec<string>();
const READ = { maxBytes: 1e6, maxRecords: 1e6, waitMs: 0 };
const id = (number: number) => number.toString(16).padStart(32, '0');

let folder: string;
let log: EventLog;
let reader: LinkedReader<string> | null = null;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'linked-'));
  log = await openEmbeddedLog({ folder });
  await log.ensureTopics([{ topic: 'out.v1', partitions: 2 }]);
});
afterEach(async () => {
  await reader?.close();
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

async function write(partition: number, own: number, previous: number, from: number, next: number): Promise<void> {
  const covers = [{ topic: 'in.v1', partition, from, next }];
  const value = codec.encode({ id: id(own), previous: id(previous) }, covers, `message ${own}`);
  await log.append([{ topic: 'out.v1', partition, records: [{ key: null, value }] }]);
}

function openAt(...partitions: number[]): LinkedReader<string> {
  reader = openLinkedReader(
    partitions.map((partition) => linkedStart({ topic: 'out.v1', partition })),
    { log, codec },
  );
  return reader;
}

describe('a reader of linked messages', () => {
  it('gives the valid messages and the position to store with them', async () => {
    await write(0, 1, 0, 0, 4);
    await write(0, 9, 0, 0, 4);
    await write(0, 2, 1, 4, 6);
    const [batch] = await openAt(0).poll(READ);
    expect(batch?.messages.map(({ body, offset }) => [body, offset])).toEqual([
      ['message 1', 0],
      ['message 2', 2],
    ]);
    await write(0, 3, 2, 6, 7);
    await reader?.close();
    reader = openLinkedReader(batch === undefined ? [] : [batch.position], { log, codec });
    const [next] = await reader.poll(READ);
    expect(next?.messages.map(({ body }) => body)).toEqual(['message 3']);
    expect(next?.highOffset).toBe(4);
  });

  it('gives a position for a batch without a valid message too', async () => {
    await write(0, 5, 7, 0, 1);
    const [batch] = await openAt(0).poll(READ);
    expect([batch?.messages, batch?.position.offset]).toEqual([[], 1]);
  });

  it('halts nothing where the log does not answer for a while, though the fault names a partition', async () => {
    await write(0, 1, 0, 0, 4);
    let isAway = true;
    const away = (real: LogReader): LogReader => ({
      poll: async (options) => {
        const facts = { topic: 'out.v1', partition: 0 };
        if (isAway) throw new TallyError('LOG_UNAVAILABLE', 'out.v1/0 has no leader', facts, { retriable: true });
        return real.poll(options);
      },
      seek: (to) => real.seek(to),
      drop: (of) => real.drop(of),
      close: () => real.close(),
    });
    const moving: EventLog = Object.assign(Object.create(log), {
      reader: (...positions: Parameters<EventLog['reader']>) => away(log.reader(...positions)),
    });
    reader = openLinkedReader([linkedStart({ topic: 'out.v1', partition: 0 })], { log: moving, codec });
    await expect(reader.poll(READ)).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' });
    isAway = false;
    expect((await reader.poll(READ)).flatMap(({ messages }) => messages.map(({ body }) => body))).toEqual([
      'message 1',
    ]);
  });

  it('halts one partition on a hole, after what came before it, and goes on with the others', async () => {
    await write(0, 1, 0, 0, 4);
    await write(0, 2, 1, 5, 6);
    await write(1, 1, 0, 0, 2);
    const both = openAt(0, 1);
    const batches = await both.poll(READ);
    expect(batches.flatMap(({ messages }) => messages.map(({ body }) => body)).sort()).toEqual([
      'message 1',
      'message 1',
    ]);
    await expect(both.poll(READ)).rejects.toMatchObject({
      code: 'POSITION_GAP',
      facts: { topic: 'out.v1', partition: 0 },
    });
    await write(0, 3, 2, 6, 7);
    await write(1, 2, 1, 2, 3);
    const more = await both.poll(READ);
    expect(more.map(({ partition, messages }) => [partition, messages.length])).toEqual([[1, 1]]);
  });

  it('halts a partition whose position is outside the log', async () => {
    await write(1, 1, 0, 0, 2);
    const both = openAt(1);
    both.seek({ ...linkedStart({ topic: 'out.v1', partition: 0 }), offset: 9 });
    await expect(both.poll(READ)).rejects.toMatchObject({ code: 'POSITION_OUT_OF_RANGE' });
    expect((await both.poll(READ)).map(({ partition }) => partition)).toEqual([1]);
  });

  it('finds tip and coverage of a position right behind a valid message', async () => {
    await write(0, 1, 0, 0, 4);
    await write(0, 2, 1, 4, 6);
    const position = await linkedPositionAt({ topic: 'out.v1', partition: 0, offset: 2 }, { log, codec });
    expect(position).toMatchObject({ tip: id(2), covered: [{ topic: 'in.v1', partition: 0, offset: 6 }] });
    expect(await linkedPositionAt({ topic: 'out.v1', partition: 0, offset: 0 }, { log, codec })).toEqual(
      linkedStart({ topic: 'out.v1', partition: 0 }),
    );
    await expect(linkedPositionAt({ topic: 'out.v1', partition: 0, offset: 7 }, { log, codec })).rejects.toMatchObject({
      code: 'POSITION_OUT_OF_RANGE',
    });
  });
});
