import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullAnswer } from '../../libs/adapters/codec/pull-answer.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import { LedgerFixture, ONE_ACCOUNT } from '../support/ledger-fixture.ts';
import { paymentOf } from '../support/liability-source.ts';

const SHOP: Account = 'vat:123456727';

describe('the ledger service on the embedded log', () => {
  let fixture: LedgerFixture;

  beforeEach(async () => {
    fixture = await LedgerFixture.open();
  });

  afterEach(() => fixture.close());

  it('makes an entry of every decision and signs what it read back', async () => {
    const running = await fixture.start();
    await fixture.source.decide([
      { account: ONE_ACCOUNT },
      { account: SHOP },
      { account: ONE_ACCOUNT },
      paymentOf(ONE_ACCOUNT, 50_000),
    ]);
    const checked = await fixture.sealed(running, 4);
    expect(checked).toMatchObject({ accounts: 2, entries: 4, inFlight: 0, ignoredMessages: 0 });
    expect(checked.chargesPence).toBe(2 * (29_040 + 11_616) + 2_000);
    expect(checked.paymentsPence).toBe(50_000);
    expect(checked.signedLeaves).toBe(checked.blocks);
  });

  it('gives a payer its blocks under one checkpoint', async () => {
    const running = await fixture.start();
    await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
    await fixture.sealed(running, 2);
    const { chain } = await running.client.registerChain({ account: ONE_ACCOUNT });
    const answer: PullAnswer = await running.client.pull({ chains: [{ chain, from: 0 }], verified: 0 });
    expect(answer.checkpoint).toContain(`${fixture.keys.ledgerName}/`);
    expect(answer.chains[0]?.blocks).toHaveLength(2);
    expect(answer.chains[0]?.more).toBe(false);
  });

  it('folds a deleted store again to the same bytes', async () => {
    const running = await fixture.start();
    for (let round = 0; round < 5; round += 1) {
      await fixture.source.decide([{ account: ONE_ACCOUNT }, { account: SHOP }]);
      await fixture.sealed(running, 2 * (round + 1));
    }
    await running.stop();
    await rm(join(fixture.folder, 'main', 'ledger', 'store'), { recursive: true });
    const again = await fixture.start();
    await fixture.source.decide([{ account: SHOP }]);
    const checked = await fixture.sealed(again, 11);
    expect(checked.entries).toBe(11);
  });
});
