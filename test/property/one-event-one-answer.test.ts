import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { systemClock } from '../../libs/adapters/time/clock.ts';
import type { Fault } from '../../libs/core/errors/fault.ts';
import { type RunningTallystick, startTallystick } from '../../services/cli/start/start.ts';
import { readIngressRecord } from '../../services/gateway/ingress/read-ingress-record.ts';
import { eventBytes } from '../../services/gateway/intake/event-bytes.ts';
import { client } from '../support/gateway-fixture.ts';
import { rewritingsOf } from '../support/rewrite-json.ts';
import { type Json, paymentJson, saleJson } from '../support/submissions.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'tally-answers-'));
const sender = client('sender', { ingress: true });
const options = {
  client: sender,
  personTokenKey: new Uint8Array(32),
  rules: loadTaxRules(),
  receivedAtMs: Date.UTC(2026, 11, 1, 12),
};
let running: RunningTallystick;

beforeAll(async () => {
  const clientsFile = join(dataDir, 'more-clients.json');
  writeFileSync(clientsFile, JSON.stringify({ clients: [{ ...sender, ingress: false }] }));
  process.env['CLIENTS_FILE'] = clientsFile;
  const logger = createLogger({ service: 'test', level: 'silent' });
  const onFailed = (error: unknown): void => {
    throw error;
  };
  running = await startTallystick({ dataDir, port: 0, furtherPorts: 0 }, { logger, clock: systemClock, onFailed });
  delete process.env['CLIENTS_FILE'];
}, 60_000);

