import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEYED_PARTITIONS_DEFAULT } from '../../libs/adapters/event-log/topics.ts';
import { openRedisStore } from '../../libs/adapters/state-store/redis-store.ts';
import { capability } from '../support/capabilities.ts';
import { canRunKafkaWhole, type KafkaWhole, openKafkaWhole, pidsOf } from '../support/kafka-whole.ts';
import { type ImportResult, importFile } from '../support/operate-service.ts';
import { writePayroll } from '../support/real-slices.ts';
import { eventually } from '../support/service-process.ts';

const data = capability('real-data');
/** Every so manieth of the 151,210 employees of HMRC and DWP. */
const EVERY_NTH = process.env['TEST_LONG'] === '1' ? 2 : 8;

describe.skipIf(!canRunKafkaWhole || !data.available)('Redis that comes back with an old snapshot', () => {
  let whole: KafkaWhole;
  beforeAll(async () => {
    whole = await openKafkaWhole();
    await whole.service.start();
  }, 720_000);
  afterAll(() => whole?.dispose(), 360_000);

  /** What tax's checkpoints in Redis stand for, by partition: the id of the last message and how many stand before the next. */
  async function stored(): Promise<Map<number, { readonly tip: string; readonly outputNext: number }>> {
    const store = await openRedisStore({ url: whole.redis.url, stage: 'tax' });
    try {
      const found = new Map<number, { readonly tip: string; readonly outputNext: number }>();
      for (let partition = 0; partition < KEYED_PARTITIONS_DEFAULT; partition += 1) {
        const checkpoint = await store.checkpoint(partition);
        if (checkpoint === null || checkpoint.outputNext === 0) continue;
        found.set(partition, { tip: checkpoint.tip, outputNext: checkpoint.outputNext });
      }
      return found;
    } finally {
      await store.close();
    }
  }

  async function saveSnapshot(file: string): Promise<void> {
    const client = new Redis(whole.redis.url);
    try {
      expect(await client.save()).toBe('OK');
    } finally {
      client.disconnect();
    }
    copyFileSync(join(whole.folder, 'redis', 'dump.rdb'), file);
  }

  async function goBack(file: string): Promise<void> {
    await whole.redis.kill();
    copyFileSync(file, join(whole.folder, 'redis', 'dump.rdb'));
    await whole.redis.startAgain();
  }

  const messages = (found: ReadonlyMap<number, { readonly outputNext: number }>): number =>
    [...found.values()].reduce((sum, { outputNext }) => sum + outputNext, 0);

  it('in the middle of an import, once under a tax that lives and once under one that died with it: nothing is lost, doubled or changed', {
    timeout: 900_000,
  }, async () => {
    const file = join(whole.folder, 'payroll.csv');
    const made = await writePayroll(data.path, { everyNth: EVERY_NTH, months: 1 }, file);
    let isOver = false;
    const importing = importFile('payroll', file, whole.service).finally(() => {
      isOver = true;
    });
    const some = await eventually(stored, (found) => messages(found) >= 2, 180_000);
    const old = join(whole.folder, 'old.rdb');
    await saveSnapshot(old);

    const further = await eventually(stored, (found) => messages(found) >= messages(some) + 4, 180_000);
    // It sleeps while its store goes back, so that what it finds on waking can be seen first.
    const tax = pidsOf(whole.service.pid).get('tax') ?? 0;
    process.kill(tax, 'SIGSTOP');
    const before = await stored();
    await goBack(old);
    const after = await stored();
    process.kill(tax, 'SIGCONT');
    expect(messages(before)).toBeGreaterThanOrEqual(messages(further));
    expect(messages(after)).toBeGreaterThan(0);
    expect(messages(after)).toBeLessThan(messages(before));
    await eventually(
      async () => whole.logOf('tax'),
      (log) => log.includes('storeStale'),
    );
    expect(isOver).toBe(false);

    const recovered = await eventually(stored, (found) => messages(found) > messages(before), 180_000);
    whole.kill('tax');
    await goBack(old);
    const again = await stored();
    expect(again).toEqual(after);
    expect(messages(again)).toBeLessThan(messages(recovered));
    expect(isOver).toBe(false);

    const imported = await importing;
    expect(imported.stderr).toBe('');
    const { accepted, rejected, events } = JSON.parse(imported.stdout) as ImportResult;
    const payments = made.payments;
    expect({ accepted, rejected, events }).toEqual({ accepted: payments, rejected: 0, events: payments });
    const { copies, ledger } = await whole.end({ paye: payments });
    for (const [account, due] of made.heads) expect(copies.heads.get(account)).toEqual(due);
    expect([ledger.entries, copies.recomputed]).toEqual([payments, payments]);
    console.log(
      `snapshot at ${messages(after)} messages, put back at ${messages(before)} and at ${messages(recovered)}; ` +
        `${ledger.entries} entries, ${ledger.checkpoints} checkpoints, ${ledger.ignoredMessages} messages ignored`,
    );
  });
});
