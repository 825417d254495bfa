import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog, LogReader } from '../../../../../libs/adapters/event-log/event-log.ts';
import { readAt } from '../../../../../libs/adapters/event-log/read-at.ts';

const TOPIC = 'out.v1';

let folder: string;
let log: EventLog;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-at-'));
  log = await openEmbeddedLog({ folder });
  await log.ensureTopics([{ topic: TOPIC, partitions: 1 }]);
  const records = ['zero', 'one'].map((text) => ({ key: null, value: Buffer.from(text) }));
  await log.append([{ topic: TOPIC, partition: 0, records }]);
});
afterEach(async () => {
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

/** The log as a process sees it that was stopped while it waited: so many waits end without anything. */
function thatIsLate(emptyPolls: number): { readonly log: EventLog; readonly polls: () => number } {
  let polls = 0;
  const reader = (...positions: Parameters<EventLog['reader']>): LogReader => {
    const real = log.reader(...positions);
    const poll: LogReader['poll'] = async (options) => {
      polls += 1;
      return polls <= emptyPolls ? [] : real.poll(options);
    };
    return { poll, seek: (to) => real.seek(to), drop: (of) => real.drop(of), close: () => real.close() };
  };
  return { log: Object.assign(Object.create(log), { bounds: log.bounds.bind(log), reader }), polls: () => polls };
}

describe('reading one record', () => {
  it('gives the record at the offset, and null outside the log', async () => {
    expect((await readAt({ topic: TOPIC, partition: 0, offset: 1 }, log))?.value?.toString()).toBe('one');
    expect(await readAt({ topic: TOPIC, partition: 0, offset: 2 }, log)).toBeNull();
  });

  it('asks again where a wait ended without anything: that is no proof that nothing is there', async () => {
    const late = thatIsLate(2);
    expect((await readAt({ topic: TOPIC, partition: 0, offset: 1 }, late.log))?.value?.toString()).toBe('one');
    expect(late.polls()).toBe(3);
  });

  it('says that the log can not be read, and that trying again helps, where nothing comes at all', async () => {
    const never = thatIsLate(Number.POSITIVE_INFINITY);
    await expect(readAt({ topic: TOPIC, partition: 0, offset: 1 }, never.log)).rejects.toMatchObject({
      code: 'LOG_UNAVAILABLE',
      retriable: true,
      facts: { topic: TOPIC, partition: 0, offset: 1, high: 2 },
    });
  });
});
