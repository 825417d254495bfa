import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { liabilitiesAnswer, paymentsAnswer } from '../../../../../../libs/core/vat/mtd/money.ts';
import type { VatCharge } from '../../../../../../libs/core/vat/standing/settle-charges.ts';

const TODAY = localDate('2026-11-21');
const RANGE = { from: '2026-01-01', to: '2026-09-30' };
const charge = (start: string, end: string, due: string, duePence: number): VatCharge => ({
  start: localDate(start),
  end: localDate(end),
  due: localDate(due),
  duePence,
  filedOn: localDate(due),
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
    expect(answer).toEqual({
      liabilities: [
        {
          taxPeriod: { from: '2026-01-01', to: '2026-03-31' },
          type: 'VAT Return Credit Charge',
          originalAmount: -40,
          due: '2026-05-07',
        },
        {
          taxPeriod: { from: '2026-04-01', to: '2026-06-30' },
          type: 'VAT Return Debit Charge',
          originalAmount: 50.5,
          outstandingAmount: 10.5,
          due: '2026-08-07',
        },
      ],
    });
  });

  it('leave open what is owed on balance, also where the credit came after the charge', () => {
    const credit = charge('2026-04-01', '2026-06-30', '2026-08-07', -4_000);
    const september = charge('2026-07-01', '2026-09-30', '2026-11-07', 3_000);
    // 100.00 + 30.00 owed, 40.00 to be repaid, 5.00 of it already: 90.00 + 5.00 is open, the oldest settled first.
    const answer = liabilitiesAnswer(RANGE, TODAY, [september, MARCH, credit], [paid(-500)]);
    expect(answer).toMatchObject({
      liabilities: [
        { originalAmount: 100, outstandingAmount: 65 },
        { originalAmount: -40 },
        { originalAmount: 30, outstandingAmount: 30 },
      ],
    });
    const overpaid = liabilitiesAnswer(RANGE, TODAY, [MARCH], [paid(-500)]);
    expect(overpaid).toMatchObject({ liabilities: [{ originalAmount: 100, outstandingAmount: 100 }] });
  });

  it('stand under the dates in which their period ends; a nil return is none', () => {
    const nil = charge('2026-07-01', '2026-09-30', '2026-11-07', 0);
    const answer = liabilitiesAnswer({ from: '2026-04-01', to: '2026-09-30' }, TODAY, [MARCH, JUNE, nil], []);
    expect(answer).toMatchObject({ liabilities: [{ taxPeriod: { to: '2026-06-30' } }] });
    expect(liabilitiesAnswer({ from: '2026-07-01', to: '2026-09-30' }, TODAY, [nil], [])).toMatchObject({
      status: 404,
    });
  });

  it('are in a range that has the last day of their period', () => {
    const ends = (from: string, to: string) => liabilitiesAnswer({ from, to }, TODAY, [MARCH], []);
    expect(ends('2026-03-31', '2026-04-01')).toMatchObject({ liabilities: [{ originalAmount: 100 }] });
    expect(ends('2026-04-01', '2026-04-02')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(ends('2026-03-29', '2026-03-30')).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });

  it('need their dates', () => {
    const answer = liabilitiesAnswer({ from: undefined, to: '2026-09-30' }, TODAY, [MARCH], []);
    expect(answer).toMatchObject({ status: 400, body: { code: 'DATE_FROM_INVALID' } });
  });
});

describe('payments', () => {
  it('are those received within the dates; what HMRC paid back is none', () => {
    const money = [paid(100, '2025-12-31'), paid(10_005, '2026-01-01'), paid(-50, '2026-02-01')];
    expect(paymentsAnswer(RANGE, TODAY, money)).toEqual({ payments: [{ amount: 100.05, received: '2026-01-01' }] });
  });

  it('are asked for by dates, the last of them included; money without a date is shown without', () => {
    const money = [
      { amountPence: 700, received: null },
      paid(0, '2026-02-01'),
      paid(1, '2026-09-30'),
      paid(2, '2026-10-01'),
    ];
    expect(paymentsAnswer(RANGE, TODAY, money)).toEqual({
      payments: [{ amount: 7 }, { amount: 0.01, received: '2026-09-30' }],
    });
    expect(paymentsAnswer(RANGE, TODAY, [paid(2, '2026-10-01')])).toMatchObject({
      status: 404,
      body: { code: 'NOT_FOUND' },
    });
    expect(paymentsAnswer({ from: '2026-01-01', to: 'now' }, TODAY, money)).toMatchObject({
      status: 400,
      body: { code: 'DATE_TO_INVALID' },
    });
  });
});
