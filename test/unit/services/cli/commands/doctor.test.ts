import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { Finding } from '../../../../../services/cli/commands/finding.ts';
import { runTally } from '../../../../../services/cli/run-tally.ts';

const folder = mkdtempSync(join(tmpdir(), 'tally-doctor-'));
const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  rmSync(folder, { recursive: true, force: true });
  process.exitCode = undefined;
  vi.restoreAllMocks();
});

const READY = { ready: true, checks: [] };

/** A service alone in a process: it answers what it has, and 404 as ours do to everything else. */
async function serve(answers: Readonly<Record<string, unknown>>): Promise<string> {
  const server = createServer((request, response) => {
    const answer = answers[request.url ?? ''];
    if (request.url === '/metrics') response.end('tally_clock_ahead_seconds 0\n');
    else if (answer !== undefined) response.end(JSON.stringify(answer));
    else response.writeHead(404).end(JSON.stringify({ code: 'NOT_FOUND', detail: 'nothing answers GET here' }));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function doctor(...words: readonly string[]): Promise<{ findings: readonly Finding[]; code: unknown }> {
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((text) => void printed.push(String(text)));
  await runTally(['doctor', '--json', '--data-dir', folder, '--key', 'k', ...words]);
  return { findings: JSON.parse(printed.join('')) as readonly Finding[], code: process.exitCode };
}

const saying = (findings: readonly Finding[], check: string) => findings.find((one) => one.check === check);

it('looks at each service apart by its own address, and at what each alone can tell', async () => {
  const gateway = await serve({ '/health/ready': READY });
  const tax = await serve({
    '/health/ready': {
      ready: false,
      checks: [
        { name: 'event log', code: null, message: null },
        { name: 'state store', code: 'STORE_UNAVAILABLE', message: 'Redis does not answer' },
      ],
    },
  });
  const held = { accounts: [{ account: 'vat:101747696', code: 'ENTRY_INVALID', number: 7 }] };
  const ledger = await serve({ '/health/ready': READY, '/ledger/v1/held': held });
  const { findings, code } = await doctor('--gateway', gateway, '--tax', tax, '--ledger', ledger);
  expect(saying(findings, 'gateway')).toMatchObject({ ok: true, detail: `${gateway} is ready` });
  expect(saying(findings, 'tax')).toMatchObject({
    ok: false,
    detail: 'state store: STORE_UNAVAILABLE (Redis does not answer)',
  });
  expect(saying(findings, 'held accounts')).toMatchObject({
    ok: false,
    detail: 'held alone: vat:101747696 from decision 7 on (ENTRY_INVALID)',
  });
  expect(saying(findings, 'outbox')).toMatchObject({ ok: true, detail: expect.stringContaining('not looked at') });
  for (const name of ['gateway', 'tax', 'ledger']) expect(saying(findings, `clock of ${name}`)?.ok).toBe(true);
  expect(code).toBe(1);
});

it('takes the addresses from settings', async () => {
  const ledger = await serve({ '/health/ready': READY, '/ledger/v1/held': { accounts: [] } });
  vi.stubEnv('TALLY_LEDGER_URL', ledger);
  const { findings } = await doctor();
  vi.unstubAllEnvs();
  expect(saying(findings, 'ledger')).toMatchObject({ ok: true, detail: `${ledger} is ready` });
  expect(saying(findings, 'held accounts')).toMatchObject({ ok: true, detail: 'no account is held' });
});

it('does not take one service for all of them', async () => {
  const { findings } = await doctor('--url', await serve({ '/health/ready': READY }));
  for (const check of ['held accounts', 'differences', 'outbox']) {
    expect(saying(findings, check)).toMatchObject({ ok: true, detail: expect.stringContaining('not looked at') });
  }
});

it('says of a service that is down where nothing answers', async () => {
  const { findings, code } = await doctor('--tax', 'http://127.0.0.1:1');
  expect(saying(findings, 'tax')).toMatchObject({ ok: false, detail: expect.stringContaining('http://127.0.0.1:1') });
  expect(code).toBe(1);
});
