import {
  added,
  byName,
  code,
  count,
  date,
  defineEvent,
  type EventOf,
  eventHead,
  flag,
  money,
  nullable,
  person,
  record,
  text,
  type ValuesOf,
} from './field.ts';

/** RTI pay frequencies (paye.md 1.4). */
export const PAY_FREQUENCIES = ['W1', 'W2', 'W4', 'M1', 'M3', 'M6', 'MA', 'IO', 'IR'] as const;
export type PayFrequency = (typeof PAY_FREQUENCIES)[number];

/** Letters of Class 1 NICs in force (paye.md 5.2). */
export const NI_CATEGORIES = [
  'A',
  'B',
  'C',
  'D',
  'E',
  'F',
  'H',
  'I',
  'J',
  'K',
  'L',
  'M',
  'N',
  'S',
  'V',
  'X',
  'Z',
] as const;
export type NiCategory = (typeof NI_CATEGORIES)[number];

export const STUDENT_LOAN_PLANS = ['01', '02', '04', '05'] as const;
export type StudentLoanPlan = (typeof STUDENT_LOAN_PLANS)[number];

const head = eventHead('The PAYE scheme: `paye:<office>/<reference>`.');

const statedFields = {
  incomeTaxPence: nullable(money('Income tax deducted.')),
  employeeNicsPence: nullable(money('Employee’s Class 1 NICs deducted.')),
  employerNicsPence: nullable(money('Employer’s Class 1 NICs owed.')),
  studentLoanPence: nullable(money('Student loan deducted.')),
  postgraduateLoanPence: nullable(money('Postgraduate loan deducted.')),
  class1aNicsPence: nullable(money('Class 1A NICs owed on an award or testimonial.')),
};

/** What an employer says it deducted or owes for one payment; each head is optional. Compared, never trusted. */
export type StatedDeductions = ValuesOf<typeof statedFields>;

const starterFields = {
  startDate: nullable(date('First day of the employment.')),
  declaration: nullable(code(['A', 'B', 'C'], 'Statement of a starter without a P45.')),
  p45PayPence: nullable(money('Pay to date of the former employment in this tax year, from the P45.')),
  p45TaxPence: nullable(money('Tax to date of the former employment, from the P45.')),
};

/** Figures of a starter: a P45 of the same tax year, or a declaration. */
export type Starter = ValuesOf<typeof starterFields>;

/** Figures of one employment in the tax year, P45 figures left out, as an FPS has them to date. */
const yearToDateFields = {
  taxablePayPence: nullable(money('Taxable pay, payrolled benefits included (FPS TaxablePay).')),
  incomeTaxPence: nullable(money('Income tax deducted (FPS TotalTax).')),
  nicableEarningsByLetter: byName(money('Gross earnings for NICs by letter (FPS GrossEarningsForNICsYTD).')),
  employeeNicsPence: nullable(money('Employee’s Class 1 NICs under every letter (FPS EmpeeContribnsYTD).')),
  employerNicsPence: nullable(money('Employer’s Class 1 NICs under every letter (FPS TotalEmpNICYTD).')),
  studentLoanPence: nullable(money('Student loan deductions (FPS StudentLoansTD).')),
  postgraduateLoanPence: nullable(money('Postgraduate loan deductions (FPS PostgradLoansTD).')),
};

/** Figures to date of one employment; a figure that is null, and a letter that is absent, is not stated. */
export type YearToDate = ValuesOf<typeof yearToDateFields>;

