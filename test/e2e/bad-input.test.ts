import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOfKey } from '../../libs/adapters/access/clients.ts';
import { endWhole, settled, summaryOf } from '../support/operate-service.ts';
import { paymentJson, saleJsons } from '../support/own-events.ts';
import { ServiceProcess } from '../support/service-process.ts';

const folder = mkdtempSync(join(tmpdir(), 'tallystick-bad-input-'));
const clientsFile = join(folder, 'clients.json');
const service = new ServiceProcess({ env: { CLIENTS_FILE: clientsFile } });

const KEYS = { expired: 'key-that-was', other: 'key-of-another-employer', payer: '', bank: '' };

beforeAll(async () => {
  const client = (id: 'expired' | 'other', more: object) => ({
    id,
    keySha256: digestOfKey(KEYS[id]),
    roles: ['payer'],
    accounts: '*',
    expiresAt: null,
    ...more,
  });
  const clients = [
    client('expired', { expiresAt: '2026-01-01T00:00:00Z' }),
    client('other', { accounts: ['paye:321/ZZ9'] }),
  ];
  writeFileSync(clientsFile, JSON.stringify({ clients }));
  await service.start();
  KEYS.payer = service.key('payer');
  KEYS.bank = service.key('bank');
});
afterAll(async () => {
  await service.dispose();
  rmSync(folder, { recursive: true, force: true });
});

interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly correlationId: string;
  readonly faults?: readonly { readonly code: string; readonly pointer: string }[];
}

interface Request {
  readonly path?: string;
  readonly key?: keyof typeof KEYS | 'nobody' | null;
  readonly type?: string;
  readonly body: unknown;
}

const payment = paymentJson(1) as Record<string, unknown>;
const [sale] = saleJsons(1);
const money = { eventId: payment['eventId'], account: 'vat:101747696', direction: 'received', bookedOn: '2026-11-20' };

/** What is sent, and the status, code and pointers that come back. */
const BAD: readonly [string, Request, number, string, ...string[]][] = [
  ['no key', { key: null, body: payment }, 401, 'KEY_MISSING'],
  ['a key that nobody has', { key: 'nobody', body: payment }, 401, 'KEY_UNKNOWN'],
  ['a key that expired', { key: 'expired', body: payment }, 401, 'KEY_EXPIRED'],
  ['another employer’s key', { key: 'other', body: payment }, 403, 'ACCOUNT_NOT_YOURS', '/payeReference'],
  ['a key without the role', { key: 'bank', body: payment }, 403, 'ROLE_MISSING'],
  ['a body that is not JSON', { body: '{"type":' }, 400, 'NOT_JSON'],
  ['an empty body', { body: '' }, 400, 'NOT_JSON'],
  ['another content type', { type: 'text/plain', body: payment }, 415, 'CONTENT_TYPE_UNSUPPORTED'],
  ['10 MB', { body: `"${'x'.repeat(10_000_000)}"` }, 413, 'BODY_TOO_LARGE'],
  ['no event', { body: [] }, 422, 'INPUT_INVALID', ''],
  ['1,001 events', { body: new Array(1_001).fill(payment) }, 422, 'INPUT_INVALID', ''],
  ['a text for a number', { body: { ...payment, taxablePayPence: '1' } }, 422, 'INPUT_INVALID', '/taxablePayPence'],
  ['an unknown field', { body: { ...payment, bonus: 1 } }, 422, 'INPUT_INVALID', '/bonus'],
  [
    'negative pay of an earlier employer',
    { body: { ...payment, starter: { declaration: 'B', p45PayPence: -1, p45TaxPence: 0 } } },
    422,
    'INPUT_INVALID',
    '/starter/p45PayPence',
  ],
  ['half a penny', { body: { ...payment, taxablePayPence: 0.5 } }, 422, 'INPUT_INVALID', '/taxablePayPence'],
  ['more pay than there is', { body: { ...payment, taxablePayPence: 1e15 } }, 422, 'INPUT_INVALID', '/taxablePayPence'],
  [
    'two faults in two events of three',
    { body: [{ ...payment, taxCode: '?' }, payment, { ...payment, eventId: 'x' }] },
    422,
    'INPUT_INVALID',
    '/0/taxCode',
    '/2/eventId',
  ],
  [
    'a fraction of a penny at a till',
    { path: '/v1/vat/events', body: { ...sale, totalPence: 10.37 } },
    422,
    'INPUT_INVALID',
    '/totalPence',
  ],
  [
    'a payment of nothing',
    { path: '/v1/payments', key: 'bank', body: { ...money, amountPence: 0 } },
    422,
    'INPUT_INVALID',
    '/amountPence',
  ],
  ['a place that is none', { path: '/v1/nothing', body: payment }, 404, 'NOT_FOUND'],
];

describe('bad input to the running process', () => {
  it.each(BAD)('%s is refused clearly', async (_what, request, status, code, ...pointers) => {
    const answer = await send(request);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    const problem = (await answer.json()) as Problem;
    expect(problem).toMatchObject({ status, code });
    expect(answer.status).toBe(status);
    expect(problem.detail.length).toBeGreaterThan(10);
    expect(problem.correlationId).toBe(answer.headers.get('x-correlation-id'));
    expect([...new Set((problem.faults ?? []).map(({ pointer }) => pointer))]).toEqual(
      expect.arrayContaining(pointers),
    );
  });

  it('and the payer’s own door refuses the same', async () => {
    for (const [what, request, status, code] of BAD) {
      if (request.path !== undefined || request.key === 'other') continue;
      const answer = await send({ ...request, path: '/payer/v1/events/paye' });
      const { code: found } = (await answer.json()) as Problem;
      expect({ what, status: answer.status, found }).toEqual({ what, status, found: code });
    }
  });

  it('leaves nothing behind: what is sent well afterwards is all that there is', { timeout: 180_000 }, async () => {
    expect((await summaryOf(service)).taxes.paye.received.events).toBe(0);
    expect((await service.call('payer', 'POST', '/payer/v1/events/paye', payment)).status).toBe(202);
    expect((await service.call('payer', 'POST', '/payer/v1/events/vat', sale)).status).toBe(202);
    const summary = await settled(service, { paye: 1, vat: 1 });
    // The payment is of a month that is long over, which is said of it and is no fault.
    expect([summary.taxes.paye.flags, summary.taxes.vat.flags]).toEqual([
      [{ code: 'LATE_FOR_ITS_MONTH', count: 1 }],
      [],
    ]);
    expect(summary.exceptions).toEqual([{ code: 'flagged', count: 1 }]);
    const { ledger } = await endWhole(service);
    expect(ledger.entries).toBe(2);
    expect(service.output).not.toMatch(/"level":"(error|fatal)"/);
  });
});

function send({
  path = '/v1/paye/events',
  key = 'payer',
  type = 'application/json',
  body,
}: Request): Promise<Response> {
  const bearer = key === null ? {} : { authorization: `Bearer ${key === 'nobody' ? 'no-such-key' : KEYS[key]}` };
  return fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: { ...bearer, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}
