import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePorts } from '../../services/cli/servers/free-port.ts';
import type { OutboxCounts } from '../../services/payer-node/outbox/outbox.ts';
import { capability } from '../support/capabilities.ts';
import { vatByQuarter } from '../support/independent-vat.ts';
import { endWhole, type ImportResult, importFile } from '../support/operate-service.ts';
import { seededNumbers, writePayroll, writeRetailSlice } from '../support/real-slices.ts';
import { eventually, ServiceProcess } from '../support/service-process.ts';

const KILLS = 6;
const data = capability('real-data');
let folder = '';
let service: ServiceProcess | null = null;

afterAll(async () => {
  await service?.dispose();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!data.available)('the whole process, killed again and again in the middle of two imports', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tallystick-killed-'));
  });

  it('has every event that it took in exactly one block of both copies, to the penny', {
    timeout: 900_000,
  }, async () => {
    const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
    console.log(`TEST_SEED=${seed}`);
    const random = seededNumbers(seed);
    const sales = join(folder, 'sales.csv.gz');
    const payroll = join(folder, 'payroll.csv');
    writeRetailSlice(data.path, 1_500, sales);
    const made = await writePayroll(data.path, { everyNth: 100, months: 3 }, payroll);

    // One port, so that an import that is under way finds the process again.
    const [port] = await freePorts(1);
    const killed = new ServiceProcess({ args: ['--empty', '--port', String(port)] });
    service = killed;
    await killed.start();
    const reach = ['--url', killed.url, '--key', killed.key('operator')];
    let running = 2;
    const importing = (['sales', 'payroll'] as const).map(async (kind) => {
      const result = await importFile(kind, kind === 'sales' ? sales : payroll, killed, reach);
      running -= 1;
      return result;
    });
    await eventually(
      async () => (await killed.call<OutboxCounts>('payer', 'GET', '/payer/v1/outbox')).body,
      ({ unsent, receipted }) => unsent + receipted > 0,
    );
    let kills = 0;
    while (kills < KILLS && running > 0) {
      await sleep(random() * 1_500);
      await killed.kill();
      kills += 1;
      // One in three dies a second time while it starts.
      if (random() < 0.33) {
        const starting = killed.start().catch(() => undefined);
        await sleep(300 + random() * 1_200);
        await killed.kill();
        await starting;
      }
      await killed.start();
    }
    const results = await Promise.all(importing);
    expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual([
      { code: 0, stderr: '' },
      { code: 0, stderr: '' },
    ]);
    expect(kills).toBe(KILLS);
    const [ofSales, ofPayroll] = results.map(({ stdout }) => JSON.parse(stdout) as ImportResult);
    expect(ofSales).toMatchObject({ read: 1_500, accepted: 1_500, rejected: 0 });
    expect(ofPayroll).toMatchObject({ read: made.payments, accepted: made.payments, rejected: 0 });

    const { copies, ledger } = await endWhole(killed, { paye: made.payments });
    expect(ledger.entries).toBe((ofSales?.events ?? 0) + made.payments);
    expect(copies.recomputed).toBe(ledger.entries);
    expect(copies.rejections).toBe(0);
    for (const [account, due] of made.heads) expect(copies.heads.get(account)).toMatchObject(due);
    const vat = [...vatByQuarter(sales).values()].reduce((sum, pence) => sum + pence, 0);
    expect(copies.heads.get('vat:101747696')).toMatchObject({ outputVat: vat });
    console.log(
      `${kills} kills, ${ledger.entries} entries in ${ledger.blocks} blocks, ${ledger.ignoredMessages} ignored`,
    );
  });
});
