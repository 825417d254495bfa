import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { stateBefore } from '../../../../../../libs/core/paye/payment/employment-before.ts';
import { PayeBook, paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();

describe('the state before a payment', () => {
  it('is none for a first payment, and what the payments before it came to for a later one', () => {
    const book = new PayeBook(RULES);
    expect(stateBefore(paymentMade(), book.view, RULES).state).toBeNull();
    book.pay({});
    const may = paymentMade({ paymentDate: localDate('2026-05-29'), period: 2 });
    // 1,701 at 20% = 340.20.
    expect(stateBefore(may, book.view, RULES).state).toMatchObject({
      taxablePayPence: 275_000,
      taxPence: 34_020,
      niEarningsPence: 275_000,
    });
  });

  it('is that of the old works number where a new one continues it, and none where the old one has gone on already', () => {
    const book = new PayeBook(RULES);
    book.pay({});
    const next = paymentMade({ worksNumber: 'W-2', oldWorksNumber: 'W-1' });
    expect(stateBefore(next, book.view, RULES).state).toMatchObject({ taxablePayPence: 275_000, setAsideUnder: 'W-1' });
    book.decide(next);
    expect(stateBefore(paymentMade(), book.view, RULES).state).toBeNull();
    expect(stateBefore(paymentMade({ ...next, worksNumber: 'W-3' }), book.view, RULES).state).toBeNull();
  });

  it('has an earnings period back in it that was set aside', () => {
    const book = new PayeBook(RULES);
    for (let month = 1; month <= 6; month += 1) {
      book.pay({ paymentDate: new Date(Date.UTC(2026, 2 + month, 28)).toISOString().slice(0, 10), period: month });
    }
    const state = stateBefore(paymentMade({ taxablePayPence: pence(100) }), book.view, RULES).state;
    expect(state?.pools.map(([key]) => key)).toContain('AM1:1');
  });
});
