import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PayerStore } from '../../services/payer-node/store/payer-store.ts';
import { capability } from '../support/capabilities.ts';
import { mountSmallDisk } from '../support/small-disk.ts';
import { STORES } from '../support/stores-on-disk.ts';

const DISK_MIB = 32;
const MIB = 1024 ** 2;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-bad-disk-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly faults: readonly { readonly code: string; readonly message: string; readonly retriable: boolean }[];
  readonly isStillRead: boolean;
  readonly said: readonly string[];
}

/** What a process of its own says of a store whose disk fails under it. */
function broken(name: string, what: 'writes' | 'syncs', times = 1): Outcome {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['test/support/break-store.ts', name, folder, what, String(times)],
    { encoding: 'utf8', timeout: 30_000 },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as Outcome;
}

describe('a disk that fails', () => {
  const ended = { code: 'STORE_BROKEN', retriable: false, facts: { folder: expect.stringContaining('bad-disk') } };

  it.each(Object.keys(STORES))(
    'in its writes under %s ends it by its name, and what was there is still read',
    (name) => {
      const { faults, isStillRead } = broken(name, 'writes');
      expect(faults).toMatchObject([ended]);
      expect(faults[0]?.message).toContain('look at the disk and start again');
      expect(isStillRead).toBe(true);
    },
  );

  it.each(Object.keys(STORES).filter((name) => name !== "the reconciliation's store"))(
    'to sync what %s wrote ends it too',
    (name) => {
      expect(broken(name, 'syncs').faults).toMatchObject([ended]);
    },
  );

  it("under the gateway's store is told once, and nothing more is taken", () => {
    const { faults, said } = broken("the gateway's store", 'writes', 3);
    expect(faults).toMatchObject([ended, ended, ended]);
    expect(said).toHaveLength(1);
  });
});

describe.skipIf(!capability('tmpfs').available)('a disk that is full', () => {
  let unmount: () => void;
  let disk: string;
  beforeEach(() => {
    disk = join(folder, 'disk');
    unmount = mountSmallDisk(disk, DISK_MIB);
  });
  afterEach(() => unmount());

  it.each(Object.keys(STORES).filter((name) => name !== "the payer's store"))(
    'is waited out by %s: the same write works once there is room',
    async (name) => {
      const open = STORES[name];
      if (open === undefined) throw new Error('no store');
      const at = join(disk, 'store');
      const store = await open(at, []);
      await store.write('1', 1_000);
      for (const [leftBytes, bytes] of [
        [MIB / 2, 1_000],
        // Found out in the middle of the commit.
        [2 * MIB, 6 * MIB],
      ] as const) {
        const remove = fill(leftBytes);
        const number = String(bytes);
        const fault = await store.write(number, bytes).then(
          () => null,
          (error: unknown) => error,
        );
        expect(fault).toMatchObject({
          code: 'STORE_FULL',
          retriable: true,
          facts: { folder: expect.stringContaining(at) },
        });
        expect((fault as Error).message).toContain('make room and it goes on by itself');
        expect(await store.has('1').valueOf()).toBe(true);
        remove();
        await store.write(number, bytes);
        expect(await store.has(number)).toBe(true);
        await store.write('1', 1_000);
      }
      await store.close();
      await (await open(at, [])).close();
    },
  );

  it("is waited out by the payer's store, said once, before anything in memory is changed", async () => {
    const waiting: string[] = [];
    const at = join(disk, 'store');
    const store = new PayerStore({ folder: at, onWaiting: ({ message }) => waiting.push(message) });
    await store.commit(() => void store.addAccount('vat:101747696'));
    const remove = fill(MIB / 2);
    const written = store.commit(() => void store.addAccount('vat:123456727'));
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(waiting).toEqual([expect.stringContaining(at)]);
    expect(store.accountCount).toBe(1);
    remove();
    await written;
    expect(store.accountCount).toBe(2);
    await store.close();
  });

  /** Takes all of the disk but so many bytes; gives the way to free it. */
  function fill(leftBytes: number): () => void {
    const ballast = join(disk, 'ballast');
    const { bavail, bsize } = statfsSync(disk);
    const descriptor = openSync(ballast, 'w');
    const chunk = Buffer.alloc(64 * 1024);
    for (let left = bavail * bsize - leftBytes; left > 0; left -= chunk.length) writeSync(descriptor, chunk);
    closeSync(descriptor);
    return () => rmSync(ballast);
  }
});
