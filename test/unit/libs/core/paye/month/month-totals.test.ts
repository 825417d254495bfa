import { describe, expect, it } from 'vitest';
import { account } from '../../../../../../libs/core/identity/account.ts';
import {
  monthTotalsKey,
  monthTotalsValue,
  readMonthTotals,
} from '../../../../../../libs/core/paye/month/month-totals.ts';

describe('the totals of a month', () => {
  const key = monthTotalsKey(account('paye:123/AB456'), '2026-27', 3);

  it('are nothing before the first payment', () => {
    expect(readMonthTotals({ get: () => undefined }, key)).toEqual({
      employerNicsPence: 0,
      payBillPence: 0,
      payments: 0,
    });
  });

  it('come back as they were stored', () => {
    const totals = { employerNicsPence: 1, payBillPence: -2, payments: 3 };
    const view = { get: (asked: string) => (asked === key ? monthTotalsValue(totals) : undefined) };
    expect(readMonthTotals(view, key)).toEqual(totals);
  });
});
