import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WakeSignal } from '../../../../../libs/adapters/time/wake-signal.ts';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import { TallyError } from '../../../../../libs/core/errors/tally-error.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { eventId, uuidOf } from '../../../../../libs/core/identity/event-id.ts';
import { checkVatSubmission } from '../../../../../libs/core/vat/check/check-vat-submission.ts';
import { periodClosedOf } from '../../../../../libs/core/vat/check/read-vat-submission.ts';
import { decideVat } from '../../../../../libs/core/vat/decide/decide-vat.ts';
import { BOX_FIELDS, declaredReturnOf } from '../../../../../libs/core/vat/mtd/return.ts';
import { duePeriodCloses } from '../../../../../libs/core/vat/standing/due-period-closes.ts';
import { traderKey } from '../../../../../libs/core/vat/state/state-keys.ts';
import { NEW_TRADER, type OpenPeriod, traderValue } from '../../../../../libs/core/vat/state/trader.ts';
import { eventKey, stateKey } from '../../../../../services/payer-node/store/payer-keys.ts';
import { PayerStore } from '../../../../../services/payer-node/store/payer-store.ts';
import { VatPeriodCloser } from '../../../../../services/payer-node/vat/close-vat-periods.ts';
import { type FiledReturn, VatFilings } from '../../../../../services/payer-node/vat/vat-filings.ts';
import { uuidOfName } from '../../../../support/own-events.ts';
import { eventually } from '../../../../support/service-process.ts';
import { testVatRules } from '../../../../support/vat-rules.ts';

const OWNER = account('vat:101747696');
const SUMMER: OpenPeriod = [localDate('2026-07-01'), localDate('2026-09-30'), 0];
const AUTUMN: OpenPeriod = [localDate('2026-10-01'), localDate('2026-12-31'), 0];
const NIL = Object.fromEntries(BOX_FIELDS.map((name) => [name, 0]));
let folder: string;
let store: PayerStore;
let filings: VatFilings;
let queued: { readonly eventId: string; readonly periodStart: string; readonly close: string }[];
let bell: WakeSignal;
let nowMs: number;
let heldMs: number;
const hold = { leftMs: async () => heldMs };
let isFull: boolean;
let batches: number[];
let closer: VatPeriodCloser;
/** As after a restart: the same store, nothing remembered beside it. */
let newCloser: () => VatPeriodCloser;

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
  nowMs = Date.UTC(2026, 9, 8, 12);
  isFull = false;
  batches = [];
  await store.commit(() => {
    const { number } = store.addAccount(OWNER);
    void store.state.put(stateKey(number, traderKey(OWNER)), traderValue({ ...NEW_TRADER, o: [SUMMER, AUTUMN] }));
  });
  // An outbox that keeps what it takes, as the node's does.
  const outbox = {
    submit: async (_tax: string, events: readonly unknown[]) => {
      if (isFull) throw new TallyError('OUTBOX_FULL', 'the outbox is full', {}, { retriable: true });
      batches.push(events.length);
      queued.push(...(events as typeof queued));
      await store.commit(() => {
        for (const event of events as typeof queued) {
          void store.submitted.put(eventKey(1, eventId(event.eventId)), JSON.stringify(event));
        }
      });
      return { queued: events.length, repeated: 0, refused: [] };
    },
  };
  const onFault = (fault: Error): void => {
    throw fault;
  };
  bell = new WakeSignal();
  heldMs = 0;
  newCloser = () =>
    new VatPeriodCloser(
      { lookEveryMs: 600_000 },
      { store, filings, outbox, bell, clock: { civilMs: () => nowMs, elapsedMs: () => nowMs }, hold, onFault },
    );
  closer = newCloser();
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

