import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../../../../libs/adapters/lmdb/data-folder-lock.ts';
import { capability } from '../../../../support/capabilities.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const LOCK = join(import.meta.dirname, '../../../../../libs/adapters/lmdb/data-folder-lock.ts');
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

/** Waits for a line before it takes the next folder, so that all begin at the same moment. */
const RACE = `
  const { lockDataFolder } = await import(process.argv[1]);
  const { createInterface } = await import('node:readline');
  const rounds = process.argv.slice(2);
  console.log('ready');
  for await (const _ of createInterface({ input: process.stdin })) {
    try {
      await lockDataFolder(rounds.shift());
      console.log('held');
    } catch (error) {
      console.log(error.code);
    }
  }
`;

/** A process that tries to hold the folder; `within` is the command that it is started by. */
async function holder(within: readonly string[] = []) {
  const [command = '', ...args] = [...within, process.execPath, '--input-type=module', '-e', HOLD];
  const child = spawn(command, [...args, LOCK, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
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

  it('goes to exactly one of twenty that find the same stale lock, each time', async () => {
    const rounds = Array.from({ length: 8 }, (_, round) => join(folder, `round-${round}`));
    for (const [index, round] of rounds.entries()) {
      await mkdir(round);
      // Of an earlier version, of this version, and one behind which a successor died before it was through.
      const dead = { pid: 2 ** 22 + 1, started: '', token: 'aa', listens: index % 2 === 1 };
      await writeFile(join(round, 'tallystick.lock'), JSON.stringify(dead));
      if (index % 3 === 2) {
        const second = { ...dead, token: 'bb', listens: true };
        await writeFile(join(round, 'tallystick.lock.after.aa'), JSON.stringify(second));
      }
    }
    const starters = await Promise.all(
      Array.from({ length: 20 }, () => {
        const args = ['--input-type=module', '-e', RACE, LOCK, ...rounds];
        const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
        return once(child.stdout, 'data').then(() => child);
      }),
    );
    for (const _ of rounds) {
      const said = starters.map((child) => once(child.stdout, 'data'));
      for (const child of starters) child.stdin.write('go\n');
      const answers = (await Promise.all(said)).map(([answer]) => String(answer).trim());
      expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
      expect(answers.filter((answer) => answer === 'DATA_FOLDER_IN_USE')).toHaveLength(19);
    }
    for (const child of starters) child.kill('SIGKILL');
  }, 360_000);

  it('is kept by a process that is stopped (SIGSTOP), and free at once when that is killed', async () => {
    const { child, said } = await holder();
    expect(said).toBe('held');
    child.kill('SIGSTOP');
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const lock = await lockDataFolder(folder);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  }, 360_000);

  it('is free where the number of a dead holder is that of another living process, even one started at the same tick', async () => {
    const { child } = await holder();
    const path = join(folder, 'tallystick.lock');
    const record = JSON.parse(await readFile(path, 'utf8'));
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    const stat = await readFile('/proc/self/stat', 'latin1');
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
    const started = `${boot}:${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
    await writeFile(path, JSON.stringify({ ...record, pid: process.pid, started }));
    await (await lockDataFolder(folder)).release();
  }, 360_000);

  it('holds in a folder whose path is longer than a socket may have, and is readable to its owner alone', async () => {
    folder = join(folder, ...Array.from({ length: 8 }, () => 'a-folder-with-a-name-of-thirty-xx'));
    const { child } = await holder();
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    expect((await stat(join(folder, 'tallystick.lock'))).mode & 0o077).toBe(0);
    child.kill('SIGKILL');
  }, 360_000);
});

describe.skipIf(!capability('unshare').available)('two containers on one volume', () => {
  const IN_CONTAINER = ['unshare', '--pid', '--net', '--fork', '--kill-child', '--mount-proc'];

  it('do not both hold its folder, whichever was first, stopped or not', async () => {
    const first = await holder(IN_CONTAINER);
    expect(first.said).toBe('held');
    // Its number there is 1; here that is another process.
    expect(JSON.parse(await readFile(join(folder, 'tallystick.lock'), 'utf8')).pid).toBe(1);
    await expect(lockDataFolder(folder)).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    const second = await holder(IN_CONTAINER);
    expect(second.said).toBe('DATA_FOLDER_IN_USE 1');
    const exited = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await exited;
    // The kernel ends the processes of a namespace after its first one.
    await expect.poll(() => lockDataFolder(folder).then((lock) => lock.release().then(() => 'held'))).toBe('held');
    const lock = await lockDataFolder(folder);
    const third = await holder(IN_CONTAINER);
    expect(third.said).toBe(`DATA_FOLDER_IN_USE ${process.pid}`);
    await lock.release();
  }, 360_000);
});
