import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import { quantity } from '../../../../../libs/core/money/quantity.ts';
import { assessSale, type Sale, type SaleLine, saleTotals } from '../../../../../libs/core/vat/assess-sale.ts';
import { testVatRules } from '../../../../support/vat-rules.ts';

const RULES = testVatRules();

function lineOf(id: string, unitPence: number, other: Partial<SaleLine> = {}): SaleLine {
  return {
    id,
    category: 'standard',
    quantity: quantity('1'),
    unitPence,
    discountPence: null,
    discountPct: null,
    taxPoint: localDate('2026-11-21'),
    region: 'GB',
    ...other,
  };
}

function saleOf(lines: readonly SaleLine[], other: Partial<Sale> = {}): Sale {
  return {
    lines,
    deals: [],
    basketDiscountPence: null,
    basketDiscountPct: null,
    discountExcludes: [],
    pricing: 'inclusive',
    rounding: 'receipt',
    ...other,
  };
}

const totals = (sale: Sale) => saleTotals(assessSale(sale, RULES).byRate);
const refusal = (sale: Sale) => {
  try {
    assessSale(sale, RULES);
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
  return 'accepted';
};

describe('a sale', () => {
  it('of weighed goods is rounded to the penny before VAT: 1.337 at 2.50 is 3.34', () => {
    // 334.25 -> 334; 334/6 = 55.67 -> 56.
    expect(totals(saleOf([lineOf('1', 250, { quantity: quantity('1.337') })]))).toMatchObject({
      grossPence: 334,
      vatPence: 56,
    });
  });

  it('by unit rounds the VAT of one and multiplies: seven of 99p bear 7 x 17p', () => {
    const sale = saleOf([lineOf('1', 99, { quantity: quantity('7') })], { rounding: 'unit' });
    expect(totals(sale).vatPence).toBe(119);
  });

  it('leaves excluded categories out of a basket discount', () => {
    const lines = [lineOf('1', 1_000), lineOf('2', 1_000, { category: 'drink.alcohol' })];
    const { lines: assessed } = assessSale(
      saleOf(lines, { basketDiscountPct: '10', discountExcludes: ['drink.alcohol'] }),
      RULES,
    );
    expect(assessed.map(({ paidPence }) => paidPence)).toEqual([900, 1_000]);
  });

  it('is refused where a reduction is above what it is taken from, or does not go with the rounding', () => {
    expect(refusal(saleOf([lineOf('1', 100, { discountPence: 101 })]))).toBe('E_DISCOUNT_EXCEEDS_LINE');
    expect(refusal(saleOf([lineOf('1', 100)], { basketDiscountPence: 101 }))).toBe('E_DISCOUNT_EXCEEDS_BASKET');
    expect(refusal(saleOf([lineOf('1', 100, { discountPct: 'ten' })]))).toBe('E_DISCOUNT_PCT');
    expect(refusal(saleOf([lineOf('1', 100), lineOf('1', 1)]))).toBe('E_LINE_ID_DUP');
    const reduced = saleOf([lineOf('1', 100, { discountPence: 1 })], { rounding: 'unit' });
    expect(refusal(reduced)).toBe('E_UNIT_ROUNDING_DISCOUNT');
    for (const rounding of ['invoice_down', 'line_tenth_down'] as const) {
      expect(refusal(saleOf([lineOf('1', 100)], { rounding }))).toBe('E_ROUNDING_NOT_ALLOWED');
      expect(refusal(saleOf([lineOf('1', 100)], { rounding, pricing: 'exclusive' }))).toBe('accepted');
    }
  });
});
