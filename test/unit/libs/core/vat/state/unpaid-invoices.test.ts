import { describe, expect, it } from 'vitest';
import { PERIOD_SUM_PENCE_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import { unpaidAfter, withUnpaid, withUnpaidBefore } from '../../../../../../libs/core/vat/schemes/unpaid-of-period.ts';
import { EMPTY_PERIOD } from '../../../../../../libs/core/vat/state/period-account.ts';
import {
  addUnpaid,
  NOTHING_UNPAID,
  unpaidDueIn,
  unpaidPurchase,
  unpaidSale,
} from '../../../../../../libs/core/vat/state/unpaid-invoices.ts';

describe('what is unpaid', () => {
  it('is of sales net and VAT, of purchases net and the part of the VAT that is recoverable', () => {
    expect(unpaidSale(1_000, 200)).toEqual([1_000, 200, 0, 0, 0]);
    expect(unpaidPurchase(500, 100, 10_000)).toEqual([0, 0, 500, 100, 0]);
    // A third of 1p, and of -1p, which stands as 6,667 parts above -1p.
    expect(unpaidPurchase(5, 1, 3_333)).toEqual([0, 0, 5, 0, 3_333]);
    expect(unpaidPurchase(-5, -1, 3_333)).toEqual([0, 0, -5, -1, 6_667]);
  });

  it('is added with its parts of a penny carried', () => {
    const half = unpaidPurchase(10, 1, 5_000);
    expect(addUnpaid(half, half)).toEqual([0, 0, 20, 1, 0]);
    expect(addUnpaid([1, 2, 3, 4, 6_000], [10, 20, 30, 40, 7_000])).toEqual([11, 22, 33, 45, 3_000]);
    expect(addUnpaid(half, unpaidPurchase(-10, -1, 5_000))).toEqual(NOTHING_UNPAID);
  });

  it('waits while cash accounting goes on, and is due in its last period, with what came from before', () => {
    const [u, b] = [unpaidSale(100, 20), unpaidSale(7, 1)];
    expect(unpaidDueIn({ s: { c: 1 }, u })).toBeNull();
    expect(unpaidDueIn({ s: { c: 2 }, u })).toEqual(u);
    expect(unpaidDueIn({ s: { c: 2 }, u, b })).toEqual([107, 21, 0, 0, 0]);
    expect(unpaidDueIn({ b, u })).toEqual(b);
    expect(unpaidDueIn({})).toBeNull();
  });

  it('of a period goes to the next ones while the scheme goes on, unless it is nothing', () => {
    const u = unpaidSale(100, 20);
    const account = { ...EMPTY_PERIOD, s: { c: 1 as const } };
    expect(unpaidAfter({ ...account, u })).toEqual(u);
    expect(unpaidAfter({ ...account, u: NOTHING_UNPAID })).toBeNull();
    expect(unpaidAfter(account)).toBeNull();
    expect(unpaidAfter({ ...account, s: { c: 2 }, u })).toBeNull();
    expect(unpaidAfter({ ...EMPTY_PERIOD, u })).toBeNull();
  });

  it('is summed in its account, as long as it can be counted exactly', () => {
    expect(withUnpaid(EMPTY_PERIOD, unpaidSale(1, 2))?.u).toEqual([1, 2, 0, 0, 0]);
    const full = { ...EMPTY_PERIOD, u: unpaidSale(0, PERIOD_SUM_PENCE_MAX) };
    expect(withUnpaid(full, unpaidSale(0, 1))).toBeNull();
    expect(withUnpaid(full, unpaidSale(1, -1))?.u).toEqual([1, PERIOD_SUM_PENCE_MAX - 1, 0, 0, 0]);
    const before = withUnpaidBefore(EMPTY_PERIOD, unpaidSale(1, 2));
    expect(before.b).toEqual([1, 2, 0, 0, 0]);
    expect(withUnpaidBefore(before, unpaidSale(10, 20)).b).toEqual([11, 22, 0, 0, 0]);
  });
});
