import { afterEach, describe, expect, it } from 'vitest';
import type { PullAnswer, PulledChain } from '../../../../libs/adapters/codec/pull-answer.ts';
import { nodeSha256 } from '../../../../libs/adapters/crypto/node-crypto.ts';
import {
  createLedgerClient,
  type LedgerClient,
  type PullRequest,
} from '../../../../libs/adapters/http/ledger-client.ts';
import { type LoadedRules, loadRules } from '../../../../libs/adapters/rules/load-rules.ts';
import { createHttpApp } from '../../../../libs/adapters/server/create-app.ts';
import { startHttpServer } from '../../../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../../../libs/adapters/telemetry/logger.ts';
import { canonicalJson } from '../../../../libs/core/encoding/canonical-json.ts';
import { TallyError } from '../../../../libs/core/errors/tally-error.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import { printVerifierKey } from '../../../../libs/core/ledger/note/verifier-key.ts';
import { payeRulesOf } from '../../../../libs/core/paye/rates/paye-rules.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons } from '../../../support/own-events.ts';
import { PaperHmrc } from '../../../support/paper-hmrc.ts';
import { type NodeUnderTest, openPayerNode, removeFolder, until } from '../../../support/payer-node-fixture.ts';
import { SetClock } from '../../../support/set-clock.ts';
import { spreadVrns } from '../../../support/spread-vrns.ts';

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

  it('sends again until there is an answer, and the same event again is the same event', async () => {
    const hmrc = new PaperHmrc();
    hmrc.loseAnswers = 2;
    const { node } = await open(hmrc);
    node.start();
    const sales = saleJsons(5);
    await node.submit('vat', sales);
    expect(await node.submit('vat', sales)).toEqual({ queued: 0, repeated: 5, refused: [] });
    await until(() => node.counts().unsent === 0);
    hmrc.seal();
    await until(() => node.counts().decided === 5);
    expect(node.statement(VAT, { limit: 10, beforeSeq: null })?.entriesSince0).toBe(7);
    expect([...node.divergences()]).toEqual([]);
  });

  it('takes refused events out by their pointers, sends the rest, and takes a mended one under the same id', async () => {
    const hmrc = new PaperHmrc();
    const { node } = await open(hmrc);
    const sales = saleJsons(6) as readonly { readonly eventId: string }[];
    for (const at of [1, 4]) {
      const id = sales[at]?.eventId.replaceAll('-', '') ?? '';
      hmrc.refused.set(id, { code: 'E_TOTAL', pointer: '/totalPence', detail: 'not this one' });
    }
    node.start();
    await node.submit('vat', sales);
    await until(() => node.counts().unsent === 0);
    expect(node.counts()).toMatchObject({ refused: 2, receipted: 4 });
    hmrc.refused.clear();
    const mended = { ...sales[1], region: 'GB' };
    expect(await node.submit('vat', [mended])).toMatchObject({ queued: 1 });
    await until(() => node.counts().unsent === 0);
    expect(node.counts()).toMatchObject({ refused: 1, receipted: 5 });
  });

  it('refuses another body under a known id, two bodies under one id, and what is no event, and queues the rest', async () => {
    const hmrc = new PaperHmrc();
    const { node } = await open(hmrc);
    const [one, two, three] = saleJsons(3) as readonly [object, object, object];
    await node.submit('vat', [one]);
    const result = await node.submit('vat', [
      { ...one, region: 'NI' },
      two,
      { ...two, region: 'NI' },
      { type: 'SALE' },
      three,
    ]);
    expect(result).toMatchObject({ queued: 2, repeated: 0 });
    expect(result.refused.map(({ index, faults }) => [index, faults[0]?.code])).toEqual([
      [0, 'EVENT_ID_CONFLICT'],
      [2, 'EVENT_ID_CONFLICT'],
      [3, expect.any(String)],
    ]);
    expect(result.refused[2]?.faults.every(({ pointer }) => pointer.startsWith('/3'))).toBe(true);
    expect(node.counts().unsent).toBe(3);
  });

  it('keeps what it took over a restart, sends it in order, and goes on from its verified head', async () => {
    const hmrc = new PaperHmrc();
    const first = await open(hmrc);
    await first.node.submit('vat', saleJsons(1_000));
    await first.node.submit('vat', saleJsons(500, 'T1', '101747696', 1_001));
    await first.node.stop();
    opened.splice(0);
    const second = await open(hmrc, { folder: first.folder });
    expect(second.node.counts().unsent).toBe(1_500);
    second.node.start();
    await until(() => second.node.counts().unsent === 0);
    hmrc.seal();
    await until(() => second.node.counts().decided === 1_500);
    await second.node.stop();
    opened.splice(0);
    const third = await open(hmrc, { folder: first.folder });
    third.node.start();
    await third.node.submit('vat', saleJsons(1, 'T1', '101747696', 1_501));
    await until(() => third.node.counts().unsent === 0);
    hmrc.seal();
    await until(() => third.node.counts().decided === 1_501);
    expect(third.node.accounts()[0]?.head?.seq).toBe(2);
    // a till's events keep their order all the way: no gap in the sequence was flagged, so amounts agree
    expect([...third.node.divergences()]).toEqual([]);
  });

  it('holds its store for one process alone', async () => {
    const hmrc = new PaperHmrc();
    const { folder } = await open(hmrc);
    await expect(open(hmrc, { folder })).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
  });

  it('countersigns nothing of a chain before its own key stands in a block', async () => {
    const hmrc = new PaperHmrc();
    const { node } = await open(hmrc, { accounts: [VAT] });
    await node.pullOnce();
    hmrc.seal();
    await node.pullOnce();
    // block 0 and the key event came in one pull
    expect(node.accounts()[0]).toMatchObject({ keyRegistered: true, acknowledgedSeq: 1 });
    expect(hmrc.acknowledged).toEqual([{ chain: node.accounts()[0]?.chain, seq: 1 }]);
    await node.pullOnce();
    expect(hmrc.acknowledged).toHaveLength(1);
  });

  it('pages a statement by blocks, the newest first', async () => {
    const hmrc = new PaperHmrc();
    const { node } = await open(hmrc);
    node.start();
    for (const seq of [1, 2, 3]) {
      await node.submit('vat', saleJsons(1, 'T1', '101747696', seq));
      await until(() => node.counts().unsent === 0);
      hmrc.seal();
    }
    await until(() => node.counts().decided === 3);
    const newest = node.statement(VAT, { limit: 2, beforeSeq: null });
    expect(newest?.entries.map(({ seq, number }) => [seq, number])).toEqual([
      [3, 3],
      [2, 2],
    ]);
    expect(newest?.olderBefore).toBe(2);
    const older = node.statement(VAT, { limit: 10, beforeSeq: newest?.olderBefore ?? null });
    expect(older?.entries.map(({ seq, kind }) => [seq, kind])).toEqual([
      [1, 'charge'],
      [1, 'key event'],
      [0, 'key event'],
    ]);
    expect(older?.olderBefore).toBeNull();
    expect(node.statement(PAYE, { limit: 1, beforeSeq: null })).toBeNull();
  });

  it('works blocks out again by the rates that they name, after its own rates changed', async () => {
    const hmrc = new PaperHmrc();
    const first = await open(hmrc);
    first.node.start();
    await first.node.submit('paye', [paymentJson(1)]);
    await until(() => first.node.counts().unsent === 0);
    await first.node.stop();
    opened.splice(0);
    hmrc.seal();
    const second = await open(hmrc, { folder: first.folder, loaded: otherRates() });
    second.node.start();
    await until(() => second.node.counts().decided === 1);
    expect([...second.node.divergences()]).toEqual([]);
  });

  it('stops at a rule set that it does not have, and goes on once a start brings it', async () => {
    const hmrc = new PaperHmrc();
    const first = await open(hmrc, { loaded: otherRates() });
    first.node.start();
    await first.node.submit('paye', [paymentJson(1)]);
    await until(() => first.node.counts().unsent === 0);
    hmrc.seal();
    await until(() => [...first.node.divergences()].length === 1);
    const [stored] = first.node.divergences();
    expect(stored?.findings[0]).toMatchObject({ code: 'RULES_UNKNOWN', account: PAYE, seq: 1 });
    expect(stored?.findings[0]?.found).toBe(hmrc.rules.paye.hash);
    await first.node.stop();
    opened.splice(0);
    const second = await open(hmrc, { folder: first.folder });
    second.node.start();
    await until(() => second.node.counts().decided === 1);
    expect([...second.node.divergences()][0]?.settledAtMs).not.toBeNull();
  });

  it('that ends in the middle of a pull holds whole chains of it, has countersigned none, and goes on from each', async () => {
    const hmrc = new PaperHmrc();
    const traders = spreadVrns(3).map((vrn) => account(`vat:${vrn}`));
    const first = await open(hmrc, { accounts: traders });
    await first.node.pullOnce();
    hmrc.seal();
    while ((await first.node.pullOnce()).more);
    first.node.start();
    for (const [index, owner] of traders.entries()) {
      // Each of the first two alone is as much as is written together.
      await first.node.submit('vat', saleJsons(index === 2 ? 10 : 1_000, `T${index}`, owner.slice('vat:'.length)));
    }
    await until(() => first.node.counts().unsent === 0);
    await first.node.stop();
    opened.splice(0);
    hmrc.seal();
    const acknowledged = hmrc.acknowledged.length;
    const ending = async (request: PullRequest): Promise<PullAnswer> => {
      const answer = await hmrc.ledger.pull(request);
      return { ...answer, chains: [...answer.chains.slice(0, 2), ...answer.chains.slice(2).map(endingChain)] };
    };
    const clients = { gateway: hmrc.gateway, gatewayKey: printVerifierKey(hmrc.gatewaySigner.key) };
    const second = await openPayerNode(
      { ...clients, ledger: { ...hmrc.ledger, pull: ending } },
      { folder: first.folder },
    );
    await expect(second.node.pullOnce()).rejects.toThrow('killed here');
    await second.node.stop();
    expect(hmrc.acknowledged).toHaveLength(acknowledged);
    const third = await open(hmrc, { folder: first.folder });
    expect(third.node.accounts().map(({ head }) => head?.entriesSince0)).toEqual([1_002, 1_002, 2]);
    expect(third.node.counts()).toMatchObject({ decided: 2_000, receipted: 10 });
    await third.node.pullOnce();
    expect(third.node.counts()).toMatchObject({ decided: 2_010, receipted: 0 });
    expect(third.node.accounts().map(({ head, acknowledgedSeq }) => acknowledgedSeq === head?.seq)).toEqual([
      true,
      true,
      true,
    ]);
    expect([...third.node.divergences()]).toEqual([]);
  }, 60_000);

  it('follows thousands of accounts in one pull and countersigns them with one signature', async () => {
    const hmrc = new PaperHmrc();
    const accounts = Array.from({ length: 2_000 }, (_, index) => account(`paye:123/C${index}`));
    const { node } = await open(hmrc, { accounts });
    await node.pullOnce();
    hmrc.seal();
    let pulls = 0;
    while ((await node.pullOnce()).more) pulls += 1;
    expect(pulls).toBeLessThan(3);
    expect(node.accounts().filter((one) => one.acknowledgedSeq === 1)).toHaveLength(2_000);
    expect(hmrc.countersignatures.size).toBe(1);
  });

  it('of thousands of chains pulls at once those that the ledger says grew, and by turns one that it keeps quiet about', async () => {
    const clock = new SetClock(Date.UTC(2026, 10, 21, 9));
    const hmrc = new PaperHmrc({ clock: clock.civilMs });
    const accounts = Array.from({ length: 2_000 }, (_, index) => account(`paye:123/C${index}`));
    const { node } = await open(hmrc, { accounts, clock });
    await node.pullOnce();
    hmrc.seal();
    while ((await node.pullOnce()).more);
    const [told, quiet] = accounts.slice(1_500);
    if (told === undefined || quiet === undefined) throw new Error('no accounts');
    const heads = () => [told, quiet].map((owner) => node.accounts().find((one) => one.account === owner)?.head?.seq);
    expect(heads()).toEqual([1, 1]);
    hmrc.pay(told, 1_000);
    hmrc.pay(quiet, 2_000);
    hmrc.seal();
    hmrc.quietAbout.add(quiet);
    await node.pullOnce();
    expect(heads()).toEqual([2, 1]);
    let turns = 0;
    for (; heads()[1] !== 2 && turns < 10; turns += 1) {
      clock.pass(1_000);
      await node.pullOnce();
    }
    expect(heads()).toEqual([2, 2]);
    expect(turns).toBeGreaterThan(1);
  });

  it('of thousands of chains asks for fewer where no answer comes in time, until one does', async () => {
    const clock = new SetClock(Date.UTC(2026, 10, 21, 9));
    const hmrc = new PaperHmrc({ clock: clock.civilMs });
    const accounts = Array.from({ length: 2_000 }, (_, index) => account(`paye:123/C${index}`));
    const asked: number[] = [];
    const pull: LedgerClient['pull'] = async (request) => {
      asked.push(request.chains.length);
      if (request.chains.length <= 700) return hmrc.pull(request);
      throw new TallyError('LEDGER_UNREACHABLE', 'no answer in time', {}, { retriable: true });
    };
    const clients = { gateway: hmrc.gateway, ledger: { ...hmrc.ledger, pull } };
    const gatewayKey = printVerifierKey(hmrc.gatewaySigner.key);
    const under = await openPayerNode({ ...clients, gatewayKey }, { accounts, clock });
    opened.push(under);
    const { node } = under;
    await node.pullOnce();
    hmrc.seal();
    const held = () => node.accounts().filter(({ head }) => head?.seq === 1).length;
    for (let tries = 0; tries < 30 && held() < 2_000; tries += 1, clock.pass(1_000)) {
      await node.pullOnce().catch(() => undefined);
    }
    expect(held()).toBe(2_000);
    expect(asked.filter((chains) => chains > 700).length).toBeGreaterThan(0);
  });

  it('of thousands of chains goes on by turns where the ledger does not know the hint, says so once, and takes the hint again', async () => {
    const clock = new SetClock(Date.UTC(2026, 10, 21, 9));
    const hmrc = new PaperHmrc({ clock: clock.civilMs });
    const accounts = Array.from({ length: 2_000 }, (_, index) => account(`paye:123/C${index}`));
    const logger = createLogger({ service: 'ledger', level: 'silent' });
    const earlier = await startHttpServer(
      { host: '127.0.0.1', port: 0, furtherPorts: 0 },
      createHttpApp({ routers: [] }, { logger }),
    );
    const unknowing = createLedgerClient({ url: earlier.url, clientKey: 'a-key', timeoutMs: 5_000 }, { fetch });
    let knows = false;
    const changes: LedgerClient['changes'] = (from) => (knows ? hmrc.ledger.changes(from) : unknowing.changes(from));
    const clients = { gateway: hmrc.gateway, ledger: { ...hmrc.ledger, changes } };
    const gatewayKey = printVerifierKey(hmrc.gatewaySigner.key);
    const under = await openPayerNode({ ...clients, gatewayKey }, { accounts, clock, pullBytesMax: 1 });
    opened.push(under);
    const { node, faults } = under;
    const seqs = () => node.accounts().map(({ head }) => head?.seq ?? -1);
    const turnOfAll = async (): Promise<void> => {
      for (let turn = 0; turn < 10; turn += 1, clock.pass(1_000)) while ((await node.pullOnce()).more);
    };
    try {
      hmrc.seal();
      await turnOfAll();
      hmrc.seal();
      for (const owner of accounts.slice(0, 3)) hmrc.pay(owner, 1_000);
      hmrc.seal();
      await turnOfAll();
      // Block 0 and the one with the key, and of three a third with the money: each block in a pull of its own, all in one round of turns.
      expect(seqs().slice(0, 4)).toEqual([2, 2, 2, 1]);
      expect(seqs().every((seq) => seq >= 1)).toBe(true);
      expect(await faults('LEDGER_REFUSED')).toBe(1);

      knows = true;
      await node.pullOnce();
      const last = accounts.at(-1);
      if (last === undefined) throw new Error('no accounts');
      hmrc.pay(last, 1_000);
      hmrc.seal();
      await node.pullOnce();
      expect(seqs().at(-1)).toBe(2);
      knows = false;
      await node.pullOnce();
      await node.pullOnce();
      expect(await faults('LEDGER_REFUSED')).toBe(2);
    } finally {
      await earlier.stop(1_000);
    }
  });
});

/** A chain at whose blocks the process ends, as far as those before it can tell. */
function endingChain(chain: PulledChain): PulledChain {
  return {
    ...chain,
    get blocks(): never {
      throw new Error('killed here');
    },
  };
}

/** Rates without the oldest tax year: other cards, and so another rule set, by which this year's pay comes to the same. */
function otherRates(): LoadedRules {
  const loaded = loadRules();
  const [paye, vat] = loaded.cards;
  const cards = paye.cards.slice(1);
  const hash = Buffer.from(nodeSha256(Buffer.from(canonicalJson(cards)))).toString('hex');
  return { rules: { ...loaded.rules, paye: payeRulesOf(cards, hash) }, cards: [{ tax: 'paye', hash, cards }, vat] };
}
