import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { duePeriodCloses, periodCloseId } from '../../../../../../libs/core/vat/standing/due-period-closes.ts';
import type { PeriodAccount } from '../../../../../../libs/core/vat/state/period-account.ts';
import { type TraderState, traderOf } from '../../../../../../libs/core/vat/state/trader.ts';
import { idOf, sampleSale } from '../../../../../support/sample-events.ts';
import { line, sampleRefund, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  samplePurchase,
  sampleRegistration,
} from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const OWNER = account('vat:101747696');
let book: VatBook;
let seq: number;
beforeEach(() => {
  book = new VatBook(RULES);
  seq = 0;
});

function sell(name: string, date: string, paid = 1_200) {
  seq += 1;
  return sampleSale(name, {
    seq,
    prevHash: seq === 1 ? null : 'a'.repeat(64),
    occurredAt: `${date}T10:00:00Z`,
    lines: [line('1', paid)],
    totalPence: pence(paid),
  });
}

const trader = (): TraderState => {
  const text = book.state.get('trader|vat:101747696');
  return traderOf(OWNER, { get: () => (text === undefined ? undefined : JSON.parse(text)) });
};
const period = (start: string): PeriodAccount => JSON.parse(book.state.get(`vat|vat:101747696|${start}`) ?? '{}');
const close = (name: string, start: string, end: string, how: 'soft' | 'hard') =>
  book.decide(sampleClose(name, start, end, how));
const codeOf = (decision: ReturnType<VatBook['decide']>) => decision.rejections[0]?.code ?? decision.outcome;

describe('a soft close', () => {
  it('is an entry without amounts; what comes late still counts in its period, and is flagged', () => {
    book.decide(sell('s1', '2026-08-10'));
    const { results } = close('c1', '2026-07-01', '2026-09-30', 'soft');
    expect(results[0]).toMatchObject({ kind: 'charge', taxPeriod: '2026-07-01/2026-09-30', basePence: 0, amounts: [] });
    const late = book.decide(sell('s2', '2026-08-11')).results[0];
    expect(late).toMatchObject({ taxPeriod: '2026-07-01/2026-09-30', amounts: [{ head: 'outputVat', pence: 200 }] });
    expect(late?.flags).toContain('PERIOD_SOFT_CLOSED');
    expect(trader().o).toEqual([['2026-07-01', '2026-09-30', 1]]);
  });

  it('comes once', () => {
    close('c1', '2026-07-01', '2026-09-30', 'soft');
    expect(close('c1', '2026-07-01', '2026-09-30', 'soft').outcome).toBe('repeat');
    expect(codeOf(close('c2', '2026-07-01', '2026-09-30', 'soft'))).toBe('E_PERIOD_CLOSED');
  });
});

