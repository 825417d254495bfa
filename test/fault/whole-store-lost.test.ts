import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import { capability } from '../support/capabilities.ts';
import { vatByQuarter } from '../support/independent-vat.ts';
import { endWhole, type ImportResult, importFile, settled, summaryOf } from '../support/operate-service.ts';
import { writePayroll, writeRetailSlice } from '../support/real-slices.ts';
import { eventually, ServiceProcess, tally } from '../support/service-process.ts';

const data = capability('real-data');
let folder = '';
let service: ServiceProcess | null = null;

afterAll(async () => {
  await service?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** What each stage keeps beside the log: a cache, that may go. */
const STORES: readonly (readonly string[])[] = [
  ['store/tax'],
  ['ledger/store'],
  ['reconciliation'],
  ['store', 'ledger/store', 'reconciliation'],
];

describe.skipIf(!data.available)('a store lost in the middle of an import', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tallystick-store-lost-'));
  });

  it('is folded from the log again: nothing is decided twice, and both copies are the same to the penny', {
    timeout: 900_000,
  }, async () => {
    const sales = join(folder, 'sales.csv.gz');
    const payroll = join(folder, 'payroll.csv');
    writeRetailSlice(data.path, 1_000, sales);
    const made = await writePayroll(data.path, { everyNth: 120, months: 3 }, payroll);
    const [port] = await freePorts(1);
    const running = new ServiceProcess({ args: ['--empty', '--port', String(port)] });
    service = running;
    await running.start();
    const reach = ['--url', running.url, '--key', running.key('operator')];
    let imports = 2;
    const importing = (['sales', 'payroll'] as const).map(async (kind) => {
      const result = await importFile(kind, kind === 'sales' ? sales : payroll, running, reach);
      imports -= 1;
      return result;
    });
    const receivedOf = async (): Promise<number> => {
      const { taxes } = await summaryOf(running);
      return taxes.paye.received.events + taxes.vat.received.events;
    };
    await eventually(receivedOf, (received) => received > 100);
    for (const lost of STORES) {
      await sleep(300);
      expect(imports).toBeGreaterThan(0);
      await running.kill();
      for (const store of lost) rmSync(join(running.dataDir, store), { recursive: true });
      await running.start();
    }
    for (const stage of ['tax', 'ledger', 'reconciliation']) {
      const rebuilt = await tally(['rebuild', stage, '--json', ...reach]);
      expect({ stage, code: rebuilt.code, stderr: rebuilt.stderr }).toEqual({ stage, code: 0, stderr: '' });
      expect(JSON.parse(rebuilt.stdout)).toMatchObject({ stage });
    }
    const results = await Promise.all(importing);
    expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    const events = (JSON.parse(results[0]?.stdout ?? '') as ImportResult).events + made.payments;

    // And once more with everything at rest: the figures after are the figures before.
    const before = await settled(running, { paye: made.payments });
    for (const stage of ['tax', 'ledger', 'reconciliation']) {
      expect((await tally(['rebuild', stage, ...reach])).code).toBe(0);
    }
    const { summary, copies, ledger } = await endWhole(running, { paye: made.payments });
    expect(summary.taxes).toEqual(before.taxes);
    expect(summary.blocks).toEqual(before.blocks);
    expect(ledger.entries).toBe(events);
    for (const [account, due] of made.heads) expect(copies.heads.get(account)).toMatchObject(due);
    const vat = [...vatByQuarter(sales).values()].reduce((sum, pence) => sum + pence, 0);
    expect(copies.heads.get('vat:101747696')).toMatchObject({ outputVat: vat });
  });
});
