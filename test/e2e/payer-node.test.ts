import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createGatewayClient } from '../../libs/adapters/http/gateway-client.ts';
import { createLedgerClient } from '../../libs/adapters/http/ledger-client.ts';
import { createHttpApp } from '../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../libs/adapters/telemetry/logger.ts';
import { verifyCopy } from '../../services/cli/verify/verify.ts';
import { AGENT_KEY, BANK_KEY, type HmrcServices, startHmrcServices } from '../support/hmrc-services.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons, uuidOfName } from '../support/own-events.ts';
import {
  type NodeUnderTest,
  openPayerNode,
  PAYER_CLIENT_KEY,
  removeFolder,
  until,
} from '../support/payer-node-fixture.ts';

let hmrc: HmrcServices;
let under: NodeUnderTest;
let server: HttpServer;

beforeAll(async () => {
  hmrc = await startHmrcServices();
});

afterAll(async () => {
  await hmrc.stop();
  await rm(hmrc.dataDir, { recursive: true, force: true });
});

afterEach(async () => {
  await server.stop(1_000);
  await under.node.stop();
  await removeFolder(under.folder);
  expect(under.fatal).toEqual([]);
});

async function openNode(): Promise<void> {
  const reach = { url: hmrc.url, clientKey: AGENT_KEY, timeoutMs: 10_000 };
  under = await openPayerNode(
    {
      gateway: createGatewayClient(reach, { fetch }),
      ledger: createLedgerClient(reach, { fetch }),
      gatewayKey: hmrc.gatewayKey,
    },
    { pullEveryMs: 500 },
  );
  const logger = createLogger({ service: 'payer-node', level: 'silent' });
  server = await startHttpServer(
    { host: '127.0.0.1', port: 0, furtherPorts: 0 },
    createHttpApp({ routers: [under.node.router] }, { logger }),
  );
  under.node.start();
}

async function call(path: string, body?: unknown): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${server.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${PAYER_CLIENT_KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

describe('the payer node against the real gateway, tax and ledger', () => {
  it('carries events from its door to its own verified copy, which anyone can check', async () => {
    await openNode();
    const events = {
      vat: saleJsons(40),
      paye: [1, 2, 3].flatMap((one) => [1, 2].map((month) => paymentJson(one, month))),
    };
    const taken = {
      queued: 40,
      tills: [{ vrn: '101747696', tillId: 'T1', nextSeq: 41, nextPrevHash: expect.stringMatching(/^[0-9a-f]{64}$/) }],
    };
    const first = await call('/payer/v1/events/vat', events.vat);
    expect({ status: first.status, answer: JSON.parse(first.text) }).toEqual({ status: 202, answer: taken });
    expect((await call('/payer/v1/events/paye', events.paye)).status).toBe(202);
    // the same again is the same
    expect(await call('/payer/v1/events/vat', events.vat)).toEqual(first);
    await until(() => under.node.counts().decided === 46);
    const paid = await fetch(`${hmrc.url}/v1/payments`, {
      method: 'POST',
      headers: { authorization: `Bearer ${BANK_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        eventId: uuidOfName('bank 1'),
        account: PAYER_VAT,
        direction: 'received',
        amountPence: 12_345,
        bookedOn: '2026-11-20',
      }),
    });
    expect(paid.status).toBe(202);
    await until(() => under.node.accounts().some((one) => one.unconfirmedPence === 12_345));
    await until(() => under.node.accounts().every((one) => one.acknowledgedSeq === one.head?.seq));
    expect(JSON.parse((await call('/payer/v1/outbox')).text)).toEqual({
      unsent: 0,
      receipted: 0,
      refused: 0,
      decided: 46,
      rejected: 0,
    });
    expect(JSON.parse((await call('/payer/v1/divergences')).text)).toEqual({ divergences: [], waiting: null });
    for (const owner of ['vat:101747696', 'paye:123-AB456']) {
      const statement = JSON.parse((await call(`/payer/v1/accounts/${owner}/statement`)).text);
      const file = join(under.folder, 'copy.tally');
      await writeFile(file, (await call(`/payer/v1/accounts/${owner}/copy`)).text);
      const report = await verifyCopy(file);
      expect(report.findings).toEqual([]);
      expect(report.totals.balancePence).toBe(statement.balancePence);
      expect(report.totals.heads).toEqual(statement.heads);
      expect(report.ledger?.name).toBe(hmrc.ledger.identity.name);
    }
    // the record knows each event: receipt, hash, entry
    const [known] = JSON.parse((await call(`/payer/v1/events/${uuidOfName('payment 1 1')}`)).text).events;
    expect(known).toMatchObject({ account: PAYER_PAYE, status: 'decided', refused: null, rejected: null });
    expect(known.receipt).toContain(`${hmrc.ledger.identity.name}/receipt/v1`);
  });

  it('takes what the gateway refuses out of a batch, sends the rest, and says why', async () => {
    await openNode();
    const [known, fresh] = [saleJsons(1, 'C1'), saleJsons(2, 'C2')];
    await under.node.submit('vat', known);
    await until(() => under.node.counts().receipted + under.node.counts().decided === 1);
    await under.node.stop();
    await removeFolder(under.folder);
    // a node that lost its store posts another body under an id that the gateway knows
    await server.stop(0);
    await openNode();
    const [one, two] = fresh;
    await under.node.submit('vat', [
      one,
      { ...saleJsons(1, 'C3')[0], eventId: uuidOfName('sale 101747696 C1 1') },
      two,
    ]);
    await until(() => under.node.counts().unsent === 0);
    expect(under.node.counts()).toMatchObject({ refused: 1 });
    const [refused] = JSON.parse((await call(`/payer/v1/events/${uuidOfName('sale 101747696 C1 1')}`)).text).events;
    expect(refused).toMatchObject({ status: 'refused', refused: { faults: [{ code: 'EVENT_ID_CONFLICT' }] } });
  });

  it('refuses at its own door what is not an event, every fault with its place, and queues nothing of it', async () => {
    await openNode();
    const [good] = saleJsons(1, 'D1');
    const answer = await call('/payer/v1/events/vat', [good, { ...good, eventId: 'no', totalPence: 1.5 }]);
    expect(answer.status).toBe(422);
    const { faults } = JSON.parse(answer.text) as { faults: { pointer: string }[] };
    expect(faults.map((fault) => fault.pointer)).toEqual(expect.arrayContaining(['/1/eventId', '/1/totalPence']));
    expect(under.node.counts().unsent).toBe(0);
    expect((await call('/payer/v1/events/gas', [good])).status).toBe(404);
    expect((await call('/payer/v1/accounts/vat:999999999/statement')).status).toBe(404);
  });
});
