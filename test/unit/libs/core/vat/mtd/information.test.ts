import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { TraderRegistered } from '../../../../../../libs/core/events/vat-events.ts';
import { flatRateCategory, informationAnswer } from '../../../../../../libs/core/vat/mtd/information.ts';
import { NEW_TRADER } from '../../../../../../libs/core/vat/state/trader.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';
import { sampleRegistration } from '../../../../../support/vat-samples.ts';

const TODAY = localDate('2026-11-21');
const registered = (...all: readonly Partial<TraderRegistered>[]) => ({
  ...NEW_TRADER,
  r: all.map((one) => sampleRegistration('r', one)),
});

describe('customer information', () => {
  it('is the effective date of registration and the flat rate scheme of today', () => {
    const flat = { scheme: 'flatRate', flatRateSector: 'pubs' } as const;
    const trader = registered(
      { registeredOn: localDate('2019-05-01'), validFrom: localDate('2019-05-01') },
      { validFrom: localDate('2024-01-01'), ...flat },
      { validFrom: localDate('2025-01-01'), ...flat },
    );
    expect(informationAnswer(trader, TODAY)).toEqual({
      customerDetails: { effectiveRegistrationDate: '2019-05-01' },
      flatRateScheme: { frsCategory: '038', startDate: '2024-01-01' },
    });
    const left = registered({ validFrom: localDate('2024-01-01'), ...flat }, { validFrom: localDate('2026-01-01') });
    expect(informationAnswer(left, TODAY)).toMatchObject({ status: 404 });
  });

  it('leaves out what is not known, and is NOT_FOUND where nothing is', () => {
    const flat = registered({ scheme: 'flatRate', flatRateSector: 'waste_scrap', validFrom: localDate('2026-01-01') });
    expect(informationAnswer(flat, TODAY)).toEqual({
      flatRateScheme: { frsCategory: '055', startDate: '2026-01-01' },
    });
    const dated = registered({ registeredOn: localDate('2026-01-01') });
    expect(informationAnswer(dated, TODAY)).toEqual({
      customerDetails: { effectiveRegistrationDate: '2026-01-01' },
    });
    expect(informationAnswer(NEW_TRADER, TODAY)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('has a category of HMRC for every sector of the rate card, each its own', () => {
    const sectors = [...testVatRules().parameters.keys()].flatMap((name) =>
      name.startsWith('flatRate.') ? [name.slice('flatRate.'.length)] : [],
    );
    const categories = sectors.map(flatRateCategory);
    expect(categories).not.toContain(null);
    expect(new Set(categories).size).toBe(55);
    expect(flatRateCategory('accountancy_bookkeeping')).toBe('001');
    expect(flatRateCategory('computer_repair')).toBe('010');
    expect(flatRateCategory('wholesale_other')).toBe('054');
    expect(flatRateCategory('nothing')).toBeNull();
  });
});
