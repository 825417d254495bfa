import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { saleJsons } from '../support/own-events.ts';
import { until } from '../support/payer-node-fixture.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'tally-signals-'));
const running: Running[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | string | null>;
}

/** A process with no more open files than told. */
function run(command: string, openFiles = 4_096): Running {
  const child = spawn('sh', ['-c', `ulimit -n ${openFiles}; exec ${process.execPath} ${command}`], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk;
    });
  }
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(signal ?? code)),
  );
  const one = { child, output: () => text, ended };
  running.push(one);
  return one;
}

function startHouse(dataDir: string, openFiles?: number): Running {
  return run(`services/cli/tally.js start --no-demo --port 0 --data-dir ${dataDir}`, openFiles);
}

async function started(one: Running): Promise<string> {
  await until(() => one.output().includes('Ctrl-C drains') || one.child.exitCode !== null, 60_000);
  const url = /Treasury page\s+(\S+)\//.exec(one.output())?.[1];
  if (url === undefined) throw new Error(`it did not start: ${one.output()}`);
  return url;
}

function sell(url: string, dataDir: string, count: number): Promise<Response> {
  const key = readFileSync(join(dataDir, 'keys/client-payer'), 'utf8').trim();
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return fetch(`${url}/v1/vat/events`, { method: 'POST', headers, body: JSON.stringify(saleJsons(count)) });
}

/** One that takes long to end. */
const SERVICE = `--input-type=module --eval "
  import { runService } from './libs/adapters/runtime/run-service.ts';
  const open = async () => ({
    router: (_request, _response, next) => next(),
    failed: new Promise(() => undefined),
    assertReady: () => undefined,
    stop: () => new Promise((resolve) => setTimeout(resolve, 3000)),
  });
  await runService({ name: 'tax', port: 0, open });
"`;
const service = (openFiles?: number): Running => run(SERVICE, openFiles);

afterEach(() => {
  for (const { child } of running.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the house in one process', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('drains on %s and ends with exit code 0', async (signal) => {
    const dataDir = join(folder, signal);
    const house = startHouse(dataDir);
    const url = await started(house);
    expect((await sell(url, dataDir, 50)).status).toBe(202);
    house.child.kill(signal);
    expect(await house.ended).toBe(0);
    expect(house.output()).toContain('stopped: the next start goes on from here');
    await checkDataFolder(dataDir, { complete: false });
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGINT', 'SIGHUP'],
  ] as const)(
    'ends at once on %s and then %s, with exit code 1, one sentence and nothing lost',
    async (first, second) => {
      const dataDir = join(folder, `${first} ${second}`.replace(' ', '-'));
      const house = startHouse(dataDir);
      expect((await sell(await started(house), dataDir, 200)).status).toBe(202);
      house.child.kill(first);
      await until(() => house.output().includes('draining'), 20_000);
      house.child.kill(second);
      expect(await house.ended).toBe(1);
      expect(house.output()).toContain('again: stopped at once; nothing acknowledged is lost');
      expect(house.output()).not.toMatch(/^\s+at /m);
      const again = startHouse(dataDir);
      await started(again);
      again.child.kill('SIGTERM');
      expect(await again.ended).toBe(0);
      const ledger = await checkDataFolder(dataDir, { complete: true });
      expect(ledger.entries).toBeGreaterThanOrEqual(200);
    },
  );

  it('ends in order where it is told to while it starts', async () => {
    const dataDir = join(folder, 'early');
    const house = startHouse(dataDir);
    await until(() => existsSync(join(dataDir, 'log')), 60_000);
    house.child.kill('SIGTERM');
    expect(await house.ended).toBe(0);
    expect(house.output()).toMatch(/SIGTERM: draining[\s\S]*stopped: the next start goes on from here/);
  });

  it('says in one sentence that it may open too few files, and does not begin', async () => {
    const house = startHouse(join(folder, 'few'), 48);
    expect(await house.ended).toBe(2);
    expect(house.output().trim().split('\n')).toEqual([
      expect.stringMatching(
        /^tally: this process may open 48 files, and 1024 are advised: allow more .*OPEN_FILES_TOO_FEW/,
      ),
    ]);
  });

  it('goes on after more connections came than it may open files', async () => {
    const dataDir = join(folder, 'crowd');
    const house = startHouse(dataDir, 80);
    const url = await started(house);
    const { hostname, port } = new URL(url);
    const sockets: Socket[] = [];
    for (let count = 0; count < 150; count += 1) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined);
      sockets.push(socket);
    }
    await sleep(2_000);
    for (const socket of sockets) socket.destroy();
    await sleep(500);
    expect((await sell(url, dataDir, 5)).status).toBe(202);
    expect(house.output()).not.toMatch(/^\s+at /m);
    house.child.kill('SIGTERM');
    expect(await house.ended).toBe(0);
  });
});

describe('a service alone in a process', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)('ends in order on %s', async (signal) => {
    const one = service();
    await until(() => one.output().includes('tax serves'), 30_000);
    one.child.kill(signal);
    expect(await one.ended).toBe(0);
    expect(one.output()).toContain('stopped');
  });

  it('ends at once on the second SIGTERM, with exit code 1 and a line that says so', async () => {
    const one = service();
    await until(() => one.output().includes('tax serves'), 30_000);
    one.child.kill('SIGTERM');
    await until(() => one.output().includes('tax stops'), 10_000);
    const atMs = performance.now();
    one.child.kill('SIGTERM');
    expect(await one.ended).toBe(1);
    expect(performance.now() - atMs).toBeLessThan(2_500);
    expect(one.output()).toContain('tax ends at once: nothing acknowledged is lost by it');
  });

  it('says that it may open too few files', async () => {
    const one = service(48);
    expect(await one.ended).toBe(1);
    expect(one.output()).toContain('OPEN_FILES_TOO_FEW');
  });
});
