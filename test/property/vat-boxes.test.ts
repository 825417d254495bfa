import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDate } from '../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../libs/core/decisions/decision.ts';
import type { PurchaseRecorded, TillEvent, VatAdjustmentMade } from '../../libs/core/events/vat-events.ts';
import { account } from '../../libs/core/identity/account.ts';
import { vatRateOn } from '../../libs/core/vat/rates/vat-rules.ts';
import { sharesOfEvent } from '../../libs/core/vat/return/event-in-boxes.ts';
import { periodOfDate, returnOfPeriod } from '../../libs/core/vat/return/return-of-period.ts';
import { type ReturnEntry, vatReturnOf } from '../oracles/vat-return.ts';
import { idOf, sampleSale } from '../support/sample-events.ts';
import { line, sampleRefund, VatBook } from '../support/vat-book.ts';
import { testVatRules } from '../support/vat-rules.ts';
import { sampleAdjustment, samplePurchase } from '../support/vat-samples.ts';

const RULES = testVatRules();
const OWNER = account('vat:101747696');
const DAY = localDate('2026-11-21');
const CATEGORIES = ['standard', 'reduced', 'zero', 'exempt', 'outside', 'goods.export', 'goods.dispatched_eu'] as const;
/** Kinds of any scheme whose amounts go to boxes by themselves (vat.md section 6). */
const KINDS = [
  'import_vat_paid',
  'import_pva',
  'rc_services_in',
  'drc_sale',
  'drc_purchase',
  'ni_acquisition',
  'ni_dispatch',
  'fuel_scale',
  'own_use',
  'bad_debt_relief',
  'error_underdeclared',
  'error_overdeclared',
] as const;

const WITHOUT_VAT: ReadonlySet<string> = new Set(['drc_sale', 'ni_dispatch']);

const rateOf = (category: string) => vatRateOn(RULES, category, DAY, 'NI');
const basket = fc.array(fc.tuple(fc.constantFrom(...CATEGORIES), fc.integer({ min: 0, max: 99_999 })), {
  minLength: 1,
  maxLength: 6,
});
const baskets = fc.array(basket, { minLength: 1, maxLength: 8 });
/** Net, and VAT at a rate of the day. */
const amounts = fc
  .tuple(fc.integer({ min: 0, max: 99_999 }), fc.constantFrom(0, 500, 2_000))
  .map(([net, rate]): [number, number] => [net, Math.round((net * rate) / 10_000)]);
const adjustments = fc.array(fc.tuple(fc.constantFrom(...KINDS), amounts), { maxLength: 8 });
const purchases = fc.array(fc.tuple(amounts, fc.integer({ min: 0, max: 10_000 })), { maxLength: 8 });

type Basket = readonly (readonly [string, number])[];
type Counted = TillEvent | PurchaseRecorded | VatAdjustmentMade;

function saleOf(items: Basket, index: number): TillEvent {
  const lines = items.map(([category, paid], at) => line(String(at + 1), paid, category));
  const prevHash = index === 0 ? null : sampleSale(`s${index - 1}`).hash;
  return sampleSale(`s${index}`, { seq: index + 1, prevHash, region: 'NI', lines });
}

function eventsOf(
  sales: readonly Basket[],
  bought: readonly (readonly [readonly [number, number], number])[],
  adjusted: readonly (readonly [string, readonly [number, number]])[],
): readonly Counted[] {
  return [
    ...sales.map(saleOf),
    ...bought.map(([[net, vat], recoverableBasisPoints], index) =>
      samplePurchase(`p${index}`, net, vat, { recoverableBasisPoints }),
    ),
    ...adjusted.map(([kind, [net, vat]], index) =>
      sampleAdjustment(`a${index}`, kind, net, WITHOUT_VAT.has(kind) ? 0 : vat),
    ),
  ];
}

function returnOf(book: VatBook) {
  const get = (key: string): StateValue | undefined => {
    const text = book.state.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as StateValue);
  };
  return returnOfPeriod({ get }, OWNER, periodOfDate({ get }, OWNER, DAY));
}

