import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LIABILITIES, VAT_EVENTS } from '../../../../libs/adapters/event-log/topics.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import { pence } from '../../../../libs/core/money/pence.ts';
import type { Stage } from '../../../../services/reconciliation/count/tables.ts';
import type { Reconciliation } from '../../../../services/reconciliation/create-reconciliation.ts';
import type { Summary } from '../../../../services/reconciliation/report/summary.ts';
import { DAMAGES } from '../../../support/damage-file.ts';
import { accepted, assessed, ReconciliationWorld } from '../../../support/reconciliation-world.ts';
import { samplePayment, sampleSale } from '../../../support/sample-events.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 10, 15, 0);
const SHOP = account('vat:101747696');

let world: ReconciliationWorld;
let running: Reconciliation[];

beforeEach(async () => {
  world = new ReconciliationWorld(NOW_MS);
  running = [];
  await world.open();
});

afterEach(async () => {
  for (const reconciliation of running) await reconciliation.stop();
  await world.close();
});

async function start(options = {}): Promise<Reconciliation> {
  const reconciliation = await world.reconcile(options);
  running.push(reconciliation);
  return reconciliation;
}

function until(reconciliation: Reconciliation, holds: (summary: Summary) => void): Promise<void> {
  return vi.waitFor(() => holds(reconciliation.summary()), { timeout: 60_000, interval: 10 });
}

function storeFolder(): string {
  return join(world.folder, 'reconciliation');
}

async function receiveAndDecide(count: number) {
  const sales = Array.from({ length: count }, (_, index) => sampleSale(`sale ${index}`, { seq: index + 1 }));
  for (const [index, sale] of sales.entries()) {
    const place = await world.receive(sale);
    await world.decide([place, accepted(assessed(sale, index + 1, 1_200))]);
  }
  return sales;
}

function difference(summary: Summary, stage: Stage, tax: 'paye' | 'vat' = 'vat') {
  const found = summary.taxes[tax].differences.find((each) => each.stage === stage);
  if (found === undefined) throw new Error(`no ${stage}`);
  return found;
}

describe('a log that was restored', () => {
  async function putLog(from: string): Promise<void> {
    await world.log.close();
    rmSync(join(world.folder, 'log'), { recursive: true });
    cpSync(from, join(world.folder, 'log'), { recursive: true });
    await world.open();
  }

  async function received(events: number, pence: number): Promise<void> {
    const reconciliation = await start();
    await until(reconciliation, ({ taxes, state }) => {
      expect(state).not.toBe('halted');
      expect(taxes.vat.received.events).toBe(events);
      expect(taxes.vat.decided.amounts.reduce((sum, one) => sum + Number(one.pence), 0)).toBe(pence);
    });
    await reconciliation.stop();
  }

  it('from an older backup is counted again, instead of halting for ever', async () => {
    await receiveAndDecide(1);
    await world.log.close();
    const backup = join(world.folder, 'backup');
    cpSync(join(world.folder, 'log'), backup, { recursive: true });
    await world.open();
    const later = sampleSale('later', { seq: 2 });
    await world.decide([await world.receive(later), accepted(assessed(later, 2, 1_200))]);
    await received(2, 400);
    await putLog(backup);
    await received(1, 200);
  });

  it('that went on otherwise is counted again too, though it reaches as far', async () => {
    await receiveAndDecide(1);
    await received(1, 200);
    const other = new ReconciliationWorld(NOW_MS);
    await other.open();
    // The ids of links follow from their number here, where a real log has random ones: another record in their place makes the difference.
    const records = [{ key: null, value: Buffer.from('no message') }];
    for (const partition of [0, 1, 2]) await other.log.append([{ topic: LIABILITIES, partition, records }]);
    const sale = sampleSale('other', { seq: 1 });
    await other.decide([await other.receive(sale), accepted(assessed(sale, 1, 700))]);
    await other.log.close();
    await putLog(join(other.folder, 'log'));
    await other.close();
    await received(1, 117);
  });
});

