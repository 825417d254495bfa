import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventId } from '../../../../../libs/core/identity/event-id.ts';
import { eventKey } from '../../../../../services/payer-node/store/payer-keys.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { watchEvents, watchedUntil, watchOnly } from '../../../../../services/payer-node/withheld/watched-events.ts';

let folder = '';
let store: PayerStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-watched-'));
  store = new PayerStore({ folder });
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const AT_MS = Date.UTC(2026, 9, 1);
const key = (number: number): Buffer => eventKey(1, eventId(number.toString(16).padStart(32, '0')));
const receipt = (name: string): Buffer => Buffer.from(name.padEnd(16, '-'));

async function watch(name: string, numbers: readonly number[], atMs: number): Promise<void> {
  const events = numbers.map((number) => ({ eventKey: key(number), receiptKey: receipt(name) }));
  await store.commit(() => watchEvents(store, events, atMs));
}

/** What came until a time, seen an hour later. */
const until = (untilMs: number) => ({ untilMs, steadyNowMs: AT_MS + 3_600_000, begunMs: 0 });

it('events under one receipt are one record, the oldest receipts come first, and none that came later', async () => {
  await watch('later', [4], AT_MS + 1_000);
  await watch('first', [1, 2], AT_MS);
  await watch('second', [3], AT_MS);
  const found = watchedUntil(store, until(AT_MS), 1_000);
  expect(found.map(({ events }) => events.length)).toEqual([2, 1]);
  expect(found.flatMap(({ events }) => events)).toEqual([key(1), key(2), key(3)]);
  expect(found.every(({ receiptedAtMs }) => receiptedAtMs === AT_MS)).toBe(true);
  expect(watchedUntil(store, until(AT_MS - 1), 1_000)).toEqual([]);
  expect(watchedUntil(store, until(AT_MS + 1_000), 1_000)).toHaveLength(3);
});

it('looks at no more receipts than hold the events that were asked for', async () => {
  for (let index = 0; index < 5; index += 1) await watch(`receipt ${index}`, [2 * index, 2 * index + 1], AT_MS + index);
  expect(watchedUntil(store, until(AT_MS + 10), 3)).toHaveLength(2);
});

it('looks at receipts that a clock ahead of ours wrote, as at those of an earlier process, and not at what came just now', async () => {
  const steadyNowMs = AT_MS + 1_000_000;
  await watch('by a clock 40 days ahead', [1], steadyNowMs + 40 * 86_400_000);
  await watch('just now', [2], steadyNowMs);
  await watch('two minutes ago', [3], steadyNowMs - 120_000);
  const found = watchedUntil(store, { untilMs: steadyNowMs - 60_000, steadyNowMs, begunMs: AT_MS }, 10);
  expect(found.map(({ events, receiptedAtMs }) => [events, receiptedAtMs])).toEqual([
    [[key(3)], steadyNowMs - 120_000],
    [[key(1)], AT_MS],
  ]);
});

it('keeps what is undecided under watch and forgets a receipt of which nothing is', async () => {
  await watch('one', [1, 2, 3], AT_MS);
  const [before] = watchedUntil(store, until(AT_MS), 10);
  if (before === undefined) throw new Error('nothing is watched');
  await store.commit(() => watchOnly(store, before, [key(2)]));
  const [after] = watchedUntil(store, until(AT_MS), 10);
  expect(after?.events).toEqual([key(2)]);
  await store.commit(() => watchOnly(store, before, []));
  expect(watchedUntil(store, until(AT_MS), 10)).toEqual([]);
});

it('counts what waits for its decision: not what was rejected, and an event that was decided after its rejection once', async () => {
  await store.commit(() => {
    for (const number of [1, 2, 3]) void store.appended.put(key(number), Buffer.alloc(60));
  });
  expect(store.awaitingCount()).toBe(3);
  await store.commit(() => void store.rejected.put(key(1), '{}'));
  await store.commit(() => void store.entries.put(key(2), Buffer.alloc(12)));
  expect(store.awaitingCount()).toBe(1);
  await store.commit(() => {
    void store.entries.put(key(1), Buffer.alloc(12));
    void store.redriven.put(key(1), Buffer.alloc(0));
  });
  expect(store.awaitingCount()).toBe(1);
});
