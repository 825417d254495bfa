import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { loadTaxRules } from '../../../../libs/adapters/runtime/load-rules.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import { laneOf, Outbox } from '../../../../services/payer-node/outbox.ts';
import { ownEventsOf } from '../../../../services/payer-node/own-events.ts';
import { PayerStore } from '../../../../services/payer-node/payer-store.ts';
import { paymentJson } from '../../../support/own-events.ts';

const folder = mkdtempSync(join(tmpdir(), 'tallystick-outbox-'));
const events = ownEventsOf(loadTaxRules());
let store: PayerStore | null = null;

afterEach(async () => {
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** As a process that starts: on the store that the one before left behind. */
async function reopen(): Promise<{ readonly outbox: Outbox; readonly open: PayerStore }> {
  await store?.close();
  const open = new PayerStore({ folder });
  store = open;
  return { outbox: new Outbox({ store: open, events, wake: () => undefined, follow: () => undefined }), open };
}

const WHOLE = { whole: true };
const ACCOUNTS = ['123/AB456', '321/ZZ9'];

it('what waits to be sent is behind nothing that comes after a restart, whatever waits in the other lanes', async () => {
  const first = await reopen();
  for (const payeReference of ACCOUNTS)
    await first.outbox.submit('paye', [paymentJson(1, 1, { payeReference })], WHOLE);
  const lanes = ACCOUNTS.map((owner, index) => laneOf(account(`paye:${owner}`), index + 1));
  expect(new Set(lanes).size).toBe(2);

  const second = await reopen();
  for (const payeReference of ACCOUNTS) {
    await second.outbox.submit(
      'paye',
      [paymentJson(2, 1, { payeReference }), paymentJson(3, 1, { payeReference })],
      WHOLE,
    );
  }
  const third = await reopen();
  for (const payeReference of ACCOUNTS)
    await third.outbox.submit('paye', [paymentJson(4, 1, { payeReference })], WHOLE);

  expect(third.outbox.counts().unsent).toBe(8);
  const worksNumbers = [...third.open.unsent.getRange()].map(
    ({ value }) => (JSON.parse(third.open.submitted.get(value) ?? '{}') as { worksNumber: string }).worksNumber,
  );
  expect(worksNumbers).toEqual(['W1', 'W2', 'W3', 'W4', 'W1', 'W2', 'W3', 'W4']);
});
