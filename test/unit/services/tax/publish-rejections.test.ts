import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { decodeDeadLetter } from '../../../../libs/adapters/codec/dead-letter-codec.ts';
import { openEmbeddedLog } from '../../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog, LogReader } from '../../../../libs/adapters/event-log/event-log.ts';
import { LIABILITIES, REJECTIONS } from '../../../../libs/adapters/event-log/topics.ts';
import type { Rejection } from '../../../../libs/core/decisions/decision.ts';
import { TallyError } from '../../../../libs/core/errors/tally-error.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import { eventId } from '../../../../libs/core/identity/event-id.ts';
import { publishRejections } from '../../../../services/tax/publish-rejections.ts';
import { LiabilitySource } from '../../../support/liability-source.ts';
import { readTopic } from '../../../support/read-topic.ts';

let folder: string;
let log: EventLog;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'publish-'));
  log = await openEmbeddedLog({ folder });
  await log.ensureTopics([LIABILITIES, REJECTIONS].map((topic) => ({ topic, partitions: 1 })));
});
afterEach(async () => {
  await log.close();
  await rm(folder, { recursive: true, force: true });
});

/** The log of which the broker is away: the first polls, and the first appends, say so. */
function awayAtFirst(polls: number, appends: number): EventLog {
  const left = { polls, appends };
  const away = () =>
    new TallyError('LOG_UNAVAILABLE', 'no leader', { topic: LIABILITIES, partition: 0 }, { retriable: true });
  const reader = (...positions: Parameters<EventLog['reader']>): LogReader => {
    const real = log.reader(...positions);
    const poll: LogReader['poll'] = async (options) => {
      left.polls -= 1;
      if (left.polls >= 0) throw away();
      return real.poll(options);
    };
    return { poll, seek: (to) => real.seek(to), drop: (of) => real.drop(of), close: () => real.close() };
  };
  const append: EventLog['append'] = async (records) => {
    left.appends -= 1;
    if (left.appends >= 0) throw away();
    return log.append(records);
  };
  const partitionCount = log.partitionCount.bind(log);
  return Object.assign(Object.create(log), { reader, append, partitionCount, bounds: log.bounds.bind(log) });
}

it('goes on where the log did not answer for a while, and leaves no rejection out', async () => {
  const rejected: Rejection = {
    account: account('vat:101747696'),
    eventId: eventId('01'.repeat(16)),
    code: 'E_SEQ_GAP',
    facts: {},
    receivedAtMs: null,
  };
  await new LiabilitySource(log, 1).decide([], [rejected]);
  let failed: unknown = null;
  const publisher = await publishRejections({
    log: awayAtFirst(2, 1),
    clock: { civilMs: () => 0 },
  });
  void publisher.failed.then((error) => {
    failed = error;
  });
  await expect.poll(async () => failed ?? (await log.bounds({ topic: REJECTIONS, partition: 0 })).high).toBe(1);
  await publisher.stop();
  const letters = (await readTopic(log, REJECTIONS, 0)).map(({ value }) => decodeDeadLetter(value ?? Buffer.alloc(0)));
  expect(letters).toMatchObject([{ code: 'E_SEQ_GAP', decision: { partition: 0, offset: 0 } }]);
});
