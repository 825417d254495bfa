import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { BEYOND_COUNTING, PERIOD_SUM_PENCE_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import { sampleSale } from '../../../../../support/sample-events.ts';
import { line, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  samplePurchase,
  sampleRegistration,
} from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

describe('an adjustment', () => {
  // Each row: kind, net, VAT, amounts of the entry, boxes by number (vat.md section 6).
  it.each([
    [
      'import_pva',
      1_000_000,
      200_000,
      { outputVat: 200_000, inputVat: -200_000 },
      { 1: 200_000, 4: 200_000, 7: 1_000_000 },
    ],
    ['import_vat_paid', 1_000_000, 200_000, { inputVat: -200_000 }, { 4: 200_000, 7: 1_000_000 }],
    [
      'rc_services_in',
      80_000,
      16_000,
      { outputVat: 16_000, inputVat: -16_000 },
      { 1: 16_000, 4: 16_000, 6: 80_000, 7: 80_000 },
    ],
    ['drc_sale', 300_000, 0, {}, { 6: 300_000 }],
    ['drc_purchase', 300_000, 60_000, { outputVat: 60_000, inputVat: -60_000 }, { 1: 60_000, 4: 60_000, 7: 300_000 }],
    [
      'ni_acquisition',
      700_000,
      140_000,
      { outputVat: 140_000, inputVat: -140_000 },
      { 2: 140_000, 4: 140_000, 7: 700_000, 9: 700_000 },
    ],
    ['ni_dispatch', 700_000, 0, {}, { 6: 700_000, 8: 700_000 }],
    ['fuel_scale', 50_000, 10_000, { outputVat: 10_000 }, { 1: 10_000, 6: 50_000 }],
    ['own_use', 5_000, 1_000, { outputVat: 1_000 }, { 1: 1_000, 6: 5_000 }],
    ['stock_retained_dereg', 5_000, 1_000, {}, {}],
    ['stock_retained_dereg', 500_100, 100_020, { outputVat: 100_020 }, { 1: 100_020, 6: 500_100 }],
    ['bad_debt_relief', 0, 1_000, { inputVat: -1_000 }, { 4: 1_000 }],
    ['bad_debt_recovered', 0, 400, { outputVat: 400 }, { 1: 400 }],
    ['error_underdeclared', 0, 50_000, { outputVat: 50_000 }, { 1: 50_000 }],
    ['error_overdeclared', 0, 50_000, { inputVat: -50_000 }, { 4: 50_000 }],
    ['sale', 100_000, 20_000, { outputVat: 20_000 }, { 1: 20_000, 6: 100_000 }],
    ['sale_refund', 10_000, 2_000, { outputVat: -2_000 }, { 1: -2_000, 6: -10_000 }],
    ['sale_export', 10_000, 0, {}, { 6: 10_000 }],
    ['sale_zero', 10_000, 0, {}, { 6: 10_000 }],
    ['sale_exempt', 10_000, 0, {}, { 6: 10_000 }],
    ['outside_scope', 10_000, 0, {}, {}],
    ['margin_purchase', 10_000, 0, {}, { 7: 10_000 }],
  ])('%s goes to its boxes, and taken back leaves nothing', (kind, net, vat, amounts, boxes) => {
    const { outcome, results } = book.decide(sampleAdjustment('a1', kind, net, vat));
    expect(outcome).toBe('accepted');
    expect(results[0]?.basePence).toBe(net);
    expect(Object.fromEntries((results[0]?.amounts ?? []).map(({ head, pence: amount }) => [head, amount]))).toEqual(
      amounts,
    );
    const empty = { 1: 0, 2: 0, 4: 0, 6: 0, 7: 0, 8: 0, 9: 0 };
    expect(book.boxes('2026-10-01')).toMatchObject({ ...empty, ...boxes });
    book.decide(sampleAdjustment('a2', kind, -net, -vat));
    expect(book.boxes('2026-10-01')).toEqual({ ...empty, 3: 0, 5: 0 });
  });

  it('recovers its share, rounded on the running sum with the purchases', () => {
    book.decide(samplePurchase('p1', 10, 1, { recoverableBasisPoints: 5_000 }));
    const { results } = book.decide(
      sampleAdjustment('a1', 'import_vat_paid', 10, 1, { recoverableBasisPoints: 5_000 }),
    );
    // 0.5 -> 1 before, 1.0 -> 1 now: nothing more.
    expect(results[0]?.amounts).toEqual([]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 4: 1 });
  });

  it.each([
    ['import_vat_paid', 'claim'],
    ['bad_debt_relief', 'claim'],
    ['error_overdeclared', 'claim'],
    ['import_pva', 'charge'],
    ['ni_acquisition', 'charge'],
    ['own_use', 'charge'],
    ['error_underdeclared', 'charge'],
    ['sale_export', 'charge'],
  ])('%s is a %s: what only gives VAT back is claimed', (kind, entryKind) => {
    const vat = kind === 'sale_export' ? 0 : 20;
    expect(book.decide(sampleAdjustment('a1', kind, 100, vat)).results[0]?.kind).toBe(entryKind);
  });

  it('says where and why it is refused', () => {
    const factsOf = (event: Parameters<VatBook['decide']>[0]) => {
      const { pointer, detail } = book.decide(event).rejections[0]?.facts ?? {};
      return [pointer, detail];
    };
    expect(factsOf(sampleAdjustment('a1', 'cash_paid', 100, 20))).toEqual(['/kind', 'for cash accounting alone']);
    expect(factsOf(sampleAdjustment('a2', 'frs_capital', 100, 20))).toEqual([
      '/kind',
      'for the flat rate scheme alone',
    ]);
    expect(factsOf(sampleAdjustment('a3', 'stock_opening', 100, 0, { ratePct: '20' }))).toEqual([
      '/kind',
      'stock is counted for apportionment 2 and direct calculation 2 alone',
    ]);
    expect(factsOf(sampleAdjustment('a4', 'goods_for_resale', 100, 0, { ratePct: '20' }))).toEqual([
      '/kind',
      'for the apportionment and direct calculation schemes alone',
    ]);
    const full = { n: 1, g: {}, p: 0, i: 0, f: 0, a: { own_use: [PERIOD_SUM_PENCE_MAX, 0] } };
    book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(full));
    expect(factsOf(sampleAdjustment('a5', 'own_use', 100, 20))).toEqual(['/netPence', BEYOND_COUNTING]);
    book = new VatBook(RULES);
    book.decide(sampleRegistration('r1', { cashAccounting: true }));
    expect(factsOf(sampleAdjustment('a6', 'bad_debt_relief', 0, 20))).toEqual([
      '/kind',
      'cash accounting relieves bad debts by itself',
    ]);
    book = new VatBook(RULES);
    book.decide(sampleRegistration('r1', { scheme: 'flatRate', flatRateSector: 'pubs' }));
    for (const kind of ['margin_purchase', 'margin_pool_purchase', 'margin_pool_sale']) {
      expect(factsOf(sampleAdjustment(kind, kind, 100))).toEqual([
        '/kind',
        'the flat rate scheme has no margin scheme beside it',
      ]);
    }
    expect(factsOf(sampleAdjustment('g1', 'goods_for_resale', 100, 0, { ratePct: '20' }))[0]).toBe('/kind');
    expect(factsOf(sampleAdjustment('c1', 'frs_capital', 166_666, 33_333))).toEqual([
      '/netPence',
      'capital goods cost at least 200000 pence with VAT',
    ]);
  });

  it('is refused of a period whose events are forgotten', () => {
    for (const [start, end] of [
      ['2025-01-01', '2025-03-31'],
      ['2026-04-01', '2026-06-30'],
    ] as const) {
      book.decide(sampleAdjustment(start, 'own_use', 100, 20, { taxPoint: localDate(start) }));
      book.decide(sampleClose(`c${start}`, start, end, 'hard'));
    }
    const { rejections } = book.decide(sampleAdjustment('a', 'own_use', 1, 0, { taxPoint: localDate('2025-03-31') }));
    expect(rejections).toMatchObject([{ code: 'E_EVENT_TOO_OLD', facts: { pointer: '/taxPoint' } }]);
  });

  it('is a repeat with the same body, a conflict with another', () => {
    const event = sampleAdjustment('a1', 'own_use', 5_000, 1_000);
    book.decide(event);
    expect(book.decide(event).outcome).toBe('repeat');
    expect(book.decide({ ...event, netPence: pence(1) }).rejections[0]?.code).toBe('EVENT_ID_CONFLICT');
  });

  it.each([
    ['teleport', 'E_ENTRY_KIND'],
    ['purchase', 'E_ENTRY_KIND'],
    ['frs_capital', 'E_SCHEME'],
    ['frs_relevant_goods', 'E_SCHEME'],
    ['cash_received', 'E_SCHEME'],
  ])('of the kind %s is refused at the point of sale scheme: %s', (kind, code) => {
    expect(book.decide(sampleAdjustment('a1', kind, 100, 20)).rejections[0]?.code).toBe(code);
    expect(book.state.size).toBe(0);
  });

  it.each(['goods_for_resale', 'stock_opening', 'stock_closing'])(
    'of the kind %s needs a scheme that counts goods',
    (kind) => {
      const event = sampleAdjustment('a1', kind, 100, 0, { ratePct: '20' });
      expect(book.decide(event).rejections[0]?.code).toBe('E_SCHEME');
    },
  );

  it('is refused where a sum could no longer be counted, whichever', () => {
    const full = PERIOD_SUM_PENCE_MAX - 10;
    const put = (account: object) => book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(account));
    put({ n: 1, g: {}, p: 0, i: 0, f: 0, a: { own_use: [full, 0] } });
    expect(book.decide(sampleAdjustment('a1', 'own_use', 100, 20)).rejections[0]?.code).toBe('E_AMOUNT_RANGE');
    put({ n: 1, g: {}, p: 0, i: full, f: 0 });
    expect(book.decide(sampleAdjustment('a2', 'import_vat_paid', 100, 20)).rejections[0]?.code).toBe('E_AMOUNT_RANGE');
    put({ n: 1, g: {}, p: 0, i: 0, f: 0, v: { S2000: full } });
    const margin = sampleAdjustment('a3', 'margin_sale', 100, 0, { costPence: pence(0) });
    expect(book.decide(margin).rejections[0]?.code).toBe('E_AMOUNT_RANGE');
    put({ n: 1, g: {}, p: 0, i: 0, f: 0, m: [full, 0, 2_000] });
    expect(book.decide(sampleAdjustment('a4', 'margin_pool_sale', 100)).rejections[0]?.code).toBe('E_AMOUNT_RANGE');
  });
});

