import { rm } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { printVerifierKey } from '../../../../../libs/core/ledger/note/verifier-key.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons, uuidOfName } from '../../../../support/own-events.ts';
import { PaperHmrc } from '../../../../support/paper-hmrc.ts';
import { type NodeUnderTest, openPayerNode, removeFolder, until } from '../../../../support/payer-node-fixture.ts';

const VAT = account(PAYER_VAT);
const PAYE = account(PAYER_PAYE);
const opened: NodeUnderTest[] = [];

async function open(hmrc: PaperHmrc, other: Parameters<typeof openPayerNode>[1] = {}): Promise<NodeUnderTest> {
  const clients = { gateway: hmrc.gateway, ledger: hmrc.ledger, gatewayKey: printVerifierKey(hmrc.gatewaySigner.key) };
  const under = await openPayerNode(clients, { pullEveryMs: 20, accounts: [VAT, PAYE], ...other });
  opened.push(under);
  under.node.start();
  return under;
}

/** What an agent, a till's own line to the gateway or a Kafka producer posts: not by the node. */
async function postElsewhere(hmrc: PaperHmrc, tax: 'paye' | 'vat', events: readonly unknown[]): Promise<void> {
  const texts = events.map((json) => JSON.stringify(json));
  const answer = await hmrc.gateway.postEvents(tax, texts);
  expect(answer.kind).toBe('receipts');
}

const whole = { limit: 1_000, beforeSeq: null };
const entriesOf = ({ node }: NodeUnderTest, owner = VAT): number => node.statement(owner, whole)?.entriesSince0 ?? 0;

afterEach(async () => {
  for (const { node, folder, fatal } of opened.splice(0)) {
    await node.stop();
    await removeFolder(folder);
    expect(fatal).toEqual([]);
  }
});

