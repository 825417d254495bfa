import { localDate } from '../../libs/core/calendar/local-date.ts';
import { taxWeekOf, taxYear, taxYearOf } from '../../libs/core/calendar/tax-calendar.ts';
import { hasCode, TallyError } from '../../libs/core/errors/tally-error.ts';
import type { NiCategory, PayFrequency } from '../../libs/core/events/paye-events.ts';
import {
  type Class1Terms,
  class1BandsOf,
  employeeNicsPence,
  employerNicsPence,
} from '../../libs/core/paye/class1-nics.ts';
import type { DatedPayeRules, LetterTerms } from '../../libs/core/paye/dated-paye-rules.ts';
import { directorNics, directorWeeks } from '../../libs/core/paye/director-nics.ts';
import { employerMonth } from '../../libs/core/paye/employer-month.ts';
import { incomeTax } from '../../libs/core/paye/income-tax.ts';
import { loanDeductionPence } from '../../libs/core/paye/loan-deductions.ts';
import { FREQUENCY_TERMS, isPayFrequency, isPeriodOf, PERIODS_IN_YEAR } from '../../libs/core/paye/pay-frequency.ts';
import { type PayeRules, rulesAtYearEnd, taxCodeOf } from '../../libs/core/paye/paye-rules.ts';
import {
  checkNiCategory,
  checkStudentLoanPlan,
  checkTaxCode,
  isLateReason,
  notIntegerPence,
  validateField,
} from '../../libs/core/paye/validate-field.ts';
import {
  CHARGE_HEADS,
  type ChargeHead,
  type FullPaymentSubmission,
  yearToDateCharges,
} from '../../libs/core/paye/year-to-date-charge.ts';
import { testPayeRules } from '../support/paye-rules.ts';
import type { VectorInput, VectorKind } from './vector-case.ts';

let made: PayeRules | undefined;

/** The project's rules, made when the first case is answered: within a test, so that a mutant of how they are made is the test's. */
function rulesOfCards(): PayeRules {
  made ??= testPayeRules();
  return made;
}

/** Every kind of test/vectors/paye that is built: input of a case → its result, or a TallyError whose code is the vector's in lower case. */
export const payeKinds: Readonly<Record<string, VectorKind>> = {
  income_tax: (input) => incomeTaxResult(input),
  income_tax_sequence: incomeTaxSequence,
  ni: classOneResult,
  ni_director: directorResult,
  ni_director_mixed: directorMixedResult,
  student_loan: loanResult,
  employer_month: employerMonthResult,
  ytd_charge: yearToDateResult,
  validate: validateResult,
};

/** How a refusal's code stands in the vectors. */
export function payeVectorCode(error: TallyError): string {
  const code = error.code.toLowerCase();
  return typeof error.facts.field === 'string' ? `${code}:${error.facts.field}` : code;
}

function incomeTaxResult(input: VectorInput): Record<string, unknown> {
  const dated = ofYear(input);
  const codeText = String(input.tax_code ?? '');
  checkTaxCode(codeText, dated, rulesOfCards());
  const frequency = frequencyOf(input);
  const terms = FREQUENCY_TERMS[frequency];
  const period = input.period;
  if (!isPeriodOf(frequency, period)) throw new TallyError('BAD_PERIOD', 'not a period of this pay frequency');
  const payPence = money(input, 'pay_in_period_p');
  const payBefore = money(input, 'prev_taxable_pay_ytd_p', 0);
  const taxBefore = money(input, 'prev_tax_ytd_p', 0);
  const code = taxCodeOf(rulesOfCards(), codeText);
  const cumulative = input.week1month1 !== true && !code.nonCumulative && period <= PERIODS_IN_YEAR[terms.family];
  const tax = incomeTax({
    scale: dated.scales[code.nation],
    code,
    family: terms.family,
    periods: cumulative ? period : terms.periods,
    cumulative,
    payPence,
    benefitsPence: money(input, 'bik_in_period_p', 0),
    payBeforePence: cumulative ? payBefore : 0,
    taxBeforePence: cumulative ? taxBefore : 0,
    limitBasisPoints: dated.overridingLimitBasisPoints,
  });
  return {
    tax_in_period_p: tax.taxPence,
    tax_ytd_p: taxBefore + tax.taxPence,
    taxable_pay_ytd_p: payBefore + payPence,
    pay_adjustment_p: tax.adjustmentPence,
    taxable_after_adjustment_p: tax.taxablePence,
    tax_due_before_limit_p: tax.beforeLimitPence,
    regulatory_limit_applied: tax.limitApplied,
  };
}

function incomeTaxSequence(input: VectorInput): Record<string, unknown> {
  let pay = money(input, 'opening_taxable_pay_ytd_p', 0);
  let tax = money(input, 'opening_tax_ytd_p', 0);
  const payments = list(input.payments).map((payment) => {
    const result = incomeTaxResult({
      tax_year: input.tax_year,
      ...payment,
      prev_taxable_pay_ytd_p: pay,
      prev_tax_ytd_p: tax,
    });
    pay = Number(result.taxable_pay_ytd_p);
    tax = Number(result.tax_ytd_p);
    return result;
  });
  return { payments, taxable_pay_ytd_p: pay, tax_ytd_p: tax };
}

