import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeSha256, nodeTreeHasher } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import type { Account } from '../../../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../../../libs/core/ledger/block/chain-head.ts';
import { chainKeysOf } from '../../../../../libs/core/ledger/entry/chain-keys.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { LedgerStore } from '../../../../../services/ledger/store/ledger-store.ts';
import { ACCOUNT, seededBytes } from '../../../../support/ledger-chain.ts';

const SHOP: Account = 'vat:123456727';
const STAGE = { tip: 'ab'.repeat(16), tipOffset: 3, outputNext: 4, inputs: [] };

describe('LedgerStore', () => {
  let folder: string;
  let store: LedgerStore;
  const openStore = (chainsCachedMax?: number): LedgerStore =>
    new LedgerStore(
      { folder, ledgerName: 'ledger-4f1d', ...(chainsCachedMax === undefined ? {} : { chainsCachedMax }) },
      { hasher: nodeTreeHasher, sha256: nodeSha256 },
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tally-store-'));
    store = openStore();
  });

  afterEach(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });

  /** Blocks of no meaning: the store trusts whoever folds. */
  function append(account: Account, count: number): void {
    const keys = chainKeysOf(seededBytes('master', 32), account);
    for (let made = 0; made < count; made += 1) {
      const seq = (store.chainOf(account)?.head.seq ?? -1) + 1;
      const head: ChainHead = {
        account,
        chain: keys.chain,
        seq,
        blockHash: Buffer.from(nodeSha256(Buffer.from(`${account} ${seq}`))).toString('hex'),
        entriesSince0: seq,
        chargesSince0Pence: pence(-5 * seq),
        paymentsSince0Pence: pence(seq),
        balancePence: pence(-6 * seq),
        lastDecision: seq,
        closedAtMs: 1_000 * seq,
      };
      const block = { header: `header ${seq}`, totals: `totals ${seq}`, entries: [Buffer.from([seq % 256])] };
      store.appendBlock(block, keys, head, nodeSha256(Buffer.from(`leaf ${account} ${seq}`)));
    }
  }

  it('shows readers what is committed and the folding what is folded', async () => {
    append(ACCOUNT, 3);
    expect(store.chainOf(ACCOUNT)?.head.seq).toBe(2);
    expect(store.committedChain(ACCOUNT)).toBeUndefined();
    expect(store.checkpoint()).toBeNull();
    await store.commit(STAGE);
    expect(store.committedChain(ACCOUNT)?.head).toEqual(store.chainOf(ACCOUNT)?.head);
    expect(store.checkpoint()).toEqual(STAGE);
  });

  it('finds every block of chains that grew side by side over many pages of their index', async () => {
    for (let round = 0; round < 50; round += 1) {
      append(ACCOUNT, 2);
      append(SHOP, 1);
      if (round % 7 === 0) await store.commit(STAGE);
    }
    await store.commit(STAGE);
    await store.close();
    store = openStore();
    const chain = store.committedChain(ACCOUNT);
    if (chain === undefined) throw new Error('no chain');
    expect(store.committedChainById(chain.keys.chain)?.account).toBe(ACCOUNT);
    const indices = store.committedIndices(chain, 0, 1_000);
    expect(indices).toHaveLength(100);
    for (const [seq, index] of indices.entries()) {
      expect(store.committedBlock(chain, seq, index).header.toString()).toBe(`header ${seq}`);
    }
    expect(store.committedIndices(chain, 31, 3)).toEqual(indices.slice(31, 34));
    expect(store.committedIndices(chain, 100, 3)).toEqual([]);
    append(ACCOUNT, 1);
    expect(store.chainOf(ACCOUNT)?.page.length).toBe((100 % 32) + 1);
  });

  it('forgets what was not committed', async () => {
    append(ACCOUNT, 40);
    await store.commit(STAGE);
    const root = Buffer.from(store.tree.root());
    append(ACCOUNT, 300);
    append(SHOP, 1);
    store.setPayerKey(SHOP, 'a key');
    store.discard();
    expect(store.chainOf(ACCOUNT)?.head.seq).toBe(39);
    expect(store.chainOf(SHOP)).toBeUndefined();
    expect(Buffer.from(store.tree.root())).toEqual(root);
    append(SHOP, 1);
    expect(store.chainOf(SHOP)?.number).toBe(1);
    expect(store.payerKeyOf(SHOP)).toBeUndefined();
  });

  it('keeps keys, acknowledgements, rejections and the served note', async () => {
    append(ACCOUNT, 2);
    store.setPayerKey(ACCOUNT, 'payer+1+k');
    store.setAcknowledged(ACCOUNT, { seq: 1, blockHash: 'aa' });
    store.setServedNote('a note');
    for (const code of ['E_ONE', 'E_TWO']) store.addRejection(SHOP, { eventId: '00', code, facts: {} });
    store.setRejectionsPosition(2, { offset: 9, tip: 'bb' });
    expect([store.payerKeyOf(ACCOUNT), store.acknowledgedOf(ACCOUNT)?.seq]).toEqual(['payer+1+k', 1]);
    expect(store.committedRejections(SHOP, 0, 9)).toEqual([]);
    await store.commit();
    await store.close();
    store = openStore();
    expect([store.payerKeyOf(ACCOUNT), store.committedAcknowledgement(ACCOUNT)?.seq]).toEqual(['payer+1+k', 1]);
    expect(store.committedNote()).toBe('a note');
    expect(store.rejectionsPosition(2)).toEqual({ offset: 9, tip: 'bb' });
    store.addRejection(SHOP, { eventId: '01', code: 'E_THREE', facts: {} });
    await store.commit();
    expect(store.committedRejections(SHOP, 1, 9).map(({ code }) => code)).toEqual(['E_TWO', 'E_THREE']);
    expect(store.committedRejections(SHOP, 0, 1).map(({ code }) => code)).toEqual(['E_ONE']);
  });

  it('reads chains again that it no longer keeps in memory', async () => {
    await store.close();
    store = openStore(4);
    const accounts = Array.from({ length: 20 }, (_, index): Account => `vat:${100_000_000 + index}`);
    for (let round = 1; round <= 3; round += 1) {
      for (const account of accounts) append(account, 1);
      await store.commit(STAGE);
    }
    for (const account of accounts) expect(store.chainOf(account)?.head.seq).toBe(2);
  });

  it('names a block that is not there or another chain’s as damaged', async () => {
    append(ACCOUNT, 1);
    append(SHOP, 1);
    await store.commit(STAGE);
    const chain = store.committedChain(ACCOUNT);
    if (chain === undefined) throw new Error('no chain');
    const damage = expect.objectContaining({ code: 'BLOCK_DAMAGED' });
    expect(() => store.committedBlock(chain, 0, 99)).toThrow(damage);
    expect(() => store.committedBlock(chain, 0, 1)).toThrow(damage);
  });

  it('is empty after it was wiped and takes nothing after it was closed', async () => {
    append(ACCOUNT, 1);
    await store.commit(STAGE);
    await store.wipe();
    expect(store.checkpoint()).toBeNull();
    expect([...store.dump()].map(([name, key]) => [name, key])).toEqual([['meta', 'identity']]);
    await store.close();
    const closed = expect.objectContaining({ code: 'STORE_CLOSED' });
    expect(() => store.committedChain(ACCOUNT)).toThrow(closed);
    await expect(store.commit(STAGE)).rejects.toEqual(closed);
  });
});
