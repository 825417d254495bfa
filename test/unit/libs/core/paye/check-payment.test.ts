import { describe, expect, it } from 'vitest';
import type { PaymentMade } from '../../../../../libs/core/events/paye-events.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { checkPayment } from '../../../../../libs/core/paye/check-payment.ts';
import { paymentMade } from '../../../../support/paye-payments.ts';
import { testPayeRules } from '../../../../support/paye-rules.ts';

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
    [{ paymentDate: '2027-04-06' }, 'UNSUPPORTED_TAX_YEAR /paymentDate'],
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

  it('never repeats the value of a works number', () => {
    const [fault] = checkPayment(paymentMade({ worksNumber: 'AB123456C' }), RULES);
    expect(JSON.stringify(fault)).not.toContain('AB123456C');
  });
});