function classOneResult(input: VectorInput): Record<string, unknown> {
  const dated = ofYear(input);
  const letter = letterOf(input.ni_category, dated);
  const frequency = frequencyOf(input);
  const earnings = money(input, 'earnings_p');
  const terms = termsOf(dated.frequencies[frequency].letters, letter);
  const bands = class1BandsOf(terms, earnings);
  return {
    ee_p: employeeNicsPence(terms, earnings),
    er_p: employerNicsPence(terms, earnings),
    at_lel_p: bands.atLowerEarningsLimitPence,
    lel_to_pt_p: bands.toPrimaryThresholdPence,
    pt_to_uel_p: bands.toUpperEarningsLimitPence,
    above_uel_p: bands.abovePence,
  };
}

function directorResult(input: VectorInput): Record<string, unknown> {
  const dated = ofYear(input);
  const letter = letterOf(input.ni_category, dated);
  if (input.method !== 'annual' && input.method !== 'alternative') {
    throw new TallyError('BAD_DIRECTOR_METHOD', 'a director is on the annual or the alternative method');
  }
  const annual = dated.directorTerms[directorWeeksOf(input)] ?? {};
  let earnings = 0;
  let employee = 0;
  let employer = 0;
  const payments = list(input.payments).map((payment) => {
    const paid = money(payment, 'earnings_p');
    earnings += paid;
    const before = { employee, employer };
    if (input.method === 'annual' || payment.final === true) {
      const due = directorNics(annual, dated.letterOrder, { [letter]: earnings });
      employee = due.employeePence;
      employer = due.employerPence;
    } else {
      const terms = termsOf(dated.frequencies[frequencyOf(payment)].letters, letter);
      employee += employeeNicsPence(terms, paid);
      employer += employerNicsPence(terms, paid);
    }
    return { ee_p: employee - before.employee, er_p: employer - before.employer };
  });
  const bands = class1BandsOf(termsOf(annual, letter), earnings);
  return {
    payments,
    ee_ytd_p: employee,
    er_ytd_p: employer,
    earnings_ytd_p: earnings,
    annual_at_lel_p: bands.atLowerEarningsLimitPence,
    annual_lel_to_pt_p: bands.toPrimaryThresholdPence,
    annual_pt_to_uel_p: bands.toUpperEarningsLimitPence,
  };
}

function directorWeeksOf(input: VectorInput): number {
  if (typeof input.pro_rata_weeks === 'number') return input.pro_rata_weeks;
  if (input.appointed === undefined) return directorWeeks(null);
  const appointed = localDate(String(input.appointed));
  return taxYearOf(appointed) === input.tax_year ? directorWeeks(taxWeekOf(appointed)) : directorWeeks(null);
}

function directorMixedResult(input: VectorInput): Record<string, unknown> {
  const dated = ofYear(input);
  const earnings: Partial<Record<NiCategory, number>> = {};
  const given = input.earnings_by_category as VectorInput;
  for (const letter of Object.keys(given)) earnings[letterOf(letter, dated)] = money(given, letter);
  const due = directorNics(dated.directorTerms[52] ?? {}, dated.letterOrder, earnings);
  const byLetter = Object.entries(due.byLetter).map(([letter, amounts]) => [
    letter,
    { ee_p: amounts.employeePence, er_p: amounts.employerPence },
  ]);
  return { by_category: Object.fromEntries(byLetter), ee_ytd_p: due.employeePence, er_ytd_p: due.employerPence };
}

function loanResult(input: VectorInput): Record<string, unknown> {
  const dated = ofYear(input);
  const { loanThresholdsPence, postgraduateThresholdPence } = dated.frequencies[frequencyOf(input)];
  const earnings = money(input, 'earnings_p');
  let studentLoan = 0;
  const plan = input.plan;
  if (plan !== undefined && plan !== null) {
    checkStudentLoanPlan(plan, dated);
    studentLoan = loanDeductionPence(earnings, loanThresholdsPence[plan] ?? 0, dated.studentLoanBasisPoints);
  }
  const postgraduate =
    input.postgrad === true
      ? loanDeductionPence(earnings, postgraduateThresholdPence, dated.postgraduateLoanBasisPoints)
      : 0;
  return { student_loan_p: studentLoan, postgrad_loan_p: postgraduate };
}

const STATUTORY_KINDS: Readonly<Record<string, string>> = {
  smp_p: 'SMP',
  spp_p: 'SPP',
  sap_p: 'SAP',
  shpp_p: 'ShPP',
  spbp_p: 'SPBP',
  sncp_p: 'SNCP',
};

