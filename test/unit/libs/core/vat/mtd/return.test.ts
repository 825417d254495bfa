import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  declaredDifference,
  declaredDuePence,
  declaredReturnOf,
  isPeriodKey,
  viewRefusal,
} from '../../../../../../libs/core/vat/mtd/return.ts';
import { type ReturnEntry, vatReturnOf } from '../../../../../oracles/vat-return.ts';

const BODY = {
  periodKey: '26A4',
  vatDueSales: 0.29,
  vatDueAcquisitions: 0,
  totalVatDue: 0.29,
  vatReclaimedCurrPeriod: 1.1,
  netVatDue: 0.81,
  totalValueSalesExVAT: 0,
  totalValuePurchasesExVAT: 0,
  totalValueGoodsSuppliedExVAT: 0,
  totalAcquisitionsExVAT: 0,
};

const NO_ENTRY: ReturnEntry = {
  kind: '',
  netPence: 0,
  vatPence: 0,
  recoverableBasisPoints: 10_000,
  grossPence: 0,
  grossByRate: {},
  turnoverPence: 0,
  pct: '0',
};

describe('a declared return', () => {
  it('keeps its fields and nothing else of the body', () => {
    expect(declaredReturnOf({ ...BODY, finalised: true, agentReference: 'x' })).toEqual(BODY);
  });

  it('comes to box 3 less box 4 in exact pence: £0.29 less £1.10 is 81p to be repaid', () => {
    expect(declaredDuePence(declaredReturnOf(BODY))).toBe(29 - 110);
  });

  it('differs from the events box by box, above or below', () => {
    const nothing = vatReturnOf([], 'truncate', 0);
    expect(declaredDifference(declaredReturnOf(BODY), nothing)).toEqual({
      vatDueSales: 29,
      totalVatDue: 29,
      vatReclaimedCurrPeriod: 110,
      netVatDue: 81,
    });
    // Events of 0.30 output and 2.00 input VAT on 10.00: each box less what they come to.
    const events = vatReturnOf(
      [
        { ...NO_ENTRY, kind: 'sale', netPence: 150, vatPence: 30 },
        { ...NO_ENTRY, kind: 'purchase', netPence: 1_000, vatPence: 200 },
      ],
      'truncate',
      0,
    );
    expect(declaredDifference(declaredReturnOf({ ...BODY, totalValueSalesExVAT: 1 }), events)).toEqual({
      vatDueSales: -1,
      totalVatDue: -1,
      vatReclaimedCurrPeriod: -90,
      netVatDue: 81 - 170,
      totalValuePurchasesExVAT: -1_000,
    });
  });
});

describe('a return that was filed', () => {
  it('is shown for four years after its period', () => {
    const end = localDate('2022-11-21');
    expect(viewRefusal(end, localDate('2026-11-21'))).toBeNull();
    expect(viewRefusal(end, localDate('2026-11-22'))).toEqual({
      status: 403,
      body: {
        code: 'DATE_RANGE_TOO_LARGE',
        message: 'The date of the requested return cannot be further than four years from the current date',
      },
    });
  });

  it('is told by the day, whatever its month', () => {
    const today = localDate('2026-03-05');
    expect(viewRefusal(localDate('2022-03-05'), today)).toBeNull();
    expect(viewRefusal(localDate('2022-03-04'), today)?.body.code).toBe('DATE_RANGE_TOO_LARGE');
    expect(viewRefusal(localDate('2022-02-28'), today)?.body.code).toBe('DATE_RANGE_TOO_LARGE');
    expect(viewRefusal(localDate('2022-12-31'), today)).toBeNull();
  });
});

describe('a period key', () => {
  it('is four digits, capitals or #', () => {
    for (const key of ['18A1', '18AD', '#001', '0419']) expect(isPeriodKey(key)).toBe(true);
    for (const key of ['18A', '18A11', '18a1', '', '18A1\n', ' 18A1']) expect(isPeriodKey(key)).toBe(false);
  });
});
