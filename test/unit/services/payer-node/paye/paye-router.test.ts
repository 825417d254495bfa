import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireClient } from '../../../../../libs/adapters/access/bearer.ts';
import { clientRegistry, digestOfKey } from '../../../../../libs/adapters/access/clients.ts';
import { loadRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { RuleSets } from '../../../../../libs/adapters/rules/rule-sets.ts';
import { createHttpApp } from '../../../../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { payeRouter } from '../../../../../services/payer-node/paye/paye-router.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';

const KEY = 'key-of-one-employer-0123456789abcdef';
const OWN = account('paye:123/AB456');
const clients = clientRegistry([
  { id: 'own', keySha256: digestOfKey(KEY), accounts: [OWN], roles: ['payer'], expiresAt: null },
]);
const clock = { civilMs: () => Date.UTC(2026, 10, 21) };
let folder: string;
let store: PayerStore;
let server: HttpServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paye-router-'));
  store = new PayerStore({ folder });
  await store.commit(() => {
    store.addAccount(OWN);
    store.addAccount(account('paye:999/ZZ9'));
  });
  const auth = requireClient({ clients, clock }, 'payer');
  const router = payeRouter({ store, rules: new RuleSets(loadRules().rules), auth, clock });
  const logger = createLogger({ service: 'payer-node', level: 'silent' });
  const at = { host: '127.0.0.1', port: 0, furtherPorts: 0 };
  server = await startHttpServer(at, createHttpApp({ routers: [router] }, { logger }));
});

afterAll(async () => {
  await server.stop(1_000);
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }> {
  const response = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${KEY}` } });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('an employer’s views', () => {
  it.each(['months/2026-27-M08', 'employments/W-1', 'employments/W-1/payslips/latest'])(
    'of %s are for its own accounts alone',
    async (view) => {
      const answer = await get(`/v1/paye/accounts/999-ZZ9/${view}`);
      expect([answer.status, answer.body['code']]).toEqual([403, 'ACCOUNT_NOT_YOURS']);
    },
  );

  it.each(['/v1', '/payer/v1'])('stand under %s, with every way to name account and month', async (root) => {
    for (const ref of ['123-AB456', 'paye:123-AB456', '123%2FAB456']) {
      for (const month of ['2026-27-M08', '2026-27-08', '2026-27-8', '2026-27%2FM08']) {
        const { status, body } = await get(`${root}/paye/accounts/${ref}/months/${month}`);
        expect(status).toBe(200);
        expect(body).toMatchObject({
          account: OWN,
          taxPeriod: '2026-27/M08',
          from: '2026-11-06',
          to: '2026-12-05',
          receivedUntil: '2026-12-19',
          paymentCount: 0,
          bill: { payablePence: 0, dueElectronic: '2026-12-22', referenceSuffix: '2708' },
          paymentReference: null,
        });
      }
    }
  });

  it('of an employment without a payment this year are not found', async () => {
    const answer = await get('/v1/paye/accounts/123-AB456/employments/W-1');
    expect([answer.status, answer.body['detail']]).toEqual([
      404,
      'no payment under this works number is in the copy for 2026-27',
    ]);
  });
});