function employerMonthResult(input: VectorInput): Record<string, unknown> {
  const { employer } = ofYear(input);
  const paid = (input.statutory_ytd_p ?? {}) as VectorInput;
  const statutory: Record<string, number> = {};
  for (const field of Object.keys(paid)) {
    const kind = STATUTORY_KINDS[field];
    if (kind === undefined || !employer.recoverableKinds.includes(kind)) {
      throw new TallyError('NOT_RECOVERABLE', `${field} cannot be recovered`, { field });
    }
    statutory[kind] = money(paid, field);
  }
  const month = employerMonth(
    {
      taxYear: taxYear(String(input.tax_year)),
      taxMonth: Number(input.tax_month),
      quarterly: input.quarterly === true,
      incomeTaxPence: money(input, 'income_tax_p', 0),
      studentLoansPence: money(input, 'student_loans_p', 0),
      postgraduateLoansPence: money(input, 'postgrad_loans_p', 0),
      employeeNicsPence: money(input, 'ee_nics_p', 0),
      employerNicsPence: money(input, 'er_nics_p', 0),
      class1aOnTerminationsPence: money(input, 'class1a_term_p', 0),
      employmentAllowance: input.employment_allowance === true,
      employmentAllowanceUsedBeforePence: money(input, 'ea_used_before_p', 0),
      statutoryPayToDatePence: statutory,
      smallEmployer: input.small_employer === true,
      recoveredBeforePence: money(input, 'recovered_before_p', 0),
      compensationBeforePence: money(input, 'nic_comp_before_p', 0),
      payBillToDatePence: money(input, 'pay_bill_ytd_p', 0),
      levyAllowancePence: input.levy_allowance_p === undefined ? null : money(input, 'levy_allowance_p'),
      levyBeforePence: money(input, 'levy_before_p', 0),
      cisSufferedToDatePence: money(input, 'cis_suffered_ytd_p', 0),
      cisSetOffBeforePence: money(input, 'cis_set_off_before_p', 0),
    },
    employer,
  );
  return {
    charge_p: month.chargePence,
    employment_allowance_p: month.employmentAllowancePence,
    statutory_recovered_p: month.statutoryRecoveredPence,
    nic_compensation_p: month.nicCompensationPence,
    levy_ytd_p: month.levyToDatePence,
    levy_p: month.levyPence,
    cis_set_off_p: month.cisSetOffPence,
    net_due_p: month.netDuePence,
    payable_p: month.payablePence,
    credit_p: month.creditPence,
    due_post: month.duePost,
    due_electronic: month.dueElectronic,
  };
}

function yearToDateResult(input: VectorInput): Record<string, unknown> {
  const year = ofYear(input).taxYear;
  const charges = yearToDateCharges(year, list(input.fps).map(submissionOf));
  const months: Record<string, Record<string, number>> = {};
  for (const [month, amounts] of charges) {
    const total = CHARGE_HEADS.reduce((sum, head) => sum + amounts[head], 0);
    months[String(month)] = { ...amounts, total };
  }
  return { months };
}

function submissionOf(fps: VectorInput): FullPaymentSubmission {
  const toDate = (fps.ytd ?? {}) as VectorInput;
  if (fps.late_reason !== undefined && !isLateReason(fps.late_reason)) {
    throw new TallyError('BAD_LATE_REASON', 'a late reason is A, B, C, D, F, G or H');
  }
  const amounts = Object.fromEntries(CHARGE_HEADS.map((head) => [head, money(toDate, head, 0)]));
  return {
    worksNumber: String(fps.works_number),
    paymentDate: dateOrBad(fps.payment_date),
    received: fps.received === undefined ? null : dateOrBad(fps.received),
    toDatePence: amounts as Record<ChargeHead, number>,
    oldWorksNumber: fps.payroll_id_changed === true ? String(fps.old_works_number) : null,
  };
}

function validateResult(input: VectorInput): Record<string, unknown> {
  const year = input.tax_year === undefined ? null : String(input.tax_year);
  try {
    validateField(String(input.field), input.value, year, rulesOfCards());
    return { valid: true, reason: null };
  } catch (error) {
    if (!(error instanceof TallyError) || hasCode(error, 'UNKNOWN_FIELD')) throw error;
    return { valid: false, reason: payeVectorCode(error) };
  }
}

function ofYear(input: VectorInput): DatedPayeRules {
  return rulesAtYearEnd(rulesOfCards(), String(input.tax_year));
}

function frequencyOf(input: VectorInput): PayFrequency {
  if (!isPayFrequency(input.pay_frequency)) throw new TallyError('BAD_PAY_FREQUENCY', 'not a pay frequency of RTI');
  return input.pay_frequency;
}

function letterOf(value: unknown, dated: DatedPayeRules): NiCategory {
  checkNiCategory(value, dated);
  return value;
}

function termsOf(letters: LetterTerms, letter: NiCategory): Class1Terms {
  const terms = letters[letter];
  if (terms === undefined) throw new TallyError('BAD_NI_CATEGORY', 'the letter is not in force');
  return terms;
}

function money(input: VectorInput, field: string, absent?: number): number {
  const value = input[field];
  if (value === undefined && absent !== undefined) return absent;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw notIntegerPence(field);
  return value;
}

function dateOrBad(value: unknown) {
  try {
    return localDate(String(value));
  } catch {
    throw new TallyError('BAD_DATE', 'not a date YYYY-MM-DD');
  }
}

function list(value: unknown): readonly VectorInput[] {
  return Array.isArray(value) ? value : [];
}
