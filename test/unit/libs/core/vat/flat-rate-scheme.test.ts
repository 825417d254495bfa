import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../libs/core/calendar/local-date.ts';
import { type FlatRatePeriod, flatRateVat } from '../../../../../libs/core/vat/flat-rate-scheme.ts';
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
});