describe('an error of a return before', () => {
  it('is flagged above 10,000.00 net, where box 6 does not carry more', () => {
    expect(book.decide(sampleAdjustment('e1', 'error_underdeclared', 0, 1_000_000)).results[0]?.flags).toEqual([]);
    expect(book.decide(sampleAdjustment('e2', 'error_underdeclared', 0, 1)).results[0]?.flags).toEqual([
      'ERROR_ABOVE_LIMIT',
    ]);
    // Netted: 10,000.01 - 0.02 is below again.
    expect(book.decide(sampleAdjustment('e3', 'error_overdeclared', 0, 2)).results[0]?.flags).toEqual([]);
  });

  it('is flagged with the entry that crosses the limit, and with no other; the return carries none of it', () => {
    const flags = (name: string, kind: string, net: number, vat: number) =>
      book.decide(sampleAdjustment(name, kind, net, vat)).results[0]?.flags;
    expect(flags('e0', 'error_underdeclared', 0, 900_000)).toEqual([]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 900_000 });
    expect(flags('e1', 'error_underdeclared', 0, 1_100_000)).toEqual(['ERROR_ABOVE_LIMIT']);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 0, 4: 0 });
    expect(book.total('outputVat')).toBe(0);
    expect(flags('o1', 'own_use', 100, 20)).toEqual([]);
    expect(flags('e2', 'error_overdeclared', 0, 1)).toEqual([]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 20, 4: 0, 6: 100 });
    // 20,000.00 less 10,000.00 is within the limit: both are on the return again.
    expect(flags('e3', 'error_overdeclared', 0, 999_999)).toEqual([]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 2_000_020, 4: 1_000_000 });
    expect(flags('e4', 'error_underdeclared', 0, 1)).toEqual(['ERROR_ABOVE_LIMIT']);
  });

  it('has no limit before 1 July 2008', () => {
    const before = sampleAdjustment('e1', 'error_underdeclared', 0, 2_000_000, { taxPoint: localDate('2008-06-30') });
    expect(book.decide(before).results[0]?.flags).toEqual([]);
    const after = sampleAdjustment('e2', 'error_underdeclared', 0, 2_000_000, { taxPoint: localDate('2008-07-01') });
    expect(book.decide(after).results[0]?.flags).toEqual(['ERROR_ABOVE_LIMIT']);
  });

  it('may be 1% of box 6, up to 50,000.00', () => {
    // 1% of 2,000,000.00 is 20,000.00.
    book.decide(sampleAdjustment('s1', 'sale_export', 200_000_000));
    expect(book.decide(sampleAdjustment('e1', 'error_overdeclared', 0, 2_000_000)).results[0]?.flags).toEqual([]);
    expect(book.decide(sampleAdjustment('e2', 'error_overdeclared', 0, 1)).results[0]?.flags).toEqual([
      'ERROR_ABOVE_LIMIT',
    ]);
    book.decide(sampleAdjustment('s2', 'sale_export', 20_000_000_000));
    expect(book.decide(sampleAdjustment('e3', 'error_overdeclared', 0, 2_999_999)).results[0]?.flags).toEqual([]);
    expect(book.decide(sampleAdjustment('e4', 'error_overdeclared', 0, 1)).results[0]?.flags).toEqual([
      'ERROR_ABOVE_LIMIT',
    ]);
  });
});

