import { localDate } from '../../libs/core/calendar/local-date.ts';
import { taxWeekOf, taxYear, taxYearOf } from '../../libs/core/calendar/tax-calendar.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import {
  NI_CATEGORIES,
  type NiCategory,
  type PayFrequency,
  type StudentLoanPlan,
} from '../../libs/core/events/paye-events.ts';
import { directorNics, directorWeeks } from '../../libs/core/paye/assess/director-nics.ts';
import { incomeTax } from '../../libs/core/paye/assess/income-tax.ts';
import { employerMonth } from '../../libs/core/paye/month/employer-month.ts';
import { checkTaxCode } from '../../libs/core/paye/payment/check-payment.ts';
import {
  type Class1Terms,
  class1BandsOf,
  employeeNicsPence,
  employerNicsPence,
} from '../../libs/core/paye/rates/class1-nics.ts';
import type { DatedPayeRules, LetterTerms } from '../../libs/core/paye/rates/dated-paye-rules.ts';
import { loanDeductionPence } from '../../libs/core/paye/rates/loan-deductions.ts';
import {
  FREQUENCY_TERMS,
  isPayFrequency,
  isPeriodOf,
  PERIODS_IN_YEAR,
} from '../../libs/core/paye/rates/pay-frequency.ts';
import { type PayeRules, rulesAtYearEnd, taxCodeOf } from '../../libs/core/paye/rates/paye-rules.ts';
import { scaleOfNation } from '../../libs/core/paye/rates/rates-not-known.ts';
import {
  loansOfPayment,
  nicsOfDirector,
  nicsOfLetters,
  nicsOfPayment,
  taxOfPayment,
  taxOfPayments,
  validOfField,
} from './paye-payment-kinds.ts';
import { monthsOfScheme, payOfScheme } from './paye-scheme-kinds.ts';
import { chargesOfYear } from './paye-year-kind.ts';
import { productRules } from './product-accounts.ts';
import { type Asked, leaveOut, NOT_ASKED, type VectorInput, type VectorKind } from './vector-case.ts';

/** Events through the door, decided by tax. */
const DECIDED = 'readSubmissions → decidePaye';

function rulesOfCards(): PayeRules {
  return productRules().paye;
}

/** Every kind of test/vectors/paye that is built: input of a case → its result, or a TallyError whose code is the vector's in lower case. */
export const payeKinds: Readonly<Record<string, VectorKind>> = {
  income_tax: [
    { by: 'incomeTax', answer: incomeTaxResult },
    { by: DECIDED, answer: taxOfPayment },
  ],
  income_tax_sequence: [
    { by: 'incomeTax', answer: incomeTaxSequence },
    { by: DECIDED, answer: taxOfPayments },
  ],
  ni: [
    { by: 'class1BandsOf, employeeNicsPence, employerNicsPence', answer: orNotAsked(classOneResult) },
    { by: DECIDED, answer: nicsOfPayment },
  ],
  ni_director: [
    { by: 'directorNics', answer: orNotAsked(directorResult) },
    { by: DECIDED, answer: nicsOfDirector },
  ],
  ni_director_mixed: [
    { by: 'directorNics', answer: orNotAsked(directorMixedResult) },
    { by: DECIDED, answer: nicsOfLetters },
  ],
  student_loan: [
    { by: 'loanDeductionPence', answer: orNotAsked(loanResult) },
    { by: DECIDED, answer: loansOfPayment },
  ],
  employer_month: [{ by: 'employerMonth', answer: employerMonthResult }],
  ytd_charge: [{ by: DECIDED, answer: chargesOfYear }],
  pay_sequence: [{ by: DECIDED, answer: payOfScheme }],
  employer_sequence: [{ by: DECIDED, answer: monthsOfScheme }],
  validate: [{ by: 'readSubmissions', answer: validOfField }],
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
    scale: scaleOfNation(dated, code.nation),
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
    at_lel_p: bands?.atLowerEarningsLimitPence,
    lel_to_pt_p: bands?.toPrimaryThresholdPence,
    pt_to_uel_p: bands?.toUpperEarningsLimitPence,
    above_uel_p: bands?.abovePence,
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
    // In the annual earnings period neither the frequency of a payment nor whether it is the last tells.
    if (input.method === 'annual' || payment.final === true) {
      leaveOut(payment);
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
    annual_at_lel_p: bands?.atLowerEarningsLimitPence,
    annual_lel_to_pt_p: bands?.toPrimaryThresholdPence,
    annual_pt_to_uel_p: bands?.toUpperEarningsLimitPence,
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
    const threshold = loanThresholdsPence[plan as StudentLoanPlan];
    if (threshold === undefined) throw new NotAsked();
    studentLoan = loanDeductionPence(earnings, threshold, dated.studentLoanBasisPoints);
  }
  const postgraduate =
    input.postgrad === true
      ? loanDeductionPence(earnings, postgraduateThresholdPence ?? Number.NaN, dated.postgraduateLoanBasisPoints)
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
      employerNicsToDatePence: input.er_nics_ytd_p === undefined ? null : money(input, 'er_nics_ytd_p'),
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

function ofYear(input: VectorInput): DatedPayeRules {
  return rulesAtYearEnd(rulesOfCards(), String(input.tax_year));
}

function frequencyOf(input: VectorInput): PayFrequency {
  if (!isPayFrequency(input.pay_frequency)) throw new TallyError('BAD_PAY_FREQUENCY', 'not a pay frequency of RTI');
  return input.pay_frequency;
}

/** A letter in force; what is none, no function of core can be asked. */
function letterOf(value: unknown, dated: DatedPayeRules): NiCategory {
  const letter = NI_CATEGORIES.find((known) => known === value);
  if (letter === undefined || dated.frequencies.W1.letters[letter] === undefined) throw new NotAsked();
  return letter;
}

/** Thrown where a case is about what the doors refuse: core's functions are never asked it. */
class NotAsked extends Error {}

function orNotAsked(answer: Asked['answer']): Asked['answer'] {
  return (input) => {
    try {
      return answer(input);
    } catch (error) {
      if (error instanceof NotAsked) return NOT_ASKED;
      throw error;
    }
  };
}

function termsOf(letters: LetterTerms, letter: NiCategory): Class1Terms {
  const terms = letters[letter];
  if (terms === undefined) throw new TallyError('BAD_NI_CATEGORY', 'the letter is not in force');
  return terms;
}

function money(input: VectorInput, field: string, absent?: number): number {
  const value = input[field];
  if (value === undefined && absent !== undefined) return absent;
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw new TallyError('NOT_INTEGER_PENCE', `${field} is not a whole number of pence`, { field });
  }
  return value;
}

function list(value: unknown): readonly VectorInput[] {
  return Array.isArray(value) ? value : [];
}
