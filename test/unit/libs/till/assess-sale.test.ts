import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../libs/core/calendar/local-date.ts';
import { assessSale, type Sale, type SaleLine, saleTotals } from '../../../../libs/till/assess-sale.ts';
import { quantity } from '../../../../libs/till/quantity.ts';
import { testVatRules } from '../../../support/vat-rules.ts';

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

describe('what a sale is refused for', () => {
  const down = { rounding: 'invoice_down' } as const;
  it.each<[Sale, string, string]>([
    [saleOf([lineOf('1', 1), lineOf('1', 1)]), 'E_LINE_ID_DUP', 'each line has an id of its own'],
    [saleOf([lineOf('1', 1)], down), 'E_ROUNDING_NOT_ALLOWED', 'invoice_down is for prices without VAT'],
    [
      saleOf([lineOf('1', 1)], { rounding: 'unit', basketDiscountPence: 0 }),
      'E_UNIT_ROUNDING_DISCOUNT',
      'VAT rounded by unit needs unit prices without discounts',
    ],
    [
      saleOf([lineOf('tea', 1, { discountPence: 2 })]),
      'E_DISCOUNT_EXCEEDS_LINE',
      'line tea: the discount is above the price',
    ],
    [
      saleOf([lineOf('1', 1)], { basketDiscountPence: 2 }),
      'E_DISCOUNT_EXCEEDS_BASKET',
      'the discount is above what it may be taken from',
    ],
    [
      saleOf([lineOf('1', 1, { discountPct: '1.234' })]),
      'E_DISCOUNT_PCT',
      'a percentage as decimal text, such as "12.5"',
    ],
  ])('is said: %#', (sale, code, message) => {
    expect(() => assessSale(sale, RULES)).toThrow(expect.objectContaining({ code, message }));
  });
});

describe('what is sold together', () => {
  const paid = (sale: Sale) => assessSale(sale, RULES).lines.map(({ paidPence }) => paidPence);

  it('at one price is apportioned by normal selling price: HMRC’s 6.00, 1.50, 1.50 and 6.00 sold for 10.00', () => {
    const lines = [lineOf('a', 600), lineOf('b', 150), lineOf('c', 150), lineOf('d', 600)];
    const deal = { lines: ['a', 'b', 'c', 'd'], pricePence: 1_000 };
    expect(paid(saleOf(lines, { deals: [deal] }))).toEqual([400, 100, 100, 400]);
  });

  it('of two rates is apportioned over both: a book of 5.00 and a film of 10.00 for 18.00, and for 12.00', () => {
    const lines = [lineOf('book', 500, { category: 'print.book' }), lineOf('film', 1_000)];
    const priced = (pricePence: number) => saleOf(lines, { deals: [{ lines: ['book', 'film'], pricePence }] });
    expect(paid(priced(1_800))).toEqual([600, 1_200]);
    expect(paid(priced(1_200))).toEqual([400, 800]);
    expect(totals(priced(1_200))).toEqual({ grossPence: 1_200, netPence: 1_067, vatPence: 133 });
  });

  it('leaves every other line its price, and a line that the basket has not is nobody’s', () => {
    const lines = [lineOf('a', 300), lineOf('b', 100), lineOf('c', 100)];
    expect(paid(saleOf(lines, { deals: [{ lines: ['b', 'z', 'c'], pricePence: 150 }] }))).toEqual([300, 75, 75]);
    expect(paid(saleOf(lines, { deals: [{ lines: ['a', 'b'], pricePence: 200 }] }))).toEqual([150, 50, 100]);
  });

  it('is reduced in order: by line, by deal, by basket', () => {
    const lines = [lineOf('a', 1_000, { discountPence: 100, discountPct: '10' }), lineOf('b', 800)];
    expect(paid(saleOf(lines))).toEqual([800, 800]);
    const sale = saleOf(lines, {
      deals: [{ lines: ['a', 'b'], pricePence: 1_200 }],
      basketDiscountPence: 100,
      basketDiscountPct: '10',
    });
    // 600 and 600 after the deal; 100 and 10% of 1,200 off: 220.
    expect(paid(sale)).toEqual([490, 490]);
  });

  it('has a basket discount that never touches what is outside the scope', () => {
    const lines = [lineOf('a', 1_000), lineOf('tip', 500, { category: 'tip.voluntary' })];
    expect(paid(saleOf(lines, { basketDiscountPence: 100 }))).toEqual([900, 500]);
    expect(refusal(saleOf(lines, { basketDiscountPence: 1_001 }))).toBe('E_DISCOUNT_EXCEEDS_BASKET');
    expect(paid(saleOf(lines, { basketDiscountPence: 1_000 }))).toEqual([0, 500]);
  });

  it.each<[string, Partial<Sale>, Partial<SaleLine>]>([
    ['a deal', { deals: [{ lines: ['1'], pricePence: 90 }] }, {}],
    ['a basket discount', { basketDiscountPence: 1 }, {}],
    ['a basket percentage', { basketDiscountPct: '1' }, {}],
    ['a line discount', {}, { discountPence: 1 }],
    ['a line percentage', {}, { discountPct: '1' }],
  ])('cannot be rounded by unit beside %s', (_what, sale, line) => {
    const reduced = saleOf([lineOf('0', 100), lineOf('1', 100, line)], { ...sale, rounding: 'unit' });
    expect(refusal(reduced)).toBe('E_UNIT_ROUNDING_DISCOUNT');
    expect(refusal({ ...reduced, rounding: 'line' })).toBe('accepted');
  });

  it('is listed by S R Z E O and falling rate, without VAT of its own where prices have none', () => {
    const codes = ['tip.voluntary', 'postage.stamps', 'food.basic', 'home.gas_domestic', 'standard'];
    const lines = codes.map((category, index) => lineOf(String(index), 105, { category }));
    const { byRate } = assessSale(saleOf(lines, { pricing: 'exclusive' }), RULES);
    expect(
      byRate.map(({ rate, grossPence, netPence, vatPence }) => [rate.key, grossPence, netPence, vatPence]),
    ).toEqual([
      ['S2000', 126, 105, 21],
      ['R500', 110, 105, 5],
      ['Z0', 105, 105, 0],
      ['E0', 105, 105, 0],
      ['O0', 105, 105, 0],
    ]);
    expect(saleTotals(byRate)).toEqual({ grossPence: 551, netPence: 525, vatPence: 26 });
  });
});