describe('the soft close of a period that has ended', () => {
  it('is queued once the seven days of grace are over, by the civil date of the United Kingdom', async () => {
    nowMs = Date.UTC(2026, 9, 7, 22, 59);
    expect(await closer.closeEnded()).toBe(0);
    // 00:00 on 8 October in British Summer Time.
    nowMs = Date.UTC(2026, 9, 7, 23, 0);
    expect(await closer.closeEnded()).toBe(1);
    expect(queued).toEqual([
      {
        type: 'VatPeriodClosed',
        eventId: expect.any(String),
        vrn: '101747696',
        periodStart: '2026-07-01',
        periodEnd: '2026-09-30',
        close: 'soft',
      },
    ]);
  });

  it('is the same event whichever node sends it, and one that the door lets in and tax accepts', async () => {
    await closer.closeEnded();
    const [close] = queued;
    const again = duePeriodCloses(OWNER, { ...NEW_TRADER, o: [SUMMER] }, localDate('2026-12-01'));
    expect(close?.eventId).toBe(uuidOf(again[0]?.eventId ?? eventId('0'.repeat(32))));
    const read = periodClosedOf({ ...close }, { receivedAtMs: nowMs });
    expect(checkVatSubmission(close)).toEqual([]);
    const state = new Map([[traderKey(OWNER), traderValue({ ...NEW_TRADER, o: [SUMMER, AUTUMN] })]]);
    const { outcome, changes } = decideVat(read, 'a'.repeat(64), { get: (key) => state.get(key) }, testVatRules());
    expect(outcome).toBe('accepted');
    expect(changes.find(({ key }) => key === traderKey(OWNER))?.value).toMatchObject({
      o: [['2026-07-01', '2026-09-30', 1], AUTUMN],
    });
  });

  it('is queued once, whatever is looked for again, on later days and after a restart', async () => {
    expect(await closer.closeEnded()).toBe(1);
    expect(await closer.closeEnded()).toBe(0);
    expect(await newCloser().closeEnded()).toBe(0);
    nowMs += 86_400_000;
    expect(await closer.closeEnded()).toBe(0);
    expect(queued.length).toBe(1);
  });

  it('is found again on the same day where the outbox was full', async () => {
    isFull = true;
    await expect(closer.closeEnded()).rejects.toMatchObject({ code: 'OUTBOX_FULL' });
    isFull = false;
    expect(await closer.closeEnded()).toBe(1);
  });

  it('is not due where the clock went back, and none is sent twice when it goes on', async () => {
    expect(await closer.closeEnded()).toBe(1);
    nowMs -= 30 * 86_400_000;
    expect(await closer.closeEnded()).toBe(0);
    nowMs += 31 * 86_400_000;
    expect(await closer.closeEnded()).toBe(0);
    nowMs = Date.UTC(2027, 0, 8, 12);
    expect(await closer.closeEnded()).toBe(1);
    expect(queued.map(({ periodStart }) => periodStart)).toEqual(['2026-07-01', '2026-10-01']);
  });

  it('is not sent for a period whose return was filed: that is closed for good', async () => {
    await filings.file(1, filed('26A3', SUMMER));
    expect(await closer.closeEnded()).toBe(0);
    expect(await closer.closeFiled()).toBe(1);
    expect(queued.map(({ close }) => close)).toEqual(['hard']);
  });

  it('goes out in batches that the outbox takes, for thousands of periods', async () => {
    const periods = Array.from({ length: 64 }, (_, index): OpenPeriod => {
      const [year, month] = [1990 + Math.floor(index / 4), (index % 4) * 3];
      const day = (at: number): string => new Date(at).toISOString().slice(0, 10);
      return [localDate(day(Date.UTC(year, month, 1))), localDate(day(Date.UTC(year, month + 3, 0))), 0];
    });
    await store.commit(() => {
      for (let index = 0; index < 40; index += 1) {
        const { number, account: owner } = store.addAccount(account(`vat:${String(200_000_000 + index)}`));
        void store.state.put(stateKey(number, traderKey(owner)), traderValue({ ...NEW_TRADER, o: periods }));
      }
    });
    await closer.closeEnded();
    expect(queued.length).toBe(40 * 64 + 1);
    expect(Math.max(...batches)).toBeLessThanOrEqual(1_000);
  });

  it('waits for ten minutes after a node starts, which has its copy to catch up first, also where something is filed', async () => {
    nowMs = Date.UTC(2027, 0, 8, 12);
    await filings.file(1, filed('26A3', SUMMER));
    const stopping = new AbortController();
    const running = closer.run(stopping.signal);
    const sent = (count: number) =>
      eventually(
        async () => queued.length,
        (length) => length === count,
      );
    await sent(1);
    bell.notify();
    nowMs += 599_999;
    await filings.file(1, filed('26A2', [localDate('2026-04-01'), localDate('2026-06-30'), 0]));
    bell.notify();
    await sent(2);
    expect(queued.map(({ close }) => close)).toEqual(['hard', 'hard']);
    nowMs += 1;
    bell.notify();
    await sent(3);
    expect(queued.at(-1)).toMatchObject({ periodStart: '2026-10-01', close: 'soft' });
    stopping.abort();
    await running;
  });

  it('closes nothing by the calendar while the clock is not believed, and what a person filed all the same', async () => {
    nowMs = Date.UTC(2027, 0, 8, 12);
    heldMs = 60_000;
    await filings.file(1, filed('26A3', SUMMER));
    const stopping = new AbortController();
    const running = closer.run(stopping.signal);
    const sent = (count: number) =>
      eventually(
        async () => queued.length,
        (length) => length === count,
      );
    await sent(1);
    nowMs += 3_600_000;
    await filings.file(1, filed('26A2', [localDate('2026-04-01'), localDate('2026-06-30'), 0]));
    bell.notify();
    await sent(2);
    expect(queued.map(({ close }) => close)).toEqual(['hard', 'hard']);
    heldMs = 0;
    bell.notify();
    await sent(3);
    expect(queued.at(-1)).toMatchObject({ close: 'soft' });
    stopping.abort();
    await running;
  });
});
