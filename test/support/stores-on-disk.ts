import { nodeRandom, nodeSha256, nodeTreeHasher } from '../../libs/adapters/crypto/node-crypto.ts';
import { openEmbeddedStore } from '../../libs/adapters/state-store/embedded-store.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { vaultSeal } from '../../services/gateway/store/person-vault.ts';
import { openReservationStore } from '../../services/gateway/store/reservation-store.ts';
import { LedgerStore } from '../../services/ledger/store/ledger-store.ts';
import { PayerStore } from '../../services/payer-node/store/payer-store.ts';
import { openReconciliationStore, type StoredBooks } from '../../services/reconciliation/count/reconciliation-store.ts';

/** A store as far as a disk is concerned: something is written, and is there again. */
export interface Written {
  write(name: string, bytes: number): Promise<void>;
  has(name: string): boolean | Promise<boolean>;
  close(): Promise<void>;
}

/** Every store of the services by its name. `said` takes what a store says of its end beside what it throws. */
export const STORES: Readonly<Record<string, (folder: string, said: string[]) => Promise<Written>>> = {
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
  async "the gateway's store"(folder, said) {
    const vault = vaultSeal(nodeRandom(32), nodeRandom);
    const onBroken = (error: Error): void => void said.push(error.message);
    const options = { folder, ledgerName: 'a-ledger', reserveBytes: 1024 ** 2 };
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
  async "the payer's store"(folder) {
    const store = new PayerStore({ folder, commitMsMax: 500 });
    const accounts = new Map<string, Account>();
    return {
      async write(name) {
        const owner: Account = `vat:${100_000_000 + accounts.size}`;
        accounts.set(name, owner);
        await store.commit(() => void store.addAccount(owner));
      },
      has: (name) => accounts.has(name) && store.account(accounts.get(name) as Account) !== undefined,
      close: () => store.close(),
    };
  },
};
