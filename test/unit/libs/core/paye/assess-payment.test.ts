import { describe, expect, it } from 'vitest';
import { assessPayment } from '../../../../../libs/core/paye/assess-payment.ts';
import type { EmploymentState } from '../../../../../libs/core/paye/employment-state.ts';
import { payDayOf } from '../../../../../libs/core/paye/paye-rules.ts';
import { paymentMade } from '../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../support/paye-rules.ts';

const RULES = testPayeRules();
const MARK = '0123456789abcdef01234567';

function assess(changes: Parameters<typeof paymentMade>[0] = {}, before: EmploymentState | null = null) {
  const event = paymentMade(changes);
  return assessPayment(event, MARK, before, payDayOf(RULES, event.paymentDate), RULES);
}

describe('the state after a payment', () => {
  it('has every figure to date, and nothing that is not needed', () => {
    const { state } = assess({ studentLoanPlan: '02', postgraduateLoan: true });
    expect(state).toEqual({
      d: '2026-04-30',
      p: 275_000,
      t: 34_020,
      e: 275_000,
      n: 13_616,
      m: 34_995,
      s: 2_700,
      g: 6_000,
      h: MARK,
      w: [['AM1:1', 275_000, 13_616, 34_995, 0, 0, 2_700, 6_000]],
    });
  });

  it('leaves the state before it untouched', () => {
    const before = assess().state;
    const copy = JSON.stringify(before);
    assess({}, before);
    expect(JSON.stringify(before)).toBe(copy);
  });

  it('is small: a monthly employee’s, after eleven months, is below 600 bytes', () => {
    let state: EmploymentState | null = null;
    for (let month = 1; month <= 11; month += 1) {
      const paymentDate = new Date(Date.UTC(2026, 2 + month, 28)).toISOString().slice(0, 10);
      state = assess({ paymentDate, period: month }, state).state;
    }
    expect(JSON.stringify(state).length).toBeLessThan(600);
  });
});

describe('the working of a payment', () => {
  it('says the basis, the periods and the tax before the limit', () => {
    const { working } = assess({ taxCode: 'S1257L', week1Month1: true, payFrequency: 'W4', period: 4 });
    expect(working).toMatchObject({ cumulative: false, periods: 4, period: 4, code: { nation: 'scotland' } });
    expect(working.tax.limitApplied).toBe(false);
  });
});
