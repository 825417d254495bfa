import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Utf8Text } from '../../../../../libs/adapters/bytes/utf8-text.ts';
import { KeyedState } from '../../../../../libs/adapters/stage/keyed-state.ts';
import type { StateStore } from '../../../../../libs/adapters/state-store/state-store.ts';
import type { StateView } from '../../../../../libs/core/decisions/decision.ts';

const TIP = 'ab'.repeat(16);
const at = (tip: string) => ({ tip, tipOffset: 0, outputNext: 1, inputs: [] });

/** A store of one partition that counts what is asked of it. */
function memoryStore(values: Record<string, string>) {
  const asked: string[][] = [];
  const held = { tip: TIP as string | null, values: new Map(Object.entries(values)) };
  const store: StateStore = {
    checkpoint: async () => null,
    get: async (_partition, keys) => {
      asked.push([...keys]);
      return { tip: held.tip, values: keys.map((key) => held.values.get(key) ?? null) };
    },
    commit: async () => [],
    wipe: async () => undefined,
    close: async () => undefined,
  };
  return { store, asked, held };
}

const addTo = {
  keysOf: (key: string) => [key],
  decide: (key: string, view: StateView) => {
    const [before] = (view.get(key) ?? [0]) as readonly number[];
    return { key, value: [(before ?? 0) + 1] };
  },
  changesOf: (change: { key: string; value: number[] }) => [change],
};

function stateOn(store: StateStore, entriesMax?: number): KeyedState {
  const state = new KeyedState({ partition: 4, ...(entriesMax === undefined ? {} : { entriesMax }) }, { store });
  state.committed(at(TIP));
  return state;
}

