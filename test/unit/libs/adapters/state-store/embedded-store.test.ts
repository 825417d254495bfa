import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sealText } from '../../../../../libs/adapters/lmdb/sealed-text.ts';
import { openEmbeddedStore, STORE_KEY_BYTES_MAX } from '../../../../../libs/adapters/state-store/embedded-store.ts';
import { capability } from '../../../../support/capabilities.ts';
import { flipAt } from '../../../../support/damage-file.ts';
import { mountSmallDisk } from '../../../../support/small-disk.ts';

const TIP = 'ab'.repeat(16);
const checkpoint = { tip: TIP, tipOffset: 0, outputNext: 1, inputs: [] };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'store-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('the embedded state store', () => {
  it('keeps its folder to itself, and stages apart', async () => {
    const store = await openEmbeddedStore({ folder, stage: 'tax' });
    await expect(openEmbeddedStore({ folder, stage: 'tax' })).rejects.toMatchObject({ code: 'DATA_FOLDER_IN_USE' });
    const other = await openEmbeddedStore({ folder, stage: 'ledger' });
    await store.commit([{ partition: 0, expectedTip: null, checkpoint, puts: [{ key: 'x', value: '1' }] }]);
    expect(await other.get(0, ['x'])).toEqual({ tip: null, values: [null] });
    await store.close();
    await other.close();
  });

  it('finishes a wipe that a crash has cut off: half a state never stands for anything', async () => {
    const store = await openEmbeddedStore({ folder, stage: 'tax' });
    const puts = Array.from({ length: 20 }, (_, index) => ({ key: `k${index}`, value: '1' }));
    await store.commit([0, 3, 7].map((partition) => ({ partition, expectedTip: null, checkpoint, puts })));
    await store.close();
    // What a crash in the middle of wipe(3) leaves: the mark instead of the checkpoint, and some of the state.
    const env = open({ path: join(folder, 'tax'), noSubdir: false, maxDbs: 2 });
    const state = env.openDB<string, Buffer>('sealed-state', { encoding: 'string', keyEncoding: 'binary' });
    const place = Buffer.from('0000000300', 'hex');
    await state.put(place, sealText(place, '"wiping"'));
    await env.close();
    const again = await openEmbeddedStore({ folder, stage: 'tax' });
    expect(await again.get(3, ['k5'])).toEqual({ tip: null, values: [null] });
    expect(await again.checkpoint(3)).toBeNull();
    expect(await again.get(0, ['k5'])).toEqual({ tip: TIP, values: ['1'] });
    expect(await again.get(7, ['k5'])).toEqual({ tip: TIP, values: ['1'] });
    await again.close();
  });

  it.each([
    ['a value', 'a-value-that-nobody-else-has', 3],
    ['a key', 'a-key-that-nobody-else-has', 20],
  ])('begins anew at the next start where a bit of %s was flipped, and says so', async (_, text, skip) => {
    const store = await openEmbeddedStore({ folder, stage: 'tax' });
    const puts = [{ key: 'a-key-that-nobody-else-has', value: '"a-value-that-nobody-else-has"' }];
    await store.commit([{ partition: 0, expectedTip: null, checkpoint, puts }]);
    await store.close();
    expect(flipAt(join(folder, 'tax', 'data.mdb'), Buffer.from(text), skip)).toBeGreaterThan(0);
    const said: string[] = [];
    const again = await openEmbeddedStore(
      { folder, stage: 'tax' },
      { onDiscarded: ({ message }) => said.push(message) },
    );
    expect(said).toEqual([expect.stringMatching(/^tax's state in .*data\.mdb is damaged .*folded again from the log/)]);
    expect(await again.checkpoint(0)).toBeNull();
    await again.close();
  });

  it.each([
    ['a value', Buffer.from('00000000016b', 'hex'), ['k']],
    ['a checkpoint', Buffer.from('0000000000', 'hex'), ['x']],
  ])('never gives %s that is not what was written', async (_, place, keys) => {
    const store = await openEmbeddedStore({ folder, stage: 'tax' });
    const puts = [{ key: 'k', value: '{"pence":100}' }];
    await store.commit([{ partition: 0, expectedTip: null, checkpoint, puts }]);
    // While it is open: as a disk would.
    const state = open({ path: join(folder, 'tax'), noSubdir: false, maxDbs: 3 }).openDB<string, Buffer>(
      'sealed-state',
      {
        encoding: 'string',
        keyEncoding: 'binary',
      },
    );
    const stored = state.get(place);
    await state.put(place, String(stored).replace('100', '900').replace('"outputNext":1', '"outputNext":9'));
    await expect(store.get(0, keys)).rejects.toMatchObject({ code: 'STORE_DAMAGED', facts: { partition: 0 } });
    await store.wipe(0);
    expect(await store.checkpoint(0)).toBeNull();
    await store.close();
  });

  it('forgets what an earlier version stored without checksums: it is folded again', async () => {
    const env = open({ path: join(folder, 'tax'), noSubdir: false, maxDbs: 2 });
    const state = env.openDB<string, Buffer>('state', { encoding: 'string', keyEncoding: 'binary' });
    await state.put(Buffer.from('0000000000', 'hex'), JSON.stringify(checkpoint));
    await env.close();
    const store = await openEmbeddedStore(
      { folder, stage: 'tax' },
      { onDiscarded: (error) => expect.fail(error.message) },
    );
    expect(await store.checkpoint(0)).toBeNull();
    await store.close();
  });

  it('takes the longest key it promises and refuses a longer one', async () => {
    const store = await openEmbeddedStore({ folder, stage: 'tax' });
    const longest = 'k'.repeat(STORE_KEY_BYTES_MAX);
    const put = (key: string) =>
      store.commit([{ partition: 0, expectedTip: null, checkpoint, puts: [{ key, value: '1' }] }]);
    await expect(put(`${longest}k`)).rejects.toMatchObject({ code: 'ASSERTION_FAILED' });
    expect(await put(longest)).toEqual(['committed']);
    expect((await store.get(0, [longest])).values).toEqual(['1']);
    await store.close();
  });

  it('refuses every call once closed', async () => {
    const store = await openEmbeddedStore({ folder, stage: 'tax' });
    await store.close();
    await store.close();
    await expect(store.get(0, ['x'])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.commit([])).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    await expect(store.wipe(0)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
  });
});

const tmpfs = capability('tmpfs');
if (!tmpfs.available) {
  console.log(`skipped: the embedded store on a full disk: ${tmpfs.reason}`);
}

describe.skipIf(!tmpfs.available)('the embedded state store on a disk of 8 MiB', () => {
  it('refuses commits whole when the disk is full, stays readable, and takes them when space returns', async () => {
    const disk = join(folder, 'disk');
    const unmount = mountSmallDisk(disk, 8);
    try {
      await writeFile(join(disk, 'ballast'), Buffer.alloc(3_000_000));
      const store = await openEmbeddedStore({ folder: disk, stage: 'tax' });
      let tip: string | null = null;
      const commit = async (number: number) => {
        const next = number.toString(16).padStart(32, '0');
        const puts = Array.from({ length: 100 }, (_, index) => ({ key: `${number} ${index}`, value: 'x'.repeat(500) }));
        const outcomes = await store.commit([
          { partition: 0, expectedTip: tip, checkpoint: { ...checkpoint, tip: next, outputNext: number }, puts },
        ]);
        tip = next;
        return outcomes;
      };
      let number = 1;
      const fill = async () => {
        for (; number < 500; number += 1) {
          await commit(number);
        }
      };
      await expect(fill()).rejects.toMatchObject({ code: 'STORE_FULL', retriable: true });
      expect(await store.checkpoint(0)).toMatchObject({ tip, outputNext: number - 1 });
      expect((await store.get(0, [`${number} 0`, `${number - 1} 99`])).values).toEqual([null, 'x'.repeat(500)]);
      await unlink(join(disk, 'ballast'));
      expect(await commit(number)).toEqual(['committed']);
      await store.close();
      const again = await openEmbeddedStore({ folder: disk, stage: 'tax' });
      expect(await again.checkpoint(0)).toMatchObject({ tip, outputNext: number });
      await again.close();
    } finally {
      unmount();
    }
  });
});
