import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIABILITIES } from '../../libs/adapters/event-log/topics.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { eventId } from '../../libs/core/identity/event-id.ts';
import { ENTRY_LIMITS } from '../../libs/core/ledger/entry/ledger-entry.ts';
import { ALL_ACCOUNTS_KEY, LedgerFixture, ONE_ACCOUNT, type RunningLedger } from '../support/ledger-fixture.ts';
import { paymentOf, randomId, type Wanted } from '../support/liability-source.ts';

const OTHERS: readonly Account[] = ['vat:123456727', 'vat:100000001', 'paye:999/ZZ9'];
/** More links than an entry may have: tax never decides so, and no entry can be made of it. */
const IMPOSSIBLE: Wanted = {
  account: ONE_ACCOUNT,
  links: Array.from({ length: ENTRY_LIMITS.links + 1 }, () => eventId(randomId())),
};

let fixture: LedgerFixture;
beforeEach(async () => {
  fixture = await LedgerFixture.open();
});
// Each test checks for itself: a limit that is moved for a while does not hold at the end.
afterEach(() => fixture.close({ check: false }));

async function heldOf({ url }: RunningLedger): Promise<readonly Record<string, unknown>[]> {
  const response = await fetch(`${url}/ledger/v1/held`, { headers: { authorization: `Bearer ${ALL_ACCOUNTS_KEY}` } });
  const { accounts } = (await response.json()) as { readonly accounts: readonly Record<string, unknown>[] };
  return accounts;
}

describe('an account of which no entry can be made', () => {
  it('is held alone and named, before and after a restart, and all others go on', { timeout: 120_000 }, async () => {
    await fixture.source.decide([{ account: ONE_ACCOUNT }, IMPOSSIBLE, { account: ONE_ACCOUNT }]);
    await fixture.source.decide(OTHERS.map((account) => ({ account })));
    const first = await fixture.start();
    // The one before the fault is sealed too.
    const sealed = await fixture.sealed(first, 1 + OTHERS.length);
    expect(sealed).toMatchObject({ entries: 1 + OTHERS.length, inFlight: 2 });
    const held = { account: ONE_ACCOUNT, code: 'ENTRY_INVALID', number: 2, topic: LIABILITIES, offset: 0 };
    expect(await heldOf(first)).toMatchObject([held]);
    expect(() => first.ledger.assertReady()).not.toThrow();
    await first.stop();

    await fixture.source.decide([...OTHERS, ONE_ACCOUNT].map((account) => ({ account })));
    const second = await fixture.start();
    const later = await fixture.sealed(second, 1 + 2 * OTHERS.length);
    expect(later).toMatchObject({ entries: 1 + 2 * OTHERS.length, inFlight: 3 });
    expect(await heldOf(second)).toMatchObject([held]);
    await second.ledger.rebuild();
    await fixture.source.decide(OTHERS.map((account) => ({ account })));
    expect((await fixture.sealed(second, 1 + 3 * OTHERS.length)).inFlight).toBe(3);
    expect(await heldOf(second)).toMatchObject([held]);
    await second.stop();

    // A release that can make the entry goes on with the account by itself.
    const limits: { links: number } = ENTRY_LIMITS;
    limits.links += 1;
    try {
      const mended = await fixture.start();
      expect(await fixture.sealed(mended, 4 + 3 * OTHERS.length)).toMatchObject({ inFlight: 0 });
      expect(await heldOf(mended)).toEqual([]);
      await mended.stop();
      await fixture.check(true);
    } finally {
      limits.links -= 1;
    }
  });
});

describe('payments beyond the safe integers', () => {
  it('halt nobody: a hundred of 10^14 pence are in blocks, and their sums are exact', {
    timeout: 120_000,
  }, async () => {
    const running = await fixture.start();
    for (let round = 0; round < 4; round += 1) {
      await fixture.source.decide(Array.from({ length: 50 }, () => paymentOf(ONE_ACCOUNT, 10 ** 14)));
    }
    await fixture.source.decide(OTHERS.map((account) => ({ account })));
    const checked = await fixture.sealed(running, 200 + OTHERS.length);
    // 200 times 10^14.
    expect(checked.paymentsPence).toBe('20000000000000000');
    await running.stop();
    const again = await fixture.start();
    await fixture.source.decide([paymentOf(ONE_ACCOUNT, 1)]);
    expect((await fixture.sealed(again, 201 + OTHERS.length)).paymentsPence).toBe('20000000000000001');
    expect(await heldOf(again)).toEqual([]);
  });
});
