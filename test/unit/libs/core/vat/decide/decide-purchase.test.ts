import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { PurchaseRecorded } from '../../../../../../libs/core/events/vat-events.ts';
import { BEYOND_COUNTING, PERIOD_SUM_PENCE_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import { idOf } from '../../../../../support/sample-events.ts';
import { hashOfEvent, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import {
  sampleAdjustment,
  sampleClose,
  samplePurchase,
  sampleRegistration,
} from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const PERIOD = 'vat|vat:101747696|2026-10-01';
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

function refusal(event: PurchaseRecorded): readonly unknown[] {
  const { codes, pointer, detail } = book.decide(event).rejections[0]?.facts ?? {};
  return [codes, pointer, detail];
}

describe('a purchase', () => {
  it('is refused where the purchases of its period could no longer be counted exactly', () => {
    book.state.set(PERIOD, JSON.stringify({ n: 1, g: {}, p: PERIOD_SUM_PENCE_MAX, i: 0, f: 0 }));
    expect(refusal(samplePurchase('p1', 1, 0))).toEqual(['E_AMOUNT_RANGE', '/netPence', BEYOND_COUNTING]);
    expect(book.decide(samplePurchase('p2', -1, 0)).outcome).toBe('accepted');
  });

  it('is so, too, where it waits for its payment', () => {
    book.decide(sampleRegistration('r1', { cashAccounting: true }));
    const most = PERIOD_SUM_PENCE_MAX;
    const account = { n: 1, g: {}, p: 0, i: 0, f: 0, s: { c: 1 } };
    book.state.set(PERIOD, JSON.stringify({ ...account, a: { purchase: [most, 0] } }));
    expect(refusal(samplePurchase('p1', 1, 0))[0]).toBe('E_AMOUNT_RANGE');
    book.state.set(PERIOD, JSON.stringify({ ...account, u: [0, 0, most, 0, 0] }));
    expect(refusal(samplePurchase('p2', 1, 0))[0]).toBe('E_AMOUNT_RANGE');
  });

  it('and its credit are nothing in the boxes of the flat rate scheme: the percentage stands for them', () => {
    book.decide(sampleRegistration('r1', { scheme: 'flatRate', flatRateSector: 'pubs' }));
    book.decide(samplePurchase('p1', 1_000, 200));
    book.decide(samplePurchase('c1', -100, -20));
    expect(book.boxes('2026-10-01')).toMatchObject({ 1: 0, 4: 0, 7: 0 });
  });

  it('is refused of a period whose events are forgotten', () => {
    for (const [start, end] of [
      ['2025-01-01', '2025-03-31'],
      ['2026-04-01', '2026-06-30'],
    ] as const) {
      book.decide(samplePurchase(start, 100, 20, { taxPoint: localDate(start) }));
      book.decide(sampleClose(`c${start}`, start, end, 'hard'));
    }
    expect(refusal(samplePurchase('old', 100, 20, { taxPoint: localDate('2025-03-31') }))).toEqual([
      'E_EVENT_TOO_OLD',
      '/taxPoint',
      'of a period whose events are no longer told apart',
    ]);
  });

  it('is remembered by its hash, its number and the event counted before it in its period', () => {
    const first = samplePurchase('p1', 100, 20);
    const second = samplePurchase('p2', 100, 20);
    const other = samplePurchase('p3', 100, 20, { taxPoint: localDate('2026-07-01') });
    for (const event of [first, second, other]) book.decide(event);
    const remembered = (name: string) => JSON.parse(book.state.get(`event|vat:101747696|${idOf(name)}`) ?? '');
    expect(remembered('p1')).toEqual({ h: hashOfEvent(first).slice(0, 32), n: 1 });
    expect(remembered('p2')).toEqual({ h: hashOfEvent(second).slice(0, 32), n: 2, p: idOf('p1') });
    expect(remembered('p3')).toEqual({ h: hashOfEvent(other).slice(0, 32), n: 3 });
  });

  it('of a trader with too many open periods says so', () => {
    for (let index = 0; index < 64; index += 1) {
      const taxPoint = localDate(`${2007 + Math.floor(index / 4)}-${['02', '05', '08', '11'][index % 4]}-01`);
      book.decide(sampleAdjustment(`p${index}`, 'sale_zero', 100, 0, { taxPoint }));
    }
    expect(refusal(samplePurchase('more', 100, 20))).toEqual([
      'E_PERIODS_OPEN',
      '/taxPoint',
      'too many periods have events and are not closed',
    ]);
  });

  it('opens its period in order of time, whichever came first', () => {
    for (const date of ['2026-07-01', '2026-01-01', '2026-10-05', '2026-04-01']) {
      book.decide(samplePurchase(date, 100, 20, { taxPoint: localDate(date) }));
    }
    const { o } = JSON.parse(book.state.get('trader|vat:101747696') ?? '');
    expect(o).toEqual([
      ['2026-01-01', '2026-03-31', 0],
      ['2026-04-01', '2026-06-30', 0],
      ['2026-07-01', '2026-09-30', 0],
      ['2026-10-01', '2026-12-31', 0],
    ]);
  });
});
