import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CloseHold } from '../../../../../services/payer-node/store/close-hold.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { SetClock } from '../../../../support/set-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LEAST_MS = 10 * MINUTE_MS;
let folder: string;
let store: PayerStore;
let clock: SetClock;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'close-hold-'));
  store = new PayerStore({ folder });
  clock = new SetClock(Date.UTC(2026, 10, 30));
});
afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const begin = (): CloseHold =>
  new CloseHold({ holdLeastMs: LEAST_MS, holdMostMs: DAY_MS }, { clock, store, uptimeMs: clock.elapsedMs });

/** A node that has run long enough to be believed. */
async function believed(): Promise<CloseHold> {
  const hold = begin();
  expect(await hold.leftMs()).toBe(LEAST_MS);
  clock.pass(LEAST_MS);
  expect(await hold.leftMs()).toBe(0);
  return hold;
}

describe('closes by the calendar', () => {
  it('wait for a day where the clock went 40 days forward, and ten minutes from when it is put right', async () => {
    const hold = await believed();
    clock.set(40 * DAY_MS);
    expect(await hold.leftMs()).toBe(DAY_MS);
    clock.pass(DAY_MS - 1);
    expect(await hold.leftMs()).toBe(1);
    clock.set(-40 * DAY_MS);
    expect(await hold.leftMs()).toBe(LEAST_MS);
    clock.pass(LEAST_MS);
    expect(await hold.leftMs()).toBe(0);
  });

  it('wait as long as the clock went forward where that is less than a day, and go on where nobody puts it back', async () => {
    const hold = await believed();
    clock.set(180 * MINUTE_MS);
    expect(await hold.leftMs()).toBe(180 * MINUTE_MS);
    clock.pass(180 * MINUTE_MS);
    expect(await hold.leftMs()).toBe(0);
  });

  it('wait ten minutes where the clock went back', async () => {
    const hold = await believed();
    clock.set(-365 * DAY_MS);
    expect(await hold.leftMs()).toBe(LEAST_MS);
  });

  it('wait for a day where the node starts with a clock more than a week after it ran last, and ten minutes otherwise', async () => {
    await believed();
    clock.pass(3 * DAY_MS);
    expect(await begin().leftMs()).toBe(LEAST_MS);
    clock.set(40 * DAY_MS);
    expect(await begin().leftMs()).toBe(DAY_MS);
  });

  it('never note a time that is not believed: a restart under the wrong clock waits again', async () => {
    const hold = await believed();
    const ran = store.node('ran');
    clock.set(40 * DAY_MS);
    await hold.leftMs();
    clock.pass(120 * MINUTE_MS);
    await hold.leftMs();
    expect(store.node('ran')).toEqual(ran);
    expect(await begin().leftMs()).toBe(DAY_MS);
  });
});
