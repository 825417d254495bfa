import { beforeEach, describe, expect, it } from 'vitest';
import { dayNumber, localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { StateValue } from '../../../../../../libs/core/decisions/decision.ts';
import type { TraderRegistered } from '../../../../../../libs/core/events/vat-events.ts';
import { account } from '../../../../../../libs/core/identity/account.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { flatRateSince, schemeNotices } from '../../../../../../libs/core/vat/return/scheme-limits.ts';
import { NEW_TRADER, traderOf, traderPeriodOfDay } from '../../../../../../libs/core/vat/state/trader.ts';
import { sampleSale } from '../../../../../support/sample-events.ts';
import { line, VatBook } from '../../../../../support/vat-book.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleAdjustment, sampleClose, sampleRegistration } from '../../../../../support/vat-samples.ts';

const RULES = testVatRules();
const OWNER = account('vat:101747696');
const QUARTERS = [
  ['2025-01-01', '2025-03-31'],
  ['2025-04-01', '2025-06-30'],
  ['2025-07-01', '2025-09-30'],
  ['2025-10-01', '2025-12-31'],
  ['2026-01-01', '2026-03-31'],
] as const;
let book: VatBook;
let count: number;
beforeEach(() => {
  book = new VatBook(RULES);
  count = 0;
});

const register = (other: Partial<TraderRegistered>) =>
  book.decide(sampleRegistration(`r${other.validFrom ?? ''}`, { validFrom: localDate('2025-01-01'), ...other }));
/** Zero-rated sales by invoice: their net value is the turnover. */
const invoice = (day: string, netPence: number) => {
  count += 1;
  return book.decide(sampleAdjustment(`i${count}`, 'sale_zero', netPence, 0, { taxPoint: localDate(day) }));
};
const sell = (day: string, paidPence: number, category = 'zero') => {
  count += 1;
  const occurredAt = `${day}T10:00:00Z`;
  const seq = count;
  const prevHash = seq === 1 ? null : 'a'.repeat(64);
  return book.decide(
    sampleSale(`s${count}`, {
      seq,
      prevHash,
      occurredAt,
      lines: [line('1', paidPence, category)],
      totalPence: pence(paidPence),
    }),
  );
};
const close = ([start, end]: readonly [string, string], how: 'soft' | 'hard' = 'soft') =>
  book.decide(sampleClose(`c${start}${how}`, start, end, how)).results[0]?.flags;
const view = {
  get: (key: string): StateValue | undefined => {
    const text = book.state.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as StateValue);
  },
};
const noticesOn = (day: string) => {
  const trader = traderOf(OWNER, view);
  return schemeNotices(OWNER, trader, traderPeriodOfDay(trader, dayNumber(localDate(day))), view, RULES);
};

describe('the limit of cash accounting', () => {
  it('ends the scheme with the period whose year is above 1,600,000.00, to the penny', () => {
    register({ cashAccounting: true });
    for (const [start] of QUARTERS.slice(0, 4)) invoice(start, 40_000_000);
    expect(close(QUARTERS[3])).toEqual([]);
    invoice('2025-12-31', 1);
    expect(noticesOn('2025-10-01')).toEqual([
      {
        code: 'CASH_ACCOUNTING_LIMIT',
        limitPence: 160_000_000,
        turnoverPence: 160_000_001,
        from: '2025-01-01',
        to: '2025-12-31',
        mustLeave: true,
      },
    ]);
    for (const quarter of QUARTERS.slice(0, 3)) expect(close(quarter, 'hard')).toEqual([]);
    expect(close(QUARTERS[3], 'hard')).toEqual(['CASH_ACCOUNTING_LIMIT']);
  });

  it('looks at the year that ends with the period: a quarter later the first one is out of it', () => {
    register({ cashAccounting: true });
    invoice('2025-01-01', 160_000_001);
    expect(close(QUARTERS[3])).toEqual(['CASH_ACCOUNTING_LIMIT']);
    invoice('2026-01-01', 100);
    expect(close(QUARTERS[4])).toEqual([]);
  });

  it('counts what was supplied, not what was paid, and tills’ sales without their VAT', () => {
    register({ cashAccounting: true });
    book.decide(sampleAdjustment('p', 'cash_received', 200_000_000, 0, { taxPoint: localDate('2025-01-02') }));
    expect(noticesOn('2025-01-02')).toEqual([]);
    // 1,920,001.20 with VAT is 1,600,001.00 without.
    sell('2025-01-03', 192_000_120, 'standard');
    expect(noticesOn('2025-01-03')).toMatchObject([{ turnoverPence: 160_000_100 }]);
  });

  it('to join is 1,350,000.00 in the year before: a registration above it is accepted and flagged', () => {
    for (const [start] of QUARTERS.slice(0, 4)) sell(start, 33_750_000);
    expect(register({ validFrom: localDate('2026-01-01'), cashAccounting: true }).results[0]?.flags).toEqual([]);
    sell('2025-02-01', 1);
    const again = sampleRegistration('again', { validFrom: localDate('2026-01-01'), cashAccounting: true });
    expect(book.decide(again).results[0]?.flags).toEqual(['CASH_ACCOUNTING_JOIN_LIMIT']);
    // Of one who has it already nothing is asked again.
    const later = { validFrom: localDate('2026-04-01'), cashAccounting: true, poundsRule: 'nearest' } as const;
    expect(register(later).results[0]?.flags).toEqual([]);
  });
});

