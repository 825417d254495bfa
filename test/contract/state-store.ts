import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Utf8Text } from '../../libs/adapters/bytes/utf8-text.ts';
import type { Checkpoint, StateStore } from '../../libs/adapters/state-store/state-store.ts';

export interface OpenedStore {
  readonly store: StateStore;
  /** Closes `store` and opens what it left. */
  readonly reopen: () => Promise<StateStore>;
  readonly close: () => Promise<void>;
}

const TIPS = ['a', 'b', 'c'].map((letter) => letter.repeat(32)) as [string, string, string];

/** What every adapter of the state store must do. Partitions have random numbers, so that a shared server serves many runs. */
export function stateStoreContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`the state store contract: ${name}`, () => {
    let opened: OpenedStore;
    let store: StateStore;
    let partition = randomInt(1_000_000);

    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(async () => {
      await opened.close();
    });
    const fresh = () => {
      partition += 2;
      return partition;
    };

    it('has nothing at first: no checkpoint, no tip, no values', async () => {
      const p = fresh();
      expect(await store.checkpoint(p)).toBeNull();
      expect(await store.get(p, ['x', 'y'])).toEqual({ tip: null, values: [null, null] });
    });

    it('keeps checkpoint and values of a commit together and gives values in the order of the keys', async () => {
      const p = fresh();
      const puts = [
        { key: 'x', value: '{"n":1}' },
        { key: 'paye:123/AB456 £ é', value: '[2]' },
      ];
      expect(await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts }])).toEqual([
        'committed',
      ]);
      expect(await store.checkpoint(p)).toEqual(at(TIPS[0], 1));
      expect(await store.get(p, ['missing', 'paye:123/AB456 £ é', 'x'])).toEqual({
        tip: TIPS[0],
        values: [null, '[2]', '{"n":1}'],
      });
    });

    it('gives each of thousands of keys its own value, wherever those stand that have none', async () => {
      const p = fresh();
      const has = (index: number): boolean => index % 7 === 3 || index === 0 || (index > 3_990 && index < 4_010);
      const keys = Array.from({ length: 9_001 }, (_, index) => `k${index}`);
      const puts = keys.filter((_, index) => has(index)).map((key) => ({ key, value: `"${key}"` }));
      await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts }]);
      const { tip, values } = await store.get(p, keys);
      expect(tip).toBe(TIPS[0]);
      expect(values).toEqual(keys.map((key, index) => (has(index) ? `"${key}"` : null)));
      expect(await store.get(p, [])).toEqual({ tip: TIPS[0], values: [] });
    });

    it('replaces and removes values, and takes the last of two puts of one key', async () => {
      const p = fresh();
      const first = ['x', 'y', 'z'].map((key) => ({ key, value: '1' }));
      await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts: first }]);
      const puts = [
        { key: 'x', value: null },
        { key: 'y', value: '2' },
        { key: 'y', value: '3' },
        { key: 'never', value: null },
      ];
      await store.commit([{ partition: p, expectedTip: TIPS[0], checkpoint: at(TIPS[1], 2), puts }]);
      expect(await store.get(p, ['x', 'y', 'z', 'never'])).toEqual({ tip: TIPS[1], values: [null, '3', '1', null] });
    });

    it('takes texts where they stand among other bytes as it takes strings', async () => {
      const p = fresh();
      const bytes = Buffer.from('…{"é":"£"}[1]…');
      const end = bytes.length - 3;
      const puts = [
        { key: 'x', value: new Utf8Text(bytes, 3, end - 3) },
        { key: 'ü', value: new Utf8Text(bytes, end - 3, end) },
        { key: 'y', value: '"£"' },
        { key: 'z', value: null },
        { key: 'y', value: new Utf8Text(bytes, end - 3, end) },
      ];
      await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts }]);
      expect(await store.get(p, ['x', 'ü', 'y', 'z'])).toEqual({
        tip: TIPS[0],
        values: ['{"é":"£"}', '[1]', '[1]', null],
      });
    });

    it('refuses as stale, and without a trace, a commit whose tip is not the stored one', async () => {
      const p = fresh();
      const puts = [{ key: 'x', value: '9' }];
      const stale = (expectedTip: string | null) =>
        store.commit([{ partition: p, expectedTip, checkpoint: at(TIPS[2], 9), puts }]);
      expect(await stale(TIPS[0])).toEqual(['stale']);
      await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts: [] }]);
      expect(await stale(null)).toEqual(['stale']);
      expect(await stale(TIPS[1])).toEqual(['stale']);
      expect(await store.checkpoint(p)).toEqual(at(TIPS[0], 1));
      expect(await store.get(p, ['x'])).toEqual({ tip: TIPS[0], values: [null] });
    });

    it('decides each commit of a call by itself and answers in order', async () => {
      const [p, q] = [fresh(), fresh()];
      await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts: [] }]);
      const puts = [{ key: 'x', value: '1' }];
      const outcomes = await store.commit([
        { partition: p, expectedTip: TIPS[1], checkpoint: at(TIPS[2], 2), puts },
        { partition: q, expectedTip: null, checkpoint: at(TIPS[1], 1), puts },
      ]);
      expect(outcomes).toEqual(['stale', 'committed']);
      expect(await store.get(p, ['x'])).toEqual({ tip: TIPS[0], values: [null] });
      expect(await store.get(q, ['x'])).toEqual({ tip: TIPS[1], values: ['1'] });
    });

    it('lets one of two commits made at once on the same tip through', async () => {
      const p = fresh();
      const commit = (tip: string) =>
        store.commit([
          { partition: p, expectedTip: null, checkpoint: at(tip, 1), puts: [{ key: 'x', value: `"${tip}"` }] },
        ]);
      const outcomes = (await Promise.all([commit(TIPS[0]), commit(TIPS[1])])).flat();
      expect([...outcomes].sort()).toEqual(['committed', 'stale']);
      const winner = outcomes[0] === 'committed' ? TIPS[0] : TIPS[1];
      expect(await store.get(p, ['x'])).toEqual({ tip: winner, values: [`"${winner}"`] });
    });

    it('forgets a partition whole, and no other', async () => {
      const [p, q] = [fresh(), fresh()];
      const puts = Array.from({ length: 2_500 }, (_, index) => ({ key: `k${index}`, value: '1' }));
      await store.commit([
        { partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts },
        { partition: q, expectedTip: null, checkpoint: at(TIPS[1], 1), puts: [{ key: 'x', value: '1' }] },
      ]);
      await store.wipe(p);
      expect(await store.checkpoint(p)).toBeNull();
      expect(await store.get(p, ['k0', 'k2499'])).toEqual({ tip: null, values: [null, null] });
      expect(await store.get(q, ['x'])).toEqual({ tip: TIPS[1], values: ['1'] });
      const again = [{ partition: p, expectedTip: null, checkpoint: at(TIPS[2], 1), puts: [] }];
      expect(await store.commit(again)).toEqual(['committed']);
      expect(await store.get(p, ['k7'])).toEqual({ tip: TIPS[2], values: [null] });
    });

    it('has after a clean restart what was committed', async () => {
      const p = fresh();
      const puts = [{ key: 'x', value: '1' }];
      await store.commit([{ partition: p, expectedTip: null, checkpoint: at(TIPS[0], 1), puts }]);
      store = await opened.reopen();
      expect(await store.checkpoint(p)).toEqual(at(TIPS[0], 1));
      expect(await store.get(p, ['x'])).toEqual({ tip: TIPS[0], values: ['1'] });
    });
  });
}

function at(tip: string, outputNext: number): Checkpoint {
  return {
    tip,
    tipOffset: outputNext - 1,
    outputNext,
    inputs: [{ topic: 'in.v1', partition: 0, offset: 3 * outputNext }],
  };
}
