import { rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NODE_HASHES } from '../../libs/adapters/crypto/node-crypto.ts';
import type { Assessment } from '../../libs/core/decisions/decision.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { account } from '../../libs/core/identity/account.ts';
import type { ChainHead } from '../../libs/core/ledger/block/chain-head.ts';
import { storedFigures } from '../../services/reconciliation/count/figures.ts';
import {
  openReconciliationState,
  type ReconciliationState,
} from '../../services/reconciliation/count/reconciliation-state.ts';
import {
  openReconciliationStore,
  type ReconciliationStore,
} from '../../services/reconciliation/count/reconciliation-store.ts';
import { TABLE_NAMES } from '../../services/reconciliation/count/tables.ts';
import { Reconciler } from '../../services/reconciliation/match/reconcile.ts';
import { accepted, assessed, ReconciliationWorld } from '../support/reconciliation-world.ts';
import { samplePayment, sampleSale } from '../support/sample-events.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 10, 15, 0);
const EVENTS = 60;
let world: ReconciliationWorld;
let expected: unknown;

/** Sixty events of four accounts, some of them still under way at each stage. */
async function tellStory(): Promise<void> {
  const numbers = new Map<string, number>();
  const waiting = new Map<string, Assessment[]>();
  for (let index = 0; index < EVENTS; index++) {
    const event = eventOf(index);
    const place = await world.receive(event);
    if (index % 9 === 8) continue;
    if (index % 13 === 12) {
      await world.decide([place, { outcome: 'repeat', results: [], rejections: [], changes: [] }]);
      continue;
    }
    const number = (numbers.get(event.account) ?? 0) + 1;
    numbers.set(event.account, number);
    const result = assessed(event, number, event.type === 'TillEvent' ? 1_200 : 300_000);
    await world.decide([place, accepted(result)]);
    const open = [...(waiting.get(event.account) ?? []), result];
    waiting.set(event.account, open);
    if (open.length < 4) continue;
    waiting.set(event.account, []);
    const head: ChainHead = await world.seal(event.account, ...open);
    if (index % 2 === 0) await world.acknowledge(head);
  }
}

function eventOf(index: number): TaxEvent {
  if (index % 4 === 0) return samplePayment(`pay ${index}`, { receivedAtMs: NOW_MS });
  const shop = account(['vat:101747696', 'vat:101747641', 'vat:214748397'][index % 3] ?? '');
  // Every seventh till number is left out.
  return sampleSale(`sale ${index}`, {
    account: shop,
    tillId: `T${index % 2}`,
    seq: 1 + index + Math.floor(index / 7),
  });
}

async function open(
  folder: string,
): Promise<{ reconciler: Reconciler; store: ReconciliationStore; books: ReconciliationState }> {
  const store = await openReconciliationStore({ folder });
  const books = openReconciliationState(store, () => undefined);
  const options = { pollMaxBytes: 1, pollMaxRecords: 1, idleWaitMs: 0, commitEveryMs: 1e9, commitEveryChanges: 1e9 };
  const reconciler = new Reconciler(options, {
    log: world.log,
    store,
    books,
    hashes: NODE_HASHES,
    clock: world.clock,
  });
  await reconciler.open();
  return { reconciler, store, books };
}

async function readToTheEnd(folder: string): Promise<unknown> {
  const { reconciler, store, books } = await open(folder);
  let idle = 0;
  while (idle < 3) idle = (await reconciler.step()) ? 0 : idle + 1;
  reconciler.commit();
  const rows = TABLE_NAMES.map((name) => [name, [...books.tables[name].scan('', '\u007f')]]);
  const found = JSON.parse(JSON.stringify({ figures: storedFigures(books.figures), rows }));
  await reconciler.close();
  await store.close();
  return found;
}

beforeAll(async () => {
  world = new ReconciliationWorld(NOW_MS);
  await world.open();
  await tellStory();
  expected = await readToTheEnd(join(world.folder, 'whole'));
});

afterAll(() => world.close());

describe('a reconciliation that is killed again and again', () => {
  it('has in the end exactly the rows and figures of one that was not', async () => {
    let run = 0;
    const life = fc.record({
      steps: fc.integer({ min: 0, max: 40 }),
      commitAt: fc.option(fc.integer({ min: 0, max: 40 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 5 }), async (lives) => {
        run++;
        const folder = join(world.folder, `run-${run}`);
        for (const { steps, commitAt } of lives) {
          const { reconciler, store } = await open(folder);
          for (let step = 0; step < steps; step++) {
            await reconciler.step();
            if (step === commitAt) reconciler.commit();
          }
          // Killed: nothing is committed here.
          await reconciler.close();
          await store.close();
        }
        expect(await readToTheEnd(folder)).toEqual(expected);
        rmSync(folder, { recursive: true, force: true });
      }),
      { numRuns: 25, endOnFailure: true },
    );
  }, 180_000);

  it('counts the story as it was told', () => {
    const sum = (found: unknown) =>
      found as { figures: { taxes: Record<string, Record<string, number[]>>; blocks: number } };
    const { taxes, blocks } = sum(expected).figures;
    const received = (taxes['paye']?.['received']?.[0] ?? 0) + (taxes['vat']?.['received']?.[0] ?? 0);
    expect(received).toBe(EVENTS);
    expect(blocks).toBeGreaterThan(8);
  });
});