describe('a trader above the limits to join', () => {
  it.each<[string, Partial<TraderRegistered>]>([
    ['flat rate', { scheme: 'flatRate', flatRateSector: 'catering' }],
    ['apportionment 1', { scheme: 'apportionment1' }],
    ['cash accounting', { cashAccounting: true }],
    ['annual accounting', { cadence: 'annual', annualEndMonth: 12 }],
  ])('that has %s already is not asked again', (_what, own) => {
    register(own);
    sell('2025-02-01', 200_000_000);
    const from = { validFrom: localDate('2026-01-01') };
    expect(register({ ...from, ...own, poundsRule: 'nearest' }).results[0]?.flags).toEqual([]);
  });

  it('is not asked about point of sale, which everybody has', () => {
    for (const [start] of QUARTERS.slice(0, 4)) sell(start, 3_300_000_000);
    expect(register({ validFrom: localDate('2026-01-01') }).results[0]?.flags).toEqual([]);
    expect(register({ validFrom: localDate('2026-04-01'), scheme: 'apportionment2' }).results[0]?.flags).toEqual([]);
  });

  it('is asked of each scheme that begins', () => {
    sell('2025-02-01', 200_000_000);
    const { results } = register({
      validFrom: localDate('2026-01-01'),
      scheme: 'apportionment1',
      cashAccounting: true,
      cadence: 'annual',
      annualEndMonth: 12,
    });
    expect(results[0]?.flags).toEqual([
      'RETAIL_SCHEME_JOIN_LIMIT',
      'CASH_ACCOUNTING_JOIN_LIMIT',
      'ANNUAL_ACCOUNTING_JOIN_LIMIT',
    ]);
  });
});

describe('the limit of annual accounting', () => {
  const annual = { cadence: 'annual', annualEndMonth: 12 } as const;

  it('is 1,600,000.00 of the accounting year, said while it runs and with its close', () => {
    register(annual);
    invoice('2025-05-05', 160_000_000);
    expect(noticesOn('2025-05-05')).toEqual([]);
    invoice('2025-05-06', 1);
    expect(noticesOn('2025-05-05')).toMatchObject([{ code: 'ANNUAL_ACCOUNTING_LIMIT', from: '2025-01-01' }]);
    expect(close(['2025-01-01', '2025-12-31'])).toEqual(['ANNUAL_ACCOUNTING_LIMIT']);
  });

  it('is of supplies without the VAT within their prices, whatever the trader’s scheme makes of it', () => {
    register({ ...annual, scheme: 'flatRate', flatRateSector: 'catering' });
    // 1,920,000.00 with VAT of 20%, not less 12.5% of it.
    sell('2025-05-05', 192_000_000, 'standard');
    const codes = () => noticesOn('2025-05-05').map(({ code }) => code);
    expect(codes()).toEqual(['FLAT_RATE_LIMIT']);
    sell('2025-05-05', 1, 'zero');
    expect(codes()).toEqual(['FLAT_RATE_LIMIT', 'ANNUAL_ACCOUNTING_LIMIT']);
  });

  it('counts what the margin scheme sells less the VAT on its margins, and takes off what is refunded', () => {
    register(annual);
    const at = { taxPoint: localDate('2025-05-05') };
    const item = (name: string, price: number, cost: number) =>
      book.decide(sampleAdjustment(name, 'margin_sale', price, 0, { ...at, costPence: pence(cost) }));
    // 1 penny of VAT in a margin of 6 pence.
    item('m1', 80_000_006, 80_000_000);
    item('m2', 80_000_000, 80_000_000);
    expect(noticesOn('2025-05-05')).toMatchObject([{ turnoverPence: 160_000_005 }]);
    book.decide(sampleAdjustment('b1', 'sale_refund', 5, 0, at));
    expect(noticesOn('2025-05-05')).toEqual([]);
    for (const kind of ['sale_exempt', 'rc_services_in', 'drc_purchase', 'import_pva', 'outside_scope']) {
      book.decide(sampleAdjustment(kind, kind, 100, 0, at));
    }
    expect(noticesOn('2025-05-05')).toEqual([]);
    for (const kind of ['sale', 'sale_zero', 'sale_export', 'drc_sale', 'ni_dispatch', 'own_use', 'margin_pool_sale']) {
      expect(book.decide(sampleAdjustment(kind, kind, 1, 0, at)).outcome).toBe('accepted');
    }
    expect(noticesOn('2025-05-05')).toMatchObject([{ turnoverPence: 160_000_007 }]);
  });

  it('to join is 1,350,000.00 in the year before', () => {
    sell('2025-03-01', 135_000_001);
    const { results } = register({ validFrom: localDate('2026-01-01'), ...annual });
    expect(results[0]?.flags).toEqual(['ANNUAL_ACCOUNTING_JOIN_LIMIT']);
  });
});

