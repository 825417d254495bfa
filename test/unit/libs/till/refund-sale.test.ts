import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../libs/core/calendar/local-date.ts';
import { assessSale, type Sale, saleTotals } from '../../../../libs/till/assess-sale.ts';
import { ONE_UNIT, type Quantity } from '../../../../libs/till/quantity.ts';
import { type ReturnedLine, refundSale, voidSale } from '../../../../libs/till/refund-sale.ts';
import { ROUNDINGS, type Rounding } from '../../../../libs/till/round-vat.ts';
import { testVatRules } from '../../../support/vat-rules.ts';

const RULES = testVatRules();
const item = fc.record({
  category: fc.constantFrom('standard', 'reduced', 'zero', 'exempt', 'outside'),
  unitPence: fc.integer({ min: 0, max: 50_000 }),
  units: fc.integer({ min: 1, max: 9 }),
});

function saleOf(
  items: readonly { readonly category: string; readonly unitPence: number; readonly units: number }[],
  rounding: Rounding,
): Sale {
  const roundsDown = rounding === 'invoice_down' || rounding === 'line_tenth_down';
  return {
    pricing: roundsDown ? 'exclusive' : 'inclusive',
    rounding,
    lines: items.map(({ category, unitPence, units }, index) => ({
      id: String(index),
      category,
      quantity: (ONE_UNIT * BigInt(units)) as Quantity,
      unitPence,
      discountPence: null,
      discountPct: null,
      taxPoint: localDate('2026-11-21'),
      region: 'GB',
    })),
    deals: [],
    basketDiscountPence: null,
    basketDiscountPct: null,
    discountExcludes: [],
  };
}

describe('a refund', () => {
  it('unit by unit, in any order, sums to the whole sale under every rounding', () => {
    const items = fc.array(item, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(items, fc.constantFrom(...ROUNDINGS), fc.infiniteStream(fc.nat()), (basket, rounding, stream) => {
        const sale = saleOf(basket, rounding);
        const assessed = assessSale(sale, RULES);
        const units: ReturnedLine[] = basket.flatMap(({ units: count }, index) =>
          Array.from({ length: count }, () => ({ id: String(index), quantity: ONE_UNIT })),
        );
        const order = units.map((unit) => ({ unit, at: stream.next().value })).sort((a, b) => a.at - b.at);
        const history: ReturnedLine[][] = [];
        const sum = { grossPence: 0, netPence: 0, vatPence: 0 };
        for (const { unit } of order) {
          const totals = saleTotals(refundSale(assessed, sale, history, [unit]).byRate);
          sum.grossPence += totals.grossPence;
          sum.netPence += totals.netPence;
          sum.vatPence += totals.vatPence;
          history.push([unit]);
        }
        expect(sum).toEqual(saleTotals(voidSale(assessed)));
      }),
      { numRuns: 150 },
    );
  });

  it('of all that remains needs no quantity, and after it nothing remains', () => {
    const sale = saleOf([{ category: 'standard', unitPence: 333, units: 3 }], 'receipt');
    const assessed = assessSale(sale, RULES);
    const one = [{ id: '0', quantity: ONE_UNIT }];
    const rest = refundSale(assessed, sale, [one], [{ id: '0', quantity: null }]);
    expect(rest.lines).toEqual([{ id: '0', ratePct: '20', paidPence: -666 }]);
    expect(() => refundSale(assessed, sale, [one, [{ id: '0', quantity: null }]], one)).toThrow(
      expect.objectContaining({ code: 'E_REFUND_EXCEEDS' }),
    );
  });

  it('of what is priced without VAT gives its VAT back on top: 100.00 bear 20.00, in parts of a third 6.67, 6.66, 6.67', () => {
    const sale: Sale = {
      ...saleOf([{ category: 'standard', unitPence: 3_333, units: 3 }], 'receipt'),
      pricing: 'exclusive',
    };
    const assessed = assessSale(sale, RULES);
    const one = [{ id: '0', quantity: ONE_UNIT }];
    // 33.33 bear 6.666, 66.66 bear 13.332, 99.99 bear 19.998.
    const vat = [0, 1, 2].map((count) => {
      const history = Array.from({ length: count }, () => one);
      return saleTotals(refundSale(assessed, sale, history, one).byRate);
    });
    expect(vat).toEqual([
      { grossPence: -4_000, netPence: -3_333, vatPence: -667 },
      { grossPence: -3_999, netPence: -3_333, vatPence: -666 },
      { grossPence: -4_000, netPence: -3_333, vatPence: -667 },
    ]);
  });

  it('says which line is unknown, or has less left', () => {
    const sale = saleOf([{ category: 'standard', unitPence: 333, units: 1 }], 'receipt');
    const assessed = assessSale(sale, RULES);
    expect(() => refundSale(assessed, sale, [], [{ id: '7', quantity: null }])).toThrow(
      expect.objectContaining({
        code: 'E_REFUND_UNKNOWN_LINE',
        message: 'the sale has no such line',
        facts: { id: '7' },
      }),
    );
    const two = (ONE_UNIT * 2n) as Quantity;
    expect(() => refundSale(assessed, sale, [], [{ id: '0', quantity: two }])).toThrow(
      expect.objectContaining({
        code: 'E_REFUND_EXCEEDS',
        message: 'more than what remains of the line',
        facts: { id: '0' },
      }),
    );
  });
});
