import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataFolder } from '../../../../../libs/adapters/lmdb/data-folder-lock.ts';
import { DATA_STORES } from '../../../../../libs/adapters/lmdb/data-stores.ts';
import { openLmdb } from '../../../../../libs/adapters/lmdb/open-lmdb.ts';
import { lookAtStores } from '../../../../../services/cli/commands/look-at-stores.ts';
import { DAMAGES } from '../../../../support/damage-file.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'look-'));
  for (const store of DATA_STORES) {
    const env = openLmdb(store, { path: join(dataDir, store.path), maxDbs: 4 });
    const things = env.openDB<string, string>('things', { encoding: 'string' });
    await Promise.all(Array.from({ length: 200 }, (_, i) => things.put(`key-${i}`, 'v'.repeat(100))));
    await env.close();
  }
});
afterEach(() => rmSync(dataDir, { recursive: true }));

describe('doctor, of the stores of a data folder', () => {
  it('finds each one sound that is', async () => {
    const found = await lookAtStores(dataDir);
    expect(found.map(({ store }) => store)).toEqual(DATA_STORES.map(({ path }) => path));
    for (const { ok, detail } of found)
      expect({ ok, detail }).toEqual({ ok: true, detail: expect.stringMatching(/ is sound \(1 MiB read\)$/) });
  });

  it.each(Object.entries(DAMAGES))(
    'says of each one with %s which file it is, what is lost and what to do',
    async (_, spoil) => {
      for (const store of DATA_STORES) {
        spoil(join(dataDir, store.path, 'data.mdb'));
        const found = (await lookAtStores(dataDir)).find((one) => one.store === store.path);
        expect(found).toMatchObject({ ok: false });
        for (const part of [join(dataDir, store.path, 'data.mdb'), store.lost, store.remedy])
          expect(found?.detail).toContain(part);
      }
    },
  );

  it('leaves a store alone that a process has, and says which', async () => {
    const stores = { ledger: ['ledger/store'], gateway: ['gateway', 'gateway-index'] };
    for (const [folder, locked] of Object.entries(stores)) {
      const lock = await lockDataFolder(join(dataDir, folder));
      const held = (await lookAtStores(dataDir)).filter(({ detail }) => detail.includes(`process ${process.pid} of `));
      expect(held.map(({ store }) => store)).toEqual(locked);
      await lock.release();
    }
  });
});
