import { beforeEach, describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { StateValue, StateView } from '../../../../../../libs/core/decisions/decision.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import { periodOfDate, returnOfPeriod } from '../../../../../../libs/core/vat/return/return-of-period.ts';
import { cadencePeriodOfDay } from '../../../../../../libs/core/vat/state/vat-period.ts';
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
const OWNER = account('vat:101747696');
const OCTOBER = { start: localDate('2026-10-01'), end: localDate('2026-12-31'), text: '2026-10-01/2026-12-31' };
const JULY = { start: localDate('2026-07-01'), end: localDate('2026-09-30'), text: '2026-07-01/2026-09-30' };

let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

const view: StateView = {
  get: (key) => {
    const text = book.state.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as StateValue);
  },
};
const now = (period = OCTOBER) => returnOfPeriod(view, OWNER, period);

describe('the return of a period as its events stand', () => {
  it('of a trader without events is nil, due a month and seven days after its end, open', () => {
    expect(now()).toMatchObject({
      boxes: { 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: 0, 8: 0, 9: 0 },
      direction: 'NIL',
      period: OCTOBER,
      due: '2027-02-07',
      poundsRule: 'truncate',
      closed: 'open',
      provisional: true,
      account: { n: 0 },
    });
  });

  it('says which way the money goes: box 3 above box 4 is to be paid, below it to be reclaimed', () => {
    book.decide(sampleSale('s1'));
    expect(now()).toMatchObject({ boxes: { 3: 200, 4: 0, 5: 200 }, direction: 'PAY' });
    book.decide(samplePurchase('p1', 1_000, 200));
    expect(now()).toMatchObject({ boxes: { 3: 200, 4: 200, 5: 0 }, direction: 'NIL' });
    book.decide(samplePurchase('p2', 500, 100));
    expect(now()).toMatchObject({ boxes: { 3: 200, 4: 300, 5: 100 }, direction: 'RECLAIM' });
  });

  it('has in box 6 what is exempt and what is dispatched, in box 8 the latter too, and nowhere what is outside the scope', () => {
    const lines = [
      line('1', 12_000),
      line('2', 5_000, 'exempt'),
      line('3', 3_000, 'outside'),
      line('4', 4_000, 'goods.dispatched_eu'),
      line('5', 700, 'zero'),
    ];
    book.decide(sampleSale('s1', { region: 'NI', lines }));
    // 120.00 with 20.00 of VAT: 100.00; 50.00 exempt; 40.00 to the EU; 7.00 at nothing.
    expect(now().boxes).toEqual({ 1: 2_000, 2: 0, 3: 2_000, 4: 0, 5: 2_000, 6: 19_700, 7: 0, 8: 4_000, 9: 0 });
  });

  it('adds boxes 1 and 2 to box 3', () => {
    book.decide(sampleAdjustment('a1', 'ni_acquisition', 70_000, 14_000, { recoverableBasisPoints: 5_000 }));
    book.decide(sampleAdjustment('a2', 'own_use', 5_000, 1_000));
    expect(now().boxes).toMatchObject({ 1: 1_000, 2: 14_000, 3: 15_000, 4: 7_000, 5: 8_000 });
  });

  it('drops the pence of boxes 6 to 9, or rounds them to the nearest pound where the trader said so', () => {
    book.decide(sampleSale('s1', { lines: [line('1', 150, 'zero')] }));
    expect(now()).toMatchObject({ boxes: { 6: 100 }, poundsRule: 'truncate' });
    book.decide(sampleRegistration('r1', { validFrom: localDate('2026-10-01'), poundsRule: 'nearest' }));
    expect(now()).toMatchObject({ boxes: { 6: 100 }, poundsRule: 'truncate' });
    const other = new VatBook(RULES);
    other.decide(sampleRegistration('r1', { poundsRule: 'nearest' }));
    other.decide(sampleSale('s1', { lines: [line('1', 150, 'zero')] }));
    book = other;
    expect(now()).toMatchObject({ boxes: { 6: 200 }, poundsRule: 'nearest' });
  });

  it('of annual accounting is due two months after its end', () => {
    book.decide(sampleRegistration('r1', { cadence: 'annual', annualEndMonth: 9 }));
    const year = cadencePeriodOfDay(dayNumber(localDate('2026-10-01')), 'annual', 9);
    expect(now(year).due).toBe('2027-11-30');
    book = new VatBook(RULES);
    book.decide(sampleRegistration('r1', { cadence: 'monthly' }));
    expect(now(cadencePeriodOfDay(dayNumber(localDate('2026-10-01')), 'monthly', null)).due).toBe('2026-12-07');
  });

  it('is provisional until the period is closed hard, and says how it is closed', () => {
    book.decide(sampleSale('s1', { occurredAt: '2026-08-01T12:00:00Z' }));
    book.decide(sampleSale('s2', { seq: 2, prevHash: 'a'.repeat(64) }));
    expect([now(JULY).closed, now().closed]).toEqual(['open', 'open']);
    book.decide(sampleClose('c1', '2026-07-01', '2026-09-30', 'soft'));
    expect([now(JULY).closed, now().closed]).toEqual(['soft', 'open']);
    expect(now(JULY).provisional).toBe(true);
    book.decide(sampleClose('c2', '2026-07-01', '2026-09-30', 'hard'));
    expect([now(JULY).closed, now().closed]).toEqual(['hard', 'open']);
    expect([now(JULY).provisional, now().provisional]).toEqual([false, true]);
    const before = { start: localDate('2026-04-01'), end: localDate('2026-06-30'), text: '' };
    expect(now(before).closed).toBe('hard');
    book.decide(sampleClose('c3', '2026-10-01', '2026-12-31', 'soft'));
    expect([now(JULY).closed, now().closed]).toEqual(['hard', 'soft']);
  });
});

describe('the period of a day', () => {
  it('is the trader’s own', () => {
    expect(periodOfDate(view, OWNER, localDate('2026-11-21'))).toEqual(OCTOBER);
    book.decide(sampleRegistration('r1', { cadence: 'stagger2' }));
    expect(periodOfDate(view, OWNER, localDate('2026-11-21')).text).toBe('2026-11-01/2027-01-31');
  });
});
