import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import {
  type FlatRatePeriod,
  flatRatePercentages,
  flatRateVat,
} from '../../../../../libs/core/vat/flat-rate-scheme.ts';
import { testVatRules } from '../../../../support/vat-rules.ts';

const RULES = testVatRules();
const PERIOD: FlatRatePeriod = {
  segments: [
    {
      start: localDate('2026-07-01'),
      end: localDate('2026-09-30'),
      turnoverPence: 1_250_000,
      sector: 'computer_it_consultancy',
    },
  ],
  registeredOn: null,
  annual: false,
  relevantGoodsPence: null,
  capitalGoods: [],
};
const due = (other: Partial<FlatRatePeriod>) => flatRateVat({ ...PERIOD, ...other }, RULES).flatRateVatPence;

describe('the flat rate scheme', () => {
  it('is a limited cost trader’s 16.5% strictly below 250 a quarter and 2% of turnover', () => {
    // 12,500.00 x 14.5% = 1,812.50 and x 16.5% = 2,062.50; 2% is 250.00.
    expect(due({ relevantGoodsPence: 25_000 })).toBe(181_250);
    expect(due({ relevantGoodsPence: 24_999 })).toBe(206_250);
  });

  it('takes the first year’s point off a limited cost trader’s percentage too', () => {
    expect(due({ relevantGoodsPence: 0, registeredOn: localDate('2026-05-01') })).toBe(193_750);
  });

  it('has the anniversary of a 29 February on 28 February', () => {
    const [segment] = PERIOD.segments;
    const of = (start: string, end: string) =>
      segment === undefined ? [] : [{ ...segment, start: localDate(start), end: localDate(end) }];
    const registeredOn = localDate('2024-02-29');
    expect(due({ registeredOn, segments: of('2025-01-01', '2025-02-27') })).toBe(168_750);
    expect(due({ registeredOn, segments: of('2025-02-28', '2025-03-31') })).toBe(181_250);
    expect(() => due({ registeredOn, segments: of('2025-01-01', '2025-02-28') })).toThrow(
      expect.objectContaining({ code: 'E_FRS_SEGMENT_SPANS_ANNIVERSARY' }),
    );
  });

  it('refuses a sector that is none', () => {
    const [segment] = PERIOD.segments;
    const segments = segment === undefined ? [] : [{ ...segment, sector: 'piracy' }];
    expect(() => due({ segments })).toThrow(expect.objectContaining({ code: 'E_FRS_SECTOR' }));
  });
  it('says what it refuses', () => {
    const [segment] = PERIOD.segments;
    const segments = segment === undefined ? [] : [{ ...segment, sector: 'piracy' }];
    expect(() => due({ segments })).toThrow(
      expect.objectContaining({
        message: 'not a sector of the flat rate scheme on that date',
        facts: { start: '2026-07-01' },
      }),
    );
    expect(() => due({ registeredOn: localDate('2025-08-01') })).toThrow(
      expect.objectContaining({ message: 'split the turnover at 2026-08-01', facts: { anniversary: '2026-08-01' } }),
    );
  });

  it('gives VAT back on goods of 2,000.00 and more, not on services', () => {
    const back = (grossPence: number, service: boolean) =>
      flatRateVat({ ...PERIOD, capitalGoods: [{ grossPence, vatPence: 33_333, service }] }, RULES).capitalGoodsVatPence;
    expect([back(200_000, false), back(199_999, false), back(200_000, true)]).toEqual([33_333, 0, 0]);
  });

  it('of no turnover at all is nothing', () => {
    expect(flatRateVat({ ...PERIOD, segments: [], relevantGoodsPence: 0 }, RULES)).toEqual({
      limitedCost: false,
      parts: [],
      flatRateVatPence: 0,
      capitalGoodsVatPence: 0,
    });
  });

  it('had no limited cost traders before 1 April 2017', () => {
    const on = (day: string, registeredOn: string | null = null) => {
      const registered = registeredOn === null ? null : localDate(registeredOn);
      const found = flatRatePercentages('computer_it_consultancy', registered, localDate(day), RULES);
      return [found.ofSector, found.ofLimitedCost];
    };
    expect(on('2017-03-31')).toEqual([1_450, 1_450]);
    expect(on('2017-04-01')).toEqual([1_450, 1_650]);
    expect(on('2017-04-01', '2016-04-02')).toEqual([1_350, 1_550]);
    expect(on('2017-04-01', '2016-04-01')).toEqual([1_450, 1_650]);
  });
});
