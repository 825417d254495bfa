import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedLog } from '../../../../../libs/adapters/event-log/embedded/log.ts';
import type { EventLog } from '../../../../../libs/adapters/event-log/event-log.ts';
import { openLogRegister } from '../../../../../libs/adapters/event-log/log-register.ts';
import { BLOCKS, REGISTER } from '../../../../../libs/adapters/event-log/topics.ts';

let folder: string;
let log: EventLog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tally-register-'));
  log = await openEmbeddedLog({ folder: join(folder, 'log') });
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

async function reopen(): Promise<void> {
  await log.close();
  log = await openEmbeddedLog({ folder: join(folder, 'log') });
}

describe('the register of a log', () => {
  it('gives the log an id that stays, and another log another one', async () => {
    const { logId } = await openLogRegister(log);
    expect(logId).toMatch(/^[0-9a-f]{32}$/);
    await reopen();
    expect((await openLogRegister(log)).logId).toBe(logId);
    const other = await openEmbeddedLog({ folder: join(folder, 'other') });
    expect((await openLogRegister(other)).logId).not.toBe(logId);
    await other.close();
  });

  it('keeps what was entered first, for those who start at the same time too', async () => {
    const [one, two] = await Promise.all([openLogRegister(log), openLogRegister(log)]);
    expect(one.logId).toBe(two.logId);
    expect(one.get('ledger-name')).toBeNull();
    const entered = await Promise.all([one.enter('ledger-name', 'first'), two.enter('ledger-name', 'second')]);
    expect(new Set(entered).size).toBe(1);
    expect(await two.enter('ledger-name', 'third')).toBe(entered[0]);
    await reopen();
    expect((await openLogRegister(log)).get('ledger-name')).toBe(entered[0]);
  });

  it('reads on over records that are no entries', async () => {
    await openLogRegister(log);
    const strange = [
      { key: null, value: Buffer.from('x') },
      { key: 'ledger-name', value: Buffer.from('y') },
    ];
    await log.append([{ topic: REGISTER, partition: 0, records: strange }]);
    const register = await openLogRegister(log);
    expect(register.get('ledger-name')).toBeNull();
    expect(await register.enter('ledger-name', 'mine')).toBe('mine');
  });

  it('gives a log from before it the id of its first block, so that each of its backups is the same log', async () => {
    await log.ensureTopics([{ topic: BLOCKS, partitions: 1 }]);
    await log.append([
      { topic: BLOCKS, partition: 0, records: [{ key: null, value: Buffer.from('the first block') }] },
    ]);
    await log.close();
    cpSync(join(folder, 'log'), join(folder, 'backup'), { recursive: true });
    log = await openEmbeddedLog({ folder: join(folder, 'log') });
    await log.append([{ topic: BLOCKS, partition: 0, records: [{ key: null, value: Buffer.from('the second') }] }]);
    const backup = await openEmbeddedLog({ folder: join(folder, 'backup') });
    expect((await openLogRegister(backup)).logId).toBe((await openLogRegister(log)).logId);
    await backup.close();
  });
});
