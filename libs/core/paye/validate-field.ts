import { isLocalDate } from '../calendar/local-date.ts';
import { taxYearOf } from '../calendar/tax-calendar.ts';
import { TallyError } from '../errors/tally-error.ts';
import type { NiCategory, StudentLoanPlan } from '../events/paye-events.ts';
import { STUDENT_LOAN_PLANS } from '../events/paye-events.ts';
import { accountsOfficeReference } from '../identity/accounts-office-reference.ts';
import { normalisedNino } from '../identity/nino.ts';
import { payeReference } from '../identity/paye-reference.ts';
import type { DatedPayeRules } from './dated-paye-rules.ts';
import { isPayFrequency, isPeriodOf } from './pay-frequency.ts';
import { type PayeRules, rulesAtYearEnd, taxCodeOf } from './paye-rules.ts';
import { flatRateOf } from './tax-scale.ts';

/** Late reporting reasons in use (paye.md 7.9); E ended with the relaxation for micro employers. */
const LATE_REASONS: ReadonlySet<string> = new Set(['A', 'B', 'C', 'D', 'F', 'G', 'H']);

/**
 * Checks one field as RTI carries it. Throws the field's own code: BAD_NINO_FORMAT, BAD_PAYE_REF, BAD_AO_REF_FORMAT,
 * BAD_AO_REF_CHECK_CHARACTER, BAD_TAX_CODE, NO_RATE_FOR_D_CODE, K_CODE_OUT_OF_RANGE, BAD_NI_CATEGORY, BAD_PAY_FREQUENCY, BAD_PERIOD,
 * BAD_LATE_REASON, NOT_INTEGER_PENCE, BAD_STUDENT_LOAN_PLAN, PLAN_NOT_IN_FORCE, BAD_DATE, PAYMENT_DATE_OUTSIDE_TAX_YEAR,
 * UNSUPPORTED_TAX_YEAR, and UNKNOWN_FIELD for a field that is not in the list.
 *
 * @param taxYear the year whose rates count, or null for the newest there is.
 */
export function validateField(field: string, value: unknown, taxYear: string | null, rules: PayeRules): void {
  const ofYear = (): DatedPayeRules => rulesAtYearEnd(rules, taxYear ?? rules.taxYears.at(-1) ?? '');
  const text = typeof value === 'string' ? value : '';
  switch (field) {
    case 'nino':
      normalisedNino(text);
      return;
    case 'paye_ref':
      payeReference(text);
      return;
    case 'ao_ref':
      accountsOfficeReference(text);
      return;
    case 'tax_code':
      checkTaxCode(text, ofYear(), rules);
      return;
    case 'ni_category':
      checkNiCategory(value, ofYear());
      return;
    case 'student_loan_plan':
      checkStudentLoanPlan(value, ofYear());
      return;
    case 'pay_period':
      checkPayPeriod(value);
      return;
    case 'late_reason':
      if (!isLateReason(value)) throw new TallyError('BAD_LATE_REASON', 'a late reason is A, B, C, D, F, G or H');
      return;
    case 'money_p':
      if (!Number.isSafeInteger(value)) throw notIntegerPence('value');
      return;
    case 'date':
      checkDate(text, taxYear, rules);
      return;
    case 'tax_year':
      rulesAtYearEnd(rules, text);
      return;
    default:
      throw new TallyError('UNKNOWN_FIELD', `no rule for the field "${field}"`, { name: field });
  }
}

export function isLateReason(value: unknown): value is string {
  return typeof value === 'string' && LATE_REASONS.has(value);
}

/** Throws BAD_TAX_CODE, K_CODE_OUT_OF_RANGE or NO_RATE_FOR_D_CODE. */
export function checkTaxCode(text: string, dated: DatedPayeRules, rules: PayeRules): void {
  const code = taxCodeOf(rules, text);
  if (code.kind === 'flat') flatRateOf(dated.scales[code.nation], code);
}

/** Throws BAD_NI_CATEGORY for what is not a letter, or not one in force (D E K N before 6 April 2024). */
export function checkNiCategory(value: unknown, dated: DatedPayeRules): asserts value is NiCategory {
  if (typeof value !== 'string' || !Object.hasOwn(dated.frequencies.W1.letters, value)) {
    throw new TallyError('BAD_NI_CATEGORY', 'the letter is not a category of Class 1 NICs in force');
  }
}

/** Throws BAD_STUDENT_LOAN_PLAN, or PLAN_NOT_IN_FORCE for a plan not yet deducted in the year (05 before 2026-27). */
export function checkStudentLoanPlan(value: unknown, dated: DatedPayeRules): asserts value is StudentLoanPlan {
  if (!STUDENT_LOAN_PLANS.some((plan) => plan === value)) {
    throw new TallyError('BAD_STUDENT_LOAN_PLAN', 'a student loan plan is 01, 02, 04 or 05');
  }
  if (dated.frequencies.W1.loanThresholdsPence[value as StudentLoanPlan] === undefined) {
    throw new TallyError('PLAN_NOT_IN_FORCE', 'the plan is not deducted through payroll in this year');
  }
}

/** The refusal of a money field that is not a whole number of pence. */
export function notIntegerPence(field: string): TallyError {
  return new TallyError('NOT_INTEGER_PENCE', `${field} is not a whole number of pence`, { field });
}

function checkPayPeriod(value: unknown): void {
  const { pay_frequency: frequency, period } = (value ?? {}) as Record<string, unknown>;
  if (!isPayFrequency(frequency)) throw new TallyError('BAD_PAY_FREQUENCY', 'not a pay frequency of RTI');
  if (!isPeriodOf(frequency, period)) throw new TallyError('BAD_PERIOD', 'not a period of this pay frequency');
}

function checkDate(text: string, taxYear: string | null, rules: PayeRules): void {
  if (taxYear !== null) rulesAtYearEnd(rules, taxYear);
  if (!isLocalDate(text)) throw new TallyError('BAD_DATE', 'not a date YYYY-MM-DD');
  if (taxYear !== null && taxYearOf(text) !== taxYear) {
    throw new TallyError('PAYMENT_DATE_OUTSIDE_TAX_YEAR', 'the payment date is outside the tax year', { taxYear });
  }
}