describe('the margin scheme', () => {
  const sell = (name: string, price: number, cost: number) =>
    book.decide(sampleAdjustment(name, 'margin_sale', price, 0, { costPence: pence(cost) })).results[0]?.amounts;

  it('taxes what an item brings above its cost, and a loss not at all', () => {
    // (1,600.00 - 1,000.00) / 6 = 100.00
    expect(sell('m1', 160_000, 100_000)).toEqual([{ head: 'outputVat', pence: 10_000 }]);
    expect(sell('m2', 50_000, 80_000)).toEqual([]);
    // Box 6: 1,600.00 + 500.00 - 100.00.
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 10_000, 6: 200_000 });
    expect(sell('back', -160_000, -100_000)).toEqual([{ head: 'outputVat', pence: -10_000 }]);
    // What is given away brings nothing.
    expect(sell('gift', 0, 5_000)).toEqual([]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 0, 6: 50_000 });
  });

  it('taxes a pool by its sales above its purchases', () => {
    book.decide(sampleAdjustment('p1', 'margin_pool_purchase', 100_000, 0, { dearestItemPence: pence(50_000) }));
    expect(book.decide(sampleAdjustment('p2', 'margin_pool_sale', 90_000)).results[0]?.amounts).toEqual([]);
    // (90,000 + 22,000 - 100,000) / 6 = 2,000
    const { results } = book.decide(sampleAdjustment('p3', 'margin_pool_sale', 22_000));
    expect(results[0]?.amounts).toEqual([{ head: 'outputVat', pence: 2_000 }]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 2_000, 6: 110_000, 7: 100_000 });
  });

  it('taxes a pool at the rate of the last day of its period, whichever of its events came first', () => {
    // On 4 January 2011 the standard rate went from 17.5% to 20%.
    const [old, now] = [{ taxPoint: localDate('2011-01-03') }, { taxPoint: localDate('2011-01-04') }];
    for (const [first, second] of [
      [old, now],
      [now, old],
    ] as const) {
      book = new VatBook(RULES);
      book.decide(sampleAdjustment('p1', 'margin_pool_sale', 6_000, 0, first));
      book.decide(sampleAdjustment('p2', 'margin_pool_sale', 6_000, 0, second));
      expect(book.boxes('2011-01-01')).toMatchObject({ 1: 2_000 });
    }
    // What is brought forward into a period of another rate has that of the period.
    book = new VatBook(RULES);
    book.decide(sampleAdjustment('p1', 'margin_pool_purchase', 6_000, 0, { taxPoint: localDate('2010-12-01') }));
    book.decide(sampleClose('c', '2010-10-01', '2010-12-31', 'hard'));
    book.decide(sampleAdjustment('p2', 'margin_pool_sale', 12_000, 0, old));
    expect(book.boxes('2011-01-01')).toMatchObject({ 1: 1_000 });
  });

  it('is of days that can still be assessed: nothing is taken further back than 20 years', () => {
    const before = { taxPoint: localDate('1970-01-01') };
    const item = sampleAdjustment('m1', 'margin_sale', 600, 0, { ...before, costPence: pence(0) });
    for (const event of [item, sampleAdjustment('m2', 'margin_pool_sale', 600, 0, before)]) {
      expect(book.decide(event).rejections[0]).toMatchObject({ code: 'E_DATE_PAST', facts: { pointer: '/taxPoint' } });
    }
    const last = { taxPoint: localDate('2006-11-21'), costPence: pence(0) };
    expect(book.decide(sampleAdjustment('m3', 'margin_sale', 600, 0, last)).outcome).toBe('accepted');
  });
});

