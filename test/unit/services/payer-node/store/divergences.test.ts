import { afterEach, describe, expect, it } from 'vitest';
import type { PullAnswer } from '../../../../../libs/adapters/codec/pull-answer.ts';
import { NODE_HASHES, nodeEd25519Verify } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import type { LedgerClient } from '../../../../../libs/adapters/http/ledger-client.ts';
import { createHttpApp } from '../../../../../libs/adapters/server/create-app.ts';
import { startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import type { LedgerEntry } from '../../../../../libs/core/ledger/entry/ledger-entry.ts';
import { printVerifierKey } from '../../../../../libs/core/ledger/note/verifier-key.ts';
import { checkDivergence } from '../../../../../libs/core/ledger/verify/check-divergence.ts';
import { parseDivergenceReport } from '../../../../../libs/core/ledger/verify/divergence-report.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { eventKey } from '../../../../../services/payer-node/store/payer-keys.ts';
import type { StoredDivergence } from '../../../../../services/payer-node/store/payer-records.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { PAYER_PAYE, PAYER_VAT, paymentJson, saleJsons, uuidOfName } from '../../../../support/own-events.ts';
import { PaperHmrc } from '../../../../support/paper-hmrc.ts';
import {
  type NodeUnderTest,
  openPayerNode,
  PAYER_CLIENT_KEY,
  removeFolder,
  until,
} from '../../../../support/payer-node-fixture.ts';
import { SetClock } from '../../../../support/set-clock.ts';

const VAT = account(PAYER_VAT);
const PAYE = account(PAYER_PAYE);
const opened: NodeUnderTest[] = [];

type Meddle = (answer: PullAnswer) => PullAnswer;

interface World extends NodeUnderTest {
  readonly hmrc: PaperHmrc;
  /** Changes what comes over the wire. */
  meddle: Meddle;
  /** Asks another ledger that has the same keys. */
  ledger: LedgerClient;
}

async function open(other: Parameters<typeof openPayerNode>[1] = {}, hmrc = new PaperHmrc()): Promise<World> {
  const world = { hmrc, meddle: (answer: PullAnswer) => answer, ledger: hmrc.ledger };
  const ledger: LedgerClient = {
    ...hmrc.ledger,
    registerChains: (request) => world.ledger.registerChains(request),
    pull: async (request) => world.meddle(await world.ledger.pull(request)),
    acknowledge: (request) => world.ledger.acknowledge(request),
  };
  const clients = { gateway: hmrc.gateway, ledger, gatewayKey: printVerifierKey(hmrc.gatewaySigner.key) };
  const under = await openPayerNode(clients, { pullEveryMs: 20, ...other });
  const whole = Object.assign(world, under);
  opened.push(whole);
  return whole;
}

afterEach(async () => {
  for (const { node, folder, fatal } of opened.splice(0)) {
    await node.stop();
    await removeFolder(folder);
    expect(fatal).toEqual([]);
  }
});

/** Two accounts with events that are sealed and taken. */
async function settled(world: World): Promise<void> {
  world.node.start();
  await world.node.submit('vat', saleJsons(3));
  await world.node.submit('paye', [paymentJson(1)]);
  await until(() => world.node.counts().unsent === 0);
  world.hmrc.seal();
  await until(() => world.node.counts().decided === 4);
}

async function firstDivergence(world: World): Promise<StoredDivergence> {
  await until(() => [...world.node.divergences()].length > 0);
  const [first] = world.node.divergences();
  if (first === undefined) throw new Error('there is one');
  return first;
}

function seqOf(world: World, owner = VAT): number | undefined {
  return world.node.accounts().find((one) => one.account === owner)?.head?.seq;
}

function judged(world: World, stored: StoredDivergence): ReturnType<typeof checkDivergence> {
  const report = parseDivergenceReport(JSON.stringify(stored.report));
  const dependencies = { verify: nodeEd25519Verify, hashes: NODE_HASHES };
  return checkDivergence(report, printVerifierKey(world.hmrc.signer.key), dependencies);
}

/** Lets the clock of the world go on, until pulls that began after it were answered. */
function furtherIn(world: World, goOn: (ms: number) => void): (ms: number) => Promise<void> {
  let pulls = 0;
  world.meddle = (answer) => {
    pulls += 1;
    return answer;
  };
  return async (ms) => {
    goOn(ms);
    // One may be under way that began before.
    const enough = pulls + 3;
    await until(() => pulls >= enough);
  };
}

describe('a copy that differs', () => {
  it('stops the chain at an amount that the own record does not give, names block and entry, and keeps both versions', async () => {
    const world = await open();
    await settled(world);
    world.hmrc.falsify = (entry: LedgerEntry) =>
      entry.number === 4 ? { ...entry, amounts: [{ head: 'outputVat', pence: pence(1) }] } : entry;
    await world.node.submit('vat', saleJsons(2, 'T1', '101747696', 4));
    await world.node.submit('paye', [paymentJson(2)]);
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
    const stored = await firstDivergence(world);
    expect(stored).toMatchObject({ account: VAT, settledAtMs: null });
    expect(stored.findings[0]).toMatchObject({ code: 'LIABILITY_DIFFERS', seq: 2, entryIndex: 0, field: 'amounts' });
    expect(stored.findings[0]?.found).toBe('outputVat 1');
    const report = parseDivergenceReport(JSON.stringify(stored.report));
    expect(report.held.blocks).toHaveLength(1);
    expect(report.came.blocks).toHaveLength(1);
    expect(stored.own['event']).toBeTypeOf('string');
    // the whole report, both versions, is to be had over HTTP; the list has the findings alone
    const { list, whole } = await overHttp(world, stored.number);
    expect(list).toEqual(
      [{ ...stored, report: undefined, own: undefined }].map((one) => JSON.parse(JSON.stringify(one))),
    );
    expect(whole).toEqual(JSON.parse(JSON.stringify(stored)));
    // the other chain goes on; the false block is neither stored nor countersigned
    await until(() => seqOf(world, PAYE) === 2);
    expect(seqOf(world)).toBe(1);
    await until(() => world.hmrc.acknowledged.filter(({ seq }) => seq === 2).length === 1);
    expect(world.node.accounts().find((one) => one.account === VAT)?.acknowledgedSeq).toBe(1);
  });

  it('goes on with a stopped chain when a person asks, and stops again while it still differs', async () => {
    const world = await open();
    await settled(world);
    let falseAnswers = 0;
    world.meddle = (answer) => ({
      ...answer,
      chains: answer.chains.map((chain) => {
        if (chain.blocks.length === 0) return chain;
        falseAnswers += 1;
        return {
          ...chain,
          blocks: chain.blocks.map((block) => ({ ...block, totals: block.totals.replace('balance ', 'balance 9') })),
        };
      }),
    });
    world.hmrc.pay(VAT, 100);
    world.hmrc.seal();
    const stored = await firstDivergence(world);
    expect(stored.findings[0]).toMatchObject({ code: 'TOTALS_HASH_DIFFERS', seq: 2, entryIndex: null });
    const asked = falseAnswers;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(falseAnswers).toBe(asked);
    await retry(world, stored.number);
    await until(() => [...world.node.divergences()].length === 2);
    world.meddle = (answer) => answer;
    await retry(world, 2);
    await until(() => seqOf(world) === 2);
    expect([...world.node.divergences()].every((one) => one.settledAtMs !== null)).toBe(true);
  });

  it('stops the chain at an entry for an event that neither the payer sent nor the gateway has', async () => {
    const world = await open();
    await settled(world);
    world.hmrc.silentAbout.add(VAT);
    await world.hmrc.gateway.postEvents(
      'vat',
      saleJsons(1, 'T9').map((json) => JSON.stringify(json)),
    );
    world.hmrc.seal();
    const stored = await firstDivergence(world);
    expect(stored.findings[0]).toMatchObject({ code: 'EVENT_UNKNOWN', seq: 2, entryIndex: 0, account: VAT });
  });

  it('takes nothing under a checkpoint with a wrong signature', async () => {
    const world = await open();
    await settled(world);
    world.meddle = (answer) => ({ ...answer, checkpoint: answer.checkpoint?.replace(/.....\n$/, 'AAAA=\n') ?? null });
    await world.node.submit('vat', saleJsons(1, 'T2'));
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
    const stored = await firstDivergence(world);
    expect(stored.findings[0]).toMatchObject({ code: 'CHECKPOINT_REFUSED', account: null });
    expect(seqOf(world)).toBe(1);
    // nothing of it was taken: with an honest answer the chain goes on
    world.meddle = (answer) => answer;
    await until(() => seqOf(world) === 2);
    expect([...world.node.divergences()]).toHaveLength(1);
  });

  it('finds a block that is left out', async () => {
    const world = await open();
    await settled(world);
    world.meddle = (answer) => ({
      ...answer,
      chains: answer.chains.map((chain) => ({
        ...chain,
        blocks: chain.blocks.length > 1 ? chain.blocks.slice(1) : [],
      })),
    });
    for (const from of [4, 5]) {
      await world.node.submit('vat', saleJsons(1, 'T1', '101747696', from));
      await until(() => world.node.counts().unsent === 0);
      world.hmrc.seal();
    }
    const stored = await firstDivergence(world);
    expect(stored.findings.map(({ code }) => code)).toContain('SEQ_NOT_NEXT');
    expect(seqOf(world)).toBe(1);
  });

  it('proves a ledger that shows another history: two roots of one size, or no consistency', async () => {
    const world = await open();
    await settled(world);
    const other = new PaperHmrc();
    await other.gateway.postEvents(
      'vat',
      saleJsons(2, 'T7').map((json) => JSON.stringify(json)),
    );
    await other.ledger.registerChain({ account: PAYE });
    other.seal();
    other.pay(VAT, 100);
    other.pay(PAYE, 100);
    other.seal();
    world.ledger = other.ledger;
    const stored = await firstDivergence(world);
    expect(stored.findings[0]?.code).toMatch(/^CHECKPOINT_/);
    expect(stored.account).toBeNull();
    expect(seqOf(world)).toBe(1);
    expect(judged(world, stored).verdict).not.toBe('claimed');
  });

  it('proves a ledger that seals two blocks for one place of a chain: both, with their proofs, to anyone', async () => {
    const world = await open();
    await settled(world);
    world.hmrc.pay(VAT, 100);
    world.hmrc.seal();
    await until(() => seqOf(world) === 2);
    // in place of £1.00 there are now £2.00, and the log goes on from there
    world.hmrc.rewriteHistory(VAT);
    world.hmrc.rebook(VAT, 200);
    world.hmrc.seal();
    world.hmrc.pay(VAT, 300);
    world.hmrc.seal();
    const stored = await firstDivergence(world);
    expect(stored.findings.map(({ code }) => code)).toContain('PREV_DIFFERS');
    expect(seqOf(world)).toBe(2);
    expect(judged(world, stored)).toMatchObject({ verdict: 'proven', case: 'two blocks' });
  });

  it('names its own record where that was altered since the receipt', async () => {
    const world = await open();
    await settled(world);
    world.hmrc.withheld.add(uuidOfName('sale 101747696 T1 4').replaceAll('-', ''));
    await world.node.submit('vat', saleJsons(1, 'T1', '101747696', 4));
    await until(() => world.node.counts().unsent === 0);
    await world.node.stop();
    const store = new PayerStore({ folder: world.folder });
    const key = eventKey(
      store.account(VAT)?.number ?? 0,
      uuidOfName('sale 101747696 T1 4').replaceAll('-', '') as Parameters<typeof eventKey>[1],
    );
    const altered = Buffer.from(store.appended.get(key) ?? Buffer.alloc(0));
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    await store.commit(() => void store.appended.put(key, altered));
    await store.close();
    opened.splice(0);
    const again = await open({ folder: world.folder }, world.hmrc);
    again.node.start();
    world.hmrc.release();
    world.hmrc.seal();
    const stored = await firstDivergence(again);
    expect(stored.findings[0]).toMatchObject({ code: 'OWN_RECORD_DIFFERS', seq: 2, entryIndex: 0 });
  });

  const SALE_2 = uuidOfName('sale 101747696 T1 2').replaceAll('-', '');

  /** Sale 2 is kept back; sale 3, received later, is decided, which proves that it was passed over. */
  async function passOver(world: World): Promise<void> {
    world.hmrc.withheld.add(SALE_2);
    world.node.start();
    await world.node.submit('vat', saleJsons(2));
    await until(() => world.node.counts().unsent === 0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await world.node.submit('vat', saleJsons(1, 'T1', '101747696', 3));
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
  }

  it('reports an accepted event that later ones of its account were decided past, and closes the report when it comes', async () => {
    const world = await open({ withheldAfterMs: 150 });
    await passOver(world);
    const stored = await firstDivergence(world);
    expect(stored.findings).toHaveLength(1);
    expect(stored.findings[0]).toMatchObject({
      code: 'EVENT_WITHHELD',
      account: VAT,
      eventId: SALE_2,
      found: 'neither',
    });
    expect(stored.own['receipt']).toContain('/receipt/v1');
    world.hmrc.release();
    world.hmrc.seal();
    await until(() => [...world.node.divergences()].every((one) => one.settledAtMs !== null));
    expect(world.node.counts().decided).toBe(3);
  });

  it('reports within one receipt too, by the order of its events', async () => {
    const world = await open({ withheldAfterMs: 150 });
    world.hmrc.withheld.add(SALE_2);
    world.node.start();
    await world.node.submit('vat', saleJsons(3));
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
    expect((await firstDivergence(world)).findings.map(({ eventId }) => eventId)).toEqual([SALE_2]);
  });

  it('makes one report for an account, however many events of it are withheld', async () => {
    const world = await open({ withheldAfterMs: 150 });
    for (let n = 2; n <= 40; n += 1) world.hmrc.withheld.add(uuidOfName(`sale 101747696 T1 ${n}`).replaceAll('-', ''));
    world.node.start();
    await world.node.submit('vat', saleJsons(41));
    await world.node.submit('paye', [paymentJson(1)]);
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
    const stored = await firstDivergence(world);
    expect(stored.findings).toHaveLength(39);
    expect(stored.findings[0]?.found).toBe('neither, of 39 events of this account');
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect([...world.node.divergences()]).toHaveLength(1);
    world.hmrc.release();
    world.hmrc.seal();
    await until(() => [...world.node.divergences()].every((one) => one.settledAtMs !== null));
  });

  it('accuses nobody in an outage: thousands of events that wait are one statement, gone when they are decided', async () => {
    const clock = new SetClock(Date.UTC(2026, 10, 21, 9));
    const hmrc = new PaperHmrc({ clock: clock.civilMs });
    const world = await open({ withheldAfterMs: 60_000, clock }, hmrc);
    const further = furtherIn(world, (ms) => clock.pass(ms));
    world.node.start();
    await world.node.submit('vat', saleJsons(1));
    await until(() => world.node.counts().unsent === 0);
    hmrc.seal();
    await until(() => world.node.counts().decided === 1);
    for (let n = 2; n <= 501; n += 1) hmrc.withheld.add(uuidOfName(`sale 101747696 T1 ${n}`).replaceAll('-', ''));
    await world.node.submit('vat', saleJsons(500, 'T1', '101747696', 2));
    await until(() => world.node.counts().unsent === 0);
    const receiptedAtMs = clock.civilMs();
    // Six minutes of answers, in which nothing is decided and the log does not grow.
    for (let looks = 0; looks < 12; looks += 1) await further(30_000);
    expect([...world.node.divergences()]).toEqual([]);
    const listed = (): Promise<unknown> => servedOverHttp(world, (get) => get('/payer/v1/divergences'));
    expect(await listed()).toMatchObject({
      divergences: [],
      waiting: { events: 500, oldestReceiptedAtMs: receiptedAtMs },
    });
    expect(await world.faults('EVENTS_WAIT')).toBe(1);
    hmrc.release();
    hmrc.seal();
    await until(() => world.node.counts().decided === 501);
    await further(3_000);
    expect(await listed()).toEqual({ divergences: [], waiting: null });
  });

  it('reports what nothing is decided past once the public log has grown for ten minutes without it', async () => {
    const clock = new SetClock(Date.UTC(2026, 10, 21, 9));
    const hmrc = new PaperHmrc({ clock: clock.civilMs });
    const world = await open({ withheldAfterMs: 60_000, clock }, hmrc);
    const further = furtherIn(world, (ms) => clock.pass(ms));
    const others = account('vat:104477103');
    hmrc.withheld.add(uuidOfName('sale 101747696 T1 1').replaceAll('-', ''));
    world.node.start();
    await world.node.submit('vat', saleJsons(1));
    await until(() => world.node.counts().unsent === 0);
    hmrc.seal();
    await further(1_000);
    for (let elapsedMs = 0; elapsedMs < 570_000; elapsedMs += 30_000) {
      hmrc.pay(others, 1_000);
      hmrc.seal();
      await further(30_000);
    }
    expect([...world.node.divergences()]).toEqual([]);
    for (let looks = 0; looks < 3; looks += 1) {
      hmrc.pay(others, 1_000);
      hmrc.seal();
      await further(30_000);
    }
    expect((await firstDivergence(world)).findings[0]).toMatchObject({ code: 'EVENT_WITHHELD', account: VAT });
  });

  it('accuses nobody after a sleep of an hour: what passed between two answers counts for half of the time allowed at most', async () => {
    const clock = new SetClock(Date.UTC(2026, 10, 21, 9));
    const hmrc = new PaperHmrc({ clock: clock.civilMs });
    const world = await open({ withheldAfterMs: 60_000, clock }, hmrc);
    const further = furtherIn(world, (ms) => clock.pass(ms));
    hmrc.withheld.add(SALE_2);
    world.node.start();
    await world.node.submit('vat', saleJsons(3));
    await until(() => world.node.counts().unsent === 0);
    hmrc.seal();
    await until(() => world.node.counts().decided === 2);
    await further(1_000);
    await further(3_600_000);
    await further(25_000);
    expect([...world.node.divergences()]).toEqual([]);
    await further(6_000);
    expect((await firstDivergence(world)).findings[0]).toMatchObject({ code: 'EVENT_WITHHELD', account: VAT });
  });

  it('does not call an event withheld that waits for its sale by the rules', async () => {
    const world = await open({ withheldAfterMs: 100 });
    world.node.start();
    const [sale] = saleJsons(1) as readonly [{ readonly eventId: string; readonly totalPence: number }];
    const refund = refundOf(sale);
    await world.node.submit('vat', [refund]);
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect([...world.node.divergences()]).toEqual([]);
    await world.node.submit('vat', [sale]);
    await until(() => world.node.counts().unsent === 0);
    world.hmrc.seal();
    await until(() => world.node.counts().decided === 2);
    expect(world.node.statement(VAT, { limit: 10, beforeSeq: null })?.chargesPence).toBe(0);
  });

  it('takes a rejection under the ledger signature, and refuses one that is not signed', async () => {
    const world = await open();
    world.node.start();
    const [sale] = saleJsons(1) as readonly [{ readonly eventId: string; readonly totalPence: number }];
    await world.node.submit('vat', [
      sale,
      refundOf(sale),
      { ...refundOf(sale), eventId: uuidOfName('again'), tillId: 'R2' },
    ]);
    await until(() => world.node.counts().unsent === 0);
    let forgedNotes = 0;
    world.meddle = (answer) => {
      if (answer.rejectionsNote === null) return answer;
      forgedNotes += 1;
      return {
        ...answer,
        chains: answer.chains.map((one) => ({
          ...one,
          rejections: one.rejections.map((r) => ({ ...r, code: 'E_OTHER' })),
        })),
      };
    };
    world.hmrc.seal();
    await until(() => forgedNotes > 0 && world.node.counts().decided === 2);
    expect(world.node.counts().rejected).toBe(0);
    world.meddle = (answer) => answer;
    await until(() => world.node.counts().rejected === 1);
    expect([...world.node.divergences()].map((one) => one.findings[0]?.code)).toEqual(['REJECTIONS_REFUSED']);
    expect(world.node.counts().receipted).toBe(0);
  });
});

async function retry(world: World, number: number): Promise<void> {
  const logger = createLogger({ service: 'payer-node', level: 'silent' });
  const app = createHttpApp({ routers: [world.node.router] }, { logger });
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  const answer = await fetch(`${server.url}/payer/v1/divergences/${number}/retry`, {
    method: 'POST',
    headers: { authorization: `Bearer ${PAYER_CLIENT_KEY}` },
  });
  expect(answer.status).toBe(202);
  await server.stop(0);
}

async function overHttp(world: World, number: number): Promise<{ readonly list: unknown; readonly whole: unknown }> {
  return await servedOverHttp(world, async (get) => {
    const { divergences } = (await get('/payer/v1/divergences')) as { divergences: unknown };
    const whole = await get(`/payer/v1/divergences/${number}`);
    expect(await get(`/payer/v1/divergences/99`)).toMatchObject({ status: 404 });
    return { list: divergences, whole };
  });
}

type Get = (path: string) => Promise<unknown>;

async function servedOverHttp<T>(world: World, ask: (get: Get) => Promise<T>): Promise<T> {
  const logger = createLogger({ service: 'payer-node', level: 'silent' });
  const app = createHttpApp({ routers: [world.node.router] }, { logger });
  const server = await startHttpServer({ host: '127.0.0.1', port: 0, furtherPorts: 0 }, app);
  try {
    return await ask(async (path) => {
      const answer = await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${PAYER_CLIENT_KEY}` } });
      return await answer.json();
    });
  } finally {
    await server.stop(0);
  }
}

/** A full refund of a one-line sale, on another till. */
function refundOf(sale: { readonly eventId: string; readonly totalPence: number }): Readonly<Record<string, unknown>> {
  const { totalPence } = sale;
  return {
    schema: 1,
    eventId: uuidOfName(`refund of ${sale.eventId}`),
    vrn: '101747696',
    tillId: 'REFUNDS',
    seq: 1,
    prevHash: null,
    type: 'REFUND',
    occurredAt: '2026-11-20T11:15:00Z',
    currency: 'GBP',
    lines: [{ id: '1', category: 'standard', paidPence: -totalPence }],
    totalPence: -totalPence,
    payments: [{ method: 'card', amountPence: -totalPence }],
    originalEventId: sale.eventId,
  };
}
