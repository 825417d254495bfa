import { describe, expect, it } from 'vitest';
import type { StateValue } from '../../../../../../libs/core/decisions/decision.ts';
import { TallyError } from '../../../../../../libs/core/errors/tally-error.ts';
import { assessPayment } from '../../../../../../libs/core/paye/assess/assess-payment.ts';
import type { EmploymentState } from '../../../../../../libs/core/paye/employment/employment-state.ts';
import { withCharacters } from '../../../../../../libs/core/paye/employment/period-pools.ts';
import { payDayOf } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { stateText } from '../../../../../../libs/core/tax/state-forms.ts';
import { paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

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
      lastPayDay: '2026-04-30',
      taxablePayPence: 275_000,
      taxPence: 34_020,
      niEarningsPence: 275_000,
      employeeNicsPence: 13_616,
      employerNicsPence: 34_995,
      studentLoanPence: 2_700,
      postgraduateLoanPence: 6_000,
      seenMarks: MARK,
      pools: [['AM1:1', 275_000, 13_616, 34_995, 0, 0, 2_700, 6_000]],
      latestPayments: expect.stringMatching(/^[0-9a-f]{8}$/),
    });
  });

  it('leaves the state before it untouched', () => {
    const before = assess().state;
    const copy = JSON.stringify(before);
    assess({}, before);
    expect(JSON.stringify(before)).toBe(copy);
  });

  it('is small: a monthly employee’s, after eleven months, is below 700 bytes', () => {
    let state: EmploymentState | null = null;
    for (let month = 1; month <= 11; month += 1) {
      const paymentDate = new Date(Date.UTC(2026, 2 + month, 28)).toISOString().slice(0, 10);
      state = assess({ paymentDate, period: month }, state).state;
    }
    expect(stateText('employment|', state as unknown as StateValue).length).toBeLessThan(700);
  });
});

describe('the working of a payment', () => {
  it('says the basis, the periods and the tax before the limit', () => {
    const { working } = assess({ taxCode: 'S1257L', week1Month1: true, payFrequency: 'W4', period: 4 });
    expect(working).toMatchObject({ cumulative: false, periods: 4, period: 4, code: { nation: 'scotland' } });
    expect(working.tax.limitApplied).toBe(false);
  });
});

describe('pools of the earnings period', () => {
  const poolOf = (changes: Parameters<typeof paymentMade>[0]) => assess(changes).state.pools[0];

  it('have only the parts that are not zero, up to the last of them', () => {
    expect(poolOf({})).toEqual(['AM1:1', 275_000, 13_616, 34_995]);
    expect(poolOf({ week1Month1: true })).toEqual(['AM1:1', 275_000, 13_616, 34_995, 275_000, 34_020]);
    expect(poolOf({ week1Month1: true, taxCode: 'NT' })).toEqual(['AM1:1', 275_000, 13_616, 34_995, 275_000, 0]);
    expect(poolOf({ studentLoanPlan: '02' })).toEqual(['AM1:1', 275_000, 13_616, 34_995, 0, 0, 2_700, 0]);
    expect(poolOf({ postgraduateLoan: true })).toEqual(['AM1:1', 275_000, 13_616, 34_995, 0, 0, 0, 6_000]);
  });

  it('do not have the annual NICs of a director', () => {
    // Below the annual primary threshold; employer 15% of nothing below 5,000.00.
    expect(poolOf({ directorsNic: 'AN' })).toEqual(['AM1:1', 275_000, 0, 0]);
  });
});

describe('a director of the alternative method', () => {
  const monthly = { directorsNic: 'AL' } as const;
  /** 5,000.00 a month: (4,189 - 1,048) * 8% + 811 * 2% = 251.28 + 16.22 = 267.50. */
  const pay = { taxablePayPence: 500_000, nicableEarningsPence: 500_000 };

  it('pays by the month until the last payment of the year, which settles by the annual method', () => {
    const march = assess({ ...monthly, ...pay, paymentDate: '2027-03-05', period: 11 });
    expect(march.employeeNicsPence).toBe(26_750);
    // 10,000.00 in the year, below the annual threshold of 12,570.00: what was taken comes back.
    const april = assess({ ...monthly, ...pay, paymentDate: '2027-04-05', period: 12 }, march.state);
    expect(april.employeeNicsPence).toBe(-26_750);
    // Employer: 15% of 5,000.00 = 750.00 less 15% of 4,583.00 = 687.45.
    expect(april.employerNicsPence).toBe(6_255);
  });

  it('settles in the last week of weekly pay, and not a week before', () => {
    const week = { ...monthly, payFrequency: 'W1', taxablePayPence: 50_000, nicableEarningsPence: 50_000 } as const;
    // (500 - 242) * 8% = 20.64 in week 51; in week 52 the year's 500.00 owe nothing.
    expect(assess({ ...week, paymentDate: '2027-03-28', period: 51 }).employeeNicsPence).toBe(2_064);
    expect(assess({ ...week, paymentDate: '2027-04-04', period: 52 }).employeeNicsPence).toBe(0);
    expect(assess({ ...week, payFrequency: 'W2', paymentDate: '2027-03-28', period: 51 }).employeeNicsPence).toBe(0);
  });

  it('settles where the director leaves', () => {
    expect(assess({ ...monthly, ...pay, leavingDate: '2026-04-30' }).employeeNicsPence).toBe(0);
  });

  it('keeps the weeks of the first appointment that was stated, until another is', () => {
    const first = assess({ ...monthly, directorAppointedWeek: 27 });
    expect(first.state.director?.weeks).toBe(26);
    expect(assess(monthly, first.state).state.director?.weeks).toBe(26);
    expect(assess({ ...monthly, directorAppointedWeek: 40 }, first.state).state.director?.weeks).toBe(13);
    expect(assess(monthly).state.director?.weeks).toBe(52);
  });
});

describe('what a payment is refused for by the assessment itself', () => {
  it('is a letter or a plan that the day’s rules do not have', () => {
    const code = (changes: Parameters<typeof paymentMade>[0]) => {
      try {
        assess(changes);
      } catch (error) {
        return error instanceof TallyError ? `${error.code}: ${error.message}` : error;
      }
      return null;
    };
    const before2024 = { paymentDate: '2024-04-05', period: 12 };
    expect(code({ ...before2024, niCategory: 'N' })).toBe('BAD_NI_CATEGORY: the letter is not in force');
    expect(code({ ...before2024, studentLoanPlan: '05' })).toBe('PLAN_NOT_IN_FORCE: the plan is not in force');
    expect(code({ ...before2024, studentLoanPlan: '05', oddIntervalDays: 9 })).toBe(
      'PLAN_NOT_IN_FORCE: the plan is not in force',
    );
  });

  it('is a fault of ours where a pool set aside was not brought back', () => {
    const before = assess().state;
    const pool = before.pools[0];
    if (pool === undefined) throw new Error('no pool');
    const state = { ...before, setAside: withCharacters('', [pool]) };
    expect(() => assess({}, state)).toThrow('the pools of the earnings period are there');
  });
});
