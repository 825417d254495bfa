import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOfKey } from '../../libs/adapters/access/clients.ts';
import { verifyCopy } from '../../services/cli/verify/verify.ts';
import { AGENT_KEY, type HmrcServices, startHmrcServices } from '../support/hmrc-services.ts';
import { saleJsons } from '../support/own-events.ts';

const TILLS = 8;
const EVENTS_PER_TILL = 100;
const KILLS = 5;
const OWN_KEY = 'key-of-the-payers-own-systems';

let hmrc: HmrcServices;
let folder = '';
let port = 0;
let child: ChildProcess | null = null;

beforeAll(async () => {
  hmrc = await startHmrcServices();
  folder = await mkdtemp(join(tmpdir(), 'tally-killed-'));
  port = await freePort();
  const client = { id: 'tills', keySha256: digestOfKey(OWN_KEY), accounts: '*', roles: ['payer'], expiresAt: null };
  await writeFile(join(folder, 'clients.json'), JSON.stringify({ clients: [client] }));
});

afterAll(async () => {
  child?.kill('SIGKILL');
  await hmrc.stop();
  await rm(folder, { recursive: true, force: true });
  await rm(hmrc.dataDir, { recursive: true, force: true });
});

it('every event that the payer node took is in exactly one block of its copy, however often the node is killed', async () => {
  start();
  const batches = tillBatches();
  const killEvery = Math.floor(batches.length / (KILLS + 1));
  for (const [index, batch] of batches.entries()) {
    // at no chosen moment: while it takes, sends, verifies or stores
    if (index > 0 && index % killEvery === 0) setTimeout(killAndStart, (index * 7919) % 60);
    await postUntilTaken(batch);
  }
  const events = TILLS * EVENTS_PER_TILL;
  await waitFor(async () => {
    const { decided = 0, rejected = 0, refused = 0 } = await outbox();
    return decided + rejected + refused === events;
  });
  expect(await outbox()).toEqual({ unsent: 0, receipted: 0, refused: 0, decided: events, rejected: 0 });
  expect((await get('/payer/v1/divergences')).divergences).toEqual([]);
  const copy = await fetch(`http://127.0.0.1:${port}/payer/v1/accounts/vat:101747696/copy`, { headers: HEADERS });
  const file = join(folder, 'copy.tally');
  await writeFile(file, await copy.text());
  const report = await verifyCopy(file);
  expect(report.findings).toEqual([]);
  expect(report.checked).toMatchObject({ events, recomputed: events, awaiting: 0 });
}, 540_000);

const HEADERS = { authorization: `Bearer ${OWN_KEY}`, 'content-type': 'application/json' };

/** Batches of the tills in turn, each till's events in their order. */
function tillBatches(): readonly (readonly object[])[] {
  const tills = Array.from({ length: TILLS }, (_, till) => saleJsons(EVENTS_PER_TILL, `K${till}`));
  const batches: object[][] = [];
  for (let from = 0; from < EVENTS_PER_TILL; from += 10) {
    for (const till of tills) batches.push(till.slice(from, from + 10));
  }
  return batches;
}

function start(): void {
  child = spawn(process.execPath, ['services/payer-node/main.ts'], {
    stdio: ['ignore', process.env['TEST_LOG'] === undefined ? 'ignore' : 'inherit', 'inherit'],
    env: {
      ...process.env,
      DATA_DIR: folder,
      PORT: String(port),
      GATEWAY_URL: hmrc.url,
      LEDGER_URL: hmrc.url,
      CLIENT_KEY: AGENT_KEY,
      GATEWAY_VERIFIER_KEY: hmrc.gatewayKey,
    },
  });
}

function killAndStart(): void {
  child?.once('exit', start);
  child?.kill('SIGKILL');
}

/** As a till does it: until there is an answer, the same again. */
async function postUntilTaken(events: readonly object[]): Promise<void> {
  await waitFor(async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/payer/v1/events/vat`, {
      method: 'POST',
      headers: HEADERS,
      body: JSON.stringify(events),
    });
    if (answer.status >= 400 && answer.status < 500) throw new Error(await answer.text());
    return answer.status === 202;
  });
}

async function outbox(): Promise<Record<string, number>> {
  return (await get('/payer/v1/outbox')) as Record<string, number>;
}

async function get(path: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: HEADERS });
  return (await answer.json()) as Record<string, unknown>;
}

async function waitFor(done: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    try {
      if (await done()) return;
    } catch (error) {
      // a killed node does not answer
      if (!(error instanceof TypeError)) throw error;
    }
    if (Date.now() > deadline) throw new Error('waited too long');
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
