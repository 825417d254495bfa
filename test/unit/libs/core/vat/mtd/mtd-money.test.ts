import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { liabilitiesAnswer, paymentsAnswer, type VatCharge } from '../../../../../../libs/core/vat/mtd/mtd-money.ts';

const TODAY = localDate('2026-11-21');
const RANGE = { from: '2026-01-01', to: '2026-09-30' };
const charge = (start: string, end: string, due: string, duePence: number): VatCharge => ({
  start: localDate(start),
  end: localDate(end),
  due: localDate(due),
  duePence,
});
const MARCH = charge('2026-01-01', '2026-03-31', '2026-05-07', 10_000);
const JUNE = charge('2026-04-01', '2026-06-30', '2026-08-07', 5_050);
const paid = (amountPence: number, received = '2026-05-07') => ({ amountPence, received: localDate(received) });

describe('liabilities', () => {
  it('are settled oldest first, and have no outstanding amount once they are', () => {
    const answer = liabilitiesAnswer(RANGE, TODAY, [JUNE, MARCH], [paid(12_000)]);
    expect(answer).toEqual({
      liabilities: [
        {
          taxPeriod: { from: '2026-01-01', to: '2026-03-31' },
          type: 'VAT Return Debit Charge',
          originalAmount: 100,
          due: '2026-05-07',
        },
        {
          taxPeriod: { from: '2026-04-01', to: '2026-06-30' },
          type: 'VAT Return Debit Charge',
          originalAmount: 50.5,
          // 120.00 - 100.00 leaves 20.00 towards 50.50
          outstandingAmount: 30.5,
          due: '2026-08-07',
        },
      ],
    });
  });

  it('are set off by a return that is to be repaid, which owes nothing itself', () => {
    const credit = charge('2026-01-01', '2026-03-31', '2026-05-07', -4_000);
    const answer = liabilitiesAnswer(RANGE, TODAY, [credit, JUNE], []);
    expect(answer).toMatchObject({
      liabilities: [
        { type: 'VAT Return Credit Charge', originalAmount: -40 },
        { originalAmount: 50.5, outstandingAmount: 10.5 },
      ],
    });
  });

  it('stand under the dates in which their period ends; a nil return is none', () => {
    const nil = charge('2026-07-01', '2026-09-30', '2026-11-07', 0);
    const answer = liabilitiesAnswer({ from: '2026-04-01', to: '2026-09-30' }, TODAY, [MARCH, JUNE, nil], []);
    expect(answer).toMatchObject({ liabilities: [{ taxPeriod: { to: '2026-06-30' } }] });
    expect(liabilitiesAnswer({ from: '2026-07-01', to: '2026-09-30' }, TODAY, [nil], [])).toMatchObject({
      status: 404,
    });
  });
});

describe('payments', () => {
  it('are those received within the dates; what HMRC paid back is none', () => {
    const money = [paid(100, '2025-12-31'), paid(10_005, '2026-01-01'), paid(-50, '2026-02-01')];
    expect(paymentsAnswer(RANGE, TODAY, money)).toEqual({ payments: [{ amount: 100.05, received: '2026-01-01' }] });
  });
});
