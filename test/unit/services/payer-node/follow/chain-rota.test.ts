import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { account } from '../../../../../libs/core/identity/account.ts';
import { ChainRota } from '../../../../../services/payer-node/follow/chain-rota.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';

const opened: { readonly store: PayerStore; readonly folder: string }[] = [];
afterEach(async () => {
  for (const { store, folder } of opened.splice(0)) {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function storeOf(accounts: number): Promise<PayerStore> {
  const folder = mkdtempSync(join(tmpdir(), 'tally-rota-'));
  const store = new PayerStore({ folder });
  opened.push({ store, folder });
  await store.exclusively(() => {
    for (let index = 1; index <= accounts; index += 1) {
      const added = store.addAccount(account(`paye:123/R${index}`));
      store.putAccount({ ...added, chain: chainOf(index) });
    }
  });
  return store;
}

const chainOf = (number: number): string => number.toString(16).padStart(32, '0');

const numbersOf = (chosen: readonly { readonly number: number }[]): number[] => chosen.map(({ number }) => number);

describe('the rota of chains', () => {
  it('has every chain in every pull of a node of up to a thousand accounts', async () => {
    const rota = new ChainRota(await storeOf(1_000));
    expect(rota.hasTurns).toBe(false);
    expect(rota.choose(0)).toHaveLength(1_000);
    expect(rota.choose(1)).toHaveLength(1_000);
  });

  it('has a tenth of a larger node once a second, each chain once in a round', async () => {
    const rota = new ChainRota(await storeOf(6_000));
    const round = Array.from({ length: 10 }, (_, second) => rota.choose(second * 1_000)).map(numbersOf);
    expect(round.map((turn) => turn.length)).toEqual(Array.from({ length: 10 }, () => 600));
    expect(new Set(round.flat()).size).toBe(6_000);
    expect(rota.choose(9_999)).toEqual([]);
    expect(numbersOf(rota.choose(10_000))).toEqual(round[0]);
  });

  it('has a chain that grew in every pull until it is done', async () => {
    const rota = new ChainRota(await storeOf(6_000));
    rota.choose(0);
    rota.grew([chainOf(5_999), chainOf(6_000), 'f'.repeat(32)]);
    expect(numbersOf(rota.choose(1))).toEqual([5_999, 6_000]);
    rota.isDone(5_999);
    expect(numbersOf(rota.choose(2))).toEqual([6_000]);
    expect(rota.hasNews).toBe(true);
    rota.isDone(6_000);
    expect(rota.hasNews).toBe(false);
  });

  it('asks for ten thousand chains at most, with room for those in turn', async () => {
    const rota = new ChainRota(await storeOf(15_000));
    rota.grew(Array.from({ length: 15_000 }, (_, at) => chainOf(at + 1)));
    const chosen = numbersOf(rota.choose(0));
    expect(chosen).toHaveLength(10_000);
    expect(new Set(chosen).size).toBe(10_000);
    for (const number of chosen) rota.isDone(number);
    expect(rota.choose(1)).toHaveLength(5_000);
  });

  it('leaves out what is not registered and what a divergence stopped', async () => {
    const store = await storeOf(3);
    const [first, second] = [...store.accounts()];
    if (first === undefined || second === undefined) throw new Error('no accounts');
    await store.commit(() => {
      store.putAccount({ ...first, chain: null });
      store.putAccount({ ...second, haltedBy: 1 });
    });
    expect(numbersOf(new ChainRota(store).choose(0))).toEqual([3]);
    expect(numbersOf([...store.unregistered()])).toEqual([1]);
    expect(store.haltedCount).toBe(1);
    await store.commit(() => store.putAccount(second));
    expect(store.haltedCount).toBe(0);
  });
});
