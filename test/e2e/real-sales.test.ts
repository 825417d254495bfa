import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capability } from '../support/capabilities.ts';
import { vatByQuarter } from '../support/independent-vat.ts';
import { entriesOfCopy } from '../support/read-copy.ts';
import { ServiceProcess, tally } from '../support/service-process.ts';
import { checkDataFolder } from '../support/whole-ledger.ts';

const VRN = '101747696';
const data = capability('real-data');

describe.skipIf(!data.available)('Online Retail, imported whole', () => {
  const file = join(data.path, 'pos/online_retail_2010-12_2011-12.csv.gz');
  let service: ServiceProcess;

  beforeAll(async () => {
    service = new ServiceProcess();
    await service.start();
  });
  afterAll(() => service.dispose());

  it('accepts or rejects each of the 25,900 invoices, and both copies hold VAT by quarter to the penny', {
    timeout: 900_000,
  }, async () => {
    const args = [
      'import',
      'sales',
      file,
      '--mapping',
      'docs/mappings/online-retail.json',
      '--vrn',
      VRN,
      '--data-dir',
      service.dataDir,
      '--json',
    ];
    const imported = await tally(args);
    expect(imported.stderr).toBe('');
    const summary = JSON.parse(imported.stdout) as {
      read: number;
      accepted: number;
      rejected: number;
      events: number;
      rejections: unknown[];
    };
    expect(summary.rejections).toEqual([]);
    expect(summary).toMatchObject({ read: 25_900, accepted: 25_900, rejected: 0 });

    const copy = join(service.dataDir, 'retail.tally');
    expect((await tally(['statement', `vat:${VRN}`, '--export', copy, '--data-dir', service.dataDir])).code).toBe(0);
    const verified = await tally(['verify', copy, '--json']);
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({
      ok: true,
      checked: { recomputed: summary.events, awaiting: 0 },
    });

    const byQuarter = new Map<string, number>();
    for (const entry of entriesOfCopy(copy)) {
      const quarter = entry.taxPeriod.slice(0, 10);
      const output = entry.amounts.find((amount) => amount.head === 'outputVat')?.pence ?? 0;
      byQuarter.set(quarter, (byQuarter.get(quarter) ?? 0) + output);
    }
    expect(Object.fromEntries([...byQuarter].sort())).toEqual(Object.fromEntries([...vatByQuarter(file)].sort()));

    // Once more: every event is known, nothing is added.
    const again = await tally(args);
    expect(JSON.parse(again.stdout)).toMatchObject({ read: 25_900, accepted: 25_900, rejected: 0 });

    expect(await service.stop()).toBe(0);
    const ledger = await checkDataFolder(service.dataDir, { complete: true });
    expect(ledger.entries).toBe(summary.events);
    expect(ledger.chargesPence).toBe([...byQuarter.values()].reduce((sum, pence) => sum + pence, 0));
  });
});
