import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { flatRatePercentages } from '../../../../../../libs/core/vat/schemes/flat-rate-scheme.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const on = (day: string, registeredOn: string | null = null, sector = 'computer_it_consultancy') => {
  const registered = registeredOn === null ? null : localDate(registeredOn);
  const found = flatRatePercentages(sector, registered, localDate(day), RULES);
  return [found.ofSector, found.ofLimitedCost];
};

describe('the percentages of the flat rate scheme', () => {
  it('are the sector’s, and 16.5% of a limited cost trader', () => {
    expect(on('2026-07-01')).toEqual([1_450, 1_650]);
  });

  it('are a point less in the first year, a limited cost trader’s too', () => {
    expect(on('2026-07-01', '2026-05-01')).toEqual([1_350, 1_550]);
  });

  it('have the anniversary of a 29 February on 28 February', () => {
    expect(on('2025-02-27', '2024-02-29')).toEqual([1_350, 1_550]);
    expect(on('2025-02-28', '2024-02-29')).toEqual([1_450, 1_650]);
  });

  it('are never below nothing: a hotel’s 0% of 2020 less a point', () => {
    expect(on('2020-07-15', '2020-06-01', 'hotel_accommodation')).toEqual([0, 1_550]);
  });

  it('refuse a sector that is none', () => {
    expect(() => on('2026-07-01', null, 'piracy')).toThrow(
      expect.objectContaining({
        code: 'E_FRS_SECTOR',
        message: 'not a sector of the flat rate scheme on that date',
        facts: { start: '2026-07-01' },
      }),
    );
  });

  it('had no limited cost traders before 1 April 2017', () => {
    expect(on('2017-03-31')).toEqual([1_450, 1_450]);
    expect(on('2017-04-01')).toEqual([1_450, 1_650]);
    expect(on('2017-04-01', '2016-04-02')).toEqual([1_350, 1_550]);
    expect(on('2017-04-01', '2016-04-01')).toEqual([1_450, 1_650]);
  });
});
