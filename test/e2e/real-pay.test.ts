import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capability } from '../support/capabilities.ts';
import { endWhole, type ImportResult, importFile } from '../support/operate-service.ts';
import { writePayroll } from '../support/real-slices.ts';
import { ServiceProcess } from '../support/service-process.ts';

const data = capability('real-data');
/** All three months in test:long; April alone otherwise: the same employees, a third of the time. */
const MONTHS = process.env['TEST_LONG'] === '1' ? 3 : 1;

describe.skipIf(!data.available)('the payroll of HMRC and DWP', () => {
  let folder = '';
  let service: ServiceProcess;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tallystick-real-pay-'));
    service = new ServiceProcess();
    await service.start();
  });
  afterAll(async () => {
    await service.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it(`of 151,210 employees in ${MONTHS === 1 ? 'April 2026' : 'three months of 2026-27'} stands in both copies, by head, to the penny`, {
    timeout: 1_800_000,
  }, async () => {
    const file = join(folder, 'payroll.csv');
    const made = await writePayroll(data.path, { everyNth: 1, months: MONTHS }, file);
    expect(made.employees.length).toBe(151_210);

    const imported = await importFile('payroll', file, service);
    expect(imported.stderr).toBe('');
    const { read, accepted, rejected, events } = JSON.parse(imported.stdout) as ImportResult;
    expect({ read, accepted, rejected, events }).toEqual({
      read: made.payments,
      accepted: made.payments,
      rejected: 0,
      events: made.payments,
    });

    const { copies, ledger } = await endWhole(service, { paye: made.payments });
    expect([...copies.heads.keys()].sort()).toEqual([...made.heads.keys()].sort());
    for (const [account, due] of made.heads) expect(copies.heads.get(account)).toEqual(due);
    expect(ledger.entries).toBe(made.payments);
    expect(copies.recomputed).toBe(made.payments);
  });
});
