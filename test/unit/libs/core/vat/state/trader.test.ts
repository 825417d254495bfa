import { beforeEach, describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { TraderRegistered } from '../../../../../../libs/core/events/vat-events.ts';
import {
  countingPeriod,
  goodsRateKey,
  NEW_TRADER,
  openedAccount,
  type Registration,
  registrationOn,
  type TraderState,
  traderPeriodAfter,
  traderPeriodOfDay,
} from '../../../../../../libs/core/vat/state/trader.ts';
import { sampleSale } from '../../../../../support/sample-events.ts';
import { VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleClose, sampleRegistration } from '../../../../../support/vat-samples.ts';

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

describe('what holds on a day', () => {
  it('is the last registration that is valid by then', () => {
    const trader = registered({ ...from('2026-01-01') }, { ...from('2026-07-01'), cashAccounting: true });
    expect(registrationOn(trader, localDate('2025-12-31'))).toBeNull();
    expect(registrationOn(trader, localDate('2026-06-30'))?.cashAccounting).toBe(false);
    expect(registrationOn(trader, localDate('2026-07-01'))?.cashAccounting).toBe(true);
    expect(registrationOn(NEW_TRADER, localDate('2026-07-01'))).toBeNull();
  });
});

describe('the period in which an event counts', () => {
  const counted = (trader: TraderState, date: string) => {
    const { own, counted: at } = countingPeriod(trader, dayNumber(localDate(date)), null);
    return [own.text, at.text];
  };

  it('is its own, or the one after what is closed hard', () => {
    const [spring, summer, autumn] = ['2026-04-01/2026-06-30', '2026-07-01/2026-09-30', '2026-10-01/2026-12-31'];
    expect(counted(NEW_TRADER, '2026-05-01')).toEqual([spring, spring]);
    const closed = { ...NEW_TRADER, h: localDate('2026-09-30') };
    expect(counted(closed, '2026-05-01')).toEqual([spring, autumn]);
    expect(counted(closed, '2026-09-30')).toEqual([summer, autumn]);
    expect(counted(closed, '2026-10-01')).toEqual([autumn, autumn]);
    expect(traderPeriodAfter(closed, localDate('2026-09-30')).text).toBe(autumn);
  });
});

describe('the scheme under which a period is opened', () => {
  const schemeOf = (other: Partial<TraderRegistered>, date = '2026-11-21') => {
    const trader = registered({ ...from('2020-01-01'), ...other });
    return openedAccount(trader, traderPeriodOfDay(trader, dayNumber(localDate(date))), RULES).s;
  };

  it('is none where invoices and tills count as they come', () => {
    expect(schemeOf({})).toBeUndefined();
    expect(openedAccount(NEW_TRADER, traderPeriodOfDay(NEW_TRADER, 20_000), RULES)).toEqual({
      n: 0,
      g: {},
      p: 0,
      i: 0,
      f: 0,
    });
    expect(schemeOf({ cashAccounting: true })).toEqual({ c: 1 });
  });

  it.each([
    ['apportionment1', null, 'A1', undefined],
    ['apportionment2', null, 'A2', undefined],
    ['directCalculation1', '20', 'D1', 'S2000'],
    ['directCalculation1', '0', 'D1', 'Z0'],
    ['directCalculation2', '5', 'D2', 'S500'],
  ] as const)('is %s with its majority at %s', (scheme, majorityRatePct, k, u) => {
    const own = schemeOf({ scheme, majorityRatePct });
    expect([own?.k, own?.u, own?.c]).toEqual([k, u, undefined]);
    expect(schemeOf({ scheme, majorityRatePct, cashAccounting: true })?.c).toBe(1);
  });

  it.each([
    ['stagger1', null, '2026-03-31', '2026-06-30'],
    ['stagger2', null, '2026-04-30', '2026-07-31'],
    ['stagger3', null, '2026-05-31', '2026-08-31'],
    ['monthly', null, '2026-03-31', '2026-04-30'],
    ['annual', 9, '2026-09-30', null],
  ] as const)('of %s periods ends the retail year with March, April, May or the year', (cadence, month, end, other) => {
    for (const scheme of ['apportionment1', 'directCalculation2'] as const) {
      const periods = {
        scheme,
        cadence,
        annualEndMonth: month,
        majorityRatePct: scheme === 'apportionment1' ? null : '20',
      };
      expect(schemeOf(periods, end)?.e).toBe(1);
      if (other !== null) expect(schemeOf(periods, other)?.e).toBeUndefined();
    }
  });

  it('of the flat rate scheme has the limited cost test of a year, a quarter or a month: 1,000.00, 250.00, 83.33', () => {
    const flat = { scheme: 'flatRate', flatRateSector: 'pubs', limitedCostTest: true } as const;
    // 2% of turnover.
    expect(schemeOf(flat)).toMatchObject({ k: 'FRS', w: [25_000, 200] });
    expect(schemeOf({ ...flat, cadence: 'stagger3' })?.w).toEqual([25_000, 200]);
    expect(schemeOf({ ...flat, cadence: 'monthly' })?.w).toEqual([8_333, 200]);
    expect(schemeOf({ ...flat, cadence: 'annual', annualEndMonth: 3 })?.w).toEqual([100_000, 200]);
    expect(schemeOf({ ...flat, limitedCostTest: false })).toEqual({ k: 'FRS' });
    // The test began on 1 April 2017.
    const before = { ...from('2010-01-01'), ...flat };
    expect(schemeOf(before, '2017-03-31')?.w).toBeUndefined();
    expect(schemeOf(before, '2017-04-01')?.w).toEqual([25_000, 200]);
  });
});

describe('the rate of goods', () => {
  it('is zero or a rate of tax', () => {
    expect(['0', '5', '17.5', '20'].map(goodsRateKey)).toEqual(['Z0', 'S500', 'S1750', 'S2000']);
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

  it('of the same day stands for the one before, also where no more may be said', () => {
    for (let year = 0; year < 32; year += 1) decide(`r${year}`, from(`${2027 + year}-01-01`));
    expect(decide('again', { ...from('2058-01-01'), poundsRule: 'nearest' })).toBe('accepted');
    const { r } = JSON.parse(book.state.get('trader|vat:101747696') ?? '') as TraderState;
    expect(r).toHaveLength(32);
    expect(r.at(-1)?.poundsRule).toBe('nearest');
  });

  it('that is replaced does not say when a period begins: what was before it does', () => {
    decide('r1', from('2026-01-01'));
    expect(decide('r2', { ...from('2026-05-15'), cadence: 'monthly' })).toBe('accepted');
    expect(decide('r3', { ...from('2026-05-15'), poundsRule: 'nearest' })).toBe('E_VALID_FROM');
    expect(decide('r4', { ...from('2026-05-15'), cadence: 'stagger3' })).toBe('accepted');
  });

  it('holds nothing from a day that is closed', () => {
    book.decide(sampleClose('c1', '2026-07-01', '2026-09-30', 'hard'));
    expect(decide('r1', { ...from('2026-09-30'), cadence: 'monthly' })).toBe('E_PERIOD_STARTED');
    expect(decide('r2', { ...from('2026-10-01'), cadence: 'monthly' })).toBe('accepted');
  });

  it.each<[string, Partial<TraderRegistered>, Partial<TraderRegistered>]>([
    ['cadence', {}, { cadence: 'stagger2' }],
    ['date of registration', { registeredOn: localDate('2025-01-01') }, { registeredOn: localDate('2025-01-02') }],
    ['scheme', { scheme: 'apportionment1' }, { scheme: 'apportionment2' }],
    ['sector', { scheme: 'flatRate', flatRateSector: 'pubs' }, { scheme: 'flatRate', flatRateSector: 'catering' }],
    [
      'limited cost test',
      { scheme: 'flatRate', flatRateSector: 'pubs' },
      { scheme: 'flatRate', flatRateSector: 'pubs', limitedCostTest: true },
    ],
    [
      'majority',
      { scheme: 'directCalculation1', majorityRatePct: '20' },
      { scheme: 'directCalculation1', majorityRatePct: '0' },
    ],
    ['cash accounting', {}, { cashAccounting: true }],
  ])('cannot change the %s of a period that has events', (_what, before, after) => {
    decide('r1', { ...from('2026-10-01'), ...before });
    book.decide(sampleSale('s1'));
    expect(decide('r2', { ...from('2026-10-01'), ...after })).toBe('E_PERIOD_STARTED');
    expect(decide('r3', { ...from('2026-10-01'), ...before, poundsRule: 'nearest' })).toBe('accepted');
  });

  it('may change the interim payments of a year that runs', () => {
    const year = { ...from('2026-04-01'), cadence: 'annual', annualEndMonth: 3 } as const;
    decide('r1', year);
    book.decide(sampleSale('s1'));
    expect(decide('r2', { ...year, interimPayments: 'monthly' })).toBe('accepted');
    expect(decide('r3', { ...year, annualEndMonth: 6 })).toBe('E_PERIOD_STARTED');
  });

  it('says where and why it is refused', () => {
    const factsOf = (name: string, other: Partial<TraderRegistered>) => {
      const { pointer, detail } = book.decide(sampleRegistration(name, other)).rejections[0]?.facts ?? {};
      return [pointer, detail];
    };
    decide('r1', from('2026-01-01'));
    expect(factsOf('r2', from('2025-12-31'))).toEqual(['/validFrom', 'what holds from 2026-01-01 on is already said']);
    expect(factsOf('r3', from('2026-07-02'))).toEqual([
      '/validFrom',
      'a scheme changes with a period: the one then begins on 2026-07-01',
    ]);
    book.decide(sampleSale('s1'));
    expect(factsOf('r4', { ...from('2026-10-01'), cadence: 'monthly' })).toEqual([
      '/validFrom',
      'a period from that day on has events or is closed',
    ]);
    for (let year = 0; year < 31; year += 1) decide(`y${year}`, from(`${2027 + year}-01-01`));
    expect(factsOf('more', from('2080-01-01'))).toEqual(['/validFrom', 'at most 32 of a trader']);
  });
});
