import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../libs/core/calendar/local-date.ts';
import { account } from '../../../../libs/core/identity/account.ts';
import { eventId } from '../../../../libs/core/identity/event-id.ts';
import { BOX_FIELDS, declaredReturnOf } from '../../../../libs/core/vat/mtd/mtd-return.ts';
import { traderKey } from '../../../../libs/core/vat/state-keys.ts';
import { NEW_TRADER, type OpenPeriod, traderValue } from '../../../../libs/core/vat/trader.ts';
import { VatPeriodCloser } from '../../../../services/payer-node/close-vat-periods.ts';
import { Doorbell } from '../../../../services/payer-node/doorbell.ts';
import { eventKey, PayerStore, stateKey } from '../../../../services/payer-node/payer-store.ts';
import { type FiledReturn, VatFilings } from '../../../../services/payer-node/vat-filings.ts';
import { uuidOfName } from '../../../support/own-events.ts';

const OWNER = account('vat:101747696');
const SUMMER: OpenPeriod = [localDate('2026-07-01'), localDate('2026-09-30'), 0];
const AUTUMN: OpenPeriod = [localDate('2026-10-01'), localDate('2026-12-31'), 0];
const NIL = Object.fromEntries(BOX_FIELDS.map((name) => [name, 0]));
let folder: string;
let store: PayerStore;
let filings: VatFilings;
let queued: { readonly eventId: string; readonly periodStart: string; readonly close: string }[];
let closer: VatPeriodCloser;

function filed(periodKey: string, [start, end]: OpenPeriod): FiledReturn {
  return {
    periodKey,
    start,
    end,
    due: end,
    declared: declaredReturnOf({ periodKey, ...NIL }),
    payloadHash: '',
    head: null,
    differencePence: {},
    receivedAtMs: 0,
    receivedOn: end,
    formBundleNumber: '000000000001',
    chargeRefNumber: null,
    receiptId: uuidOfName(`receipt ${periodKey}`),
    closeEventId: uuidOfName(`close ${periodKey}`),
  };
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vat-closer-'));
  store = new PayerStore({ folder });
  filings = new VatFilings(store);
  queued = [];
  await store.commit(() => {
    const { number } = store.addAccount(OWNER);
    void store.state.put(stateKey(number, traderKey(OWNER)), traderValue({ ...NEW_TRADER, o: [SUMMER, AUTUMN] }));
  });
  // An outbox that keeps what it takes, as the node's does.
  const outbox = {
    submit: async (_tax: string, events: readonly unknown[]) => {
      for (const event of events as typeof queued) {
        queued.push(event);
        await store.commit(() => void store.submitted.put(eventKey(1, eventId(event.eventId)), JSON.stringify(event)));
      }
      return { queued: events.length, repeated: 0, refused: [] };
    },
  };
  const onFault = (fault: Error): void => {
    throw fault;
  };
  closer = new VatPeriodCloser({ store, filings, outbox, bell: new Doorbell(), onFault });
});

afterEach(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the close of a filed period', () => {
  it('waits while an earlier period with events is not filed, and goes after it then', async () => {
    await filings.file(1, filed('26A4', AUTUMN));
    expect(await closer.closeFiled()).toBe(0);
    await filings.file(1, filed('26A3', SUMMER));
    expect(await closer.closeFiled()).toBe(2);
    expect(queued.map(({ periodStart, close }) => [periodStart, close])).toEqual([
      ['2026-07-01', 'hard'],
      ['2026-10-01', 'hard'],
    ]);
  });

  it('is queued once, whatever is looked for again', async () => {
    await filings.file(1, filed('26A3', SUMMER));
    expect(await closer.closeFiled()).toBe(1);
    expect(await closer.closeFiled()).toBe(0);
    expect(queued.length).toBe(1);
  });

  it('belongs to the first declaration: a second one of the period is a duplicate and changes nothing', async () => {
    const first = filed('26A3', SUMMER);
    expect(await filings.file(1, first)).toEqual({ is: 'filed' });
    expect(await filings.file(1, { ...first, closeEventId: uuidOfName('another') })).toMatchObject({ is: 'duplicate' });
    expect(filings.find(1, '26A3')).toEqual(first);
  });
});
