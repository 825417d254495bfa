import { describe, expect, it } from 'vitest';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { assessPayment } from '../../../../../../libs/core/paye/assess/assess-payment.ts';
import type { EmploymentState } from '../../../../../../libs/core/paye/employment/employment-state.ts';
import { payslipWorking } from '../../../../../../libs/core/paye/payment/payslip-working.ts';
import { payDayOf } from '../../../../../../libs/core/paye/rates/paye-rules.ts';
import { paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();

function textOf(changes: Parameters<typeof paymentMade>[0], before: EmploymentState | null = null): string[] {
  const { lines } = payslipWorking(paymentMade(changes), { state: before, others: [] }, RULES);
  return lines.map(({ head, text, pence, rule }) => `${head}: ${text} = ${pence} (${rule})`);
}

describe('the working of a payslip', () => {
  it('shows free pay, taxable pay, the band, thresholds and rates with their rules', () => {
    expect(textOf({ studentLoanPlan: '02', postgraduateLoan: true })).toEqual([
      'incomeTax: pay to month 1 = 275000 (SI 2003/2682 regs 23 to 31 (rule 4))',
      'incomeTax: free pay of code number 1257: 1 x 1,048.26 = -104826 (HMRC tax table routines v24.0 (rule 4.1))',
      'incomeTax: taxable pay = 170174 (HMRC tax table routines v24.0 (rule 4.2))',
      'incomeTax: tax due: 1701 pounds at 20% = 34020 (HMRC tax table routines v24.0 (rule 4.4))',
      'incomeTax: tax of this payment = 34020 (SI 2003/2682 regs 23 to 31 (rule 4.9))',
      'employeeNics: earnings of the period under letter A = 275000 (SI 2001/1004 regs 10 to 12 (rule 5.4))',
      'employeeNics: bands: at LEL 559.00, to PT 489.00, to UEL 1,702.00, above 0.00 = 275000 (SI 2001/1004 regs 10 to 12 (rule 5.4))',
      "employeeNics: employee's NICs: 8% from 1,048.00 to 4,189.00, 2% above = 13616 (SI 2001/1004 regs 10 to 12 (rule 5.4))",
      "employerNics: employer's NICs: 15% above 417.00 = 34995 (SI 2001/1004 regs 10 to 12 (rule 5.4))",
      'studentLoan: plan 02: 9% of 2,750.00 above 2,448.75, in whole pounds = 2700 (SI 2009/470 Part 4 (rule 6.2))',
      'postgraduateLoan: postgraduate: 6% of 2,750.00 above 1,750.00, in whole pounds = 6000 (SI 2009/470 Part 4 (rule 6.2))',
    ]);
  });

  it('shows the tax below a band, tax to date and the overriding limit', () => {
    const before = assessPayment(paymentMade(), '0'.repeat(24), null, payDayOf(RULES, '2026-04-30'), RULES).state;
    const lines = textOf(
      { paymentDate: '2026-05-29', period: 2, taxCode: 'K3000', payrolledBenefitsPence: 50_000 },
      before,
    );
    expect(lines.slice(0, 7)).toEqual([
      'incomeTax: pay to month 2 = 550000 (SI 2003/2682 regs 23 to 31 (rule 4))',
      'incomeTax: additional pay of code number 3000: 2 x 2,500.77 = 500154 (HMRC tax table routines v24.0 (rule 4.1))',
      'incomeTax: taxable pay = 1050154 (HMRC tax table routines v24.0 (rule 4.2))',
      'incomeTax: tax due: 1,256.6666 on 6,283.3333, and 10501 less 6,283.3333 at 40% = 294373 (HMRC tax table routines v24.0 (rule 4.4))',
      'incomeTax: less tax to date = -34020 (SI 2003/2682 regs 23 to 31 (rule 4.7))',
      'incomeTax: overriding limit: 50% of pay less payrolled benefits = 112500 (SI 2003/2682 reg 2 (rule 4.8))',
      'incomeTax: tax of this payment = 112500 (SI 2003/2682 regs 23 to 31 (rule 4.9))',
    ]);
  });

  it('shows flat codes, no tax, nothing to tax, and week 1', () => {
    expect(textOf({ taxCode: 'D0' })[2]).toBe(
      'incomeTax: tax due: 2750 pounds at 40% = 110000 (HMRC tax table routines v24.0 (rule 4.5))',
    );
    expect(textOf({ taxCode: 'NT' })[2]).toBe('incomeTax: no tax = 0 (SI 2003/2682 regs 23 to 31 (rule 4.6))');
    expect(textOf({ taxablePayPence: 100 })[3]).toBe(
      'incomeTax: tax due on nothing = 0 (HMRC tax table routines v24.0 (rule 4.2))',
    );
    expect(textOf({ week1Month1: true, payFrequency: 'W2', period: 4 })[0]).toBe(
      'incomeTax: pay of 2 weeks alone = 275000 (SI 2003/2682 regs 23 to 31 (rule 4.7))',
    );
  });

  it('shows what was taken before in the period, and a director’s year', () => {
    const before = assessPayment(paymentMade(), '0'.repeat(24), null, payDayOf(RULES, '2026-04-30'), RULES).state;
    expect(textOf({}, before)).toContain(
      'employeeNics: less taken in the period = -13616 (SI 2001/1004 regs 3 to 15 (rule 5.5))',
    );
    expect(textOf({ directorsNic: 'AN' })).toContain(
      "employeeNics: director's earnings of 52 weeks, annual method = 275000 (SI 2001/1004 reg 8 (rule 5.8))",
    );
    expect(textOf({ niCategory: 'X' }).some((text) => text.startsWith('employeeNics'))).toBe(false);
  });

  it('shows a director of the alternative method by what was taken to date', () => {
    // One month of 2,750.00 by ordinary periods: 136.16 and 349.95.
    expect(textOf({ directorsNic: 'AL', directorAppointedWeek: 4 }).slice(-3)).toEqual([
      "employeeNics: director's earnings of 49 weeks, alternative method = 275000 (SI 2001/1004 reg 8 (rule 5.8))",
      "employeeNics: employee's NICs: 136.16 to date less what was taken = 13616 (SI 2001/1004 reg 8 (rule 5.8))",
      "employerNics: employer's NICs: 349.95 to date less what was taken = 34995 (SI 2001/1004 reg 8 (rule 5.8))",
    ]);
  });

  it('adds up a second payment of the period for NICs and loans, and takes off what was taken', () => {
    const first = paymentMade({ studentLoanPlan: '02', week1Month1: true });
    const before = assessPayment(first, '0'.repeat(24), null, payDayOf(RULES, '2026-04-30'), RULES).state;
    const lines = textOf({ studentLoanPlan: '02', week1Month1: true, taxablePayPence: 100_000 }, before);
    // Pay 3,750.00 - 1,048.26 = 2,701.74: 20% of 2,701 = 540.20. NICs on 5,500.00: 3,141.00 at 8% and 1,311.00 at 2%, employer 15% of 5,083.00.
    expect(lines).toEqual([
      'incomeTax: pay of 1 month alone = 375000 (SI 2003/2682 regs 23 to 31 (rule 4.7))',
      'incomeTax: free pay of code number 1257: 1 x 1,048.26 = -104826 (HMRC tax table routines v24.0 (rule 4.1))',
      'incomeTax: taxable pay = 270174 (HMRC tax table routines v24.0 (rule 4.2))',
      'incomeTax: tax due: 2701 pounds at 20% = 54020 (HMRC tax table routines v24.0 (rule 4.4))',
      'incomeTax: less tax of the period = -34020 (SI 2003/2682 regs 23 to 31 (rule 4.7))',
      'incomeTax: tax of this payment = 20000 (SI 2003/2682 regs 23 to 31 (rule 4.9))',
      'employeeNics: earnings of the period under letter A = 550000 (SI 2001/1004 regs 3 to 15 (rule 5.5))',
      'employeeNics: bands: at LEL 559.00, to PT 489.00, to UEL 3,141.00, above 1,311.00 = 550000 (SI 2001/1004 regs 10 to 12 (rule 5.4))',
      "employeeNics: employee's NICs: 8% from 1,048.00 to 4,189.00, 2% above = 27750 (SI 2001/1004 regs 10 to 12 (rule 5.4))",
      "employerNics: employer's NICs: 15% above 417.00 = 76245 (SI 2001/1004 regs 10 to 12 (rule 5.4))",
      'employeeNics: less taken in the period = -13616 (SI 2001/1004 regs 3 to 15 (rule 5.5))',
      'employerNics: less taken in the period = -34995 (SI 2001/1004 regs 3 to 15 (rule 5.5))',
      // (5,500.00 - 2,448.75) * 9% = 274.61, less 27.
      'studentLoan: plan 02: 9% of 5,500.00 above 2,448.75, in whole pounds = 24700 (SI 2009/470 Part 4 (rule 6.2))',
    ]);
  });

  it('shows a refund that is withheld on strike', () => {
    const before = assessPayment(paymentMade(), '0'.repeat(24), null, payDayOf(RULES, '2026-04-30'), RULES).state;
    const strike = { paymentDate: '2026-05-29', period: 2, onStrike: true, taxablePayPence: 0 };
    expect(textOf(strike, before)).toContain(
      'incomeTax: tax of this payment = 0 (SI 2003/2682 regs 31 to 53 (rule 4.10))',
    );
  });

  it('shows the code that a starter without a P45 is to be taxed by', () => {
    const starter = { startDate: null, declaration: null, p45PayPence: null, p45TaxPence: null };
    const first = (changes: Parameters<typeof paymentMade>[0]) => textOf(changes)[0];
    expect(first({ starter: { ...starter, declaration: 'B' }, taxCode: 'S1257L' })).toBe(
      'incomeTax: starter, declaration B: S1257L on week 1/month 1 to operate = 0 (SI 2003/2682 regs 31 to 53 (rule 4.10))',
    );
    expect(first({ starter })).toBe(
      'incomeTax: starter, no declaration: 0T on week 1/month 1 to operate = 0 (SI 2003/2682 regs 31 to 53 (rule 4.10))',
    );
    expect(first({ starter: { ...starter, declaration: 'C' } })).toBe(
      'incomeTax: starter, declaration C: BR cumulative to operate = 0 (SI 2003/2682 regs 31 to 53 (rule 4.10))',
    );
    expect(first({ starter: { ...starter, p45PayPence: pence(100), p45TaxPence: pence(0) } })).toBe(
      'incomeTax: pay to month 1 = 275100 (SI 2003/2682 regs 23 to 31 (rule 4))',
    );
  });

  it('shows Class 1A on an award alone, less what was taken', () => {
    const award = { terminationAwardPence: 3_500_000 };
    const before = assessPayment(paymentMade(award), '0'.repeat(24), null, payDayOf(RULES, '2026-04-30'), RULES).state;
    // 15% of 5,000.00 = 750.00 was taken; 15% of 40,000.00 is 6,000.00.
    expect(textOf(award, before).at(-1)).toBe(
      'class1aNics: Class 1A: 15% of award 70,000.00 above 30,000.00, less 750.00 taken = 525000 (SSCBA 1992 s 10 (rule 5.10))',
    );
    expect(textOf({ sportingTestimonialPence: 11_000_000 }).at(-1)).toBe(
      'class1aNics: Class 1A: 15% of testimonial 110,000.00 above 100,000.00, less 0.00 taken = 150000 (SSCBA 1992 s 10 (rule 5.10))',
    );
  });

  it('shows Class 1A on an award and a testimonial, and loans of an odd interval by the days', () => {
    const lines = textOf({
      terminationAwardPence: 3_500_000,
      sportingTestimonialPence: 11_000_000,
      studentLoanPlan: '02',
      postgraduateLoan: true,
      oddIntervalDays: 10,
    });
    expect(lines.slice(-3)).toEqual([
      'studentLoan: plan 02: 9% of 2,750.00 above 805.06 (29,385.00 x 10 / 365), in whole pounds = 17500 (SI 2009/470 Part 4 (rule 6.2))',
      'postgraduateLoan: postgraduate: 6% of 2,750.00 above 575.34 (21,000.00 x 10 / 365), in whole pounds = 13000 (SI 2009/470 Part 4 (rule 6.2))',
      // (35,000 - 30,000) * 15% + (110,000 - 100,000) * 15%.
      'class1aNics: Class 1A: 15% of award 35,000.00 above 30,000.00 and of testimonial 110,000.00 above 100,000.00, less 0.00 taken = 225000 (SSCBA 1992 s 10 (rule 5.10))',
    ]);
  });
});