describe('keyed state', () => {
  it('loads what the items name together, once, and decides each item on top of those before it', async () => {
    const { store, asked } = memoryStore({ a: '[5]' });
    const state = stateOn(store);
    const results = await state.decideAll(['a', 'b', 'a', 'b', 'a'], addTo);
    expect(results.map(({ value }) => value[0])).toEqual([6, 1, 7, 2, 8]);
    expect(asked).toEqual([['a', 'b']]);
  });

  it('keeps at hand what was there when it was read, and what was looked for and is still not there', async () => {
    const { store, asked, held } = memoryStore({ a: '[5]' });
    const state = stateOn(store);
    await state.decideAll(['a', 'new'], { ...addTo, keysOf: (key) => [key, 'nothing'] });
    for (const { key, value } of state.fold([
      { key: 'a', value: [6] },
      { key: 'new', value: [1] },
    ])) {
      held.values.set(key, String(value ?? ''));
    }
    state.committed(at(TIP));
    const again = await state.decideAll(['a', 'new', 'nothing'], addTo);
    expect(again.map(({ value }) => value)).toEqual([[7], [2], [1]]);
    expect(asked).toEqual([['a', 'nothing', 'new'], ['new']]);
    await state.decideAll(['a', 'new'], addTo);
    expect(asked).toHaveLength(2);
  });

  it('keeps nothing at hand of a key that only a decision has made, so that a lost one leaves nothing', async () => {
    const { store, asked } = memoryStore({});
    const state = stateOn(store);
    await state.decideAll(['a'], addTo);
    const [again] = await state.decideAll(['a'], addTo);
    expect(again?.value).toEqual([1]);
    expect(asked).toEqual([['a'], ['a']]);
  });

  it('loads a key that nobody named and decides that item again from its start', async () => {
    const { store, asked } = memoryStore({ a: '["b"]', b: '["c"]', c: '["end"]' });
    let runs = 0;
    const [found] = await stateOn(store).decideAll(['a'], {
      keysOf: () => [],
      decide: (start, view) => {
        runs += 1;
        let key = start;
        for (let hop = 0; hop < 2; hop += 1) {
          key = (view.get(key) as readonly string[])[0] ?? '';
        }
        return view.get(key);
      },
      changesOf: () => [],
    });
    expect(found).toEqual(['end']);
    expect(asked).toEqual([['a'], ['b'], ['c']]);
    expect(runs).toBe(4);
  });

  it('leaves nothing behind of decisions that were not folded', async () => {
    const state = stateOn(memoryStore({ a: '[5]' }).store);
    await state.decideAll(['a', 'a'], addTo);
    const [again] = await state.decideAll(['a'], addTo);
    expect(again?.value).toEqual([6]);
    expect(state.fold([{ key: 'a', value: [6] }])).toEqual([{ key: 'a', value: '[6]' }]);
    const [next] = await state.decideAll(['a'], addTo);
    expect(next?.value).toEqual([7]);
  });

  it('gives the store what is folded in its order, and null for what is removed', async () => {
    const { store, held } = memoryStore({ a: '[5]' });
    const state = stateOn(store);
    await state.decideAll(['a'], addTo);
    const puts = state.fold([
      { key: 'a', value: [1] },
      { key: 'b', value: [2], text: '[2]' },
      { key: 'a', value: null },
    ]);
    expect(puts).toEqual([
      { key: 'a', value: '[1]' },
      { key: 'b', value: '[2]' },
      { key: 'a', value: null },
    ]);
    held.values.delete('a');
    const [fresh] = await state.decideAll(['a'], addTo);
    expect(fresh?.value).toEqual([1]);
  });

  it('gives of decisions that go into one message the changes that stand, each where it was last made', async () => {
    const { store } = memoryStore({ a: '[5]' });
    const state = stateOn(store);
    await state.decideAll(['a', 'b', 'a', 'b', 'c'], addTo);
    const of = (from: number, to: number) => {
      const { slots, values, ends } = state.standing(from, to);
      return { changes: slots.map(({ key }, index) => [key, values[index]]), ends };
    };
    expect(of(0, 5)).toEqual({
      changes: [
        ['a', [7]],
        ['b', [2]],
        ['c', [1]],
      ],
      ends: [0, 0, 1, 2, 3],
    });
    expect(of(0, 2)).toEqual({
      changes: [
        ['a', [6]],
        ['b', [1]],
      ],
      ends: [1, 2],
    });
    expect(of(2, 3)).toEqual({ changes: [['a', [7]]], ends: [1] });
    expect(of(3, 3)).toEqual({ changes: [], ends: [] });
  });

  it('leaves of every batch of decisions the state that all changes leave, however they are cut into messages', async () => {
    const arbitraryChange = fc.record({
      key: fc.constantFrom('a', 'b', 'c', 'd'),
      value: fc.option(fc.tuple(fc.nat())),
    });
    const arbitraryDecisions = fc.array(fc.array(arbitraryChange, { maxLength: 4 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(arbitraryDecisions, fc.nat(12), async (decisions, cut) => {
        const state = stateOn(memoryStore({ a: '[5]', b: '[6]' }).store);
        await state.decideAll(decisions, {
          keysOf: () => [],
          decide: (changes) => changes,
          changesOf: (changes) => changes,
        });
        const at = Math.min(cut, decisions.length);
        const standing = [state.standing(0, at), state.standing(at, decisions.length)];
        const left = new Map<string, unknown>();
        for (const { slots, values } of standing) {
          expect(new Set(slots).size).toBe(slots.length);
          for (const [index, { key }] of slots.entries()) left.set(key, values[index]);
        }
        const expected = new Map<string, unknown>();
        for (const { key, value } of decisions.flat()) expected.set(key, value);
        expect(left).toEqual(expected);
      }),
    );
  });

  it('folds what it wrote: the texts as they were printed, and what is at hand', async () => {
    const { store, asked } = memoryStore({ a: '[5]' });
    const state = stateOn(store);
    await state.decideAll(['a', 'new'], addTo);
    const text = new Utf8Text(Buffer.from('x[6][1]'), 1, 4);
    const written = state.written(state.standing(0, 2), [text, null]);
    state.endBatch();
    expect(state.foldWritten(written)).toEqual([
      { key: 'a', value: text },
      { key: 'new', value: null },
    ]);
    expect(String(text)).toBe('[6]');
    state.committed(at(TIP));
    const [next] = await state.decideAll(['a'], addTo);
    expect(next?.value).toEqual([7]);
    expect(asked).toEqual([['a', 'new']]);
  });

  it('refuses a store that stands elsewhere: another tip, or wiped', async () => {
    const { store, held } = memoryStore({ a: '[5]' });
    const state = stateOn(store);
    held.tip = 'cd'.repeat(16);
    await expect(state.decideAll(['a'], addTo)).rejects.toMatchObject({ code: 'STORE_STALE', retriable: true });
    held.tip = null;
    await expect(state.decideAll(['a'], addTo)).rejects.toMatchObject({ code: 'STORE_STALE' });
    state.reset();
    await expect(state.decideAll(['a'], addTo)).resolves.toHaveLength(1);
  });

  it('says that trying again can help where the store does not answer', async () => {
    const { store } = memoryStore({});
    store.get = async () => {
      throw new Error('ECONNRESET');
    };
    await expect(stateOn(store).decideAll(['a'], addTo)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      retriable: true,
    });
  });

  it('is bounded, keeps what is used, and reads the rest again', async () => {
    const stored = Array.from({ length: 100 }, (_, round) => [`once ${round}`, '[0]'] as const);
    const { store, asked } = memoryStore({ often: '[0]', ...Object.fromEntries(stored) });
    const state = stateOn(store, 20);
    for (let round = 0; round < 100; round += 1) {
      await state.decideAll(['often', `once ${round}`], addTo);
      expect(state.entries).toBeLessThanOrEqual(26);
    }
    expect(asked.filter((keys) => keys.includes('often'))).toHaveLength(1);
    await state.decideAll(['once 0'], addTo);
    expect(asked.filter((keys) => keys.includes('once 0'))).toHaveLength(2);
  });

  it('decides a batch with more keys than it keeps', async () => {
    const { store } = memoryStore({});
    const items = Array.from({ length: 12_000 }, (_, index) => `k${index % 6_000}`);
    const results = await stateOn(store, 10).decideAll(items, addTo);
    expect(results.at(-1)?.value).toEqual([2]);
  });

  it('lets a decision of its own fail as it is', async () => {
    const { store } = memoryStore({});
    const failing = {
      ...addTo,
      decide: () => {
        throw new RangeError('a bug');
      },
    };
    await expect(stateOn(store).decideAll(['a'], failing)).rejects.toThrow(RangeError);
  });
});