describe('a hard close', () => {
  it('sends later events into the next open period, tagged with theirs', () => {
    book.decide(sell('s1', '2026-08-10'));
    close('c1', '2026-07-01', '2026-09-30', 'hard');
    const { results } = book.decide(sell('s2', '2026-09-30', 2_400));
    expect(results[0]).toMatchObject({
      taxPeriod: '2026-10-01/2026-12-31',
      amounts: [{ head: 'outputVat', pence: 400 }],
      flags: ['E_CHAIN_BROKEN', 'LATE_PERIOD'],
    });
    book.decide(samplePurchase('p1', 1_000, 200, { taxPoint: localDate('2026-07-01') }));
    book.decide(samplePurchase('p2', 1_000, 200, { taxPoint: localDate('2026-05-01') }));
    expect(period('2026-10-01').l).toEqual({ '2026-07-01': [2, 400, 200], '2026-04-01': [1, 0, 200] });
    expect(book.boxes('2026-07-01')).toMatchObject({ 1: 200, 4: 0 });
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 400, 4: 400 });
  });

  it('tells apart so many original periods, and counts the others together', () => {
    close('c1', '2026-07-01', '2026-09-30', 'hard');
    const late = (name: string, day: string) =>
      book.decide(sampleAdjustment(name, 'sale', 100, 20, { taxPoint: localDate(day) }));
    for (let year = 2007; year < 2025; year += 1) late(`p${year}`, `${year}-02-01`);
    const told = period('2026-10-01').l ?? {};
    expect(Object.keys(told)).toHaveLength(17);
    expect(told['']).toEqual([2, 40, 0]);
    expect(told['2007-01-01']).toEqual([1, 20, 0]);
    late('again', '2007-03-01');
    expect(period('2026-10-01').l?.['2007-01-01']).toEqual([2, 40, 0]);
    expect(period('2026-10-01').l?.['']).toEqual([2, 40, 0]);
  });

  it('is refused out of order, twice, before the end, and for what is no period of the trader', () => {
    book.decide(sell('s1', '2026-05-10'));
    book.decide(sell('s2', '2026-08-10'));
    expect(codeOf(close('c1', '2026-07-01', '2026-09-30', 'hard'))).toBe('E_PERIOD_ORDER');
    expect(codeOf(close('c2', '2026-04-01', '2026-06-30', 'hard'))).toBe('accepted');
    expect(codeOf(close('c3', '2026-04-01', '2026-06-30', 'hard'))).toBe('E_PERIOD_CLOSED');
    expect(codeOf(close('c4', '2026-04-01', '2026-06-30', 'soft'))).toBe('E_PERIOD_CLOSED');
    expect(codeOf(close('c5', '2026-07-01', '2026-08-31', 'hard'))).toBe('E_PERIOD');
    expect(codeOf(close('c6', '2026-07-02', '2026-09-30', 'hard'))).toBe('E_PERIOD');
    const early = {
      ...sampleClose('c7', '2026-07-01', '2026-09-30', 'hard'),
      receivedAtMs: Date.UTC(2026, 8, 30, 22, 59),
    };
    expect(codeOf(book.decide(early))).toBe('E_PERIOD_NOT_ENDED');
    // 23:00 UTC is the first of October in London.
    expect(codeOf(book.decide({ ...early, receivedAtMs: Date.UTC(2026, 8, 30, 23) }))).toBe('accepted');
  });

  it('says where and why it is refused', () => {
    const factsOf = (decision: ReturnType<VatBook['decide']>) => {
      const { pointer, detail } = decision.rejections[0]?.facts ?? {};
      return [pointer, detail];
    };
    book.decide(sell('s1', '2026-05-10'));
    expect(factsOf(close('c1', '2026-07-01', '2026-08-31', 'soft'))).toEqual([
      '/periodStart',
      "the trader's period is 2026-07-01 to 2026-09-30",
    ]);
    expect(factsOf(close('c2', '2026-07-01', '2026-09-30', 'hard'))).toEqual([
      '/periodStart',
      'a period before it is not closed',
    ]);
    const early = { ...sampleClose('c3', '2026-07-01', '2026-09-30', 'soft'), receivedAtMs: Date.UTC(2026, 8, 30) };
    expect(factsOf(book.decide(early))).toEqual(['/periodEnd', 'the period has not ended']);
    close('c4', '2026-04-01', '2026-06-30', 'hard');
    expect(factsOf(close('c5', '2026-04-01', '2026-06-30', 'hard'))).toEqual(['/close', 'the period is closed']);
  });

  it('comes in order of time; a soft one may come before those of earlier periods', () => {
    book.decide(sell('s1', '2026-05-10'));
    book.decide(sell('s2', '2026-08-10'));
    expect(codeOf(close('c1', '2026-07-01', '2026-09-30', 'soft'))).toBe('accepted');
    expect(trader().o).toEqual([
      ['2026-04-01', '2026-06-30', 0],
      ['2026-07-01', '2026-09-30', 1],
    ]);
    expect(codeOf(close('c2', '2026-04-01', '2026-06-30', 'soft'))).toBe('accepted');
    expect(codeOf(close('c3', '2026-04-01', '2026-06-30', 'hard'))).toBe('accepted');
    expect(trader()).toMatchObject({ o: [['2026-07-01', '2026-09-30', 1]], h: '2026-06-30' });
  });

  it('of a trader whose days make a short period is in order with the day before it', () => {
    book.decide(sampleRegistration('r1', { validFrom: localDate('2026-07-01') }));
    book.decide(sampleRegistration('r2', { validFrom: localDate('2026-09-01'), cadence: 'stagger2' }));
    book.decide(sell('s1', '2026-08-31'));
    book.decide(sell('s2', '2026-09-01'));
    expect(codeOf(close('c1', '2026-09-01', '2026-10-31', 'hard'))).toBe('E_PERIOD_ORDER');
    expect(codeOf(close('c2', '2026-07-01', '2026-08-31', 'hard'))).toBe('accepted');
    expect(codeOf(close('c3', '2026-09-01', '2026-10-31', 'hard'))).toBe('accepted');
  });

  it('is an entry of its own period without amounts where nothing is brought forward', () => {
    book.decide(sell('s1', '2026-08-10'));
    expect(close('c1', '2026-07-01', '2026-09-30', 'hard').results[0]).toMatchObject({
      kind: 'charge',
      taxPeriod: '2026-07-01/2026-09-30',
      basePence: 0,
      amounts: [],
    });
    expect(book.state.has('vat|vat:101747696|2026-10-01')).toBe(false);
  });

  it('may come after a soft one, and of a period without events', () => {
    close('c1', '2026-07-01', '2026-09-30', 'soft');
    expect(close('c2', '2026-07-01', '2026-09-30', 'hard').outcome).toBe('accepted');
    expect(trader()).toMatchObject({ o: [], h: '2026-09-30' });
  });

  it('lets a refund name a sale of the closed period, at the sale’s rate', () => {
    book.decide(sell('s1', '2026-08-10'));
    close('c1', '2026-07-01', '2026-09-30', 'hard');
    const refund = sampleRefund('r1', idOf('s1'), [line('1', -1_200)], { seq: 2, occurredAt: '2026-10-05T10:00:00Z' });
    expect(book.decide(refund).results[0]).toMatchObject({
      taxPeriod: '2026-10-01/2026-12-31',
      amounts: [{ head: 'outputVat', pence: -200 }],
      flags: ['E_CHAIN_BROKEN'],
    });
  });
});

