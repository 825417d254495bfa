import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createHttpApp } from '../../../../../libs/adapters/server/create-app.ts';
import { type HttpServer, startHttpServer } from '../../../../../libs/adapters/server/http-server.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { SUMMARY } from '../../../../../services/dashboard/summary-shape.ts';
import type { Reconciliation } from '../../../../../services/reconciliation/create-reconciliation.ts';
import { capability } from '../../../../support/capabilities.ts';
import {
  ANALYST_KEY,
  accepted,
  assessed,
  PAYER_KEY,
  ReconciliationWorld,
} from '../../../../support/reconciliation-world.ts';
import { samplePayment, sampleSale } from '../../../../support/sample-events.ts';

/** What is waited for comes within moments; this is for what hangs. */
const LATEST = { timeout: 60_000 };

const NOW_MS = Date.UTC(2026, 10, 21, 10, 15, 0);
const SHOP = account('vat:101747696');

let world: ReconciliationWorld;
let reconciliation: Reconciliation;
let server: HttpServer;

beforeEach(async () => {
  world = new ReconciliationWorld(NOW_MS);
  await world.open();
  reconciliation = await world.reconcile();
  const logger = createLogger({ service: 'test', level: 'silent' });
  server = await startHttpServer(
    { host: '127.0.0.1', port: 0, furtherPorts: 0 },
    createHttpApp({ routers: [reconciliation.router] }, { logger }),
  );
});

afterEach(async () => {
  reconciliation.endStreams();
  await server.stop(500);
  await reconciliation.stop();
  await world.close();
});

function get(path: string, key: string | null = ANALYST_KEY): Promise<Response> {
  return fetch(
    `${server.url}/reconciliation/v1/${path}`,
    key === null ? {} : { headers: { authorization: `Bearer ${key}` } },
  );
}

interface Listed {
  readonly exceptions: readonly {
    readonly kind: string;
    readonly code: string;
    readonly account: string;
    readonly detail: string;
  }[];
  readonly periods: readonly unknown[];
  readonly truncated: boolean;
}

