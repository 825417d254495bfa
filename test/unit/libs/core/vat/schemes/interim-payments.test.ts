import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { balancingPayment, interimPayments } from '../../../../../../libs/core/vat/schemes/interim-payments.ts';

describe('interim payments of annual accounting', () => {
  it('are nine of a tenth, at the ends of months 4 to 12', () => {
    const payments = interimPayments(localDate('2026-04-01'), 1_000_005, 'monthly');
    expect(payments.map(({ due }) => due)).toEqual([
      '2026-07-31',
      '2026-08-31',
      '2026-09-30',
      '2026-10-31',
      '2026-11-30',
      '2026-12-31',
      '2027-01-31',
      '2027-02-28',
      '2027-03-31',
    ]);
    // 100,000.5 pence, half up.
    expect(payments.every(({ amountPence }) => amountPence === 100_001)).toBe(true);
  });

  it('are three of a quarter, at the ends of months 4, 7 and 10', () => {
    expect(interimPayments(localDate('2026-11-01'), 400_000, 'quarterly')).toEqual([
      { due: '2027-02-28', amountPence: 100_000 },
      { due: '2027-05-31', amountPence: 100_000 },
      { due: '2027-08-31', amountPence: 100_000 },
    ]);
  });

  it('are nothing after a year in which HMRC repaid', () => {
    expect(interimPayments(localDate('2026-04-01'), -5, 'quarterly').map(({ amountPence }) => amountPence)).toEqual([
      0, 0, 0,
    ]);
  });

  it('leave the rest, due two months after the year', () => {
    expect(balancingPayment(localDate('2027-03-31'), 400_000, 300_000)).toEqual({
      due: '2027-05-31',
      amountPence: 100_000,
    });
    expect(balancingPayment(localDate('2027-03-31'), 250_000, 300_000).amountPence).toBe(-50_000);
  });
});
