import { describe, expect, it } from 'vitest';
import { apportionmentOneVat, directCalculationOneVat, totalVat } from '../../../../../libs/core/vat/retail-schemes.ts';
import { vatRate } from '../../../../../libs/core/vat/vat-rate.ts';

const [STANDARD, REDUCED, ZERO] = [vatRate('S', 2_000), vatRate('R', 500), vatRate('Z', 0)];

describe('apportionment scheme 1', () => {
  it('is GOV.UK’s example: 34,000 taken on purchases of 16,000, 1,000 and 10,000 bears 3,417.98', () => {
    const rows = apportionmentOneVat(3_400_000, [
      { rate: STANDARD, grossPence: 1_600_000 },
      { rate: REDUCED, grossPence: 100_000 },
      { rate: ZERO, grossPence: 1_000_000 },
    ]);
    // 34,000 x 16/27 / 6 = 3,358.02; 34,000 x 1/27 / 21 = 59.96.
    expect(rows.map(({ vatPence }) => vatPence)).toEqual([335_802, 5_996, 0]);
    expect(totalVat(rows)).toBe(341_798);
  });

  it('needs purchases', () => {
    expect(() => apportionmentOneVat(100, [])).toThrow(expect.objectContaining({ code: 'E_APPORTION_ZERO' }));
  });
});

describe('direct calculation scheme 1', () => {
  it('is GOV.UK’s example: 25,000 less 2,500 zero-rated and 105 reduced bears 3,737.50', () => {
    const minority = [
      { rate: ZERO, grossPence: 250_000 },
      { rate: REDUCED, grossPence: 10_500 },
    ];
    // 22,395 / 6 = 3,732.50; 105 / 21 = 5.
    expect(totalVat(directCalculationOneVat(2_500_000, minority, STANDARD))).toBe(373_750);
  });

  it('refuses expected prices above the takings', () => {
    expect(() => directCalculationOneVat(1, [{ rate: ZERO, grossPence: 2 }], STANDARD)).toThrow(
      expect.objectContaining({ code: 'E_ESP_EXCEEDS_TAKINGS' }),
    );
  });
  it('may have nothing left for the majority', () => {
    expect(totalVat(directCalculationOneVat(2_100, [{ rate: REDUCED, grossPence: 2_100 }], STANDARD))).toBe(100);
  });

  it('says what it cannot do', () => {
    expect(() => directCalculationOneVat(1, [{ rate: ZERO, grossPence: 2 }], STANDARD)).toThrow(
      'expected selling prices are above the takings',
    );
    expect(() => apportionmentOneVat(100, [{ rate: ZERO, grossPence: 0 }])).toThrow(
      'takings cannot be apportioned over purchases of nothing',
    );
  });
});
