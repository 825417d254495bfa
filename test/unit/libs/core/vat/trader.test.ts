import { beforeEach, describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../libs/core/calendar/local-date.ts';
import type { TraderRegistered } from '../../../../../libs/core/events/vat-events.ts';
import {
  NEW_TRADER,
  type Registration,
  type TraderState,
  traderPeriodOfDay,
} from '../../../../../libs/core/vat/trader.ts';
import { sampleSale } from '../../../../support/sample-events.ts';
import { VatBook } from '../../../../support/vat-book.ts';
import { testVatRules } from '../../../../support/vat-rules.ts';
import { sampleClose, sampleRegistration } from '../../../../support/vat-samples.ts';

const RULES = testVatRules();
let book: VatBook;
beforeEach(() => {
  book = new VatBook(RULES);
});

const registered = (...all: readonly Partial<TraderRegistered>[]): TraderState => ({
  ...NEW_TRADER,
  r: all.map((one): Registration => sampleRegistration('r', one)),
});
const periodOf = (trader: TraderState, date: string) => traderPeriodOfDay(trader, dayNumber(localDate(date))).text;
const from = (date: string) => ({ validFrom: localDate(date) });

describe('the period of a tax point', () => {
  it.each([
    ['stagger1', null, '2026-11-21', '2026-10-01/2026-12-31'],
    ['stagger2', null, '2026-11-21', '2026-11-01/2027-01-31'],
    ['stagger3', null, '2026-11-21', '2026-09-01/2026-11-30'],
    ['monthly', null, '2026-11-21', '2026-11-01/2026-11-30'],
    ['monthly', null, '2028-02-29', '2028-02-01/2028-02-29'],
    ['annual', 3, '2026-11-21', '2026-04-01/2027-03-31'],
    ['annual', 12, '2026-11-21', '2026-01-01/2026-12-31'],
    ['annual', 11, '2026-12-01', '2026-12-01/2027-11-30'],
    ['annual', 2, '2028-02-29', '2027-03-01/2028-02-29'],
  ] as const)('of %s (%s) on %s is %s', (cadence, annualEndMonth, date, text) => {
    expect(periodOf(registered({ ...from('2020-01-01'), cadence, annualEndMonth }), date)).toBe(text);
  });

  it('begins with the first registration, and where the cadence changes', () => {
    const trader = registered({ ...from('2026-05-15') }, { ...from('2026-09-01'), cadence: 'stagger2' });
    expect(periodOf(trader, '2026-05-14')).toBe('2026-04-01/2026-05-14');
    expect(periodOf(trader, '2026-05-15')).toBe('2026-05-15/2026-06-30');
    expect(periodOf(trader, '2026-08-31')).toBe('2026-07-01/2026-08-31');
    expect(periodOf(trader, '2026-09-01')).toBe('2026-09-01/2026-10-31');
    expect(periodOf(trader, '2026-11-01')).toBe('2026-11-01/2027-01-31');
  });

  it('goes on where a registration changes the scheme alone', () => {
    const trader = registered({ ...from('2026-01-01') }, { ...from('2026-07-01'), cashAccounting: true });
    expect(periodOf(trader, '2026-06-30')).toBe('2026-04-01/2026-06-30');
    expect(periodOf(trader, '2026-07-01')).toBe('2026-07-01/2026-09-30');
  });

  it('of a year that ends in another month is another cadence', () => {
    const trader = registered(
      { ...from('2025-04-01'), cadence: 'annual', annualEndMonth: 3 },
      { ...from('2026-04-01'), cadence: 'annual', annualEndMonth: 6 },
    );
    expect(periodOf(trader, '2026-04-01')).toBe('2026-04-01/2026-06-30');
  });
});

describe('a registration', () => {
  const decide = (name: string, other: Partial<TraderRegistered>) => {
    const decision = book.decide(sampleRegistration(name, other));
    return decision.rejections[0]?.code ?? decision.outcome;
  };

  it('is an entry without period, base or amounts', () => {
    const { results } = book.decide(sampleRegistration('r1'));
    expect(results[0]).toMatchObject({ kind: 'charge', number: 1, taxPeriod: '', basePence: 0, amounts: [] });
  });

  it('moves the events that come after it into the trader’s own period', () => {
    decide('r1', { cadence: 'monthly' });
    expect(book.decide(sampleSale('s1')).results[0]?.taxPeriod).toBe('2026-11-01/2026-11-30');
  });

  it('changes nothing that was counted or closed', () => {
    book.decide(sampleSale('s1'));
    expect(decide('r1', { cadence: 'monthly' })).toBe('E_PERIOD_STARTED');
    expect(decide('r2', { ...from('2026-12-31'), cadence: 'monthly' })).toBe('E_PERIOD_STARTED');
    expect(decide('r3', { ...from('2027-01-01'), cadence: 'monthly' })).toBe('accepted');
    book.decide(sampleClose('c1', '2026-10-01', '2026-12-31', 'hard'));
    expect(decide('r4', { ...from('2027-01-01'), cadence: 'stagger3' })).toBe('accepted');
    book.decide(sampleClose('c2', '2027-01-01', '2027-02-28', 'hard'));
    expect(decide('r5', { ...from('2027-01-01'), cadence: 'monthly' })).toBe('E_PERIOD_STARTED');
  });

  it('may change the rounding to pounds while a period runs', () => {
    decide('r1', {});
    book.decide(sampleSale('s1'));
    expect(decide('r2', { ...from('2026-10-01'), poundsRule: 'nearest' })).toBe('accepted');
    expect(decide('r3', { ...from('2026-10-01'), poundsRule: 'nearest', scheme: 'apportionment1' })).toBe(
      'E_PERIOD_STARTED',
    );
  });

  it('stands in order of time, and a scheme changes with a period', () => {
    decide('r1', from('2026-01-01'));
    expect(decide('r2', { ...from('2025-12-31') })).toBe('E_VALID_FROM');
    expect(decide('r3', { ...from('2026-07-02'), cashAccounting: true })).toBe('E_VALID_FROM');
    expect(decide('r4', { ...from('2026-07-01'), cashAccounting: true })).toBe('accepted');
    expect(decide('r5', { ...from('2026-07-01') })).toBe('accepted');
    expect(decide('r6', { ...from('2026-06-01') })).toBe('E_VALID_FROM');
  });

  it('is refused with every code where it says what does not stand together', () => {
    const { rejections } = book.decide(
      sampleRegistration('r', {
        scheme: 'flatRate',
        flatRateSector: 'nothing',
        cashAccounting: true,
        annualEndMonth: 1,
      }),
    );
    expect(rejections[0]?.facts.codes).toBe('E_CADENCE E_FRS_SECTOR E_SCHEME_COMBINATION');
  });

  it('is one of so many', () => {
    for (let year = 0; year < 32; year += 1) expect(decide(`r${year}`, from(`${2027 + year}-01-01`))).toBe('accepted');
    expect(decide('more', from('2080-01-01'))).toBe('TOO_MANY');
  });
});
