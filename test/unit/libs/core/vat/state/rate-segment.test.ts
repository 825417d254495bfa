import { beforeEach, describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { TraderRegistered } from '../../../../../../libs/core/events/vat-events.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { majorityOfSegment, rateSegmentOn } from '../../../../../../libs/core/vat/state/rate-segment.ts';
import { sampleSale } from '../../../../../support/sample-events.ts';
import { line, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleAdjustment, sampleClose, sampleRegistration } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
/** On 4 January 2011 the standard rate went from 17.5% to 20%. */
const [OLD, NEW] = ['2011-01-03', '2011-01-04'];
let book: VatBook;
let count: number;
beforeEach(() => {
  book = new VatBook(RULES);
  count = 0;
});

const register = (other: Partial<TraderRegistered>) =>
  book.decide(sampleRegistration('r', { validFrom: localDate('2010-04-01'), ...other }));
const sell = (day: string, paidPence: number, category = 'standard', receivedAtMs = Date.UTC(2026, 10, 21)) => {
  count += 1;
  const occurredAt = `${day}T10:00:00Z`;
  const prevHash = count === 1 ? null : 'a'.repeat(64);
  const lines = [line('1', paidPence, category)];
  return book.decide(
    sampleSale(`s${count}`, { seq: count, prevHash, occurredAt, lines, totalPence: pence(paidPence), receivedAtMs }),
  );
};
const goods = (day: string, amount: number, ratePct: string, kind = 'goods_for_resale') => {
  count += 1;
  return book.decide(sampleAdjustment(`g${count}`, kind, amount, 0, { ratePct, taxPoint: localDate(day) }));
};
const box1 = (start = '2011-01-01') => book.boxes(start)[1];
const amountOf = (decision: ReturnType<VatBook['decide']>) => decision.results[0]?.amounts[0]?.pence ?? 0;

describe('direct calculation 1 over a change of the standard rate', () => {
  beforeEach(() => register({ scheme: 'directCalculation1', majorityRatePct: '17.5' }));

  it('is two calculations, one for each stretch, added', () => {
    sell(OLD, 94_000);
    goods(OLD, 47_000, '0');
    sell(NEW, 120_000);
    goods(NEW, 60_000, '0');
    // (940.00 - 470.00) x 7/47 = 70.00; (1,200.00 - 600.00) / 6 = 100.00.
    expect(box1()).toBe(17_000);
  });

  it('counts a late sale at the rate of its own day, alone in its stretch', () => {
    sell(NEW, 120_000);
    expect(amountOf(sell(OLD, 47_000))).toBe(7_000);
    expect(box1()).toBe(27_000);
  });

  it('follows the rate into the periods after, without a new registration', () => {
    sell('2011-04-01', 120_000, 'zero');
    expect(box1('2011-04-01')).toBe(20_000);
  });

  it('of an earlier period that is closed counts in the next one, at the rate of its day', () => {
    sell('2010-10-05', 100);
    book.decide(sampleClose('c', '2010-10-01', '2010-12-31', 'hard'));
    sell(NEW, 120_000);
    expect(amountOf(sell('2010-12-31', 47_000, 'standard', Date.UTC(2011, 0, 10)))).toBe(7_000);
    expect(box1()).toBe(27_000);
  });

  it('gives back what is refunded where it was taken', () => {
    sell(OLD, 47_000);
    sell(NEW, 120_000);
    count += 1;
    const back = sampleAdjustment(`g${count}`, 'goods_for_resale', 47_000, 0, {
      ratePct: '0',
      taxPoint: localDate(OLD),
    });
    // All of the old stretch is zero-rated by now.
    expect(amountOf(book.decide(back))).toBe(-7_000);
  });
});

describe('direct calculation 1 of another majority', () => {
  it('at 0% is not split: the minority goods name their own rates', () => {
    register({ scheme: 'directCalculation1', majorityRatePct: '0' });
    sell(OLD, 100_000);
    sell(NEW, 100_000);
    goods(OLD, 47_000, '17.5');
    goods(NEW, 60_000, '20');
    expect(box1()).toBe(17_000);
    expect(JSON.parse(book.state.get('vat|vat:101747696|2011-01-01') ?? '{}')).not.toHaveProperty('z');
  });

  it('at a rate that is neither the standard nor the reduced one stays at it', () => {
    register({ scheme: 'directCalculation1', majorityRatePct: '20' });
    sell(OLD, 60_000);
    sell(NEW, 60_000);
    expect(box1()).toBe(20_000);
  });
});

describe('direct calculation 2 over a change of the standard rate', () => {
  it('adjusts the year by stock: what was there was sold first, what is left came last', () => {
    register({ scheme: 'directCalculation2', majorityRatePct: '17.5', validFrom: localDate('2010-10-01') });
    goods('2010-10-01', 23_500, '0', 'stock_opening');
    sell('2010-10-01', 94_000);
    goods('2010-10-01', 47_000, '0');
    // (940.00 - 470.00) x 7/47.
    expect(box1('2010-10-01')).toBe(7_000);
    book.decide(sampleClose('c', '2010-10-01', '2010-12-31', 'hard'));
    sell(OLD, 47_000);
    sell(NEW, 120_000);
    goods(NEW, 60_000, '0');
    // 470.00 x 7/47 = 70.00, (1,200.00 - 600.00) / 6 = 100.00.
    expect(box1()).toBe(17_000);
    goods('2011-03-31', 30_000, '0', 'stock_closing');
    // The year: old (1,410.00 - 470.00 - 235.00) x 7/47 = 105.00, new (1,200.00 - 600.00 + 300.00) / 6 = 150.00; less 70.00 before.
    expect(box1()).toBe(10_500 + 15_000 - 7_000);
  });
});

describe('direct calculation 2 of a year whose rate changed in an earlier period', () => {
  it('takes the stock of its start from the earlier stretch, and leaves that of its end of the later one', () => {
    const from = { validFrom: localDate('2010-11-01'), cadence: 'stagger2' } as const;
    register({ scheme: 'directCalculation2', majorityRatePct: '17.5', ...from });
    goods('2010-11-01', 23_500, '0', 'stock_opening');
    sell('2010-11-01', 94_000);
    goods('2010-11-01', 47_000, '0');
    expect(box1('2010-11-01')).toBe(7_000);
    book.decide(sampleClose('c', '2010-11-01', '2011-01-31', 'hard'));
    sell('2011-02-01', 120_000);
    goods('2011-02-01', 60_000, '0');
    expect(JSON.parse(book.state.get('vat|vat:101747696|2011-02-01') ?? '{}')).not.toHaveProperty('z');
    goods('2011-04-30', 30_000, '0', 'stock_closing');
    // Old (940.00 - 470.00 - 235.00) x 7/47 = 35.00, new (1,200.00 - 600.00 + 300.00) / 6 = 150.00; less 70.00 before.
    expect(box1('2011-02-01')).toBe(3_500 + 15_000 - 7_000);
  });
});

describe('apportionment 1 over a change of the standard rate', () => {
  it('spreads the takings of each stretch as the goods bought in it, in the period and in the year', () => {
    register({ scheme: 'apportionment1', validFrom: localDate('2010-10-01') });
    sell('2010-10-01', 94_000);
    goods('2010-10-01', 1_000, '17.5');
    goods('2010-10-01', 1_000, '0');
    expect(box1('2010-10-01')).toBe(7_000);
    book.decide(sampleClose('c', '2010-10-01', '2010-12-31', 'hard'));
    sell(NEW, 120_000);
    goods(NEW, 3_000, '20');
    goods(NEW, 1_000, '0');
    // 1,200.00 x 3/4 / 6, and the year gives nothing more: each stretch has its own goods.
    expect(box1()).toBe(15_000);
    sell(OLD, 94_000);
    // Without goods of its own in the quarter, but with those of the year: 940.00 / 2 x 7/47.
    expect(box1()).toBe(22_000);
  });
});

describe('a rate segment', () => {
  const registration = (other: Partial<TraderRegistered>) => sampleRegistration('r', other);

  it.each([
    ['apportionment1', null, '2010-12-31', '2010-01-01'],
    ['apportionment1', null, '2011-01-04', '2011-01-04'],
    ['apportionment1', null, '1998-01-01', '1997-09-01'],
    ['directCalculation1', '17.5', '2010-12-31', '2010-01-01 S1750'],
    ['directCalculation2', '17.5', '2026-12-31', '2011-01-04 S2000'],
    ['directCalculation1', '5', '2026-12-31', '1997-09-01 S500'],
    ['directCalculation1', '0', '2026-12-31', undefined],
    ['apportionment2', null, '2026-12-31', undefined],
    ['pointOfSale', null, '2026-12-31', undefined],
  ] as const)('of %s (%s) on %s is %s', (scheme, majorityRatePct, day, segment) => {
    const own = registration({ scheme, majorityRatePct, validFrom: localDate('2010-04-01') });
    expect(rateSegmentOn(own, localDate(day), RULES)).toBe(segment);
  });

  it('of before any rate is none', () => {
    const own = registration({ scheme: 'apportionment1' });
    expect(rateSegmentOn(own, localDate('1970-01-01'), RULES)).toBeUndefined();
  });

  it('names the rate of the majority, or leaves it to the scheme', () => {
    expect(majorityOfSegment('2011-01-04 S2000', 'S1750')).toBe('S2000');
    expect(majorityOfSegment('2011-01-04', 'S1750')).toBe('S1750');
    expect(majorityOfSegment('', undefined)).toBeUndefined();
  });
});