afterAll(async () => {
  await running.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly faults: readonly Fault[];
  /** Of the bytes appended; from the gateway alone. */
  readonly hash: string | undefined;
}

type Tax = 'paye' | 'vat';
const taxOf = (event: Json): Tax => ('vrn' in event ? 'vat' : 'paye');

async function post(path: string, body: string): Promise<Answer> {
  const headers = { authorization: 'Bearer key-of-sender', 'content-type': 'application/json' };
  const response = await fetch(new URL(path, running.url), { method: 'POST', headers, body });
  const answer = (await response.json()) as {
    code?: string;
    faults?: Fault[];
    receipts?: { events: { hash: string }[] }[];
  };
  const hash = answer.receipts?.[0]?.events[0]?.hash;
  return { status: response.status, code: answer.code, faults: answer.faults ?? [], hash };
}

const atGateway = (tax: Tax, body: string) => post(`/v1/${tax}/events`, body);
const atNode = (tax: Tax, body: string) => post(`/payer/v1/events/${tax}`, body);

/** The bytes that the ingress would append, or the codes that its dead letter would have. */
function atIngress(body: string): string | readonly string[] {
  const record = { offset: 0, timestampMs: 0, key: null, value: Buffer.from(body), headers: {} };
  const reading = readIngressRecord(record, 0, options);
  if (reading.kind === 'event') return eventBytes(reading.prepared, 0).toString('hex');
  return (reading.rejection.facts['faults'] ?? '').split('; ').map((fault) => fault.split(' ')[0] ?? '');
}

const pence = fc.integer({ min: 1, max: 90_000 });
const payment = fc
  .record({
    eventId: fc.uuid(),
    taxablePayPence: pence,
    nicableEarningsPence: pence,
    studentLoanPlan: fc.constantFrom(null, '01', '02'),
    week1Month1: fc.boolean(),
    nino: fc.constantFrom('AB123456C', 'AB 12 34 56 C'),
    stated: fc.constantFrom(null, { incomeTaxPence: 1_200 }),
  })
  .map((more) => paymentJson(more));
const sale = fc
  .record({ eventId: fc.uuid(), tillId: fc.stringMatching(/^[A-Z0-9]{1,8}$/), paid: pence })
  .map(({ eventId, tillId, paid }) => {
    const lines = [{ id: '1', category: 'standard', paidPence: paid }];
    const payments = [{ method: 'card', amountPence: paid }];
    return saleJson({ eventId, tillId, lines, totalPence: paid, vatPence: null, payments });
  });
const purchase = fc.record({ eventId: fc.uuid(), netPence: pence }).map((more) => ({
  ...{ type: 'PurchaseRecorded', vrn: '101747696', kind: 'purchase', taxPoint: '2026-11-20', reference: 'é £ 1' },
  ...more,
  vatPence: Math.round(more.netPence / 20),
}));
const claims = fc.record({ eventId: fc.uuid(), SMP: pence }).map(({ eventId, SMP }) => ({
  ...{ type: 'EmployerClaimsMade', payeReference: '123/AB456', taxYear: '2026-27', taxMonth: 8 },
  ...{ eventId, statutoryPayPence: { SMP } },
}));
const event: fc.Arbitrary<Json> = fc.oneof(payment, sale, purchase, claims);
const twoWritings = event.chain((json) => fc.tuple(fc.constant(json), rewritingsOf(json), rewritingsOf(json)));

describe('one event, however it is written', () => {
  it('is one event at the gateway, at the payer’s node and at the ingress', async () => {
    await fc.assert(
      fc.asyncProperty(twoWritings, async ([json, one, other]) => {
        const tax = taxOf(json);
        const plain = JSON.stringify(json);
        const first = await atGateway(tax, plain);
        expect(first).toMatchObject({ status: 202, hash: expect.any(String) });
        expect(await atGateway(tax, one)).toEqual(first);
        expect((await atNode(tax, other)).status).toBe(202);
        expect((await atNode(tax, one)).status).toBe(202);
        expect(atIngress(one)).toEqual(atIngress(plain));
        expect(atIngress(other)).toEqual(expect.any(String));
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  it('that is another under the same id is refused by both doors', async () => {
    const sold = saleJson({ tillId: 'OTHER' });
    const changed = { ...sold, occurredAt: '2026-11-20T10:15:01Z' };
    for (const door of [atGateway, atNode]) {
      expect((await door('vat', JSON.stringify(sold))).status).toBe(202);
      expect(await door('vat', JSON.stringify(changed))).toMatchObject({
        status: 409,
        faults: [{ code: 'EVENT_ID_CONFLICT', pointer: '/eventId' }],
      });
    }
  });

  it('has the same faults at every door', async () => {
    const values = [null, '', ' ', 'x', '12.5', -1, 1.5, 0, true, [], {}, [{}], [null], '2026-13-01', 1e300];
    const broken = fc
      .tuple(event, fc.constantFrom(...values), fc.nat(), fc.boolean())
      .map(([json, value, at, isUnknown]) => {
        const names = Object.keys(json).filter((name) => name !== 'vrn' && name !== 'payeReference');
        return { ...json, [isUnknown ? 'unknown' : (names[at % names.length] ?? '')]: value };
      })
      .chain((json) => fc.tuple(fc.constant(json as Json), rewritingsOf(json)));
    await fc.assert(
      fc.asyncProperty(broken, async ([json, text]) => {
        const tax = taxOf(json);
        const [gateway, node] = [await atGateway(tax, JSON.stringify(json)), await atNode(tax, text)];
        expect(node.status).toBe(gateway.status);
        expect(byPointer(node.faults)).toEqual(byPointer(gateway.faults));
        if (gateway.status === 202) return;
        const codes = atIngress(text);
        expect(Array.isArray(codes) && [...codes].sort()).toEqual(gateway.faults.map(({ code }) => code).sort());
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

/** Faults of unknown fields come in the order in which the sender wrote them. */
const byPointer = (faults: readonly Fault[]) =>
  [...faults].sort((a, b) => `${a.pointer} ${a.code}`.localeCompare(`${b.pointer} ${b.code}`));

describe('a body that is no event', () => {
  const named = JSON.stringify(saleJson());
  it.each([
    ['a member given twice', named.replace('{', '{"tillId":"T9",'), 400, 'JSON_MEMBER_REPEATED', '/tillId'],
    [
      'a member of a line given twice',
      named.replace('"paidPence":1200}', '"paidPence":1200,"paidPence":1}'),
      400,
      'JSON_MEMBER_REPEATED',
      '/lines/0/paidPence',
    ],
    ['lists within lists', `${'['.repeat(65)}${']'.repeat(65)}`, 400, 'JSON_TOO_DEEP', '/0'],
    ['a hundred thousand lists within lists', `${'['.repeat(1e5)}${']'.repeat(1e5)}`, 400, 'JSON_TOO_DEEP', '/0'],
    ['nothing', '', 400, 'NOT_JSON', null],
    ['white space', ' \n', 400, 'NOT_JSON', null],
    ['half an event', named.slice(0, 40), 400, 'NOT_JSON', null],
  ])('%s is refused alike by every door', async (_, body, status, code, pointer) => {
    const expected = { status, code, faults: pointer === null ? [] : [expect.objectContaining({ code, pointer })] };
    expect(await atGateway('vat', body)).toMatchObject(expected);
    expect(await atNode('vat', body)).toMatchObject(expected);
    if (body.length > 0) expect(atIngress(body)).toEqual([code]);
  });

  it('half a million tiny entries are refused with one sentence', async () => {
    const body = `[${'{},'.repeat(500_000)}{}]`;
    for (const door of [atGateway, atNode]) {
      expect(await door('vat', body)).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE', faults: [] });
    }
  });

  it('bytes that are not UTF-8 are refused by HTTP as by the ingress', async () => {
    const headers = { authorization: 'Bearer key-of-sender', 'content-type': 'application/json' };
    const body = Buffer.from(named.replace('"T1"', '"T\u00e9"'), 'latin1');
    for (const path of ['/v1/vat/events', '/payer/v1/events/vat']) {
      const answer = await fetch(new URL(path, running.url), { method: 'POST', headers, body });
      expect(await answer.json()).toMatchObject({ status: 400, code: 'NOT_JSON' });
    }
    const record = { offset: 0, timestampMs: 0, key: null, value: body, headers: {} };
    expect(readIngressRecord(record, 0, options)).toMatchObject({ kind: 'refused', rejection: { code: 'NOT_JSON' } });
  });
});