describe('the limit of the flat rate scheme', () => {
  const flat = { scheme: 'flatRate', flatRateSector: 'catering' } as const;

  it('is 230,000.00 with VAT, looked at on the anniversary of joining alone', () => {
    register(flat);
    sell('2025-02-01', 20_000_000, 'standard');
    sell('2025-02-01', 3_000_000, 'exempt');
    expect(noticesOn('2025-02-01')).toEqual([]);
    sell('2025-02-01', 1, 'zero');
    sell('2025-02-01', 90_000_000, 'outside');
    expect(noticesOn('2025-02-01')).toMatchObject([
      { code: 'FLAT_RATE_LIMIT', limitPence: 23_000_000, turnoverPence: 23_000_001, mustLeave: false },
    ]);
    for (const quarter of QUARTERS.slice(0, 3)) expect(close(quarter)).toEqual([]);
    expect(close(QUARTERS[3])).toEqual(['FLAT_RATE_LIMIT']);
  });

  it('is looked at in the period in which a year of the scheme ends, and in no other', () => {
    register({ validFrom: localDate('2024-01-01'), ...flat });
    for (const [start] of QUARTERS.slice(0, 4)) sell(start, 23_000_001);
    for (const quarter of QUARTERS.slice(0, 3)) expect(close(quarter)).toEqual([]);
    expect(noticesOn('2025-05-05')).toMatchObject([{ code: 'FLAT_RATE_LIMIT', mustLeave: false }]);
    expect(noticesOn('2025-11-05')).toMatchObject([{ code: 'FLAT_RATE_LIMIT', mustLeave: true }]);
    expect(close(QUARTERS[3])).toEqual(['FLAT_RATE_LIMIT']);
  });

  it('to join is 150,000.00 without VAT in the year before; what is exempt is not counted', () => {
    sell('2025-02-01', 18_000_000, 'standard');
    sell('2025-02-01', 18_000_000, 'exempt');
    const from = localDate('2026-01-01');
    expect(register({ validFrom: from, ...flat }).results[0]?.flags).toEqual([]);
    sell('2025-02-02', 2);
    const again = sampleRegistration('again', { validFrom: from, ...flat });
    expect(book.decide(again).results[0]?.flags).toEqual(['FLAT_RATE_JOIN_LIMIT']);
  });

  it('counts years from the first day of the scheme without a break', () => {
    const at = (validFrom: string, scheme: 'flatRate' | 'pointOfSale') =>
      sampleRegistration('r', { validFrom: localDate(validFrom), scheme });
    const trader = {
      ...NEW_TRADER,
      r: [
        at('2020-01-01', 'flatRate'),
        at('2021-01-01', 'pointOfSale'),
        at('2022-01-01', 'flatRate'),
        at('2023-04-01', 'flatRate'),
      ],
    };
    expect(flatRateSince(trader, localDate('2020-05-05'))).toBe('2020-01-01');
    expect(flatRateSince(trader, localDate('2020-01-01'))).toBe('2020-01-01');
    expect(flatRateSince(trader, localDate('2019-12-31'))).toBeNull();
    expect(flatRateSince(trader, localDate('2021-05-05'))).toBeNull();
    expect(flatRateSince(trader, localDate('2023-05-05'))).toBe('2022-01-01');
  });
});

describe('the limit of a retail scheme', () => {
  it.each([
    ['apportionment1', {}],
    ['directCalculation1', { majorityRatePct: '20' }],
  ] as const)('is 1,000,000.00 of a year’s takings without VAT for %s', (scheme, more) => {
    register({ scheme, ...more });
    // All at the majority's rate, or as the tills say: 1,200,000.00 with VAT.
    sell('2025-01-01', 120_000_000, 'standard');
    expect(close(QUARTERS[0])).toEqual([]);
    sell('2025-04-01', 3, 'standard');
    expect(close(QUARTERS[1])).toEqual(['RETAIL_SCHEME_LIMIT']);
  });

  it('is 130,000,000.00 for point of sale, also for one that registered nothing', () => {
    for (const [start] of QUARTERS.slice(0, 4)) sell(start, 3_250_000_000);
    expect(close(QUARTERS[3])).toEqual([]);
    sell('2025-07-01', 1);
    expect(noticesOn('2025-11-11')).toMatchObject([{ code: 'RETAIL_SCHEME_LIMIT', limitPence: 13_000_000_000 }]);
  });

  it('to join is the same, of the year before', () => {
    sell('2025-01-01', 100_000_001);
    const { results } = register({ validFrom: localDate('2026-01-01'), scheme: 'apportionment1' });
    expect(results[0]?.flags).toEqual(['RETAIL_SCHEME_JOIN_LIMIT']);
  });

  it('does not hold before the day from which its card has it', () => {
    register({ validFrom: localDate('2008-01-01'), scheme: 'apportionment1' });
    sell('2008-02-01', 200_000_000);
    expect(noticesOn('2008-02-01')).toEqual([]);
  });
});