describe('an event from before a trader’s registration, of the flat rate scheme', () => {
  it('bears no VAT, though its period is closed', () => {
    const registration = {
      scheme: 'flatRate',
      flatRateSector: 'catering',
      registeredOn: localDate('2026-10-01'),
    } as const;
    book.decide(sampleRegistration('r1', { ...registration, validFrom: localDate('2026-10-01') }));
    close('c1', '2026-07-01', '2026-09-30', 'hard');
    expect(book.decide(sell('s1', '2026-08-10', 100_000)).results[0]).toMatchObject({
      taxPeriod: '',
      amounts: [],
      flags: ['BEFORE_REGISTRATION'],
    });
  });
});

describe('an event from before the flat rate scheme', () => {
  it('that comes late has the percentage of the period in which it counts', () => {
    book.decide(sampleRegistration('r1', { validFrom: localDate('2026-07-01') }));
    book.decide(
      sampleRegistration('r2', { validFrom: localDate('2026-10-01'), scheme: 'flatRate', flatRateSector: 'catering' }),
    );
    close('c1', '2026-07-01', '2026-09-30', 'hard');
    const { results } = book.decide(sell('s1', '2026-08-10', 100_000));
    expect(results[0]).toMatchObject({
      taxPeriod: '2026-10-01/2026-12-31',
      amounts: [{ head: 'outputVat', pence: 12_500 }],
    });
  });
});

