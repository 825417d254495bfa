import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { laneOf, Outbox } from '../../../../../services/payer-node/outbox/outbox.ts';
import { ownEventsOf } from '../../../../../services/payer-node/outbox/own-events.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { watchEvents } from '../../../../../services/payer-node/withheld/watched-events.ts';
import { paymentJson } from '../../../../support/own-events.ts';
import { saleJson } from '../../../../support/submissions.ts';
import { otherVatRules } from '../../../../support/vat-rules.ts';

let folder = '';
const events = ownEventsOf(loadTaxRules());
let store: PayerStore | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-outbox-'));
});

afterEach(async () => {
  await store?.close();
  store = null;
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

it('knows its own under other rates: a repeat is one, what is new and wrong by them is refused', async () => {
  const first = await reopen();
  const sale = saleJson();
  expect(await first.outbox.submit('vat', [sale], WHOLE)).toMatchObject({ queued: 1 });
  const now = ownEventsOf({ ...loadTaxRules(), vat: otherVatRules() });
  const { open } = await reopen();
  const outbox = new Outbox({ store: open, events: now, wake: () => undefined, follow: () => undefined });
  expect(await outbox.submit('vat', [sale], WHOLE)).toMatchObject({ queued: 0, repeated: 1, refused: [] });
  const refused = await outbox.submit('vat', [sale, saleJson({ tillId: 'T2' })], WHOLE);
  expect(refused).toMatchObject({ queued: 0, refused: [{ index: 1, faults: [{ code: 'E_VAT_MISMATCH' }] }] });
  // What the gateway has appended is still ours, to the byte.
  const text = JSON.stringify(sale);
  expect(now.encode('vat', text, 1, null)).toEqual(events.encode('vat', text, 1, null));
});

it('sends again what has a receipt and no decision, once, and what the sender may post', async () => {
  const { outbox, open } = await reopen();
  const owner = account('paye:123/AB456');
  await outbox.submit(
    'paye',
    [1, 2, 3].map((n) => paymentJson(n, 1, { payeReference: '123/AB456' })),
    WHOLE,
  );
  const queued = [...open.unsent.getRange()];
  const keys = queued.map(({ value }) => Buffer.from(value));
  const [early, decided, lost] = keys as [Buffer, Buffer, Buffer];
  const watched = (key: Buffer, receipt: string) => ({ eventKey: key, receiptKey: Buffer.from(receipt) });
  await open.commit(() => {
    for (const { key } of queued) void open.unsent.remove(key);
    watchEvents(open, [watched(early, 'receipt of before')], 1_000);
    watchEvents(open, [watched(decided, 'receipt of both'), watched(lost, 'receipt of both')], 2_000);
    void open.entries.put(decided, Buffer.alloc(12));
  });
  expect(await outbox.resend(2_000, () => false)).toBe(0);
  expect(await outbox.resend(2_000, (one) => one === owner)).toBe(1);
  expect([...open.unsent.getRange()].map(({ value }) => Buffer.from(value))).toEqual([lost]);
  expect(await outbox.resend(2_000, () => true)).toBe(0);
  expect(await outbox.resend(0, () => true)).toBe(1);
  expect([...open.unsent.getRange()].map(({ value }) => Buffer.from(value))).toEqual([lost, early]);
});