describe('cash accounting', () => {
  beforeEach(() => {
    book.decide(sampleRegistration('r', { cashAccounting: true }));
  });

  it('counts an invoice when it is paid, both ways', () => {
    expect(book.decide(sampleAdjustment('i1', 'sale', 100_000, 20_000)).results[0]?.amounts).toEqual([]);
    expect(book.decide(samplePurchase('p1', 50_000, 10_000)).results[0]?.amounts).toEqual([]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 0, 4: 0, 6: 0, 7: 0 });
    book.decide(sampleAdjustment('c1', 'cash_received', 50_000, 10_000));
    book.decide(sampleAdjustment('c2', 'cash_paid', 25_000, 5_000));
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 10_000, 4: 5_000, 6: 50_000, 7: 25_000 });
  });

  it('counts a till’s sale at once: it is paid', () => {
    expect(book.decide(sampleSale('s1')).results[0]?.amounts).toEqual([{ head: 'outputVat', pence: 200 }]);
  });

  it('has no relief for bad debts: what was not paid was never due', () => {
    expect(book.decide(sampleAdjustment('b1', 'bad_debt_relief', 0, 100)).rejections[0]?.code).toBe('E_SCHEME');
  });
});

describe('the flat rate scheme', () => {
  const flat = (other: Parameters<typeof sampleRegistration>[1] = {}) =>
    book.decide(sampleRegistration('r', { scheme: 'flatRate', flatRateSector: 'catering', ...other }));
  const sale = (name: string, paid: number, occurredAt: string, category = 'standard') =>
    book.decide(
      sampleSale(name, {
        seq: Number(name.slice(1)),
        prevHash: name === 's1' ? null : 'a'.repeat(64),
        occurredAt,
        lines: [line('1', paid, category)],
      }),
    ).results[0];

  it('takes its percentage of turnover with VAT, exempt and zero-rated with it', () => {
    flat();
    // 12.5% of 1,000.00 + 200.00 + 100.00; what is outside the scope is no turnover.
    sale('s1', 100_000, '2026-11-21T10:00:00Z');
    sale('s2', 20_000, '2026-11-21T10:00:00Z', 'zero');
    sale('s3', 10_000, '2026-11-21T10:00:00Z', 'exempt');
    sale('s4', 10_000, '2026-11-21T10:00:00Z', 'outside');
    expect(book.total('outputVat')).toBe(16_250);
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 16_250, 6: 130_000 });
    book.decide(sampleAdjustment('i1', 'sale', 100_000, 20_000));
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 31_250, 6: 250_000 });
    book.decide(sampleAdjustment('d1', 'ni_dispatch', 100_000));
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 43_750, 6: 350_000, 8: 100_000 });
  });

  it('is one point less in the first year, from day to day within a period', () => {
    flat({ registeredOn: localDate('2025-11-21') });
    expect(sale('s1', 100_000, '2026-11-20T10:00:00Z')?.amounts).toEqual([{ head: 'outputVat', pence: 11_500 }]);
    expect(sale('s2', 100_000, '2026-11-21T10:00:00Z')?.amounts).toEqual([{ head: 'outputVat', pence: 12_500 }]);
  });

  it('takes 16.5% while relevant goods are below 2% of turnover or 250.00 a quarter', () => {
    flat({ limitedCostTest: true });
    expect(sale('s1', 1_000_000, '2026-11-21T10:00:00Z')?.amounts).toEqual([{ head: 'outputVat', pence: 165_000 }]);
    expect(book.decide(sampleAdjustment('g1', 'frs_relevant_goods', 20_833, 4_166)).results[0]?.amounts).toEqual([]);
    // 250.00 with VAT: at the minimum, and above 2% of 10,000.00.
    const { results } = book.decide(sampleAdjustment('g2', 'frs_relevant_goods', 1, 0));
    expect(results[0]?.amounts).toEqual([{ head: 'outputVat', pence: -40_000 }]);
    // 2% of 12,500.05 is above 250.00 again.
    expect(sale('s2', 250_005, '2026-11-21T10:00:00Z')?.amounts).toEqual([{ head: 'outputVat', pence: 81_251 }]);
  });

  it('counts no relevant goods beyond what is exact', () => {
    flat({ limitedCostTest: true });
    const account = { n: 1, g: {}, p: 0, i: 0, f: 0, s: { k: 'FRS', w: [25_000, 200] }, r: PERIOD_SUM_PENCE_MAX };
    book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(account));
    expect(book.decide(sampleAdjustment('g1', 'frs_relevant_goods', 1)).rejections[0]?.code).toBe('E_AMOUNT_RANGE');
    expect(book.decide(sampleAdjustment('g2', 'frs_relevant_goods', -1)).outcome).toBe('accepted');
  });

  it('at exactly 2% of turnover is no limited cost trader', () => {
    flat({ limitedCostTest: true });
    book.decide(sampleAdjustment('g1', 'frs_relevant_goods', 30_000));
    // 2% of 15,000.00 is 300.00: 12.5%.
    expect(sale('s1', 1_500_000, '2026-11-21T10:00:00Z')?.amounts).toEqual([{ head: 'outputVat', pence: 187_500 }]);
  });

  it('gives VAT back on capital goods of 2,000.00 and more, and on nothing else that is bought', () => {
    flat();
    expect(book.decide(samplePurchase('p1', 50_000, 10_000)).results[0]?.amounts).toEqual([]);
    expect(book.decide(sampleAdjustment('i1', 'import_vat_paid', 50_000, 10_000)).results[0]?.amounts).toEqual([]);
    expect(book.decide(sampleAdjustment('c1', 'frs_capital', 166_665, 33_333)).rejections[0]?.code).toBe(
      'E_FRS_CAPITAL',
    );
    const { results } = book.decide(sampleAdjustment('c2', 'frs_capital', 166_667, 33_333));
    expect(results[0]?.amounts).toEqual([{ head: 'inputVat', pence: -33_333 }]);
    expect(book.boxes('2026-10-01')).toMatchObject({ 4: 33_333, 7: 216_600 });
  });

  it('takes its percentage of every kind of sale by invoice, and gives back no VAT of imports and acquisitions', () => {
    flat();
    const boxes = (kind: string, net: number, vat: number) => {
      book = new VatBook(RULES);
      flat();
      book.decide(sampleAdjustment('a1', kind, net, vat));
      return book.boxes('2026-10-01');
    };
    // 12.5% of what was charged, VAT and all.
    expect(boxes('sale', 100_000, 20_000)).toMatchObject({ 1: 15_000, 6: 120_000 });
    for (const kind of ['sale_zero', 'sale_exempt', 'sale_export']) {
      expect(boxes(kind, 100_000, 0)).toMatchObject({ 1: 12_500, 6: 100_000 });
    }
    expect(boxes('sale_refund', 100_000, 20_000)).toMatchObject({ 1: -15_000, 6: -120_000 });
    expect(boxes('import_pva', 100_000, 20_000)).toMatchObject({ 1: 20_000, 4: 0, 7: 100_000 });
    expect(boxes('import_vat_paid', 100_000, 20_000)).toMatchObject({ 1: 0, 4: 0, 7: 100_000 });
    expect(boxes('ni_acquisition', 100_000, 20_000)).toMatchObject({ 2: 20_000, 4: 0, 7: 100_000, 9: 100_000 });
    // The reverse charge stands outside the scheme, both ways.
    expect(boxes('rc_services_in', 100_000, 20_000)).toMatchObject({ 1: 20_000, 4: 20_000 });
  });

  it('has no margin scheme beside it', () => {
    flat();
    const item = sampleAdjustment('m0', 'margin_sale', 1, 0, { costPence: pence(0) });
    expect(book.decide(item).rejections[0]?.code).toBe('E_SCHEME');
    expect(book.decide(sampleAdjustment('m1', 'margin_pool_sale', 1)).rejections[0]?.code).toBe('E_SCHEME');
  });
});