describe('what is remembered', () => {
  const quarters = [
    ['2025-01-01', '2025-03-31'],
    ['2025-04-01', '2025-06-30'],
    ['2025-07-01', '2025-09-30'],
    ['2025-10-01', '2025-12-31'],
    ['2026-01-01', '2026-03-31'],
    ['2026-04-01', '2026-06-30'],
  ] as const;
  const known = () => [...book.state.keys()].filter((key) => key.startsWith('event|')).length;

  it('of a period is forgotten, a few ids with each event, once a period 400 days later is closed hard', () => {
    for (let index = 0; index < 7; index += 1) book.decide(sell(`old${index}`, '2025-02-10'));
    quarters.forEach(([start, end], index) => {
      close(`c${index}`, start, end, 'hard');
    });
    expect(trader().k).toBe('2025-03-31');
    // Two went with the last close itself.
    expect(known()).toBe(7 + 6 - 2);
    for (let index = 0; index < 3; index += 1) book.decide(sell(`new${index}`, '2026-07-10'));
    expect(known()).toBe(0 + 6 + 3);
    expect(trader().x).toEqual([]);
  });

  it('is kept 400 days after the end of its period, and not a day longer', () => {
    // 5 May 2026 is 400 days after 31 March 2025.
    const closeAt = (last: string) => {
      book = new VatBook(RULES);
      seq = 0;
      const next = localDate(last === '2026-05-05' ? '2026-05-06' : '2026-05-07');
      book.decide(sampleRegistration('r1', { validFrom: localDate('2025-01-01') }));
      book.decide(sampleRegistration('r2', { validFrom: next, cadence: 'stagger2' }));
      book.decide(sell('old', '2025-02-10'));
      close('c1', '2025-01-01', '2025-03-31', 'hard');
      book.decide(sell('mid', '2025-04-10'));
      close('c2', '2025-04-01', '2025-06-30', 'hard');
      close('c3', '2026-04-01', last, 'hard');
      return trader();
    };
    expect(closeAt('2026-05-05')).toMatchObject({
      k: null,
      x: [],
      d: [
        ['2025-03-31', idOf('old')],
        ['2025-06-30', idOf('mid')],
      ],
    });
    expect(closeAt('2026-05-06')).toMatchObject({ k: '2025-03-31', x: [], d: [['2025-06-30', idOf('mid')]] });
  });

  it('is forgotten of purchases and adjustments too', () => {
    for (let index = 0; index < 5; index += 1) {
      book.decide(samplePurchase(`old${index}`, 100, 20, { taxPoint: localDate('2025-02-10') }));
    }
    quarters.forEach(([start, end], index) => {
      close(`c${index}`, start, end, 'hard');
    });
    for (let index = 0; index < 3; index += 1) book.decide(sell(`new${index}`, '2026-07-10'));
    expect(known()).toBe(6 + 3);
    expect(trader()).toMatchObject({ x: [], d: [] });
  });

  it('is forgotten once for each accepted event, also where one lets others go: the payer decides them one by one', () => {
    for (let index = 0; index < 9; index += 1) book.decide(sell(`old${index}`, '2025-02-10'));
    quarters.forEach(([start, end], index) => {
      close(`c${index}`, start, end, 'hard');
    });
    const waiting = sampleRefund('r', idOf('new'), [line('1', -1_200)], {
      seq: 99,
      occurredAt: '2026-07-10T11:00:00Z',
    });
    expect(book.decide(waiting).outcome).toBe('held');
    const before = known();
    expect(book.decide(sell('new', '2026-07-10')).results).toHaveLength(2);
    // Two are new, four went.
    expect(known()).toBe(before + 2 - 4);
  });

  it('makes a repeat of what is forgotten an event too old, never a second sale', () => {
    const old = sell('old', '2025-02-10');
    book.decide(old);
    quarters.forEach(([start, end], index) => {
      close(`c${index}`, start, end, 'hard');
    });
    expect(codeOf(book.decide(old))).toBe('E_EVENT_TOO_OLD');
    expect(codeOf(book.decide(samplePurchase('p', 100, 20, { taxPoint: localDate('2025-03-31') })))).toBe(
      'E_EVENT_TOO_OLD',
    );
    expect(codeOf(book.decide(samplePurchase('p', 100, 20, { taxPoint: localDate('2025-04-01') })))).toBe('accepted');
  });

  it('is no more than so many open periods', () => {
    for (let index = 0; index < 64; index += 1) {
      const day = localDate(`${2007 + (index - (index % 4)) / 4}-${['02', '05', '08', '11'][index % 4]}-01`);
      expect(codeOf(book.decide(sampleAdjustment(`p${index}`, 'sale_zero', 100, 0, { taxPoint: day })))).toBe(
        'accepted',
      );
    }
    const more = samplePurchase('more', 100, 20, { taxPoint: localDate('2024-01-01') });
    expect(codeOf(book.decide(more))).toBe('E_PERIODS_OPEN');
    const known = sampleAdjustment('in', 'sale_zero', 100, 0, { taxPoint: localDate('2007-02-02') });
    expect(codeOf(book.decide(known))).toBe('accepted');
  });
});