/** The same events as entries of a return, for the arithmetic that the published vectors hold. */
function entryOf(event: Counted): readonly ReturnEntry[] {
  const empty = { netPence: 0, vatPence: 0, recoverableBasisPoints: 10_000, grossPence: 0, turnoverPence: 0, pct: '0' };
  if (event.type === 'TillEvent') {
    return event.lines.flatMap(({ category, paidPence }): readonly ReturnEntry[] => {
      const rate = rateOf(category);
      if (rate.treatment === 'O') return [];
      if (rate.dispatch) return [{ ...empty, kind: 'ni_dispatch', netPence: paidPence, grossByRate: {} }];
      if (rate.treatment === 'E') return [{ ...empty, kind: 'sale_exempt', netPence: paidPence, grossByRate: {} }];
      return [{ ...empty, kind: 'retail_takings', grossByRate: { [rate.ratePct]: paidPence } }];
    });
  }
  const { kind, netPence, vatPence, recoverableBasisPoints } = event;
  return [{ ...empty, kind, netPence, vatPence, recoverableBasisPoints, grossByRate: {} }];
}

describe('the return of a period', () => {
  it('is what the arithmetic of the vectors makes of its events, in any order and however often they are sent', () => {
    const mixed = fc.tuple(baskets, purchases, adjustments).chain((parts) => {
      const events = eventsOf(...parts);
      return fc.tuple(
        fc.constant(events),
        fc.shuffledSubarray([...events], { minLength: events.length, maxLength: events.length }),
        fc.subarray([...events]),
      );
    });
    fc.assert(
      fc.property(mixed, ([events, shuffled, repeated]) => {
        const book = new VatBook(RULES);
        for (const event of shuffled) expect(book.decide(event).outcome).toBe('accepted');
        for (const event of repeated) expect(book.decide(event).outcome).toBe('repeat');
        const { boxes, direction } = returnOf(book);
        const expected = vatReturnOf(events.flatMap(entryOf), 'truncate', 0);
        expect({ boxes, direction }).toEqual(expected);
        expect(book.total('outputVat') + book.total('inputVat')).toBe(boxes[3] - boxes[4]);
      }),
      { numRuns: 150 },
    );
  });

  it('has behind each box events whose pence sum to it', () => {
    fc.assert(
      fc.property(baskets, purchases, adjustments, (sales, bought, adjusted) => {
        const book = new VatBook(RULES);
        const sums: Record<number, number> = { 1: 0, 2: 0, 4: 0, 6: 0, 7: 0, 8: 0, 9: 0 };
        for (const event of eventsOf(sales, bought, adjusted)) {
          const [assessment] = book.decide(event).results;
          const shares = sharesOfEvent(event, assessment?.amounts ?? [], undefined, rateOf);
          for (const [box, share] of Object.entries(shares)) sums[Number(box)] = (sums[Number(box)] ?? 0) + share;
        }
        const { boxes } = returnOf(book);
        for (const box of [1, 2, 4] as const) expect(sums[box]).toBe(boxes[box]);
        for (const box of [6, 7, 8, 9] as const) expect(Math.trunc((sums[box] ?? 0) / 100) * 100).toBe(boxes[box]);
      }),
      { numRuns: 150 },
    );
  });

  it('is where it was once every sale is given back', () => {
    fc.assert(
      fc.property(baskets, (sales) => {
        const book = new VatBook(RULES);
        book.decide(samplePurchase('p', 1_234, 247));
        const before = returnOf(book).boxes;
        sales.forEach((items, index) => void book.decide(saleOf(items, index)));
        sales.forEach((items, index) => {
          const lines = items.map(([category, paid], at) => line(String(at + 1), -paid, category));
          const seq = sales.length + index + 1;
          const refund = sampleRefund(`r${index}`, idOf(`s${index}`), lines, { seq, region: 'NI' });
          expect(book.decide(refund).outcome).toBe('accepted');
        });
        expect(returnOf(book).boxes).toEqual(before);
      }),
      { numRuns: 100 },
    );
  });
});