describe('a retail scheme', () => {
  const register = (
    scheme: 'apportionment1' | 'apportionment2' | 'directCalculation1' | 'directCalculation2',
    majority: string | null = null,
  ) => book.decide(sampleRegistration('r', { scheme, majorityRatePct: majority }));
  const goods = (name: string, amount: number, ratePct: string) =>
    book.decide(sampleAdjustment(name, 'goods_for_resale', amount, 0, { ratePct })).results[0]?.amounts;
  const take = (name: string, paid: number) => book.decide(sampleSale(name, { lines: [line('1', paid)] }));

  it('of apportionment 1 spreads takings as the goods bought: HMRC’s example', () => {
    register('apportionment1');
    take('s1', 3_400_000);
    // Until goods are recorded, as the till says: 34,000 / 6.
    expect(book.total('outputVat')).toBe(566_667);
    goods('g1', 1_600_000, '20');
    goods('g2', 100_000, '5');
    goods('g3', 1_000_000, '0');
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 341_798, 6: 3_058_200 });
    expect(book.total('outputVat')).toBe(341_798);
  });

  it('leaves out of the takings what is exempt or outside the scope', () => {
    const lines = [line('1', 60_000), line('2', 30_000, 'exempt'), line('3', 10_000, 'outside')];
    register('apportionment1');
    book.decide(sampleSale('s1', { lines }));
    goods('g1', 100, '20');
    goods('g2', 100, '0');
    // 600.00 / 2 / 6 = 50.00; box 6 has the exempt 300.00 too.
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 5_000, 6: 85_000 });
    book = new VatBook(RULES);
    register('directCalculation1', '20');
    book.decide(sampleSale('s1', { lines }));
    goods('g1', 30_000, '0');
    // (600.00 - 300.00) / 6.
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 5_000, 6: 85_000 });
  });

  it('of direct calculation 1 takes the minority at expected prices, the rest at the majority’s rate: HMRC’s example', () => {
    register('directCalculation1', '20');
    take('s1', 2_500_000);
    goods('g1', 250_000, '0');
    goods('g2', 10_500, '5');
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 373_750 });
    expect(book.total('outputVat')).toBe(373_750);
  });

  it('counts no more rates of stock than of goods, nor what it could not count exactly', () => {
    register('apportionment2');
    const stock = (name: string, amount: number, ratePct: string) =>
      book.decide(sampleAdjustment(name, 'stock_opening', amount, 0, { ratePct })).rejections[0]?.code ?? 'accepted';
    const rates = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`S${index + 1}`, 100]));
    const full = { n: 1, g: {}, p: 0, i: 0, f: 0, s: { k: 'A2' }, y: { d: 0, g: {}, q: {}, w: [], o: rates } };
    book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(full));
    expect(stock('more', 100, '20')).toBe('E_AMOUNT_RANGE');
    const most = PERIOD_SUM_PENCE_MAX;
    for (const [o, last] of [
      [most, 0],
      [0, most],
    ]) {
      const y = { d: 0, g: {}, q: {}, w: [{ S2000: last }], o: { S2000: o } };
      const account = { n: 1, g: {}, p: 0, i: 0, f: 0, s: { k: 'A2' }, y };
      book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(account));
      expect(stock(`most${o}`, 100, '20')).toBe('E_AMOUNT_RANGE');
    }
  });

  it('of apportionment 2 has its opening stock among the goods of the period before, whichever came before that', () => {
    register('apportionment2');
    const y = { d: 0, g: {}, q: {}, w: [{ S2000: 1 }, { S2000: 7 }, { S2000: 2, Z0: 4 }], o: {} };
    const account = { n: 1, g: {}, p: 0, i: 0, f: 0, s: { k: 'A2' }, y };
    book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(account));
    book.decide(sampleAdjustment('o1', 'stock_opening', 30, 0, { ratePct: '20' }));
    expect(JSON.parse(book.state.get('vat|vat:101747696|2026-10-01') ?? '').y).toMatchObject({
      w: [{ S2000: 1 }, { S2000: 7 }, { S2000: 32, Z0: 4 }],
      o: { S2000: 30 },
    });
  });

  it('of direct calculation never takes less than nothing at the majority’s rate', () => {
    register('directCalculation1', '0');
    take('s1', 60_000);
    goods('g1', 120_000, '20');
    expect(book.total('outputVat')).toBe(20_000);
  });

  it('tells apart so many rates of goods and no more', () => {
    register('apportionment1');
    const rates = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`S${index + 1}`, 100]));
    const full = { n: 1, g: {}, p: 0, i: 0, f: 0, s: { k: 'A1' }, q: { ...rates, S500: 100 } };
    book.state.set('vat|vat:101747696|2026-10-01', JSON.stringify(full));
    const { rejections } = book.decide(sampleAdjustment('more', 'goods_for_resale', 100, 0, { ratePct: '20' }));
    expect(rejections[0]?.code).toBe('E_AMOUNT_RANGE');
    expect(book.decide(sampleAdjustment('known', 'goods_for_resale', 100, 0, { ratePct: '5' })).outcome).toBe(
      'accepted',
    );
  });
});
