import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DATA_STORES, EVENT_LOG, TAX_STATE } from '../../../../../libs/adapters/lmdb/data-stores.ts';
import { faultOfLmdbFile } from '../../../../../libs/adapters/lmdb/file.ts';
import { openLmdb } from '../../../../../libs/adapters/lmdb/open-lmdb.ts';
import type { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { DAMAGES } from '../../../../support/damage-file.ts';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lmdb-'));
  file = join(folder, 'data.mdb');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function tableOf(env: RootDatabase) {
  return env.openDB<string, string>('things', { encoding: 'string' });
}

/** Short and long values, and lists of free pages: every kind of page. */
async function filled(): Promise<void> {
  const env = openLmdb(EVENT_LOG, { path: folder, maxDbs: 4 });
  const table = tableOf(env);
  for (let round = 0; round < 3; round += 1) {
    const written = Array.from({ length: 400 }, (_, i) =>
      table.put(`key-${i}`, 'v'.repeat(i % 50 === 0 ? 9_000 : 100)),
    );
    await Promise.all([...written, table.remove(`key-${round}`)]);
  }
  await env.close();
}

describe('a file of LMDB', () => {
  it('is sound as LMDB left it, with and without a look at each value', async () => {
    await filled();
    let values = 0;
    const look = (): null => {
      values += 1;
      return null;
    };
    expect(faultOfLmdbFile(file)).toBeNull();
    expect(faultOfLmdbFile(file, look)).toBeNull();
    expect(values).toBe(399);
  });

  it.each(Object.entries(DAMAGES))(
    'with %s is refused before it is mapped, with what is lost and what to do',
    async (_, spoil) => {
      await filled();
      spoil(file);
      expect(faultOfLmdbFile(file)).not.toBeNull();
      const before = readFileSync(file);
      expect(() => openLmdb(EVENT_LOG, { path: folder })).toThrow(
        expect.objectContaining({ code: 'STORE_DAMAGED', message: expect.stringContaining(EVENT_LOG.remedy) }),
      );
      // What is no cache is left as it is: somebody may yet read it.
      expect(readFileSync(file).equals(before)).toBe(true);
    },
  );

  it.each(Object.entries(DAMAGES))('with %s begins anew where it is a cache, and says so once', async (_, spoil) => {
    await filled();
    spoil(file);
    const said: TallyError[] = [];
    const env = openLmdb(TAX_STATE, { path: folder, maxDbs: 4 }, (error) => said.push(error));
    expect(said.map(({ code }) => code)).toEqual(['STORE_DAMAGED']);
    expect([...tableOf(env).getKeys()]).toEqual([]);
    await tableOf(env).put('again', 'here');
    await env.close();
    expect(faultOfLmdbFile(file)).toBeNull();
  });

  it('says which page was damaged, of every page that is in use, by its number or its kind alone', async () => {
    await filled();
    const sound = readFileSync(file);
    const faultWith = (at: number, bytes: Buffer): string | null => {
      const spoilt = Buffer.from(sound);
      bytes.copy(spoilt, at);
      writeFileSync(file, spoilt);
      return faultOfLmdbFile(file);
    };
    let used = 0;
    for (let page = 2; page < sound.length / 4_096; page += 1) {
      const start = page * 4_096;
      if (faultWith(start, Buffer.alloc(4_096)) === null) continue;
      used += 1;
      for (const place of [start, start + 18]) {
        const flipped = Buffer.from([(sound[place] ?? 0) ^ 0x40]);
        const fault = faultWith(place, flipped);
        expect(fault, `byte ${place}`).toMatch(new RegExp(`^page ${page} of `));
      }
    }
    expect(used).toBeGreaterThan(12);
  });

  it('and its folder are for their owner alone, also where an earlier version made them', async () => {
    await filled();
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644);
    chmodSync(folder, 0o755);
    await openLmdb(EVENT_LOG, { path: folder }).close();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600);
    const fresh = join(folder, 'a', 'b');
    await openLmdb(EVENT_LOG, { path: fresh }).close();
    expect(statSync(fresh).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(fresh)) expect(statSync(join(fresh, name)).mode & 0o777, name).toBe(0o600);
  });
});

describe('the stores of a data folder', () => {
  it('each have a place of their own and a remedy', () => {
    expect(new Set(DATA_STORES.map(({ path }) => path)).size).toBe(DATA_STORES.length);
    for (const { remedy, lost } of DATA_STORES) expect([remedy, lost]).not.toContain('');
    mkdirSync(join(folder, 'x'));
    expect(existsSync(join(folder, 'x', 'data.mdb'))).toBe(false);
  });
});
