import { describe, expect, it } from 'vitest';
import type { LocalDate } from '../../../../../../libs/core/calendar/local-date.ts';
import type { PaymentMade } from '../../../../../../libs/core/events/paye-events.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { checkPayment } from '../../../../../../libs/core/paye/payment/check-payment.ts';
import { paymentMade } from '../../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../../support/paye-rules.ts';

const RULES = testPayeRules();
const faultsOf = (changes: Parameters<typeof paymentMade>[0]) =>
  checkPayment(paymentMade(changes), RULES).map(({ code, pointer }) => `${code} ${pointer}`);

describe('a payment at a door', () => {
  it('has no fault when it is good', () => {
    expect(faultsOf({})).toEqual([]);
    expect(
      faultsOf({ taxablePayPence: -9_999_999_999, lateReason: 'H', directorsNic: 'AL', directorAppointedWeek: 53 }),
    ).toEqual([]);
  });

  it('shows every fault at once', () => {
    const faults = faultsOf({
      worksNumber: '',
      taxCode: 'nonsense',
      period: 99,
      niCategory: 'Q' as PaymentMade['niCategory'],
      studentLoanPlan: '03' as PaymentMade['studentLoanPlan'],
      nicableEarningsPence: 0.5,
      payrolledBenefitsPence: 10_000_000_000,
      leavingDate: '2026-13-01',
      directorAppointedWeek: 54,
      directorsNic: 'XX' as PaymentMade['directorsNic'],
      lateReason: 'E',
    });
    expect(faults.sort()).toEqual([
      'AMOUNT_OUT_OF_RANGE /payrolledBenefitsPence',
      'BAD_DATE /leavingDate',
      'BAD_DIRECTOR_METHOD /directorsNic',
      'BAD_LATE_REASON /lateReason',
      'BAD_NI_CATEGORY /niCategory',
      'BAD_PERIOD /period',
      'BAD_STUDENT_LOAN_PLAN /studentLoanPlan',
      'BAD_TAX_CODE /taxCode',
      'DIRECTOR_WEEK_INVALID /directorAppointedWeek',
      'NOT_INTEGER_PENCE /nicableEarningsPence',
      'WORKS_NUMBER_INVALID /worksNumber',
    ]);
  });

  it.each([
    [{ worksNumber: 'x'.repeat(36) }, 'WORKS_NUMBER_INVALID /worksNumber'],
    [{ worksNumber: 'a\u0000b' }, 'WORKS_NUMBER_INVALID /worksNumber'],
    [{ worksNumber: 'ab123456c' }, 'WORKS_NUMBER_IS_NINO /worksNumber'],
    [{ worksNumber: 'AB-12-34-56' }, 'WORKS_NUMBER_IS_NINO /worksNumber'],
    [{ oldWorksNumber: 'QQ123456A' }, 'WORKS_NUMBER_IS_NINO /oldWorksNumber'],
    [{ oldWorksNumber: 'W-1' }, 'WORKS_NUMBER_INVALID /oldWorksNumber'],
    [{ paymentDate: '30/04/2026' }, 'BAD_DATE /paymentDate'],
    [{ paymentDate: '2028-04-06' }, 'UNSUPPORTED_TAX_YEAR /paymentDate'],
    [{ payFrequency: 'M2' as PaymentMade['payFrequency'] }, 'BAD_PAY_FREQUENCY /payFrequency'],
    [{ taxCode: '1257L'.padEnd(17) }, 'BAD_TAX_CODE /taxCode'],
    [{ studentLoanPlan: '05', paymentDate: '2026-04-05', period: 12 }, 'PLAN_NOT_IN_FORCE /studentLoanPlan'],
  ] as const)('%o: %s', (changes, fault) => {
    expect(faultsOf(changes)).toEqual([fault]);
  });

  it('looks into a starter and into what is stated', () => {
    const starter = { startDate: null, declaration: 'D' as 'A', p45PayPence: pence(-1), p45TaxPence: null };
    const stated = {
      incomeTaxPence: pence(10_000_000_000),
      employeeNicsPence: pence(0),
      employerNicsPence: null,
      studentLoanPence: pence(-10_000_000_000),
      postgraduateLoanPence: pence(5),
      class1aNicsPence: null,
    };
    expect(faultsOf({ starter, stated }).sort()).toEqual([
      'AMOUNT_OUT_OF_RANGE /starter/p45PayPence',
      'AMOUNT_OUT_OF_RANGE /stated/incomeTaxPence',
      'AMOUNT_OUT_OF_RANGE /stated/studentLoanPence',
      'STARTER_INVALID /starter',
      'STARTER_INVALID /starter/declaration',
    ]);
  });

  it.each([
    [{ payFrequency: 'XX' as 'M1' }, '/payFrequency', 'expected W1, W2, W4, M1, M3, M6, MA, IO or IR'],
    [{ period: 13 }, '/period', 'expected a month 1 to 12, or a week 1 to 52 (53, 54, 56 for the odd day)'],
    [{ lateReason: 'E' }, '/lateReason', 'expected A, B, C, D, F, G or H'],
    [{ oldWorksNumber: 'W-1' }, '/oldWorksNumber', 'expected another works number than the new one'],
    [{ worksNumber: '' }, '/worksNumber', 'expected 1 to 35 printable characters'],
    [{ worksNumber: 'AB123456C' }, '/worksNumber', 'a works number shaped like a NINO is refused: use the payroll id'],
    [{ terminationAwardPence: 0.5 }, '/terminationAwardPence', 'expected a whole number of pence'],
    [
      { sportingTestimonialPence: 1e10 },
      '/sportingTestimonialPence',
      'expected at most 99,999,999.99 pounds either way',
    ],
    [{ paymentDate: '30 April' }, '/paymentDate', 'expected a date YYYY-MM-DD'],
    [
      { paymentDate: '2028-04-06' },
      '/paymentDate',
      'expected a date of one of the tax years 2022-23, 2023-24, 2024-25, 2025-26, 2026-27, 2027-28',
    ],
    [{ niCategory: 'G' as 'A' }, '/niCategory', 'expected one of A B C D E F H I J K L M N S V X Z'],
    [
      { niCategory: 'D', paymentDate: '2024-04-05', period: 12 },
      '/niCategory',
      'expected one of A B C F H I J L M S V X Z',
    ],
    [{ studentLoanPlan: '03' as '01' }, '/studentLoanPlan', 'expected 01, 02, 04 or 05'],
    [
      { studentLoanPlan: '05', paymentDate: '2026-04-05', period: 12 },
      '/studentLoanPlan',
      'the plan is not deducted through payroll in this tax year',
    ],
    [{ taxCode: 'X'.repeat(17) }, '/taxCode', 'expected a code such as 1257L, S1257L, K475, BR, D0 or NT'],
    [{ directorsNic: 'XX' as 'AN' }, '/directorsNic', 'expected AN or AL'],
    [{ directorAppointedWeek: 0 }, '/directorAppointedWeek', 'expected a tax week, 1 to 53'],
    [{ directorAppointedWeek: 1.5 }, '/directorAppointedWeek', 'expected a tax week, 1 to 53'],
    [{ oddIntervalDays: 0 }, '/oddIntervalDays', 'expected the days of an interval, 1 to 366'],
    [{ oddIntervalDays: 367 }, '/oddIntervalDays', 'expected the days of an interval, 1 to 366'],
    [{ oddIntervalDays: 1.5 }, '/oddIntervalDays', 'expected the days of an interval, 1 to 366'],
    [{ leavingDate: '2026-02-29' }, '/leavingDate', 'expected a civil date YYYY-MM-DD from 1900-01-01 to 2999-12-31'],
    [{ leavingDate: '9999-12-31' }, '/leavingDate', 'expected a civil date YYYY-MM-DD from 1900-01-01 to 2999-12-31'],
  ] as const)('%o: %s %s', (changes, pointer, detail) => {
    const faults = checkPayment(paymentMade(changes), RULES);
    expect(faults.map((fault) => [fault.pointer, fault.detail])).toEqual([[pointer, detail]]);
  });

  it('is good at the limits themselves', () => {
    expect(faultsOf({ worksNumber: 'x'.repeat(35), taxCode: '1257L'.padEnd(16) })).toEqual([]);
    expect(faultsOf({ directorAppointedWeek: 1, oddIntervalDays: 1 })).toEqual([]);
    expect(faultsOf({ directorAppointedWeek: 53, oddIntervalDays: 366 })).toEqual([]);
  });

  it.each(['A', 'B', 'C'] as const)(
    'takes declaration %s of a starter, and zero pay and tax of a P45',
    (declaration) => {
      const p45 = { p45PayPence: pence(0), p45TaxPence: pence(0) };
      expect(faultsOf({ starter: { startDate: null, declaration, ...p45 } })).toEqual([]);
    },
  );

  it('wants both figures of a P45, not negative, and a real start date', () => {
    const starter = { startDate: '2026-04-31' as LocalDate, declaration: null, p45PayPence: null };
    const faults = checkPayment(paymentMade({ starter: { ...starter, p45TaxPence: pence(-1) } }), RULES);
    expect(faults.map(({ pointer, detail }) => [pointer, detail])).toEqual([
      ['/starter/p45TaxPence', 'expected an amount that is not negative'],
      ['/starter', 'P45 pay and tax come together'],
      ['/starter/startDate', 'expected a civil date YYYY-MM-DD from 1900-01-01 to 2999-12-31'],
    ]);
    const declared = { ...starter, startDate: null, declaration: 'D' as 'A', p45TaxPence: null };
    expect(checkPayment(paymentMade({ starter: declared }), RULES).map(({ detail }) => detail)).toEqual([
      'expected A, B or C',
    ]);
  });

  it('looks at every head that is stated', () => {
    const tooMuch = pence(10_000_000_000);
    const stated = {
      incomeTaxPence: tooMuch,
      employeeNicsPence: tooMuch,
      employerNicsPence: tooMuch,
      studentLoanPence: tooMuch,
      postgraduateLoanPence: tooMuch,
      class1aNicsPence: tooMuch,
    };
    expect(faultsOf({ stated })).toEqual(Object.keys(stated).map((name) => `AMOUNT_OUT_OF_RANGE /stated/${name}`));
  });

  it('never repeats the value of a works number', () => {
    const [fault] = checkPayment(paymentMade({ worksNumber: 'AB123456C' }), RULES);
    expect(JSON.stringify(fault)).not.toContain('AB123456C');
  });
});