async function exceptions(query: string): Promise<Listed> {
  const response = await get(`exceptions${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Listed;
}

/** One of each kind: an undecided event, an unentered decision, an unacknowledged block, a stated difference, a rejection, a gap, a dispute. */
async function tellOfEverything(): Promise<void> {
  const sales = [1, 2, 3, 7].map((seq) => sampleSale(`sale ${seq}`, { seq }));
  const [entered, decided, refused, waits] = sales;
  if (entered === undefined || decided === undefined || refused === undefined || waits === undefined) throw new Error();
  const stated = [{ head: 'outputVat', pence: pence(201) } as const];
  await world.receive(entered).then((at) => world.decide([at, accepted(assessed(entered, 1, 1_200, { stated }))]));
  await world.seal(SHOP, assessed(entered, 1, 1_200));
  await world.receive(decided).then((at) => world.decide([at, accepted(assessed(decided, 2, 1_200))]));
  const rejection = { account: SHOP, eventId: refused.eventId, code: 'E_SIGN', facts: {}, receivedAtMs: NOW_MS };
  const rejected = { outcome: 'rejected', results: [], rejections: [rejection], changes: [] } as const;
  await world.receive(refused).then((at) => world.decide([at, rejected]));
  await world.receive(waits);
  await world.receive(samplePayment('elsewhere', { receivedAtMs: NOW_MS }));
  await world.dispute({
    account: SHOP,
    chain: 'a'.repeat(32),
    seq: 1,
    entryIndex: 0,
    code: 'AMOUNTS_DIFFER',
    detail: '',
  });
  await vi.waitFor(() => expect(reconciliation.summary().taxes.vat.received.events).toBe(4), LATEST);
  await vi.waitFor(() => expect(reconciliation.summary().taxes.paye.received.events).toBe(1), LATEST);
  await vi.waitFor(() => expect(reconciliation.summary().taxes.vat.rejected).toBe(1), LATEST);
  world.nowMs += 62_000;
  await vi.waitFor(() => {
    const { differences } = reconciliation.summary().taxes.vat;
    expect(differences.map(({ overdue }) => overdue.events)).toEqual([1, 1, 1]);
  }, LATEST);
}

describe('GET /reconciliation/v1/summary', () => {
  it('gives analysts a summary of the shape that the page expects', async () => {
    await tellOfEverything();
    const response = await get('summary');
    expect(response.status).toBe(200);
    expect(() => SUMMARY.parse(reconciliation.summary())).not.toThrow();
    expect(await response.json()).toMatchObject({
      state: 'differs',
      taxes: { vat: { rejections: [{ code: 'E_SIGN', count: 1 }] } },
    });
  });

  it('refuses whoever is no analyst', async () => {
    expect((await get('summary', null)).status).toBe(401);
    expect((await get('summary', 'wrong')).status).toBe(401);
    expect((await get('summary', PAYER_KEY)).status).toBe(403);
    expect((await get('exceptions', PAYER_KEY)).status).toBe(403);
    expect((await get('live', PAYER_KEY)).status).toBe(403);
  });
});

describe('GET /reconciliation/v1/exceptions', () => {
  it('lists one of every kind, by account', async () => {
    await tellOfEverything();
    const { exceptions: found, periods, truncated } = await exceptions('?account=vat:101747696');
    expect(found.map(({ kind, code }) => `${kind} ${code}`).sort()).toEqual([
      'dispute AMOUNTS_DIFFER',
      'divergent AMOUNTS_DIFFER',
      'overdue BLOCK_UNACKNOWLEDGED',
      'overdue BLOCK_UNACKNOWLEDGED',
      'overdue DECISION_MISSING',
      'overdue ENTRY_MISSING',
      'rejected E_SIGN',
      'stated STATED_DIFFERS',
      'tillGap TILL_GAP',
    ]);
    expect(found.every((each) => each.account === SHOP)).toBe(true);
    expect(found.find(({ kind }) => kind === 'tillGap')?.detail).toBe('till T1 has not sent 4-6');
    expect(periods).toEqual([
      {
        taxPeriod: '2026-10-01/2026-12-31',
        decided: { events: 2, basePence: 2_400, amounts: [{ head: 'outputVat', pence: 400 }] },
        hmrcCopy: { events: 1, basePence: 1_200, amounts: [{ head: 'outputVat', pence: 200 }] },
      },
    ]);
    expect(truncated).toBe(false);
  });

  it('lists every account without one, and says when there is more', async () => {
    await tellOfEverything();
    const all = await exceptions('');
    expect(all.exceptions.map(({ account: of }) => of)).toContain('paye:123/AB456');
    expect(all.exceptions).toHaveLength(10);
    const few = await exceptions('?limit=3');
    expect(few.exceptions).toHaveLength(3);
    expect(few.truncated).toBe(true);
  });

  it('takes the account in the form of URLs', async () => {
    await tellOfEverything();
    expect((await exceptions('?account=paye:123-AB456')).exceptions).toHaveLength(1);
  });

  it('names every fault of a query at once', async () => {
    const response = await get('exceptions?account=nobody&limit=0');
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'INPUT_INVALID',
      faults: [
        { code: 'ACCOUNT_INVALID', pointer: '/account' },
        { code: 'LIMIT_INVALID', pointer: '/limit' },
      ],
    });
  });
});

describe('GET /reconciliation/v1/live', () => {
  it('tells a summary again and again', async () => {
    const response = await get('live');
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    let text = '';
    for await (const bytes of response.body ?? []) {
      text += Buffer.from(bytes as Uint8Array).toString();
      if (text.split('event: summary').length > 3) break;
    }
    const ids = [...text.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
    expect(ids.slice(0, 2)).toEqual([ids[0], (ids[0] ?? 0) + 1]);
    expect(text).toContain('"state":');
  });
});

describe('the metrics of the reconciliation', () => {
  it('say by tax, head and stage what the summary says, and never name a payer', async () => {
    await tellOfEverything();
    const text = (await world.metrics[0]?.registry.metrics()) ?? '';
    for (const line of [
      'tally_reconciliation_difference_events{tax="vat",stage="decision",age="overdue"} 1',
      'tally_reconciliation_difference_events{tax="vat",stage="hmrc_copy",age="overdue"} 1',
      'tally_reconciliation_difference_events{tax="vat",stage="payer_copy",age="in_flight"} 0',
      'tally_reconciliation_difference_pence{tax="vat",head="outputVat",stage="payer_copy",age="overdue"} 200',
      'tally_reconciliation_difference_pence{tax="vat",head="taxableBase",stage="decision",age="overdue"} 1200',
      'tally_reconciliation_oldest_unmatched_seconds{tax="vat",stage="decision"} 62',
      'tally_reconciliation_divergent_copies 1',
      'tally_reconciliation_till_gaps 1',
      'tally_reconciliation_unacknowledged_blocks{age="overdue"} 2',
      'tally_reconciliation_rejections_total{tax="vat",code="E_SIGN"} 1',
      'tally_reconciliation_events_total{tax="vat"} 4',
      'tally_reconciliation_hmrc_entries_total{tax="vat"} 1',
      'tally_liability_today_pence{tax="vat",head="outputVat"} 400',
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    expect(text).not.toMatch(/101747696|AB456/);
  });

  it('stay within their budget of series, however many payers and codes there are', async () => {
    for (let number = 0; number < 300; number++) {
      const sale = sampleSale(`sale ${number}`, { seq: number + 1 });
      const rejection = {
        account: SHOP,
        eventId: sale.eventId,
        code: `CODE_${number}`,
        facts: {},
        receivedAtMs: NOW_MS,
      };
      const rejected = { outcome: 'rejected', results: [], rejections: [rejection], changes: [] } as const;
      await world.receive(sale).then((at) => world.decide([at, rejected]));
    }
    await vi.waitFor(() => expect(reconciliation.summary().taxes.vat.rejected).toBe(300), LATEST);
    const text = (await world.metrics[0]?.registry.metrics()) ?? '';
    const series = text.split('\n').filter((line) => line.startsWith('tally_'));
    expect(series.length).toBeLessThan(500);
  });

  it('grow by what came since the last scrape, and by nothing after it', async () => {
    await world.receive(sampleSale('one'));
    await vi.waitFor(() => expect(reconciliation.summary().taxes.vat.received.events).toBe(1), LATEST);
    const scrape = async () => (await world.metrics[0]?.registry.metrics()) ?? '';
    expect(await scrape()).toContain('tally_reconciliation_events_total{tax="vat"} 1');
    expect(await scrape()).toContain('tally_reconciliation_events_total{tax="vat"} 1');
  });

  it.skipIf(!capability('promtool').available)("pass promtool's lint", async () => {
    await tellOfEverything();
    const input = (await world.metrics[0]?.registry.metrics()) ?? '';
    const lint = spawnSync(capability('promtool').path, ['check', 'metrics'], { input, encoding: 'utf8' });
    expect(lint.stdout + lint.stderr).toBe('');
    expect(lint.status).toBe(0);
  });
});
