import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mtdReturnOf } from '../../../../../../libs/core/vat/mtd/return.ts';
import { type ReturnEntry, vatReturnOf } from '../../../../../oracles/vat-return.ts';

const BLANK: ReturnEntry = {
  kind: 'sale',
  netPence: 0,
  vatPence: 0,
  recoverableBasisPoints: 10_000,
  grossPence: 0,
  grossByRate: {},
  turnoverPence: 0,
  pct: '0',
};
const CAPITAL_MINIMUM = 200_000;
const boxesOf = (...entries: readonly Partial<ReturnEntry>[]) =>
  Object.values(
    vatReturnOf(
      entries.map((entry) => ({ ...BLANK, ...entry })),
      'truncate',
      CAPITAL_MINIMUM,
    ).boxes,
  );

describe('the nine boxes', () => {
  // Net £1,000.00, VAT £200.00; boxes 1 to 9 (vat.md section 6).
  const [NET, VAT] = [100_000, 20_000];
  it.each([
    ['sale', [VAT, 0, VAT, 0, VAT, NET, 0, 0, 0]],
    ['sale_export', [0, 0, 0, 0, 0, NET, 0, 0, 0]],
    ['sale_refund', [-VAT, 0, -VAT, 0, VAT, -NET, 0, 0, 0]],
    ['outside_scope', [0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['purchase', [0, 0, 0, VAT, VAT, 0, NET, 0, 0]],
    ['purchase_credit', [0, 0, 0, -VAT, VAT, 0, -NET, 0, 0]],
    ['import_vat_paid', [0, 0, 0, VAT, VAT, 0, NET, 0, 0]],
    ['import_pva', [VAT, 0, VAT, VAT, 0, 0, NET, 0, 0]],
    ['rc_services_in', [VAT, 0, VAT, VAT, 0, NET, NET, 0, 0]],
    ['drc_sale', [0, 0, 0, 0, 0, NET, 0, 0, 0]],
    ['drc_purchase', [VAT, 0, VAT, VAT, 0, 0, NET, 0, 0]],
    ['ni_acquisition', [0, VAT, VAT, VAT, 0, 0, NET, 0, NET]],
    ['ni_dispatch', [0, 0, 0, 0, 0, NET, 0, NET, 0]],
    ['fuel_scale', [VAT, 0, VAT, 0, VAT, NET, 0, 0, 0]],
    ['bad_debt_relief', [0, 0, 0, VAT, VAT, 0, 0, 0, 0]],
    ['bad_debt_recovered', [VAT, 0, VAT, 0, VAT, 0, 0, 0, 0]],
  ] as const)('of one %s', (kind, boxes) => {
    const withoutVat = kind === 'drc_sale' || kind === 'ni_dispatch' || kind === 'sale_export';
    expect(boxesOf({ kind, netPence: NET, vatPence: withoutVat ? 0 : VAT })).toEqual(boxes);
  });

  it('take capital goods of 2,000.00 and more under the flat rate scheme', () => {
    const capital = (grossPence: number) => boxesOf({ kind: 'frs_capital', grossPence, vatPence: 40_000 });
    expect(capital(240_000)).toEqual([0, 0, 0, 40_000, 40_000, 0, 200_000, 0, 0]);
    expect(capital(200_000)).toEqual([0, 0, 0, 40_000, 40_000, 0, 160_000, 0, 0]);
    expect(capital(199_999)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('recover shares on their sum: three halves of a penny are 2p', () => {
    const half = { kind: 'purchase', vatPence: 1, recoverableBasisPoints: 5_000 };
    expect(boxesOf(half, half, half)[3]).toBe(2);
  });

  it('are the same in any order', () => {
    const entry = fc.record({
      kind: fc.constantFrom('sale', 'sale_refund', 'purchase', 'import_pva', 'retail_takings', 'ni_acquisition'),
      netPence: fc.nat(10 ** 9),
      vatPence: fc.nat(10 ** 9),
      recoverableBasisPoints: fc.nat(10_000),
      grossByRate: fc.dictionary(fc.constantFrom('20', '5', '17.5', '0'), fc.nat(10 ** 9)),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 20 }), (entries) => {
        expect(boxesOf(...[...entries].reverse())).toEqual(boxesOf(...entries));
      }),
    );
  });

  it('are pounds in HMRC’s JSON', () => {
    const entries = [
      { ...BLANK, kind: 'ni_acquisition', netPence: 70_000, vatPence: 14_005 },
      { ...BLANK, kind: 'ni_dispatch', netPence: 30_000 },
    ];
    expect(mtdReturnOf('18A1', vatReturnOf(entries, 'truncate', CAPITAL_MINIMUM))).toEqual({
      periodKey: '18A1',
      vatDueSales: 0,
      vatDueAcquisitions: 140.05,
      totalVatDue: 140.05,
      vatReclaimedCurrPeriod: 140.05,
      netVatDue: 0,
      totalValueSalesExVAT: 300,
      totalValuePurchasesExVAT: 700,
      totalValueGoodsSuppliedExVAT: 300,
      totalAcquisitionsExVAT: 700,
      finalised: true,
    });
  });

  it('refuse a percentage that is none', () => {
    for (const entry of [
      { kind: 'retail_takings', grossByRate: { twenty: 100 } },
      { kind: 'frs', pct: '12.5%' },
    ]) {
      expect(() => boxesOf(entry)).toThrow(
        expect.objectContaining({ code: 'E_RATE_UNKNOWN', message: 'a percentage is decimal text such as "17.5"' }),
      );
    }
  });

  it('refuse a kind that is none', () => {
    expect(() => boxesOf({ kind: 'k'.repeat(50) })).toThrow(`"${'k'.repeat(40)}" is not a kind of return entry`);
    expect(() => boxesOf({ kind: 'teleport' })).toThrow(expect.objectContaining({ code: 'E_ENTRY_KIND' }));
  });
});
