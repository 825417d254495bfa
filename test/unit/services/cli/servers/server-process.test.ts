import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServerProcess } from '../../../../../services/cli/servers/server-process.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'server-process-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function options(script: string) {
  return { name: 'Server', command: process.execPath, args: ['-e', script, folder], folder, readyWithinMs: 5_000 };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

const isReady = async () => true;
const RUNS = 'setInterval(() => undefined, 1000)';
const IGNORES_SIGTERM = `process.on('SIGTERM', () => undefined); ${RUNS}`;

describe('a server as a child process', () => {
  it('runs until it is stopped, and is stopped by force where it will not end', async () => {
    const gentle = await startServerProcess(options(RUNS), { isReady });
    expect(isAlive(gentle.pid)).toBe(true);
    await gentle.stop(5_000);
    expect(isAlive(gentle.pid)).toBe(false);
    let polls = 0;
    const stubborn = await startServerProcess(options(IGNORES_SIGTERM), { isReady: async () => ++polls > 3 });
    await stubborn.stop(100);
    expect(isAlive(stubborn.pid)).toBe(false);
  });

  it('ends the one that an earlier run left behind in its folder', async () => {
    const left = await startServerProcess(options(RUNS), { isReady });
    expect(await readFile(join(folder, 'server.pid'), 'utf8')).toBe(String(left.pid));
    const next = await startServerProcess(options(RUNS), { isReady });
    expect(isAlive(left.pid)).toBe(false);
    await next.kill();
  });

  it('is told of when it ends by itself, and not when it was asked to', async () => {
    const told: string[] = [];
    const dependencies = { isReady, onEnded: (line: string) => told.push(line) };
    const asked = await startServerProcess(options(RUNS), dependencies);
    await asked.stop(5_000);
    const killed = await startServerProcess(options(RUNS), dependencies);
    await killed.kill();
    const gone = await startServerProcess(options(RUNS), dependencies);
    gone.signal('SIGKILL');
    await expect
      .poll(() => told)
      .toEqual([`Server ended by itself (SIGKILL); its output is in ${join(folder, 'server.log')}`]);
    const failing = await startServerProcess(options('setTimeout(() => process.exit(7), 200)'), dependencies);
    await expect.poll(() => told[1]).toContain('Server ended by itself (exit code 7)');
    expect(isAlive(failing.pid)).toBe(false);
  });

  it('tells the end of its output where it does not start, is not ready in time, or is not there', async () => {
    const failed = (script: string, ready = false, readyWithinMs = 5_000) =>
      startServerProcess({ ...options(script), readyWithinMs }, { isReady: async () => ready });
    await expect(failed('console.error("no port for me"); process.exit(1)')).rejects.toMatchObject({
      code: 'SERVER_DID_NOT_START',
      message: expect.stringContaining('no port for me'),
    });
    await expect(failed(RUNS, false, 200)).rejects.toMatchObject({ message: expect.stringContaining('within 200 ms') });
    const absent = { ...options(''), command: join(folder, 'absent') };
    await expect(startServerProcess(absent, { isReady })).rejects.toMatchObject({ code: 'SERVER_DID_NOT_START' });
  });
});
