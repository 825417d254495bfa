import { dateOf, type LocalDate, partsOf } from '../../calendar/local-date.ts';
import { quarterEndMonth, type TaxYear, taxMonthEnd } from '../../calendar/tax-calendar.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { shareDownPence, shareUpPence } from '../../money/paye-rounding.ts';
import type { EmployerRules } from '../rates/dated-paye-rules.ts';
import { ratesNotKnown } from '../rates/rates-not-known.ts';

/** Amounts of an employer's tax month and what was claimed before it in the year, pence (paye.md section 7). */
export interface EmployerMonthInput {
  readonly taxYear: TaxYear;
  /** 1 to 12. */
  readonly taxMonth: number;
  readonly quarterly: boolean;
  readonly incomeTaxPence: number;
  readonly studentLoansPence: number;
  readonly postgraduateLoansPence: number;
  readonly employeeNicsPence: number;
  readonly employerNicsPence: number;
  readonly class1aOnTerminationsPence: number;
  /** Employer's Class 1 of the year, this month included, which the allowance is set against; null: that of the month alone (revision 1). */
  readonly employerNicsToDatePence: number | null;
  readonly employmentAllowance: boolean;
  readonly employmentAllowanceUsedBeforePence: number;
  /** Year to date by kind: SMP, SPP … */
  readonly statutoryPayToDatePence: Readonly<Record<string, number>>;
  readonly smallEmployer: boolean;
  readonly recoveredBeforePence: number;
  readonly compensationBeforePence: number;
  /** All earnings liable to employer Class 1 in the year to date (paye.md 7.4). */
  readonly payBillToDatePence: number;
  /** This scheme's share of the allowance; null for the whole. */
  readonly levyAllowancePence: number | null;
  readonly levyBeforePence: number;
  readonly cisSufferedToDatePence: number;
  readonly cisSetOffBeforePence: number;
}

export interface EmployerMonth {
  readonly chargePence: number;
  readonly employmentAllowancePence: number;
  readonly statutoryRecoveredPence: number;
  readonly nicCompensationPence: number;
  readonly levyToDatePence: number;
  readonly levyPence: number;
  readonly cisSetOffPence: number;
  readonly netDuePence: number;
  readonly payablePence: number;
  readonly creditPence: number;
  /** Nominal days: post or cheque, and cleared electronic payment. */
  readonly duePost: LocalDate;
  readonly dueElectronic: LocalDate;
}

/** What an employer owes for a tax month (paye.md 7.1 to 7.6). Throws BAD_TAX_MONTH, NOT_RECOVERABLE, RATES_NOT_KNOWN. */
export function employerMonth(input: EmployerMonthInput, rules: EmployerRules): EmployerMonth {
  const due = dueDatesOf(input.taxYear, input.taxMonth, input.quarterly);
  const chargePence =
    input.incomeTaxPence +
    input.studentLoansPence +
    input.postgraduateLoansPence +
    input.employeeNicsPence +
    input.employerNicsPence +
    input.class1aOnTerminationsPence;
  const employmentAllowancePence = input.employmentAllowance ? allowanceOf(input, rules) : 0;
  const statutory = statutoryPayOf(input, rules);
  const levyToDatePence = levyToDate(input, rules);
  const levyPence = levyToDatePence - input.levyBeforePence;
  const cisSetOffPence = input.cisSufferedToDatePence - input.cisSetOffBeforePence;
  const netDuePence =
    chargePence -
    employmentAllowancePence -
    statutory.recoveredPence -
    statutory.compensationPence +
    levyPence -
    cisSetOffPence;
  return {
    chargePence,
    employmentAllowancePence,
    statutoryRecoveredPence: statutory.recoveredPence,
    nicCompensationPence: statutory.compensationPence,
    levyToDatePence,
    levyPence,
    cisSetOffPence,
    netDuePence,
    payablePence: Math.max(0, netDuePence),
    creditPence: Math.max(0, -netDuePence),
    ...due,
  };
}

/** 7.6: the 19th by post and the 22nd electronically, of the calendar month in which the tax month or quarter ends. Throws BAD_TAX_MONTH. */
export function dueDatesOf(
  year: TaxYear,
  month: number,
  quarterly: boolean,
): { readonly duePost: LocalDate; readonly dueElectronic: LocalDate } {
  const end = partsOf(taxMonthEnd(year, quarterly ? quarterEndMonth(month) : month));
  return { duePost: dateOf(end.year, end.month, 19), dueElectronic: dateOf(end.year, end.month, 22) };
}

/** Pay reference of an early or late payment: two digits of the year in which the tax year ends, and the month (paye.md 7.6). */
export function paymentPeriodSuffix(year: TaxYear, month: number): string {
  return `${year.slice(-2)}${String(month).padStart(2, '0')}`;
}

/** The year's liability to employer's Class 1, at most the year's sum, less what was taken: negative where corrections bring the liability down. */
function allowanceOf(input: EmployerMonthInput, rules: EmployerRules): number {
  const toDate = input.employerNicsToDatePence;
  if (toDate !== null) {
    return Math.min(rules.employmentAllowancePence, Math.max(0, toDate)) - input.employmentAllowanceUsedBeforePence;
  }
  const left = rules.employmentAllowancePence - input.employmentAllowanceUsedBeforePence;
  return Math.max(0, Math.min(input.employerNicsPence, left));
}

/** 7.3: by kind on year-to-date totals, up to the penny, less what was taken before. */
function statutoryPayOf(
  input: EmployerMonthInput,
  rules: EmployerRules,
): { readonly recoveredPence: number; readonly compensationPence: number } {
  const rate = input.smallEmployer ? rules.recoverySmallBasisPoints : rules.recoveryBasisPoints;
  let recovered = 0;
  let compensation = 0;
  for (const [kind, paidPence] of Object.entries(input.statutoryPayToDatePence)) {
    if (!rules.recoverableKinds.includes(kind)) {
      throw new TallyError('NOT_RECOVERABLE', `${kind} cannot be recovered`, { kind });
    }
    recovered += shareUpPence(paidPence, rate);
    if (input.smallEmployer) compensation += shareUpPence(paidPence, compensationOf(rules, input.taxYear));
  }
  return {
    recoveredPence: recovered - input.recoveredBeforePence,
    compensationPence: compensation - input.compensationBeforePence,
  };
}

function compensationOf({ compensationBasisPoints }: EmployerRules, year: TaxYear): number {
  if (compensationBasisPoints === undefined) throw ratesNotKnown('statutoryPay.compensation', year);
  return compensationBasisPoints;
}

/** 7.4: 0.5% of the pay bill less the allowance of the months so far, together down to the penny, never negative. */
function levyToDate(input: EmployerMonthInput, rules: EmployerRules): number {
  const allowance = input.levyAllowancePence ?? rules.levyAllowancePence;
  // Both terms over one denominator, so that there is one rounding: bill * rate / 10,000 - allowance * month / 12.
  const allowanceTwelfths = allowance * input.taxMonth;
  const whole = shareDownPence(input.payBillToDatePence, rules.levyBasisPoints);
  const restBasisPoints = ((input.payBillToDatePence % 10_000) * rules.levyBasisPoints) % 10_000;
  const rest = Math.floor((restBasisPoints * 12 - (allowanceTwelfths % 12) * 10_000) / 120_000);
  return Math.max(0, whole - Math.floor(allowanceTwelfths / 12) + rest);
}
