import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import {
  declaredDifference,
  declaredDuePence,
  declaredReturnOf,
  viewRefusal,
} from '../../../../../../libs/core/vat/mtd/mtd-return.ts';
import { vatReturnOf } from '../../../../../../libs/core/vat/vat-return.ts';

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
});
