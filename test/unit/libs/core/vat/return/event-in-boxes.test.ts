import { describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../../../../../libs/core/decisions/decision.ts';
import type { PurchaseRecorded, TillEvent, VatAdjustmentMade } from '../../../../../../libs/core/events/vat-events.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { findVatRate } from '../../../../../../libs/core/vat/rates/vat-rules.ts';
import { type BoxShares, sharesOfEvent } from '../../../../../../libs/core/vat/return/event-in-boxes.ts';
import { wholePounds } from '../../../../../../libs/core/vat/return/vat-return.ts';
import { periodAccountOf } from '../../../../../../libs/core/vat/state/period-account.ts';
import { sampleSale } from '../../../../../support/sample-events.ts';
import { line, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleAdjustment, samplePurchase, sampleRegistration } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const DAY = dayNumber(localDate('2026-11-21'));

type Boxed = TillEvent | PurchaseRecorded | VatAdjustmentMade;

/** Decides an event and says what it brings to each box, as the period's account is then. */
function sharesIn(book: VatBook, event: Boxed): BoxShares {
  const { results } = book.decide(event);
  const text = book.state.get('vat|vat:101747696|2026-10-01') ?? '{}';
  const scheme = periodAccountOf(JSON.parse(text) as StateValue).s;
  const amounts = results[0]?.amounts ?? [];
  return sharesOfEvent(event, amounts, scheme, (category) => findVatRate(RULES, category, DAY, 'NI') ?? null);
}

/** Decides events under a registration; the sum of their shares must be the boxes of the period. */
function sharesOfAll(events: readonly Boxed[], registration: Parameters<typeof sampleRegistration>[1] = {}) {
  const book = new VatBook(RULES);
  book.decide(sampleRegistration('registration', registration));
  const shares = events.map((event) => sharesIn(book, event));
  const boxes = book.boxes('2026-10-01');
  for (const box of [1, 2, 4, 6, 7, 8, 9] as const) {
    const sum = shares.reduce((all, share) => all + (share[box] ?? 0), 0);
    expect(box < 6 ? sum : wholePounds(sum, 'truncate'), `box ${box}`).toBe(boxes[box]);
  }
  return shares;
}

const item = (name: string, price: number, cost: number) =>
  sampleAdjustment(name, 'margin_sale', price, 0, { costPence: pence(cost) });
const goods = (name: string, kind: string, amount: number, ratePct = '20') =>
  sampleAdjustment(name, kind, amount, 0, { ratePct });

describe('what an event brings to the boxes', () => {
  it('of a till: VAT to box 1, the rest of what is not outside the scope to box 6, what is dispatched to box 8 too', () => {
    const lines = [
      line('1', 12_000),
      line('2', 5_000, 'exempt'),
      line('3', 3_000, 'outside'),
      line('4', 4_000, 'goods.dispatched_eu'),
    ];
    expect(sharesOfAll([sampleSale('s1', { region: 'NI', lines })])).toEqual([
      { 1: 2_000, 6: 12_000 - 2_000 + 5_000 + 4_000, 8: 4_000 },
    ]);
  });

  it('leaves out what is nothing, and a line whose category has no rate', () => {
    expect(sharesOfAll([sampleSale('s1', { lines: [line('1', 500, 'zero')] })])).toEqual([{ 6: 500 }]);
    const unknown = sampleSale('s1', { lines: [line('1', 500, 'unicorn'), line('2', 200, 'zero')] });
    expect(
      sharesOfEvent(unknown, [], undefined, (category) => findVatRate(RULES, category, DAY, 'GB') ?? null),
    ).toEqual({
      6: 200,
    });
  });

  it('of a purchase: what is recovered to box 4, its net value to box 7', () => {
    const purchase = samplePurchase('p1', 10_000, 2_000, { recoverableBasisPoints: 5_000 });
    expect(sharesOfAll([purchase, samplePurchase('p2', -1_000, -200)])).toEqual([
      { 4: 1_000, 7: 10_000 },
      { 4: -200, 7: -1_000 },
    ]);
  });

  it('of an adjustment: to the boxes of its kind, what is acquired in Northern Ireland to box 2', () => {
    const adjustment = (kind: string, net: number, vat: number) => sampleAdjustment(kind, kind, net, vat);
    expect(
      sharesOfAll([
        adjustment('ni_acquisition', 70_000, 14_000),
        adjustment('rc_services_in', 8_000, 1_600),
        adjustment('sale_refund', 1_000, 200),
        adjustment('ni_dispatch', 6_000, 0),
        adjustment('bad_debt_relief', 0, 300),
        adjustment('outside_scope', 900, 0),
      ]),
    ).toEqual([
      { 2: 14_000, 4: 14_000, 7: 70_000, 9: 70_000 },
      { 1: 1_600, 4: 1_600, 6: 8_000, 7: 8_000 },
      { 1: -200, 6: -1_000 },
      { 6: 6_000, 8: 6_000 },
      { 4: 300 },
      {},
    ]);
  });

  it('of the margin scheme: the price to box 6 less the VAT on the margin', () => {
    // (1,600.00 - 1,000.00) / 6 = 100.00; the pool: (250.00 - 100.00) / 6 = 25.00.
    expect(
      sharesOfAll([
        item('m1', 160_000, 100_000),
        item('m2', 5_000, 8_000),
        sampleAdjustment('m3', 'margin_purchase', 30_000),
        sampleAdjustment('m4', 'margin_pool_purchase', 10_000),
        sampleAdjustment('m5', 'margin_pool_sale', 25_000),
      ]),
    ).toEqual([{ 1: 10_000, 6: 150_000 }, { 6: 5_000 }, { 7: 30_000 }, { 7: 10_000 }, { 1: 2_500, 6: 22_500 }]);
  });

  it('of goods of a retail scheme: what they move of the VAT of all takings moves box 6 the other way', () => {
    const sale = sampleSale('s1', { lines: [line('1', 3_400_000)] });
    const [taken, bought, more, zero] = sharesOfAll(
      [
        sale,
        goods('g1', 'goods_for_resale', 1_600_000),
        goods('g2', 'goods_for_resale', 100_000, '5'),
        goods('g3', 'goods_for_resale', 1_000_000, '0'),
      ],
      { scheme: 'apportionment1' },
    );
    expect(taken).toEqual({ 1: 566_667, 6: 2_833_333 });
    expect(bought).toEqual({});
    // 34,000.00 over goods of 16,000 at 20% and 1,000 at 5%: 32,000/6 + 2,000/21 = 5,333.33 + 95.24.
    expect(more).toEqual({ 1: 542_857 - 566_667, 6: 566_667 - 542_857 });
    // HMRC's example: 3,358.02 + 59.96.
    expect(zero).toEqual({ 1: 341_798 - 542_857, 6: 542_857 - 341_798 });
  });

  it('of stock of a retail scheme likewise', () => {
    const [, , opening] = sharesOfAll(
      [
        sampleSale('s1', { lines: [line('1', 600_000)] }),
        goods('g1', 'goods_for_resale', 100_000),
        goods('o1', 'stock_opening', 100_000, '0'),
      ],
      { scheme: 'apportionment2' },
    );
    // Half of the goods of the window are at nothing: 6,000.00 / 2 / 6.
    expect(opening).toEqual({ 1: -50_000, 6: 50_000 });
  });

  it('of the flat rate scheme: its percentage to box 1, turnover with its VAT to box 6', () => {
    const registration = { scheme: 'flatRate', flatRateSector: 'catering' } as const;
    const lines = [line('1', 100_000), line('2', 5_000, 'outside')];
    const events = [
      sampleSale('s1', { lines }),
      sampleAdjustment('i1', 'sale', 100_000, 20_000),
      sampleAdjustment('i2', 'sale_refund', 10_000, 2_000),
      sampleAdjustment('i3', 'ni_dispatch', 8_000),
      sampleAdjustment('c1', 'frs_capital', 200_000, 40_000),
      samplePurchase('p1', 500, 100),
    ];
    // 12.5% of 1,000.00, 1,200.00, -120.00 and 80.00.
    expect(sharesOfAll(events, registration)).toEqual([
      { 1: 12_500, 6: 100_000 },
      { 1: 15_000, 6: 120_000 },
      { 1: -1_500, 6: -12_000 },
      { 1: 1_000, 6: 8_000, 8: 8_000 },
      { 4: 40_000, 7: 200_000 },
      {},
    ]);
  });

  it('of cash accounting: nothing of what is invoiced, all of what is paid', () => {
    const events = [
      sampleAdjustment('i1', 'sale', 100_000, 20_000),
      samplePurchase('p1', 500, 100),
      sampleAdjustment('c1', 'cash_received', 50_000, 10_000),
      sampleAdjustment('c2', 'cash_paid', 250, 50),
    ];
    expect(sharesOfAll(events, { cashAccounting: true })).toEqual([
      {},
      {},
      { 1: 10_000, 6: 50_000 },
      { 4: 50, 7: 250 },
    ]);
  });
});
