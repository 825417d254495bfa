import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { account } from '../../../../../libs/core/identity/account.ts';
import { PullSchedule } from '../../../../../services/payer-node/follow/pull-schedule.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';

const opened: { readonly store: PayerStore; readonly folder: string }[] = [];
afterEach(async () => {
  for (const { store, folder } of opened.splice(0)) {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

async function storeOf(accounts: number): Promise<PayerStore> {
  const folder = mkdtempSync(join(tmpdir(), 'tally-schedule-'));
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

describe('the schedule of chains', () => {
  it('has every chain in every pull of a node of up to a thousand accounts', async () => {
    const schedule = new PullSchedule(await storeOf(1_000));
    expect(schedule.hasTurns).toBe(false);
    expect(schedule.choose(0)).toHaveLength(1_000);
    expect(schedule.choose(1)).toHaveLength(1_000);
  });

  it('has a tenth of a larger node once a second, each chain once in a round', async () => {
    const schedule = new PullSchedule(await storeOf(6_000));
    const round = Array.from({ length: 10 }, (_, second) => schedule.choose(second * 1_000)).map(numbersOf);
    expect(round.map((turn) => turn.length)).toEqual(Array.from({ length: 10 }, () => 600));
    expect(new Set(round.flat()).size).toBe(6_000);
    expect(schedule.choose(9_999)).toEqual([]);
    expect(numbersOf(schedule.choose(10_000))).toEqual(round[0]);
  });

  it('has a chain that grew in every pull until it is done', async () => {
    const schedule = new PullSchedule(await storeOf(6_000));
    schedule.choose(0);
    schedule.grew([chainOf(5_999), chainOf(6_000), 'f'.repeat(32)]);
    expect(numbersOf(schedule.choose(1))).toEqual([5_999, 6_000]);
    schedule.isDone(5_999);
    expect(numbersOf(schedule.choose(2))).toEqual([6_000]);
    expect(schedule.hasNews).toBe(true);
    schedule.isDone(6_000);
    expect(schedule.hasNews).toBe(false);
  });

  it('asks for ten thousand chains at most, with room for those in turn', async () => {
    const schedule = new PullSchedule(await storeOf(15_000));
    schedule.grew(Array.from({ length: 15_000 }, (_, at) => chainOf(at + 1)));
    const chosen = numbersOf(schedule.choose(0));
    expect(chosen).toHaveLength(10_000);
    expect(new Set(chosen).size).toBe(10_000);
    for (const number of chosen) schedule.isDone(number);
    expect(schedule.choose(1)).toHaveLength(5_000);
  });

  it('leaves out what is not registered and what a divergence stopped', async () => {
    const store = await storeOf(3);
    const [first, second] = [...store.accounts()];
    if (first === undefined || second === undefined) throw new Error('no accounts');
    await store.commit(() => {
      store.putAccount({ ...first, chain: null });
      store.putAccount({ ...second, haltedBy: 1 });
    });
    expect(numbersOf(new PullSchedule(store).choose(0))).toEqual([3]);
    expect(numbersOf([...store.unregistered()])).toEqual([1]);
    expect(store.haltedCount).toBe(1);
    await store.commit(() => store.putAccount(second));
    expect(store.haltedCount).toBe(0);
  });
});
