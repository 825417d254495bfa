import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadRules } from '../../libs/adapters/rules/load-rules.ts';
import { parseBlockHeader } from '../../libs/core/ledger/block/block-header.ts';
import type { LedgerEntry } from '../../libs/core/ledger/entry/ledger-entry.ts';
import { verifyCopy } from '../../services/cli/verify/verify.ts';
import type { OutboxCounts } from '../../services/payer-node/outbox/outbox.ts';
import { exportCopy, settled, summaryOf } from '../support/operate-service.ts';
import { paymentJson } from '../support/own-events.ts';
import { entriesOfCopy } from '../support/read-copy.ts';
import { eventually, tally } from '../support/service-process.ts';
import { salesOfTill } from '../support/submissions.ts';
import type { Whole } from '../support/whole.ts';

const SALE_PENCE = 1_200;
const OTHER_SHOP = '123456782';

/** What is changed between the crash and the restart: VAT 20% to 21%, the employer's Class 1 rate 15% to 16%. */
const CHANGES = [
  { file: 'vat/rates.json', name: 'standardRate', before: 2_000, after: 2_100 },
  { file: 'paye/2026-27.json', name: 'class1.employer', before: 1_500, after: 1_600 },
] as const;

/** Of the rule sets that the cards of the folder make. */
function hashes(rates: string): { readonly paye: string; readonly vat: string } {
  const [paye, vat] = loadRules(rates).cards;
  return { paye: paye.hash, vat: vat.hash };
}

function changeRates(rates: string): void {
  for (const { file, name, before, after } of CHANGES) {
    const path = join(rates, file);
    const card = JSON.parse(readFileSync(path, 'utf8')) as { values: { name: string; value: unknown }[] };
    const last = card.values.filter((value) => value.name === name).at(-1);
    expect(last?.value).toBe(before);
    if (last !== undefined) last.value = after;
    writeFileSync(path, JSON.stringify(card));
  }
}

/**
 * Rates that change between a crash and the restart, on the embedded engines or on Kafka: so many events of each of three accounts are
 * posted, the house is killed while it decides them, and goes on under other rates.
 */