describe('events that others sent for an account', () => {
  it('come from the gateway with their receipts, so that the chain goes on', async () => {
    const hmrc = new PaperHmrc();
    const under = await open(hmrc);
    await under.node.submit('vat', saleJsons(2, 'T1'));
    await until(() => under.node.counts().unsent === 0);
    await postElsewhere(hmrc, 'vat', saleJsons(5, 'T2'));
    await postElsewhere(hmrc, 'paye', [paymentJson(1), paymentJson(2)]);
    await under.node.submit('vat', saleJsons(1, 'T3'));
    await until(() => under.node.counts().unsent === 0);
    hmrc.seal();
    // a key of the ledger and one of the payer, and eight sales; two payments on the other chain
    await until(() => entriesOf(under) === 10 && entriesOf(under, PAYE) === 4);
    expect([...under.node.divergences()]).toEqual([]);
    await until(() => under.node.counts().decided === 10);
    expect(under.node.counts()).toMatchObject({ receipted: 0, rejected: 0 });
    expect(under.node.statement(VAT, whole)?.entries.map(({ ground }) => ground)).not.toContain('unconfirmed');
    // and once more, from where the list was read to
    await postElsewhere(hmrc, 'vat', saleJsons(1, 'T4'));
    hmrc.seal();
    await until(() => entriesOf(under) === 11);
    expect([...under.node.divergences()]).toEqual([]);
  });

  it('are taken where the node sent another body under the same id, which the gateway refused', async () => {
    const hmrc = new PaperHmrc();
    const under = await open(hmrc);
    const [sale] = saleJsons(1, 'T1') as [Record<string, unknown>];
    await postElsewhere(hmrc, 'vat', [sale]);
    const id = String(sale['eventId']).replaceAll('-', '');
    hmrc.refused.set(id, { code: 'EVENT_ID_CONFLICT', pointer: '/eventId', detail: 'known with another body' });
    await under.node.submit('vat', [{ ...sale, region: 'GB' }]);
    await until(() => under.node.counts().refused === 1);
    hmrc.seal();
    await until(() => entriesOf(under) === 3);
    expect([...under.node.divergences()]).toEqual([]);
  });

  it('are known as rejected where tax rejects them', async () => {
    const hmrc = new PaperHmrc();
    const under = await open(hmrc);
    await postElsewhere(hmrc, 'vat', saleJsons(1, 'T1'));
    const period = { periodStart: '2026-10-02', periodEnd: '2026-12-31' };
    const close = { type: 'VatPeriodClosed', eventId: uuidOfName('close'), vrn: '101747696', ...period, close: 'soft' };
    await postElsewhere(hmrc, 'vat', [close]);
    hmrc.seal();
    await until(() => under.node.counts().decided === 1 && under.node.counts().rejected === 1);
    expect(under.node.counts()).toMatchObject({ receipted: 0, refused: 0, unsent: 0 });
    expect([...under.node.divergences()]).toEqual([]);
  });

  it('stop the chain where the gateway gives other bytes than it receipted', async () => {
    const hmrc = new PaperHmrc();
    hmrc.forge = (bytes) => Buffer.concat([bytes.subarray(0, -1), Buffer.of(1 ^ (bytes.at(-1) ?? 0))]);
    const under = await open(hmrc);
    await postElsewhere(hmrc, 'vat', saleJsons(1, 'T1'));
    hmrc.seal();
    await until(() => [...under.node.divergences()].length === 1);
    expect([...under.node.divergences()][0]?.findings[0]).toMatchObject({ code: 'EVENT_UNKNOWN', account: VAT });
    expect(await under.faults('RECEIPT_INVALID')).toBe(1);
    expect(under.node.counts()).toMatchObject({ decided: 0, receipted: 0 });
  });

  it('are awaited, and nothing is held against the ledger, while the gateway is out of reach', async () => {
    const hmrc = new PaperHmrc();
    const { eventsOf } = hmrc.gateway;
    let isReached = false;
    hmrc.gateway.eventsOf = async (owner, from) => {
      if (isReached) return await eventsOf(owner, from);
      isReached = true;
      throw new TallyError('GATEWAY_UNREACHABLE', 'out of reach', {}, { retriable: true });
    };
    const under = await open(hmrc);
    await postElsewhere(hmrc, 'vat', saleJsons(1, 'T1'));
    hmrc.seal();
    await until(() => isReached);
    expect([...under.node.divergences()]).toEqual([]);
    await until(() => entriesOf(under) === 3);
    expect([...under.node.divergences()]).toEqual([]);
  });

  it('set a chain going again that stopped at one of them before', async () => {
    const hmrc = new PaperHmrc();
    hmrc.silentAbout.add(VAT);
    const before = await open(hmrc);
    await postElsewhere(hmrc, 'vat', saleJsons(1, 'T1'));
    hmrc.seal();
    await until(() => before.node.statement(VAT, whole)?.haltedBy === 1);
    await before.node.stop();
    opened.splice(0);
    hmrc.silentAbout.clear();
    const under = await open(hmrc, { folder: before.folder });
    await until(() => entriesOf(under) === 3);
    expect([...under.node.divergences()].map(({ settledAtMs }) => settledAtMs === null)).toEqual([false]);
    expect(under.node.statement(VAT, whole)?.haltedBy).toBeNull();
  });
});

describe('a node that lost its folder and kept its keys', () => {
  it('is made again from gateway and ledger, to the same statement', async () => {
    const hmrc = new PaperHmrc();
    const under = await open(hmrc);
    await under.node.submit('vat', saleJsons(20, 'T1'));
    await under.node.submit('paye', [paymentJson(1), paymentJson(2), paymentJson(3)]);
    await until(() => under.node.counts().unsent === 0);
    hmrc.pay(VAT, 500);
    hmrc.seal();
    await until(() => entriesOf(under) === 23 && entriesOf(under, PAYE) === 5);
    await until(() => hmrc.acknowledged.length >= 2);
    const statements = [VAT, PAYE].map((owner) => under.node.statement(owner, whole));
    await under.node.stop();
    await rm(under.folder, { recursive: true });
    opened.splice(0);
    const again = await open(hmrc);
    await until(() => entriesOf(again) === 23 && entriesOf(again, PAYE) === 5);
    await until(() => again.node.accounts().every(({ head, acknowledgedSeq }) => head?.seq === acknowledgedSeq));
    expect([VAT, PAYE].map((owner) => again.node.statement(owner, whole))).toEqual(statements);
    await until(() => again.node.counts().decided === 23);
    expect(again.node.counts()).toMatchObject({ receipted: 0, unsent: 0 });
    // what was sent before is known again, and what comes new goes on
    await again.node.submit('vat', [...saleJsons(20, 'T1'), ...saleJsons(1, 'T2')]);
    await until(() => again.node.counts().unsent === 0);
    hmrc.seal();
    await until(() => entriesOf(again) === 24);
    expect([...again.node.divergences()]).toEqual([]);
  });
});