describe('the VAT of a sale is rounded', () => {
  const vatOf = (unitPence: readonly number[], other: Partial<Sale>, category = 'standard') =>
    totals(
      saleOf(
        unitPence.map((price, index) => lineOf(String(index), price, { category })),
        other,
      ),
    ).vatPence;
  const SEVEN = Array.from({ length: 7 }, () => 99);

  it('once a receipt, by line, or by line to the fourth decimal: seven of 99p', () => {
    expect(vatOf(SEVEN, { rounding: 'receipt' })).toBe(116);
    expect(vatOf(SEVEN, { rounding: 'line' })).toBe(119);
    expect(vatOf(SEVEN, { rounding: 'line4dp' })).toBe(116);
    // 0.0833 of 50p, three times: 24.99p.
    expect(vatOf([50, 50, 50], { rounding: 'line4dp' })).toBe(25);
    // 13p without VAT bear 0.65p at 5%: 0.0065 of a pound, 65 times 42.25p.
    const gas = Array.from({ length: 65 }, () => 13);
    expect(vatOf(gas, { rounding: 'line4dp', pricing: 'exclusive' }, 'home.gas_domestic')).toBe(42);
    expect(vatOf(gas, { rounding: 'line', pricing: 'exclusive' }, 'home.gas_domestic')).toBe(65);
  });

  it('down for an invoice, or by line to a tenth of a penny: 4.34 without VAT bears 86.8p', () => {
    expect(vatOf([434], { rounding: 'invoice_down', pricing: 'exclusive' })).toBe(86);
    expect(vatOf([434], { rounding: 'line_tenth_down', pricing: 'exclusive' })).toBe(86);
    // 29 of 13p bear 0.65p each at 5%: 18.85p of the invoice, 17.4p of tenths.
    const gas = Array.from({ length: 29 }, () => 13);
    expect(vatOf(gas, { rounding: 'invoice_down', pricing: 'exclusive' }, 'home.gas_domestic')).toBe(18);
    expect(vatOf(gas, { rounding: 'line_tenth_down', pricing: 'exclusive' }, 'home.gas_domestic')).toBe(17);
  });

  it('down for the sum of all rates, which goes to them by largest remainder', () => {
    const lines = [lineOf('a', 433), lineOf('b', 199, { category: 'home.gas_domestic' })];
    for (const rounding of ['invoice_down', 'line_tenth_down'] as const) {
      const { byRate } = assessSale(saleOf(lines, { rounding, pricing: 'exclusive' }), RULES);
      // 86.6 and 9.95 (9.9): 96 in all, 86 and 9 by themselves; the penny goes to the larger rest.
      expect(byRate.map(({ vatPence }) => vatPence)).toEqual([86, 10]);
    }
  });
});
