import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validateMtdReturn } from '../../../../../../libs/core/vat/mtd/validate-mtd-return.ts';

const GOOD = {
  periodKey: '18A1',
  vatDueSales: 105.5,
  vatDueAcquisitions: -100.45,
  totalVatDue: 5.05,
  vatReclaimedCurrPeriod: 105.15,
  netVatDue: 100.1,
  totalValueSalesExVAT: 300,
  totalValuePurchasesExVAT: 300,
  totalValueGoodsSuppliedExVAT: 3_000,
  totalAcquisitionsExVAT: 3_000,
  finalised: true,
};
const faults = (other: Record<string, unknown>) =>
  validateMtdReturn('101747696', { ...GOOD, ...other }).map(({ code, path }) => `${code} ${path}`);

describe('HMRC’s validator', () => {
  it('takes a return whose totals hold to the penny', () => {
    expect(faults({})).toEqual([]);
    expect(validateMtdReturn('101747696', JSON.stringify(GOOD))).toEqual([]);
  });

  it('takes a nil return, and amounts at the ends of their ranges', () => {
    const most = 9_999_999_999_999.99;
    const nil = { vatDueSales: 0, vatDueAcquisitions: 0, totalVatDue: 0, vatReclaimedCurrPeriod: 0, netVatDue: 0 };
    expect(faults(nil)).toEqual([]);
    const ends = { ...nil, vatDueSales: -most, totalVatDue: -most, vatReclaimedCurrPeriod: -most };
    expect(faults({ ...ends, totalValueSalesExVAT: -9_999_999_999_999 })).toEqual([]);
    expect(faults({ ...ends, vatDueSales: -1e13 })).toEqual(['INVALID_MONETARY_AMOUNT /vatDueSales']);
    expect(faults({ ...nil, netVatDue: 100_000_000_000 })).toEqual(['INVALID_MONETARY_AMOUNT /netVatDue']);
    for (const periodKey of ['18A', '18A11', '18a1', ' 18A1']) {
      expect(faults({ periodKey })).toEqual(['PERIOD_KEY_INVALID /periodKey']);
    }
    for (const vrn of ['1017476960', '10174769', 'x01747696']) {
      expect(validateMtdReturn(vrn, GOOD)).toEqual([{ code: 'VRN_INVALID', path: null }]);
    }
  });

  it('names each field that is absent, and then each that is of another type', () => {
    expect(faults({ vatDueSales: undefined, finalised: undefined, periodKey: undefined })).toEqual([
      'MANDATORY_FIELD_MISSING /periodKey',
      'MANDATORY_FIELD_MISSING /vatDueSales',
      'MANDATORY_FIELD_MISSING /finalised',
    ]);
    expect(faults({ vatDueSales: 'five', netVatDue: true, periodKey: 5, finalised: 'yes' })).toEqual([
      'INVALID_STRING_VALUE /periodKey',
      'INVALID_NUMERIC_VALUE /vatDueSales',
      'INVALID_NUMERIC_VALUE /netVatDue',
      'UNMAPPED_PLAY_ERROR /finalised',
    ]);
    expect(faults({ periodKey: null, vatDueSales: null, finalised: null })).toEqual([
      'INVALID_STRING_VALUE /periodKey',
      'INVALID_NUMERIC_VALUE /vatDueSales',
      'UNMAPPED_PLAY_ERROR /finalised',
    ]);
  });

  it('takes a number that is given as text, as HMRC’s framework reads it', () => {
    expect(faults({ vatDueSales: '105.50', totalValueSalesExVAT: '3e2' })).toEqual([]);
    expect(faults({ vatDueSales: '105.501', totalValueSalesExVAT: '300.5', netVatDue: '£1' })).toEqual([
      'INVALID_MONETARY_AMOUNT /vatDueSales',
      'INVALID_MONETARY_AMOUNT /totalValueSalesExVAT',
      'INVALID_NUMERIC_VALUE /netVatDue',
    ]);
    expect(faults({ vatDueSales: '' })).toEqual(['INVALID_NUMERIC_VALUE /vatDueSales']);
  });

  it('refuses decimals first, and what is beyond its range after all else of the fields', () => {
    expect(
      faults({
        vatDueSales: 0.001,
        totalValueSalesExVAT: 1.5,
        netVatDue: -1,
        totalAcquisitionsExVAT: 1e13,
        periodKey: 'a',
      }),
    ).toEqual([
      'INVALID_MONETARY_AMOUNT /vatDueSales',
      'INVALID_MONETARY_AMOUNT /totalValueSalesExVAT',
      'PERIOD_KEY_INVALID /periodKey',
      'INVALID_MONETARY_AMOUNT /netVatDue',
      'INVALID_MONETARY_AMOUNT /totalAcquisitionsExVAT',
    ]);
    // Of one box that has both, the fault stands once.
    expect(faults({ netVatDue: -0.001 })).toEqual(['INVALID_MONETARY_AMOUNT /netVatDue']);
  });

  it('looks at the sums once the fields are right, box 5 before box 3, and at the declaration last', () => {
    expect(faults({ totalVatDue: 5.06, finalised: false })).toEqual([
      'VAT_NET_VALUE /netVatDue',
      'VAT_TOTAL_VALUE /totalVatDue',
    ]);
    expect(faults({ finalised: false })).toEqual(['NOT_FINALISED /finalised']);
  });

  it('refuses a body that gives a box twice, be it with the same figure', () => {
    const body = JSON.stringify(GOOD);
    for (const again of [
      '"vatDueSales":105.5',
      '"vatDueSales":1000',
      '"vat\\u0044ueSales":1',
      '"note":{"a":1,"a":1}',
    ]) {
      const twice = body.replace('{', `{${again},`);
      expect(validateMtdReturn('101747696', twice)).toEqual([{ code: 'INVALID_JSON', path: null }]);
    }
  });

  it('refuses what is no JSON object', () => {
    for (const body of ['{', '[]', 'null', [], null, 5]) {
      expect(validateMtdReturn('101747696', body)).toEqual([{ code: 'INVALID_JSON', path: null }]);
    }
    expect(validateMtdReturn('10174769', GOOD)).toEqual([{ code: 'VRN_INVALID', path: null }]);
  });

  const folder = join(process.env['REAL_DATA_DIR'] ?? '../shared/data', 'mtd/vat-api-1.0');
  const examples = [1, 2].map((n) => join(folder, `SubmitVATreturnforperiod__request__example-${n}.json`));
  it.skipIf(!examples.every((file) => existsSync(file)))(
    'takes HMRC’s two example requests (skipped without REAL_DATA_DIR/mtd)',
    () => {
      for (const file of examples) expect(validateMtdReturn('123456789', readFileSync(file, 'utf8'))).toEqual([]);
    },
  );
});