/** A purchase for the pool above the limit of an item says what its dearest cost. */
const dearest = (kind: string) => (kind === 'margin_pool_purchase' ? { dearestItemPence: pence(100) } : {});

describe('what a close brings forward', () => {
  it('is the deficit of a margin pool: it lowers the next period’s margin, in an entry of that period', () => {
    const pool = (name: string, kind: string, amount: number, taxPoint: string) =>
      book.decide(sampleAdjustment(name, kind, amount, 0, { taxPoint: localDate(taxPoint), ...dearest(kind) }));
    pool('a', 'margin_pool_purchase', 100_000, '2026-08-10');
    pool('b', 'margin_pool_sale', 40_000, '2026-08-10');
    pool('c', 'margin_pool_sale', 90_000, '2026-10-10');
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 15_000 });
    const { results } = close('c1', '2026-07-01', '2026-09-30', 'hard');
    // (90,000 - 60,000) / 6 = 5,000.
    expect(results[0]).toMatchObject({
      taxPeriod: '2026-10-01/2026-12-31',
      amounts: [{ head: 'outputVat', pence: -10_000 }],
    });
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 5_000, 6: 85_000 });
    expect(trader().o).toEqual([['2026-10-01', '2026-12-31', 0]]);
  });

  it('opens the next period where it had no events, at the rate of the pool, and moves nothing there yet', () => {
    const pool = (name: string, kind: string, amount: number, taxPoint: string) =>
      book.decide(sampleAdjustment(name, kind, amount, 0, { taxPoint: localDate(taxPoint), ...dearest(kind) }))
        .results[0]?.amounts;
    pool('a', 'margin_pool_purchase', 100_000, '2026-08-10');
    expect(close('c1', '2026-07-01', '2026-09-30', 'hard').results[0]).toMatchObject({
      taxPeriod: '2026-07-01/2026-09-30',
      amounts: [],
    });
    expect(period('2026-10-01').m).toEqual([0, 100_000, 2_000]);
    expect(period('2026-10-01').y).toBeUndefined();
    expect(trader().o).toEqual([['2026-10-01', '2026-12-31', 0]]);
    expect(pool('b', 'margin_pool_sale', 106_000, '2026-10-10')).toEqual([{ head: 'outputVat', pence: 1_000 }]);
  });

  it('leaves the next period softly closed where it is', () => {
    const at = { taxPoint: localDate('2026-08-10'), dearestItemPence: pence(100) };
    book.decide(sampleAdjustment('a', 'margin_pool_purchase', 100_000, 0, at));
    book.decide(sampleAdjustment('b', 'margin_pool_sale', 60_000));
    close('c1', '2026-10-01', '2026-12-31', 'soft');
    close('c2', '2026-07-01', '2026-09-30', 'hard');
    expect(trader().o).toEqual([['2026-10-01', '2026-12-31', 1]]);
  });

  it('is nothing of a surplus, nor of goods where the scheme changes', () => {
    const at = { taxPoint: localDate('2026-08-10') };
    book.decide(sampleRegistration('r1', { scheme: 'apportionment1', validFrom: localDate('2026-07-01') }));
    const next = { scheme: 'apportionment2', validFrom: localDate('2026-10-01') } as const;
    book.decide(sampleRegistration('r2', next));
    book.decide(sampleAdjustment('a', 'margin_pool_purchase', 100, 0, at));
    book.decide(sampleAdjustment('b', 'margin_pool_sale', 100, 0, at));
    book.decide(sampleAdjustment('g', 'goods_for_resale', 100, 0, { ...at, ratePct: '20' }));
    close('c1', '2026-07-01', '2026-09-30', 'hard');
    expect(period('2026-10-01')).toEqual({});
    expect(trader().o).toEqual([]);
  });

  const goods = (name: string, kind: string, amount: number, ratePct: string, taxPoint: string) =>
    book.decide(sampleAdjustment(name, kind, amount, 0, { ratePct, taxPoint: localDate(taxPoint) }));
  const year = [
    ['2025-04-01', '2025-06-30'],
    ['2025-07-01', '2025-09-30'],
    ['2025-10-01', '2025-12-31'],
    ['2026-01-01', '2026-03-31'],
  ] as const;

  it.each([
    ['directCalculation1', { majorityRatePct: '20' }],
    ['flatRate', { flatRateSector: 'pubs' }],
  ] as const)('of %s is nothing: each period stands for itself', (scheme, more) => {
    book.decide(sampleRegistration('r', { scheme, ...more, validFrom: localDate('2026-01-01') }));
    book.decide(sell('s1', '2026-08-10'));
    expect(close('c1', '2026-07-01', '2026-09-30', 'hard').results[0]?.amounts).toEqual([]);
    expect(period('2026-10-01')).toEqual({});
  });

  it('of apportionment 1 is the year so far: the last quarter is the year’s VAT less what was accounted for', () => {
    book.decide(sampleRegistration('r', { scheme: 'apportionment1', validFrom: localDate('2025-04-01') }));
    // Takings 1,200.00 a quarter; of the goods bought 1/2, 1/2, 1/2, 1/4 are standard-rated, of 1,000.00 each.
    year.forEach(([start, end], index) => {
      book.decide(sell(`s${index}`, start, 120_000));
      const standard = index === 3 ? 25_000 : 50_000;
      goods(`g${index}`, 'goods_for_resale', standard, '20', start);
      goods(`z${index}`, 'goods_for_resale', 100_000 - standard, '0', start);
      if (index < 3) {
        expect(book.boxes(start)).toMatchObject({ 1: 10_000 });
        close(`c${index}`, start, end, 'hard');
      }
    });
    // The year: 4,800.00 x 175,000/400,000 / 6 = 350.00; less 3 x 100.00.
    expect(book.boxes('2026-01-01')).toMatchObject({ 1: 5_000 });
    expect(book.total('outputVat')).toBe(35_000);
    close('c3', '2026-01-01', '2026-03-31', 'hard');
    goods('n1', 'goods_for_resale', 100, '20', '2026-04-01');
    book.decide(sell('n', '2026-04-01', 1_200));
    expect(book.boxes('2026-04-01')).toMatchObject({ 1: 200 });
    expect(period('2026-04-01').m).toBeUndefined();
  });

  it('of apportionment 2 is the goods of three quarters, opening stock among them', () => {
    book.decide(sampleRegistration('r', { scheme: 'apportionment2', validFrom: localDate('2025-04-01') }));
    goods('o1', 'stock_opening', 60_000, '20', '2025-04-01');
    year.forEach(([start, end], index) => {
      book.decide(sell(`s${index}`, start, 120_000));
      goods(`g${index}`, 'goods_for_resale', 30_000, '20', start);
      goods(`z${index}`, 'goods_for_resale', 30_000, '0', start);
      // Opening stock counts for three quarters: 90/120, 120/180, 150/240, then 120/240 of 1,200.00, a sixth of it.
      expect(book.boxes(start)).toMatchObject({ 1: [15_000, 13_333, 12_500, 10_000][index] });
      close(`c${index}`, start, end, 'hard');
    });
  });

  it('of direct calculation 2 is the year so far: stock at its ends adjusts the last quarter', () => {
    const from = { scheme: 'directCalculation2' as const, majorityRatePct: '20', validFrom: localDate('2025-04-01') };
    book.decide(sampleRegistration('r', from));
    goods('o', 'stock_opening', 30_000, '0', '2025-04-01');
    year.forEach(([start, end], index) => {
      book.decide(sell(`s${index}`, start, 120_000));
      goods(`g${index}`, 'goods_for_resale', 60_000, '0', start);
      // Of 1,200.00, 600.00 are zero-rated: 100.00.
      expect(book.boxes(start)).toMatchObject({ 1: 10_000 });
      if (index < 3) close(`c${index}`, start, end, 'hard');
    });
    goods('e', 'stock_closing', 90_000, '0', '2026-03-31');
    // Sold at zero in the year: 300 + 4 x 600 - 900 = 1,800.00; (4,800 - 1,800) / 6 = 500.00, less 3 x 100.00.
    expect(book.boxes('2026-01-01')).toMatchObject({ 1: 20_000 });
    close('c3', '2026-01-01', '2026-03-31', 'hard');
    expect(period('2026-04-01').y).toMatchObject({ d: 0, o: { Z0: 90_000 } });
  });
});

