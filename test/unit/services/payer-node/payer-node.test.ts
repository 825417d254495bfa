import { afterEach, describe, expect, it } from 'vitest';
import { account } from '../../../../libs/core/identity/account.ts';
import { printVerifierKey } from '../../../../libs/core/ledger/verifier-key.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons } from '../../../support/own-events.ts';
import { PaperHmrc } from '../../../support/paper-hmrc.ts';
import { type NodeUnderTest, openPayerNode, removeFolder, until } from '../../../support/payer-node-fixture.ts';

const PAYE = account(PAYER_PAYE);
const VAT = account(PAYER_VAT);
const opened: NodeUnderTest[] = [];

async function open(hmrc: PaperHmrc, other: Parameters<typeof openPayerNode>[1] = {}): Promise<NodeUnderTest> {
  const clients = { gateway: hmrc.gateway, ledger: hmrc.ledger, gatewayKey: printVerifierKey(hmrc.gatewaySigner.key) };
  const under = await openPayerNode(clients, { pullEveryMs: 20, ...other });
  opened.push(under);
  return under;
}

afterEach(async () => {
  for (const { node, folder, fatal } of opened.splice(0)) {
    await node.stop();
    await removeFolder(folder);
    expect(fatal).toEqual([]);
  }
});

describe('the payer node', () => {
  it('sends what it holds, takes its blocks, works them out again and countersigns the heads', async () => {
    const hmrc = new PaperHmrc();
    const { node } = await open(hmrc);
    node.start();
    expect(await node.submit('paye', [paymentJson(1), paymentJson(2)])).toMatchObject({ queued: 2, refused: [] });
    expect(await node.submit('vat', saleJsons(3))).toMatchObject({ queued: 3 });
    await until(() => node.counts().unsent === 0);
    hmrc.pay(VAT, 500);
    hmrc.seal();
    await until(() => node.counts().decided >= 5 && hmrc.acknowledged.length >= 2);
    expect(node.counts()).toMatchObject({ unsent: 0, receipted: 0, refused: 0, rejected: 0 });
    const paye = node.statement(PAYE, { limit: 10, beforeSeq: null });
    // block 0, and one block with the key event and two payments
    expect(paye?.head?.seq).toBe(1);
    expect(paye?.entriesSince0).toBe(4);
    expect(paye?.heads.incomeTax).toBeGreaterThan(0);
    expect(paye?.balancePence).toBe(paye?.chargesPence);
    const vat = node.statement(VAT, { limit: 10, beforeSeq: null });
    expect(vat?.paymentsPence).toBe(500);
    expect(vat?.unconfirmedPence).toBe(500);
    expect([...node.divergences()]).toEqual([]);
  });
});
