import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import { newestRecordMs } from '../../../../../libs/adapters/event-log/newest-record.ts';
import { SetClock } from '../../../../support/set-clock.ts';

it('the newest record is the newest of the last ones of all partitions, and none where there is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'newest-'));
  const clock = new SetClock(Date.UTC(2026, 10, 30));
  const log = await openEmbeddedLog({ folder }, { clock });
  const append = (topic: string, partition: number) =>
    log.append([{ topic, partition, records: [{ key: 'k', value: Buffer.from('v') }] }]);
  await log.ensureTopics([
    { topic: 'a.v1', partitions: 3 },
    { topic: 'b.v1', partitions: 1 },
  ]);
  expect(await newestRecordMs(log, ['a.v1', 'b.v1'])).toBeNull();
  await append('a.v1', 0);
  clock.pass(86_400_000);
  await append('a.v1', 2);
  clock.set(-365 * 86_400_000);
  await append('b.v1', 0);
  expect(await newestRecordMs(log, ['a.v1', 'b.v1'])).toBe(Date.UTC(2026, 11, 1));
  expect(await newestRecordMs(log, ['b.v1'])).toBe(Date.UTC(2025, 11, 1));
  await log.close();
  await rm(folder, { recursive: true, force: true });
});
