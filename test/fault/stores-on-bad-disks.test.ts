import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeRandom, nodeSha256, nodeTreeHasher } from '../../libs/adapters/crypto/node-crypto.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import { vaultSeal } from '../../services/gateway/store/person-vault.ts';
import { openReservationStore } from '../../services/gateway/store/reservation-store.ts';
import { LedgerStore } from '../../services/ledger/store/ledger-store.ts';
import { PayerStore } from '../../services/payer-node/store/payer-store.ts';
import { openReconciliationStore, type StoredBooks } from '../../services/reconciliation/count/reconciliation-store.ts';
import { breakFile } from '../support/broken-disk.ts';
import { capability } from '../support/capabilities.ts';
import { mountSmallDisk } from '../support/small-disk.ts';

const DISK_MIB = 32;
const MIB = 1024 ** 2;

/** A store as far as a disk is concerned: something is written, and is there again. */
interface Written {
  write(name: string, bytes: number): Promise<void>;
  has(name: string): boolean | Promise<boolean>;
  close(): Promise<void>;
}

/** What was told of waiting or of the end, beside what was thrown. */
let told: string[];

const STORES: Readonly<Record<string, (folder: string) => Promise<Written>>> = {
  async "tax's state"(folder) {
    const store = await openEmbeddedStore({ folder, stage: 'tax', commitMsMax: 500 });
    const tips = new Map<string, string>();
    let partition = 0;
    return {
      async write(name, bytes) {
        partition += 1;
        const checkpoint = { tip: 'ab'.repeat(16), tipOffset: 0, outputNext: 1, inputs: [] };
        const puts = [{ key: name, value: JSON.stringify('x'.repeat(bytes)) }];
        tips.set(name, String(partition));
        await store.commit([{ partition, expectedTip: null, checkpoint, puts }]);
      },
      has: async (name) => (await store.get(Number(tips.get(name)), [name])).values[0] !== null,
      close: () => store.close(),
    };
  },
  async "the reconciliation's store"(folder) {
    const store = await openReconciliationStore({ folder });
    return {
      async write(name, bytes) {
        store.tables.exceptions.put(name, {
          account: null,
          eventId: null,
          code: 'X',
          stage: 'decision',
          detail: 'x'.repeat(bytes),
          atMs: 1,
        });
        store.commit({ figures: {}, positions: { records: {}, linked: {} } } as unknown as StoredBooks);
      },
      has: (name) => store.tables.exceptions.get(name) !== undefined,
      close: () => store.close(),
    };
  },
  async "the ledger's fold"(folder) {
    const store = new LedgerStore({ folder, ledgerName: 'a-ledger' }, { hasher: nodeTreeHasher, sha256: nodeSha256 });
    return {
      async write(name, bytes) {
        store.setServedNote(name.padEnd(bytes, 'x'));
        await store.commit();
      },
      has: (name) => store.committedNote()?.startsWith(name) === true,
      close: () => store.close(),
    };
  },
  async "the gateway's store"(folder) {
    const vault = vaultSeal(nodeRandom(32), nodeRandom);
    const onBroken = (error: Error): void => void told.push(error.message);
    const options = { folder, ledgerName: 'a-ledger', reserveBytes: MIB };
    const store = await openReservationStore(options, { vault, onBroken });
    return {
      async write(name, bytes) {
        const receipt = { note: name.padEnd(bytes, 'x'), leafHashes: [] };
        await store.reserve({
          receipts: [{ number: Number(name), receipt, pending: null }],
          reservations: [],
          persons: [],
        });
      },
      has: (name) => store.receipt(Number(name)).note.startsWith(name),
      close: () => store.close(),
    };
  },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-bad-disk-'));
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const isTax = (name: string): boolean => name === "tax's state";

describe('a disk that fails', () => {
  it.each(Object.keys(STORES))(
    'under %s ends it by its name, and it is never written again as if it were sound',
    async (name) => {
      const open = STORES[name];
      if (open === undefined) throw new Error('no store');
      const store = await open(folder);
      await store.write('1', 1_000);
      breakFile(join(folder, ...(isTax(name) ? ['tax'] : []), 'data.mdb'), 'writes');
      const fault = await store.write('2', 1_000).then(
        () => null,
        (error: unknown) => error,
      );
      expect(fault).toMatchObject({
        code: 'STORE_BROKEN',
        retriable: false,
        facts: { folder: expect.stringContaining(folder) },
      });
      expect((fault as Error).message).toContain('look at the disk and start again');
      expect(await store.has('1')).toBe(true);
      await store.close().catch(() => undefined);
    },
  );

  it.each(["tax's state", "the ledger's fold", "the gateway's store"])(
    'to sync what %s wrote ends it too',
    async (name) => {
      const open = STORES[name];
      if (open === undefined) throw new Error('no store');
      const store = await open(folder);
      await store.write('1', 1_000);
      breakFile(join(folder, ...(isTax(name) ? ['tax'] : []), 'data.mdb'), 'syncs');
      await expect(store.write('2', 1_000)).rejects.toMatchObject({ code: 'STORE_BROKEN', retriable: false });
      await store.close().catch(() => undefined);
    },
  );

  it.each(['writes', 'syncs'] as const)(
    "in its %s under the payer's store ends it: memory is ahead of the disk",
    async (what) => {
      const store = new PayerStore({ folder, commitMsMax: 500 });
      await store.commit(() => void store.addAccount('vat:101747696'));
      breakFile(join(folder, 'data.mdb'), what);
      const failed = store.commit(() => void store.addAccount('vat:123456727'));
      await expect(failed).rejects.toMatchObject({ code: 'STORE_BROKEN', retriable: false, facts: { folder } });
      await store.close().catch(() => undefined);
    },
  );

  it("under the gateway's store is told once, and nothing more is taken", async () => {
    const store = await STORES["the gateway's store"]?.(folder);
    if (store === undefined) throw new Error('no store');
    breakFile(join(folder, 'data.mdb'), 'writes');
    for (const name of ['1', '2', '3'])
      await expect(store.write(name, 100)).rejects.toMatchObject({ code: 'STORE_BROKEN' });
    expect(told).toHaveLength(1);
    await store.close().catch(() => undefined);
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

  it.each(Object.keys(STORES))('is waited out by %s: the same write works once there is room', async (name) => {
    const open = STORES[name];
    if (open === undefined) throw new Error('no store');
    const at = join(disk, 'store');
    const store = await open(at);
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
    await (await open(at)).close();
  });

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
