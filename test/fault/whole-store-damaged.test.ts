import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DATA_STORES } from '../../libs/adapters/lmdb/data-stores.ts';
import { DAMAGES } from '../support/damage-file.ts';
import { endWhole, settled } from '../support/operate-service.ts';
import { paymentJson } from '../support/own-events.ts';
import { ServiceProcess, tally } from '../support/service-process.ts';

let folder = '';
let service: ServiceProcess | null = null;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-damaged-'));
});
afterEach(() => service?.kill());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BATCH = 100;

function batch(number: number): readonly object[] {
  return Array.from({ length: BATCH }, (_, i) => paymentJson(number * BATCH + i));
}

async function send(running: ServiceProcess, number: number): Promise<void> {
  const { status } = await running.call('payer', 'POST', '/payer/v1/events/paye', batch(number));
  expect(status).toBe(202);
}

describe('damaged files under the whole house', () => {
  it('of caches are folded again by themselves; of anything else they are refused by name, and the guide leads on', {
    timeout: 540_000,
  }, async () => {
    const running = new ServiceProcess({ dataDir: join(folder, 'data') });
    service = running;
    await running.start();
    await send(running, 0);
    const before = await settled(running, { paye: BATCH });
    const caches = DATA_STORES.filter(({ isCache }) => isCache);
    expect(caches.map(({ path }) => path)).toEqual(['store/tax', 'ledger/store', 'reconciliation', 'gateway-index']);
    const zeroed = DAMAGES['a head of zeros'];
    const ways = [DAMAGES['a zeroed page'], zeroed, DAMAGES['cut in the middle'], zeroed];
    await running.kill();
    for (const [index, { path }] of caches.entries()) ways[index]?.(join(running.dataDir, path, 'data.mdb'));
    await running.start();
    for (const { path } of caches) expect(running.output).toContain(`${path}/data.mdb is damaged`);
    expect((await settled(running, { paye: BATCH })).taxes).toEqual(before.taxes);
    await send(running, 1);
    await settled(running, { paye: 2 * BATCH });
    expect(await running.stop()).toBe(0);

    for (const path of ['log', 'gateway', 'payer-node']) {
      const store = DATA_STORES.find((one) => one.path === path);
      const at = join(running.dataDir, path);
      const file = join(at, 'data.mdb');
      const backup = join(folder, `backup-of-${path}`);
      cpSync(at, backup, { recursive: true });
      DAMAGES['a zeroed page'](file);
      await expect(running.start()).rejects.toThrow(/STORE_DAMAGED/);
      expect(running.output).toContain(`${file} is damaged`);
      expect(running.output).toContain(store?.remedy);
      expect(running.output).not.toContain('Node.js v');
      const seen = await tally(['doctor', '--data-dir', running.dataDir]);
      expect(seen.code).toBe(1);
      expect(seen.stdout).toContain(`FAIL  ${path}`);
      expect(existsSync(file)).toBe(true);
      // The guide: from the newest backup; of the gateway also without one.
      rmSync(at, { recursive: true });
      if (path === 'gateway') expect(existsSync(at)).toBe(false);
      else renameSync(backup, at);
      await running.start();
      await settled(running, { paye: 2 * BATCH });
      expect(await running.stop()).toBe(0);
    }
    await running.start();
    await send(running, 2);
    const { ledger } = await endWhole(running, { paye: 3 * BATCH });
    expect(ledger.entries).toBe(3 * BATCH);
  });
});
