import { describe, expect, it } from 'vitest';
import { taxYear } from '../../../../../../libs/core/calendar/tax-calendar.ts';
import {
  dueDatesOf,
  type EmployerMonthInput,
  employerMonth,
  paymentPeriodSuffix,
} from '../../../../../../libs/core/paye/month/employer-month.ts';
import { rulesAtYearEnd } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const { employer } = rulesAtYearEnd(testPayeRules(), '2026-27');
const NOTHING: EmployerMonthInput = {
  taxYear: taxYear('2026-27'),
  taxMonth: 1,
  quarterly: false,
  incomeTaxPence: 0,
  studentLoansPence: 0,
  postgraduateLoansPence: 0,
  employeeNicsPence: 0,
  employerNicsPence: 0,
  class1aOnTerminationsPence: 0,
  employerNicsToDatePence: null,
  employmentAllowance: false,
  employmentAllowanceUsedBeforePence: 0,
  statutoryPayToDatePence: {},
  smallEmployer: false,
  recoveredBeforePence: 0,
  compensationBeforePence: 0,
  payBillToDatePence: 0,
  levyAllowancePence: null,
  levyBeforePence: 0,
  cisSufferedToDatePence: 0,
  cisSetOffBeforePence: 0,
};
const month = (changes: Partial<EmployerMonthInput>) => employerMonth({ ...NOTHING, ...changes }, employer);

describe('what an employer owes for a month', () => {
  it('is tax, NICs and loans, less claims, plus levy', () => {
    const bill = month({
      incomeTaxPence: 1_000_000,
      employeeNicsPence: 400_000,
      employerNicsPence: 700_000,
      studentLoansPence: 30_000,
      postgraduateLoansPence: 6_000,
      class1aOnTerminationsPence: 15_000,
      employmentAllowance: true,
      cisSufferedToDatePence: 50_000,
    });
    // 21,510.00 charged, less 7,000.00 allowance and 500.00 CIS.
    expect(bill).toMatchObject({ chargePence: 2_151_000, employmentAllowancePence: 700_000, netDuePence: 1_401_000 });
  });

  it('the allowance covers employer Class 1 alone, until 10,500 are used', () => {
    expect(
      month({ employerNicsPence: 700_000, employmentAllowance: true, employmentAllowanceUsedBeforePence: 1_000_000 }),
    ).toMatchObject({
      employmentAllowancePence: 50_000,
    });
    expect(month({ employerNicsPence: -10, employmentAllowance: true }).employmentAllowancePence).toBe(0);
  });

  it('statutory pay comes back at 92% up to the penny, or whole with 9% for a small employer', () => {
    expect(month({ statutoryPayToDatePence: { SMP: 234_567 } })).toMatchObject({
      statutoryRecoveredPence: 215_802,
      nicCompensationPence: 0,
    });
    expect(
      month({ statutoryPayToDatePence: { SMP: 234_567 }, smallEmployer: true, recoveredBeforePence: 4_567 }),
    ).toMatchObject({
      statutoryRecoveredPence: 230_000,
      nicCompensationPence: 21_112,
    });
  });

  it('takes every claim off and adds the levy, each less what was taken before', () => {
    const bill = month({
      incomeTaxPence: 1_000_000,
      statutoryPayToDatePence: { SMP: 100_000 },
      smallEmployer: true,
      recoveredBeforePence: 40_000,
      compensationBeforePence: 3_600,
      payBillToDatePence: 100_000_000,
      levyBeforePence: 75_000,
      cisSufferedToDatePence: 50_000,
      cisSetOffBeforePence: 20_000,
    });
    // 10,000.00 - 600.00 recovered - (90.00 - 36.00) + (5,000.00 - 1,250.00 - 750.00) - 300.00.
    expect(bill.netDuePence).toBe(1_000_000 - 60_000 - 5_400 + 300_000 - 30_000);
  });

  it('sick pay does not come back', () => {
    expect(() => month({ statutoryPayToDatePence: { SSP: 1 } })).toThrow(
      expect.objectContaining({ code: 'NOT_RECOVERABLE' }),
    );
  });

  it('the levy is cumulative, down to the penny over both terms together, and may come back', () => {
    // 0.5% of 3,000,000.01 = 15,000.00005 less 15,000 * 2 / 12 = 2,500: 12,500.00.
    expect(month({ taxMonth: 2, payBillToDatePence: 300_000_001 }).levyPence).toBe(1_250_000);
    // An allowance of 100.00 by 1/12 is 8.3333…; 0.5% of 10,000.00 is 50.00: 41.66.
    expect(month({ payBillToDatePence: 1_000_000, levyAllowancePence: 10_000 }).levyPence).toBe(4_166);
    expect(month({ taxMonth: 2, levyBeforePence: 5_000 }).levyPence).toBe(-5_000);
    // 5,000.005 and 5,000.001 less an allowance of 10,000.00 / 12 = 833.33333…: the parts of a penny count together.
    expect(month({ payBillToDatePence: 100_000_100, levyAllowancePence: 1_000_000 }).levyPence).toBe(416_667);
    expect(month({ payBillToDatePence: 100_000_020, levyAllowancePence: 1_000_000 }).levyPence).toBe(416_666);
  });

  it('a negative bill is a credit', () => {
    expect(month({ incomeTaxPence: -49_000 })).toMatchObject({
      netDuePence: -49_000,
      payablePence: 0,
      creditPence: 49_000,
    });
  });
});

describe('dates and references', () => {
  it.each([
    [1, false, '2026-05-19', '2026-05-22'],
    [9, false, '2027-01-19', '2027-01-22'],
    [12, false, '2027-04-19', '2027-04-22'],
    [1, true, '2026-07-19', '2026-07-22'],
    [12, true, '2027-04-19', '2027-04-22'],
  ])('month %i, quarterly %s: %s by post, %s electronically', (taxMonth, quarterly, duePost, dueElectronic) => {
    expect(dueDatesOf(taxYear('2026-27'), taxMonth, quarterly)).toEqual({ duePost, dueElectronic });
  });

  it('a month outside 1 to 12 is refused', () => {
    for (const taxMonth of [0, 13, 1.5]) {
      expect(() => month({ taxMonth })).toThrow(expect.objectContaining({ code: 'BAD_TAX_MONTH' }));
    }
  });

  it('2026-27 month 2 is 2702', () => {
    expect(paymentPeriodSuffix(taxYear('2026-27'), 2)).toBe('2702');
  });
});