export function ratesThatChange(events: number, open: (env: NodeJS.ProcessEnv) => Promise<Whole>): void {
  const folder = mkdtempSync(join(tmpdir(), 'tallystick-rates-'));
  const rates = join(folder, 'rates');
  let whole: Whole;
  beforeAll(async () => {
    whole = await open({ RATES_DIR: rates });
  }, 720_000);
  afterAll(async () => {
    await whole?.dispose();
    rmSync(folder, { recursive: true, force: true });
  }, 360_000);

  it('leave what was decided as it was and apply to the rest, and either copy can be worked out again', {
    timeout: 720_000,
  }, async () => {
    const { service } = whole;
    for (const tax of ['paye', 'vat']) cpSync(join('libs/core', tax, 'rates'), join(rates, tax), { recursive: true });
    await service.start();
    const sales = salesOfTill(events, 'T1', NO_VAT_STATED);
    const payments = Array.from({ length: events }, (_, i) => paymentJson(i, 1, PAY));
    // Tills that state their VAT: what is not decided yet at the crash is wrong by the new rate, and is told so.
    const stating = salesOfTill(events, 'T3', { vrn: OTHER_SHOP });
    await Promise.all([post(service, 'vat', sales), post(service, 'vat', stating), post(service, 'paye', payments)]);
    const first = String(stating[0]?.['eventId']);
    await eventually(
      async () => (await service.call<Statuses>('payer', 'POST', '/payer/v1/events/status', statusOf(first))).body,
      ({ statuses }) => statuses[first]?.status !== 'unsent',
    );
    await eventually(
      () => summaryOf(service),
      ({ taxes }) => taxes.paye.decided.events > 0 && taxes.vat.decided.events > 0,
    );
    await whole.crash();
    const atCrash = await whole.checkLedger({ complete: false });
    const decided = atCrash.entries + atCrash.inFlight;
    expect(decided).toBeGreaterThan(0);

    const before = hashes(rates);
    changeRates(rates);
    const after = hashes(rates);
    await service.start();
    const outbox = await eventually(
      async () => (await service.call<OutboxCounts>('payer', 'GET', '/payer/v1/outbox')).body,
      ({ unsent, receipted }) => unsent + receipted === 0,
      60_000,
    );
    expect(outbox.decided + outbox.rejected + outbox.refused).toBe(3 * events);
    expect((await service.call('payer', 'GET', '/payer/v1/divergences')).body).toEqual({
      divergences: [],
      waiting: null,
    });
    // The same again: what stands in the record is known, whatever rates are in force.
    const again = await service.call<{ queued?: number }>('payer', 'POST', '/payer/v1/events/vat', stating.slice(0, 1));
    expect({ status: again.status, queued: again.body.queued }).toEqual({ status: 202, queued: 1 });
    // One more of each, so that new rates are met even where all else was decided before.
    await post(service, 'paye', [paymentJson(events, 1, PAY)]);
    await post(service, 'vat', salesOfTill(1, 'T2', NO_VAT_STATED));
    await settled(service, { paye: events + 1, vat: events + 1 });

    const vat = await copyOf(service, folder, 'vat:101747696');
    const paye = await copyOf(service, folder, 'paye:123/AB456');
    const stated = await copyOf(service, folder, `vat:${OTHER_SHOP}`);
    const [oldVat, newVat] = [vat.under(before.vat), vat.under(after.vat)];
    const [oldPaye, newPaye] = [paye.under(before.paye), paye.under(after.paye)];
    const underOld = stated.under(before.vat);
    expect(sumOf(underOld, 'outputVat')).toBe(underOld.length * 200);
    expect(stated.under(after.vat)).toEqual([]);
    // The release itself knows the old cards; the new ones are in the copies alone.
    expect([vat.rulesOfCopyAlone, paye.rulesOfCopyAlone]).toEqual([[after.vat], [after.paye]]);
    // What stood in the log at the crash, and nothing else, is under the old rates.
    expect(oldVat.length + oldPaye.length + underOld.length).toBe(decided);
    // £12.00 at 20%: 2.00 each. At 21%: takings x 21/121 of all together, half up.
    expect(sumOf(oldVat, 'outputVat')).toBe(oldVat.length * 200);
    expect(sumOf(newVat, 'outputVat')).toBe(Math.round((newVat.length * SALE_PENCE * 21) / 121));
    // £3,000.00 a month above the secondary threshold of £417: 2,583.00 at 15% is 387.45, at 16% 413.28.
    expect(sumOf(oldPaye, 'employerNics')).toBe(oldPaye.length * 38_745);
    expect(sumOf(newPaye, 'employerNics')).toBe(newPaye.length * 41_328);
    const { ledger, copies } = await whole.end();
    const entries = 2 * events + 2 + underOld.length;
    expect([ledger.entries, copies.recomputed]).toEqual([entries, entries]);
    console.log(`${decided} decided before, ${JSON.stringify(outbox)} after`);
  });
}

const PAY = { taxablePayPence: 300_000, nicableEarningsPence: 300_000 };
/** Tills that work out no VAT themselves: what a till states is checked at the door, by the rates in force. */
const NO_VAT_STATED = { vatPence: null };

type Service = Whole['service'];

interface Statuses {
  readonly statuses: Readonly<Record<string, { readonly status: string }>>;
}

const statusOf = (eventId: string) => ({ account: `vat:${OTHER_SHOP}`, eventIds: [eventId] });

async function post(service: Service, tax: 'paye' | 'vat', events: readonly object[]): Promise<void> {
  for (let from = 0; from < events.length; from += 1_000) {
    const some = events.slice(from, from + 1_000);
    const { status, body } = await service.call<{ queued?: number }>('payer', 'POST', `/payer/v1/events/${tax}`, some);
    expect({ status, queued: body.queued }).toEqual({ status: 202, queued: some.length });
  }
}

function sumOf(entries: readonly LedgerEntry[], head: string): number {
  const amounts = entries.flatMap((entry) => entry.amounts.filter((amount) => amount.head === head));
  return amounts.reduce((sum, { pence }) => sum + pence, 0);
}

/** The entries of an account by the rules line of their block. */
async function copyOf(service: Service, folder: string, account: string) {
  const file = join(folder, 'copy.tally');
  await exportCopy(service, account, file);
  expect((await tally(['verify', file])).code).toBe(0);
  const report = await verifyCopy(file);
  const by = new Map<string, LedgerEntry[]>();
  const blocks = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"kind":"block"'));
  for (const line of blocks) {
    const header = parseBlockHeader((JSON.parse(line) as { header: string }).header);
    const one = join(folder, 'block.jsonl');
    writeFileSync(one, `${line}\n`);
    const entries = entriesOfCopy(one);
    const rules = Buffer.from(header.rules).toString('hex');
    if (entries.length > 0) by.set(rules, [...(by.get(rules) ?? []), ...entries]);
  }
  return { under: (hash: string) => by.get(hash) ?? [], rulesOfCopyAlone: report.rulesOfCopyAlone };
}