describe('the closes that are due', () => {
  it('are soft ones of periods that ended more than seven days before, each once', () => {
    book.decide(sell('s1', '2026-08-10'));
    book.decide(sell('s2', '2026-10-10'));
    expect(duePeriodCloses(OWNER, trader(), localDate('2026-10-07'))).toEqual([]);
    const due = duePeriodCloses(OWNER, trader(), localDate('2026-10-08'));
    expect(due).toMatchObject([{ periodStart: '2026-07-01', periodEnd: '2026-09-30', close: 'soft' }]);
    expect(duePeriodCloses(OWNER, trader(), localDate('2026-10-09'))).toEqual(due);
    const { eventId } = due[0] ?? { eventId: idOf('none') };
    book.decide({ ...sampleClose('x', '2026-07-01', '2026-09-30', 'soft'), eventId });
    expect(duePeriodCloses(OWNER, trader(), localDate('2026-10-09'))).toEqual([]);
  });

  it('have ids of their own, by account, period and kind', () => {
    const other = account('vat:101747641');
    const [july, october] = [
      [localDate('2026-07-01'), localDate('2026-09-30')],
      [localDate('2026-10-01'), localDate('2026-12-31')],
    ] as const;
    const ids = [
      periodCloseId(OWNER, ...july, 'soft'),
      periodCloseId(OWNER, ...july, 'hard'),
      periodCloseId(OWNER, ...october, 'soft'),
      periodCloseId(OWNER, july[0], october[1], 'soft'),
      periodCloseId(other, ...july, 'soft'),
    ];
    expect(new Set(ids).size).toBe(5);
    expect(periodCloseId(OWNER, ...july, 'soft')).toBe(ids[0]);
    book.decide(sell('s1', '2026-08-10'));
    expect(duePeriodCloses(OWNER, trader(), localDate('2026-10-08'))[0]?.eventId).toBe(ids[0]);
  });
});
