import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { nodeSha256 } from '../../../../../libs/adapters/crypto/node-crypto.ts';
import { loadTaxRules } from '../../../../../libs/adapters/rules/load-rules.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { tillEventHash } from '../../../../../libs/core/vat/check/till-event-hash.ts';
import { tillKey } from '../../../../../libs/core/vat/state/state-keys.ts';
import { Outbox } from '../../../../../services/payer-node/outbox/outbox.ts';
import { ownEventsOf } from '../../../../../services/payer-node/outbox/own-events.ts';
import { tillHeadOf } from '../../../../../services/payer-node/outbox/till-heads.ts';
import { stateKey } from '../../../../../services/payer-node/store/payer-keys.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { saleJson } from '../../../../support/submissions.ts';

let folder = '';
let store: PayerStore;
const TRADER = account('vat:101747696');

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tallystick-heads-'));
  store = new PayerStore({ folder });
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const outboxOf = (open: PayerStore): Outbox =>
  new Outbox({
    store: open,
    events: ownEventsOf(loadTaxRules()),
    wake: () => undefined,
    follow: () => undefined,
  });

function headOf(tillId: string) {
  const followed = store.account(TRADER);
  if (followed === undefined) throw new Error('the trader is followed');
  return tillHeadOf(store, followed, tillId);
}

const prevHash = 'a'.repeat(64);

it('the head of a till is its highest number sent, whatever the order, and its hash what the next event must carry', async () => {
  const outbox = outboxOf(store);
  const [first, third] = [
    saleJson({ tillId: 'T1' }),
    saleJson({ eventId: '018f0000-0000-7000-8000-0000000000a3', tillId: 'T1', seq: 3, prevHash }),
  ];
  const second = saleJson({ eventId: '018f0000-0000-7000-8000-0000000000a2', tillId: 'T1', seq: 2, prevHash });
  await outbox.submit('vat', [third, first], { whole: true });
  await outbox.submit('vat', [second], { whole: true });
  expect(headOf('T1')).toEqual({ seq: 3, hash: tillEventHash(third, nodeSha256) });
  expect(headOf('T2')).toEqual({ seq: 0, hash: null });
  await store.close();
  store = new PayerStore({ folder });
  expect(headOf('T1').seq).toBe(3);
});

it('what the ledger has of a till beyond that is its head: an older node kept none, and another sender may have gone on', async () => {
  await outboxOf(store).submit('vat', [saleJson({ tillId: 'T1' })], { whole: true });
  const followed = store.account(TRADER);
  if (followed === undefined) throw new Error('the trader is followed');
  const chain = { s: 7, h: prevHash, t: 0, g: [], u: 0, z: [], f: 0, k: 0 };
  await store.commit(() => void store.state.put(stateKey(followed.number, tillKey(TRADER, 'T1')), chain));
  expect(headOf('T1')).toEqual({ seq: 7, hash: prevHash });
});

it('events that are refused leave the head where it was', async () => {
  const outbox = outboxOf(store);
  await outbox.submit('vat', [saleJson({ tillId: 'T1' })], { whole: true });
  const bad = saleJson({
    eventId: '018f0000-0000-7000-8000-0000000000b2',
    tillId: 'T1',
    seq: 2,
    prevHash,
    totalPence: 1,
  });
  expect((await outbox.submit('vat', [bad], { whole: true })).refused).toHaveLength(1);
  expect(headOf('T1').seq).toBe(1);
});
