import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { PAYMENTS, VAT_EVENTS } from '../../libs/adapters/event-log/topics.ts';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import { account } from '../../libs/core/identity/account.ts';
import { pence } from '../../libs/core/money/pence.ts';
import { openEmbeddedWhole } from '../support/embedded-whole.ts';
import { summaryOf } from '../support/operate-service.ts';
import { paymentJson, saleJsons, uuidOfName } from '../support/own-events.ts';
import { idOf, sampleMoney, sampleSale } from '../support/sample-events.ts';
import { eventually, tally } from '../support/service-process.ts';
import { appendTo, type Whole } from '../support/whole.ts';
import { rejectionsList } from './odd-records.ts';

const SHOP = account('vat:101747696');
const DAY_MS = 86_400_000;

/** A sale as large as the doors of 28df9b8 took one: 1,980 lines of £1,000,000,000.00. */
function vastSale(): object {
  const lines = Array.from({ length: 1_980 }, (_, index) => ({
    id: `${index}`,
    category: 'standard',
    paidPence: 100_000_000_000,
  }));
  const totalPence = 198_000_000_000_000;
  return { ...saleJsons(1, 'T9')[0], lines, totalPence, payments: [{ method: 'card', amountPence: totalPence }] };
}

describe('poison', () => {
  let whole: Whole;
  beforeAll(() => {
    whole = openEmbeddedWhole();
  });
  afterAll(() => whole?.dispose());

  it('is refused at the door in words that a sender understands', { timeout: 180_000 }, async () => {
    const { service } = whole;
    await service.start();
    const post = async (tax: 'vat' | 'paye', event: object) => {
      const answer = await service.call<{ faults?: { code: string; pointer: string; detail: string }[] }>(
        'payer',
        'POST',
        `/payer/v1/events/${tax}`,
        [event],
      );
      return [answer.status, ...(answer.body.faults ?? []).map(({ code, pointer }) => `${code} ${pointer}`)];
    };
    const close = { type: 'VatPeriodClosed', eventId: uuidOfName('close'), vrn: '101747696', close: 'hard' };
    const last = { ...close, periodStart: '9999-10-01', periodEnd: '9999-12-31' };
    expect(await post('vat', last)).toEqual([422, 'E_DATE /0/periodStart', 'E_DATE /0/periodEnd']);
    const stamped = { ...saleJsons(1, 'T8')[0], occurredAt: '9999-12-31T23:59:59-23:59' };
    expect(await post('vat', stamped)).toEqual([422, 'E_TIME_FORMAT /0/occurredAt']);
    expect(await post('vat', vastSale())).toEqual([422, 'E_AMOUNT_RANGE /0/totalPence']);
    const month12 = { type: 'PayePeriodClosed', eventId: uuidOfName('month 12'), payeReference: '123/AB456' };
    expect(await post('paye', { ...month12, taxYear: '2025-26', taxMonth: 12 })).toEqual([202]);
  });

  it('that stands in the log from before stops nobody, and payments beyond the safe integers halt nobody', {
    timeout: 240_000,
  }, async () => {
    const { service } = whole;
    const receivedAtMs = Date.now();
    const poison = {
      type: 'VatPeriodClosed' as const,
      eventId: idOf('poison'),
      account: SHOP,
      receivedAtMs,
      periodStart: localDate('9999-10-01'),
      periodEnd: localDate('9999-12-31'),
      close: 'hard' as const,
    };
    const stamped = sampleSale('stamped', { occurredAt: '9999-12-31T23:59:59-23:59', tillId: 'T8', receivedAtMs });
    const lines = Array.from({ length: 1_980 }, (_, index) => ({
      id: `${index}`,
      category: 'standard',
      qty: null,
      ratePct: null,
      paidPence: pence(100_000_000_000),
    }));
    const vast = sampleSale('vast', { lines, tillId: 'T9', receivedAtMs });
    const events = [poison, stamped, vast].map((event) => ({ key: event.account, value: encodeEvent(event) }));
    const paid = Array.from({ length: 100 }, (_, index) => {
      const money = sampleMoney(`rich ${index}`, SHOP, {
        amountPence: pence(10 ** 14),
        receivedAtMs: receivedAtMs - DAY_MS,
      });
      return { key: SHOP, value: encodeEvent(money) };
    });
    await whole.withLog(async (log) => {
      await appendTo(log, VAT_EVENTS, events);
      await appendTo(log, PAYMENTS, paid);
    });
    expect((await service.call('payer', 'POST', '/payer/v1/events/vat', saleJsons(3))).status).toBe(202);
    expect((await service.call('payer', 'POST', '/payer/v1/events/paye', [paymentJson(1)])).status).toBe(202);
    const rejections = await eventually(
      () => rejectionsList(whole),
      (rows) => rows.length >= 3,
    );
    expect(rejections.map(({ account: owner, code }) => `${owner} ${code}`).sort()).toEqual([
      `${SHOP} E_AMOUNT_RANGE`,
      `${SHOP} E_DATE`,
      `${SHOP} E_TIME_FORMAT`,
    ]);
    const summary = await eventually(
      () => summaryOf(service),
      ({ taxes }) => taxes.vat.payerCopy.events === 103 && taxes.paye.payerCopy.events >= 2,
    );
    // 100 times 10^14 pence are more than a number holds exactly, and are said by their digits.
    expect(summary.taxes.vat.paymentsPence).toBe('10000000000000000');
    expect(whole.logs()).not.toMatch(/"level":(50|60)/);
  });

  it('and after a restart it is the same, and the copies are whole', { timeout: 240_000 }, async () => {
    const { service } = whole;
    expect(await service.stop()).toBe(0);
    await service.start();
    const [sale] = saleJsons(1, 'T1', '101747696', 4) as readonly Record<string, unknown>[];
    expect((await service.call('payer', 'POST', '/payer/v1/events/vat', [sale])).status).toBe(202);
    await eventually(
      () => summaryOf(service),
      ({ taxes }) => taxes.vat.payerCopy.events === 104,
    );
    const doctor = await tally(['doctor', '--json', '--data-dir', service.dataDir]);
    expect(JSON.parse(doctor.stdout)).toContainEqual({
      check: 'held accounts',
      ok: true,
      detail: 'no account is held',
    });
    // Differences at zero, each copy of the payer's verified offline and worked out again, HMRC's checked from the log alone, both the same.
    const { summary, copies, ledger } = await whole.end({ paye: 2, vat: 107 });
    const { paye, vat } = summary.taxes;
    // Four sales and a hundred payments; of the employer besides what was sent the closes that its own node makes.
    expect(vat.decided.events).toBe(104);
    expect(ledger).toMatchObject({
      entries: paye.decided.events + 104,
      inFlight: 0,
      paymentsPence: '10000000000000000',
    });
    expect(copies.paymentsPence).toBe('10000000000000000');
  });
});