/** A payment was made: one person, one pay day (paye.events.v1). */
export const paymentMade = defineEvent({
  type: 'PaymentMade',
  schema: 'payment-made.v1',
  fields: {
    ...head,
    person: person('The keyed token that the gateway made of the NINO, or of account and works number.'),
    worksNumber: text('The employer’s works number (RTI PayId): the employment within the account.'),
    paymentDate: date('The pay day.'),
    payFrequency: code(PAY_FREQUENCIES, 'RTI pay frequency.'),
    period: count(
      'Number of the tax week (W1 W2 W4 IO IR) or month (M1 M3 M6 MA) of the payment date, as the employer states it; 53, 54 and 56 where the year has them.',
    ),
    taxCode: text('With nation prefix, without basis: `1257L`, `S1257L`, `BR`.'),
    week1Month1: flag('The code is operated on a week 1 or month 1 basis.'),
    taxablePayPence: money('Taxable pay of this payment, payrolled benefits included; may be negative (a correction).'),
    payrolledBenefitsPence: money('Benefits taxed through payroll within it.'),
    nicableEarningsPence: money('Gross earnings for NICs in this payment.'),
    niCategory: code(NI_CATEGORIES, 'Letter of Class 1 NICs.'),
    studentLoanPlan: nullable(code(STUDENT_LOAN_PLANS, 'Student loan plan.')),
    postgraduateLoan: flag('A postgraduate loan is repaid.'),
    starter: nullable(
      record('Starter', starterFields, 'Figures of a starter: a P45 of the same tax year, or a declaration.'),
    ),
    leavingDate: nullable(date('Last day of the employment.')),
    paymentAfterLeaving: flag('The payment is made after the employment ended.'),
    directorsNic: nullable(
      code(['AN', 'AL'], 'Directors’ NICs: AN annual, AL alternative; absent for who is not a director.'),
    ),
    directorAppointedWeek: nullable(
      count('Tax week of a director’s appointment within the year, 1 to 53; absent where appointed before it.'),
    ),
    onStrike: flag('The person was on strike.'),
    irregularEmployment: flag('The person is paid irregularly.'),
    oldWorksNumber: nullable(text('The works number that this one continues (RTI PayrollIdChangedIndicator).')),
    lateReason: nullable(text('RTI LateReason letter.')),
    terminationAwardPence: added(
      0,
      money('Termination award in this payment, its exempt part included: what Class 1A is worked out from.'),
    ),
    sportingTestimonialPence: added(0, money('Sporting testimonial in this payment, its exempt part included.')),
    oddIntervalDays: nullable(
      count(
        'Days from the last payment to this one, where they are no whole number of weeks or months: loan thresholds go by them.',
      ),
    ),
    stated: nullable(
      record('StatedDeductions', statedFields, 'What the employer says it deducted or owes; compared, never trusted.'),
    ),
    separateNics: added(
      false,
      flag(
        'It is not reasonably practicable to add these earnings to those of the person’s other jobs with the employer.',
      ),
    ),
    toDate: nullable(
      record(
        'YearToDate',
        yearToDateFields,
        'Figures to date with this payment, as the employer has them; compared, never trusted.',
      ),
    ),
    openingBalance: nullable(
      record(
        'OpeningBalance',
        yearToDateFields,
        'Figures to date before this payment, from other software: with the first payment of an employment in the year.',
      ),
    ),
  },
});
export type PaymentMade = EventOf<typeof paymentMade>;

/** An employer's claims for a tax month (EPS). Figures are year to date unless it says otherwise. */
export const employerClaimsMade = defineEvent({
  type: 'EmployerClaimsMade',
  schema: 'employer-claims-made.v1',
  fields: {
    ...head,
    taxYear: text('The tax year: `2026-27`.'),
    taxMonth: count('Tax month, 1 to 12, that the claims are made to.'),
    employmentAllowance: flag('The employment allowance is claimed.'),
    smallEmployer: flag('The employer has small employers’ relief.'),
    statutoryPayPence: byName(money('Statutory pay to date by kind (SMP, SPP, SAP, ShPP, SPBP, SNCP).')),
    cisSufferedPence: money('CIS deductions suffered to date.'),
    levyAllowancePence: nullable(money('Share of the apprenticeship levy allowance for the year.')),
    noPayment: flag('No employee was paid in the month.'),
  },
});
export type EmployerClaimsMade = EventOf<typeof employerClaimsMade>;

/** A tax month of an account was closed (made by the scheduler, idempotent by id). */
export const payePeriodClosed = defineEvent({
  type: 'PayePeriodClosed',
  schema: 'paye-period-closed.v1',
  fields: {
    ...head,
    taxYear: text('The tax year: `2026-27`.'),
    taxMonth: count('Tax month, 1 to 12.'),
  },
});
export type PayePeriodClosed = EventOf<typeof payePeriodClosed>;

/** A PAYE scheme ceased: the registration ends, and its last month is that of the day. A later event corrects the day. */
export const payeSchemeCeased = defineEvent({
  type: 'PayeSchemeCeased',
  schema: 'paye-scheme-ceased.v1',
  fields: {
    ...head,
    ceasedOn: date('The last day of the scheme (EPS DateSchemeCeased).'),
  },
});
export type PayeSchemeCeased = EventOf<typeof payeSchemeCeased>;

export type PayeEvent = PaymentMade | EmployerClaimsMade | PayePeriodClosed | PayeSchemeCeased;
