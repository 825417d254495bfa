import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../../../../libs/adapters/event-log/data-folder-lock.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const LOCK = join(import.meta.dirname, '../../../../../libs/adapters/event-log/data-folder-lock.ts');
const HOLD = `
  const { lockDataFolder } = await import(process.argv[1]);
  try {
    await lockDataFolder(process.argv[2]);
    console.log('held');
    setInterval(() => undefined, 1000);
  } catch (error) {
    console.log(error.code + ' ' + error.facts.pid);
  }
`;

async function holder() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLD, LOCK, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = await once(child.stdout, 'data');
  return { child, said: String(said).trim() };
}

describe('the lock of a data folder', () => {
  it('is refused to another process with the number of the one that holds it, and is free once that is killed', async () => {
    const first = await holder();
    expect(first.said).toBe('held');
    await expect(lockDataFolder(folder)).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      facts: { folder, pid: first.child.pid },
    });
    const exited = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await exited;
    const lock = await lockDataFolder(folder);
    const second = await holder();
    expect(second.said).toBe(`DATA_FOLDER_IN_USE ${process.pid}`);
    await lock.release();
  }, 360_000);

  it('is refused to the same process twice and leaves nothing behind when released', async () => {
    const lock = await lockDataFolder(folder);
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
    await (await lockDataFolder(folder)).release();
  });

  it('takes over from a dead process, from an unreadable lock, and from a process whose number was used again', async () => {
    const path = join(folder, 'tallystick.lock');
    for (const stale of [
      JSON.stringify({ pid: 2 ** 22 + 1, started: '', token: 'aa' }),
      'not a lock',
      '',
      JSON.stringify({ pid: process.pid, started: 'another-boot:1', token: 'bb' }),
    ]) {
      await writeFile(path, stale);
      const lock = await lockDataFolder(folder);
      expect(JSON.parse(await readFile(path, 'utf8')).pid).toBe(process.pid);
      await lock.release();
    }
  });

  it('goes to exactly one of many that find the same stale lock', async () => {
    await writeFile(join(folder, 'tallystick.lock'), JSON.stringify({ pid: 2 ** 22 + 1, started: '', token: 'aa' }));
    const holders = await Promise.all(Array.from({ length: 4 }, () => holder()));
    expect(holders.filter(({ said }) => said === 'held')).toHaveLength(1);
    for (const { child } of holders) {
      child.kill('SIGKILL');
    }
  }, 360_000);
});