describe('createReconciliation', () => {
  it('follows a sale from receipt to both copies, and agrees at the end', async () => {
    const reconciliation = await start();
    const sale = sampleSale('one');
    const place = await world.receive(sale);
    await until(reconciliation, (summary) => {
      expect(summary.taxes.vat.received).toMatchObject({ events: 1, basePence: 1_200 });
      expect(difference(summary, 'decision').inFlight).toMatchObject({ events: 1, basePence: 1_200 });
    });

    const result = assessed(sale, 1, 1_200);
    await world.decide([place, accepted(result)]);
    await until(reconciliation, (summary) => {
      expect(difference(summary, 'decision').inFlight.events).toBe(0);
      expect(difference(summary, 'hmrcCopy').inFlight).toMatchObject({
        events: 1,
        basePence: 1_200,
        amounts: [{ head: 'outputVat', pence: 200 }],
      });
      expect(summary.liabilityToday.day).toBe('2026-11-21');
      expect(summary.liabilityToday.taxes.vat.amounts).toEqual([{ head: 'outputVat', pence: 200 }]);
    });

    const head = await world.seal(SHOP, result);
    await until(reconciliation, (summary) => {
      expect(summary.taxes.vat.hmrcCopy).toMatchObject({ events: 1, amounts: [{ head: 'outputVat', pence: 200 }] });
      expect(difference(summary, 'payerCopy').inFlight.events).toBe(1);
      expect(summary.blocks).toMatchObject({ sealed: 2, acknowledged: 0, chains: 1, unacknowledgedInFlight: 2 });
    });

    world.nowMs += 3_000;
    await world.acknowledge(head);
    await until(reconciliation, (summary) => {
      expect(summary.taxes.vat.payerCopy).toMatchObject({ events: 1, basePence: 1_200 });
      expect(summary.blocks).toMatchObject({ acknowledged: 2, unacknowledgedInFlight: 0, unacknowledgedOverdue: 0 });
      expect(summary.state).toBe('agreed');
      for (const stage of ['decision', 'hmrcCopy', 'payerCopy'] as const) {
        expect(difference(summary, stage)).toMatchObject({
          inFlight: { events: 0 },
          overdue: { events: 0 },
          differs: 0,
        });
      }
      // The histogram's bins are a tenth apart.
      expect(summary.receiptToCopy.p50Ms).toBeGreaterThan(2_900);
      expect(summary.receiptToCopy.p50Ms).toBeLessThan(3_400);
    });
  });

  it('calls what is unmatched overdue once it is older than a minute, at every stage', async () => {
    const reconciliation = await start();
    const [one, two, three] = ['one', 'two', 'three'].map((name, index) => sampleSale(name, { seq: index + 1 }));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three sales');
    await world.receive(one).then((place) => world.decide([place, accepted(assessed(one, 1, 1_200))]));
    await world.seal(SHOP, assessed(one, 1, 1_200));
    await world.receive(two).then((place) => world.decide([place, accepted(assessed(two, 2, 1_200))]));
    await world.receive(three);
    await until(reconciliation, (summary) => {
      expect(summary.taxes.vat.decided.events).toBe(2);
      expect(summary.state).toBe('agreed');
    });
    world.nowMs += 61_000;
    await until(reconciliation, (summary) => {
      expect(summary.state).toBe('differs');
      for (const stage of ['decision', 'hmrcCopy', 'payerCopy'] as const) {
        expect(difference(summary, stage).overdue.events, stage).toBe(1);
        expect(difference(summary, stage).oldestUnmatchedSeconds).toBe(61);
      }
      expect(summary.blocks.unacknowledgedOverdue).toBe(2);
    });
  });

  it('counts a repeat once, and rejections by code', async () => {
    const reconciliation = await start();
    const sale = sampleSale('one');
    const refused = sampleSale('two', { seq: 2 });
    const places = [await world.receive(sale), await world.receive(sale), await world.receive(refused)] as const;
    const rejection = { account: SHOP, eventId: refused.eventId, code: 'E_VRN', facts: {}, receivedAtMs: NOW_MS };
    await world.decide(
      [places[0], accepted(assessed(sale, 1, 1_200))],
      [places[1], { outcome: 'repeat', results: [], rejections: [], changes: [] }],
      [places[2], { outcome: 'rejected', results: [], rejections: [rejection], changes: [] }],
    );
    await until(reconciliation, ({ taxes: { vat } }) => {
      expect(vat).toMatchObject({ repeats: 1, rejected: 1, rejections: [{ code: 'E_VRN', count: 1 }] });
      expect(vat.received.events).toBe(3);
      expect(vat.decided.events).toBe(1);
      expect(vat.differences[0]).toMatchObject({ stage: 'decision', inFlight: { events: 0 }, differs: 0 });
    });
  });

  it('counts a held refund as waiting until the sale that it names comes', async () => {
    const reconciliation = await start();
    const refund = sampleSale('refund', { tillType: 'REFUND', totalPence: pence(-500) });
    const held = { ...refund, lines: refund.lines.map((line) => ({ ...line, paidPence: pence(-500) })) };
    const place = await world.receive(held);
    await world.decide([place, { outcome: 'held', results: [], rejections: [], changes: [] }]);
    await until(reconciliation, (summary) => {
      expect(summary.taxes.vat.waiting).toMatchObject({ events: 1, basePence: -500 });
    });
    const sale = sampleSale('sale', { tillId: 'T2' });
    await world
      .receive(sale)
      .then((at) => world.decide([at, accepted(assessed(sale, 1, 1_200), assessed(held, 2, -500))]));
    await until(reconciliation, ({ state, taxes: { vat } }) => {
      expect(vat.waiting.events).toBe(0);
      expect(vat.decided).toMatchObject({ events: 2, basePence: 700 });
      expect(state).toBe('agreed');
    });
  });

  it('sees a decision on another base than the event has, and an entry of other pence than decided', async () => {
    const reconciliation = await start();
    const sale = sampleSale('one');
    const wrong = assessed(sale, 1, 1_100);
    await world.receive(sale).then((place) => world.decide([place, accepted(wrong)]));
    await world.seal(SHOP, { ...wrong, amounts: [{ head: 'outputVat', pence: pence(1) }] });
    await until(reconciliation, (summary) => {
      expect(difference(summary, 'decision').differs).toBe(1);
      expect(difference(summary, 'hmrcCopy').differs).toBe(1);
      expect(summary.state).toBe('differs');
    });
  });

  it('sees a decision without an event, and an entry without a decision', async () => {
    const reconciliation = await start();
    const sale = sampleSale('ghost');
    const place = await world.receiveBytes(VAT_EVENTS, SHOP, Buffer.from('not an event'));
    await world.decide([place, accepted(assessed(sale, 1, 1_200))]);
    await world.seal(SHOP, assessed(sale, 1, 1_200), assessed(sampleSale('phantom'), 2, 600));
    await until(reconciliation, (summary) => {
      expect(summary.taxes.vat.unreadable).toBe(1);
      expect(difference(summary, 'decision').differs).toBeGreaterThanOrEqual(1);
      expect(difference(summary, 'hmrcCopy').differs).toBe(1);
    });
  });

  it("counts a copy as divergent when the payer's head has another hash, and no longer once it agrees", async () => {
    const reconciliation = await start();
    const sale = sampleSale('one');
    await world.receive(sale).then((place) => world.decide([place, accepted(assessed(sale, 1, 1_200))]));
    const head = await world.seal(SHOP, assessed(sale, 1, 1_200));
    await world.acknowledge({ ...head, blockHash: 'f'.repeat(64) });
    await until(reconciliation, (summary) => {
      expect(summary.blocks.divergentCopies).toBe(1);
      expect(summary.state).toBe('differs');
      expect(summary.taxes.vat.payerCopy.events).toBe(0);
    });
    await world.acknowledge(head);
    await until(reconciliation, (summary) => {
      expect(summary.blocks.divergentCopies).toBe(0);
      expect(summary.taxes.vat.payerCopy.events).toBe(1);
    });
  });

  it("counts a payer's dispute as a divergent copy", async () => {
    const reconciliation = await start();
    await world.dispute({
      account: SHOP,
      chain: 'a'.repeat(32),
      seq: 4,
      entryIndex: 2,
      code: 'AMOUNTS_DIFFER',
      detail: '',
    });
    await until(reconciliation, ({ blocks }) => expect(blocks.divergentCopies).toBe(1));
  });

  it('keeps what payers stated apart from what was assessed, and money received out of the liability', async () => {
    const reconciliation = await start();
    const payment = samplePayment('pay', { receivedAtMs: NOW_MS });
    const stated = [{ head: 'incomeTax', pence: pence(50_240) } as const];
    const result = assessed(payment, 1, 300_000, { stated, taxPeriod: '2026-27/M01' });
    await world.receive(payment).then((place) => world.decide([place, accepted(result)]));
    await world.seal(payment.account, result);
    await until(reconciliation, ({ state, taxes: { paye } }) => {
      expect(paye.stated).toMatchObject({ events: 1, amounts: [{ head: 'incomeTax', pence: 240 }] });
      expect(paye).toMatchObject({ chargesPence: 50_000, paymentsPence: 0, balancePence: 50_000 });
      expect(state).toBe('agreed');
    });
  });

  it('counts the gaps of a till, and closes one when the late event comes', async () => {
    const reconciliation = await start();
    for (const seq of [1, 2, 5, 9]) await world.receive(sampleSale(`sale ${seq}`, { seq }));
    await until(reconciliation, (summary) => expect(summary.tillGaps).toBe(2));
    for (const seq of [3, 4]) await world.receive(sampleSale(`sale ${seq}`, { seq }));
    await until(reconciliation, (summary) => expect(summary.tillGaps).toBe(1));
  });

  it('goes on after a restart with the figures that it had, and counts nothing twice', async () => {
    const first = await start();
    const sales = Array.from({ length: 40 }, (_, index) => sampleSale(`sale ${index}`, { seq: index + 1 }));
    for (const [index, sale] of sales.entries()) {
      const place = await world.receive(sale);
      if (index < 30) await world.decide([place, accepted(assessed(sale, index + 1, 1_200))]);
    }
    const results = sales.slice(0, 20).map((sale, index) => assessed(sale, index + 1, 1_200));
    const head = await world.seal(SHOP, ...results);
    await world.acknowledge(head);
    await until(first, (summary) => expect(summary.taxes.vat.payerCopy.events).toBe(20));
    await until(first, (summary) => expect(summary.taxes.vat.decided.events).toBe(30));
    const before = first.summary();
    await first.stop();

    const second = await start();
    await until(second, (summary) => expect(summary.state).toBe('agreed'));
    const after = second.summary();
    expect(after.taxes).toEqual(before.taxes);
    expect(after.blocks).toEqual(before.blocks);
    await second.stop();

    const rebuilt = await start({ rebuild: true });
    await until(rebuilt, (summary) => expect(summary.taxes).toEqual(before.taxes));
  });

  it.each(Object.entries(DAMAGES))('reads the log again by itself where its file has %s', async (_, spoil) => {
    const first = await start();
    await receiveAndDecide(20);
    await until(first, (summary) => expect(summary.taxes.vat.decided.events).toBe(20));
    const { taxes } = first.summary();
    await first.stop();
    spoil(join(storeFolder(), 'data.mdb'));
    const second = await start();
    await until(second, (summary) => expect(summary.taxes).toEqual(taxes));
  });

  it('reads the log again by itself where a row changes while it runs: nothing is believed and nothing ends', async () => {
    const first = await start();
    const sales = await receiveAndDecide(20);
    await until(first, (summary) => expect(summary.taxes.vat.decided.events).toBe(20));
    await first.stop();
    const second = await start();
    const env = open({ path: storeFolder(), noSubdir: false, maxDbs: 30 });
    const rows = env.openDB<string, string>('sealed-decisions', { encoding: 'string' });
    const spoilt = [...rows.getRange()].map(({ key, value }) => rows.put(key, `${value.slice(0, -2)}9]`));
    expect(spoilt).toHaveLength(20);
    await Promise.all(spoilt);
    await world.seal(SHOP, ...sales.map((sale, index) => assessed(sale, index + 1, 1_200)));
    await until(second, (summary) => expect(summary.taxes.vat.hmrcCopy.events).toBe(20));
    expect(second.summary().state).not.toBe('halted');
  });

  it('says nothing of what is overdue while it reads an old log, and is right when it has read it', async () => {
    for (let index = 0; index < 30; index++) {
      const sale = sampleSale(`sale ${index}`, { seq: index + 1, receivedAtMs: world.nowMs });
      const place = await world.receive(sale);
      await world.decide([place, accepted(assessed(sale, index + 1, 1_200))]);
      const head = await world.seal(SHOP, assessed(sale, index + 1, 1_200));
      await world.acknowledge(head);
      world.nowMs += 120_000;
    }
    const seen = new Set<string>();
    const reconciliation = await start({ pollMaxRecords: 1, pollMaxBytes: 1 });
    await vi.waitFor(
      () => {
        world.nowMs += 100;
        const summary = reconciliation.summary();
        seen.add(summary.state);
        for (const stage of ['decision', 'hmrcCopy'] as const) {
          expect(difference(summary, stage).overdue.events).toBe(0);
        }
        if (summary.taxes.vat.payerCopy.events < 30 || summary.state === 'behind') throw new Error('not yet');
      },
      { timeout: 60_000, interval: 2 },
    );
    expect(seen).toContain('behind');
    expect(seen).not.toContain('differs');
    expect(reconciliation.summary().state).toBe('agreed');
  });

  it('halts with the code where the log itself has a hole', async () => {
    const reconciliation = await start();
    await until(reconciliation, () => undefined);
    const sale = sampleSale('one');
    const place = await world.receive(sale);
    await world.receive(sampleSale('two', { seq: 2 }));
    // Decides the second record as if the first had been decided: coverage from 1, expected from 0.
    await world.skipCoverage(place.partition);
    await expect(reconciliation.failed).resolves.toMatchObject({ code: 'POSITION_GAP' });
    expect(() => reconciliation.assertReady()).toThrow(/halted/);
  });
});
