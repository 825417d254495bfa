import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capability } from '../support/capabilities.ts';
import { vatByQuarter } from '../support/independent-vat.ts';
import { canRunKafkaWhole, type KafkaWhole, openKafkaWhole } from '../support/kafka-whole.ts';
import { exportCopy, type ImportResult, importFile } from '../support/operate-service.ts';
import { entriesOfCopy } from '../support/read-copy.ts';
import { writePayroll, writeRetailSlice } from '../support/real-slices.ts';

const data = capability('real-data');
const isLong = process.env['TEST_LONG'] === '1';
const RETAIL = join(data.path, 'pos/online_retail_2010-12_2011-12.csv.gz');
/** Whole in test:long; otherwise one month of every fortieth employee, and the first invoices of the shop. */
const PAYROLL = isLong ? { everyNth: 1, months: 3 } : { everyNth: 40, months: 1 };
const INVOICES = isLong ? null : 3_000;
const SHOP = 'vat:101747696';

describe.skipIf(!canRunKafkaWhole || !data.available)('the real imports on Kafka and Redis', () => {
  let whole: KafkaWhole;
  beforeAll(async () => {
    whole = await openKafkaWhole();
    await whole.service.start();
  }, 720_000);
  afterAll(() => whole?.dispose(), 360_000);

  it('give what a second reckoning gives, to the penny, and both copies verify', {
    timeout: isLong ? 5_400_000 : 240_000,
  }, async () => {
    const payroll = join(whole.folder, 'payroll.csv');
    const made = await writePayroll(data.path, PAYROLL, payroll);
    let retail = RETAIL;
    if (INVOICES !== null) {
      retail = join(whole.folder, 'retail.csv.gz');
      writeRetailSlice(data.path, INVOICES, retail);
    }
    const startedMs = performance.now();
    const paid = resultOf(await importFile('payroll', payroll, whole.service));
    const paidMs = performance.now();
    const sold = resultOf(await importFile('sales', retail, whole.service));
    const soldMs = performance.now();
    expect(paid).toMatchObject({ read: made.payments, accepted: made.payments, rejected: 0, events: made.payments });
    const invoices = INVOICES ?? 25_900;
    expect(sold).toMatchObject({ read: invoices, accepted: invoices, rejected: 0 });
    const copy = join(whole.folder, 'copy.tally');
    await exportCopy(whole.service, SHOP, copy);
    expect(vatOf(copy)).toEqual(Object.fromEntries([...vatByQuarter(retail)].sort()));

    const { copies, ledger } = await whole.end({ paye: made.payments, vat: sold.events });
    for (const [account, due] of made.heads) expect(copies.heads.get(account)).toEqual(due);
    expect([...copies.heads.keys()].sort()).toEqual([...made.heads.keys(), SHOP].sort());
    expect([ledger.entries, copies.recomputed]).toEqual([made.payments + sold.events, made.payments + sold.events]);
    console.log(
      `payroll: ${made.payments} payments in ${seconds(paidMs - startedMs)} s; ` +
        `retail: ${invoices} invoices, ${sold.events} events in ${seconds(soldMs - paidMs)} s; ` +
        JSON.stringify(Object.fromEntries(copies.heads)),
    );
  });
});

function resultOf({ stderr, stdout }: { readonly stderr: string; readonly stdout: string }): ImportResult {
  expect(stderr).toBe('');
  return JSON.parse(stdout) as ImportResult;
}

/** Output VAT of the copy by quarter. */
function vatOf(copy: string): Record<string, number> {
  const byQuarter = new Map<string, number>();
  for (const entry of entriesOfCopy(copy)) {
    const quarter = entry.taxPeriod.slice(0, 10);
    const output = entry.amounts.find((amount) => amount.head === 'outputVat')?.pence ?? 0;
    byQuarter.set(quarter, (byQuarter.get(quarter) ?? 0) + output);
  }
  return Object.fromEntries([...byQuarter].sort());
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
