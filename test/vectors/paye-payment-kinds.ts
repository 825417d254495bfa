import { addDays, addMonths, dateOf, type LocalDate, localDate } from '../../libs/core/calendar/local-date.ts';
import { taxWeekOf, taxYearOf } from '../../libs/core/calendar/tax-calendar.ts';
import type { Head } from '../../libs/core/decisions/heads.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import { accountsOfficeReference } from '../../libs/core/identity/accounts-office-reference.ts';
import { directorWeeks } from '../../libs/core/paye/assess/director-nics.ts';
import { FREQUENCY_TERMS, isPayFrequency, isPeriodOf } from '../../libs/core/paye/rates/pay-frequency.ts';
import { accepted, nextEventId, ProductAccounts } from './product-accounts.ts';
import { list, NOT_ASKED, record, type VectorInput } from './vector-case.ts';
import { noonOf } from './vector-trader.ts';

/** One employee whose payments go through the product, from nothing at 6 April. */
class VectorEmployee {
  readonly #accounts = new ProductAccounts();
  readonly #taxYear: string;

  constructor(taxYear: unknown) {
    this.#taxYear = String(taxYear);
  }

  /**
   * Sends a payment of a period, received on its pay day, and gives its amounts by head. Throws with the code of its refusal. Where the
   * frequency or the period is none, the day does not matter: the door says what is wrong.
   */
  pay(frequency: unknown, period: unknown, fields: VectorInput): (head: Head) => number {
    const paymentDate = payDay(this.#taxYear, frequency, period);
    const json = {
      type: 'PaymentMade',
      eventId: nextEventId(),
      payeReference: '123/AB456',
      worksNumber: 'W-1',
      paymentDate,
      payFrequency: frequency,
      period,
      taxCode: 'NT',
      taxablePayPence: 0,
      nicableEarningsPence: 0,
      niCategory: 'X',
      ...fields,
      ...(fields.p45 === undefined ? {} : { starter: { startDate: paymentDate, ...record(fields.p45) } }),
    };
    const { p45: _sent, ...sent } = json as VectorInput;
    const { decision } = accepted(this.#accounts.submit('paye', sent, noonOf(paymentDate)));
    const [result] = decision.results;
    if (result === undefined || result.flags.includes('PERIOD_DIFFERS')) {
      throw new Error(`${paymentDate} is not of period ${period} of ${frequency}`);
    }
    return (head) => result.amounts.find((amount) => amount.head === head)?.pence ?? 0;
  }
}

/** The first day of a period, so far as there is one. */
function payDay(taxYear: string, frequency: unknown, period: unknown): LocalDate {
  const start = localDate(`${taxYear.slice(0, 4)}-04-06`);
  if (!isPayFrequency(frequency) || !isPeriodOf(frequency, period)) return start;
  const { family } = FREQUENCY_TERMS[frequency];
  if (family === 'month') return addMonths(start, period - 1);
  // Weeks 53, 54 and 56 are of the odd day at the end of the year.
  return period > 52 ? addDays(addMonths(start, 12), -1) : addDays(start, 7 * (period - 1));
}

/** Pay and tax before come by a P45; on a week 1 or month 1 basis they count in nothing. */
export function taxOfPayment(input: VectorInput): unknown {
  const [payBefore, taxBefore] = [Number(input.prev_taxable_pay_ytd_p ?? 0), Number(input.prev_tax_ytd_p ?? 0)];
  if (payBefore < 0 || taxBefore < 0) return NOT_ASKED;
  const employee = new VectorEmployee(input.tax_year);
  const tax = employee.pay(input.pay_frequency, input.period, {
    ...payFields(input),
    ...p45Of(payBefore, taxBefore),
  })('incomeTax');
  return { tax_in_period_p: tax, tax_ytd_p: taxBefore + tax };
}

function payFields(payment: VectorInput): VectorInput {
  return {
    taxCode: payment.tax_code,
    week1Month1: payment.week1month1 === true,
    taxablePayPence: payment.pay_in_period_p,
    ...(payment.bik_in_period_p === undefined ? {} : { payrolledBenefitsPence: payment.bik_in_period_p }),
  };
}

function p45Of(p45PayPence: number, p45TaxPence: number): VectorInput {
  return p45PayPence === 0 && p45TaxPence === 0 ? {} : { p45: { p45PayPence, p45TaxPence } };
}

export function taxOfPayments(input: VectorInput): unknown {
  const [payBefore, taxBefore] = [Number(input.opening_taxable_pay_ytd_p ?? 0), Number(input.opening_tax_ytd_p ?? 0)];
  if (payBefore < 0 || taxBefore < 0) return NOT_ASKED;
  const employee = new VectorEmployee(input.tax_year);
  let toDate = taxBefore;
  const payments = list(input.payments).map((value, index) => {
    const payment = record(value);
    const fields = { ...payFields(payment), ...(index === 0 ? p45Of(payBefore, taxBefore) : {}) };
    const tax = employee.pay(payment.pay_frequency, payment.period, fields)('incomeTax');
    toDate += tax;
    return { tax_in_period_p: tax, tax_ytd_p: toDate };
  });
  return { payments, tax_ytd_p: toDate };
}

export function nicsOfPayment(input: VectorInput): unknown {
  const amount = new VectorEmployee(input.tax_year).pay(input.pay_frequency, 1, {
    niCategory: input.ni_category,
    nicableEarningsPence: input.earnings_p,
  });
  return { ee_p: amount('employeeNics'), er_p: amount('employerNics') };
}

export function loansOfPayment(input: VectorInput): unknown {
  const amount = new VectorEmployee(input.tax_year).pay(input.pay_frequency, 1, {
    nicableEarningsPence: input.earnings_p,
    ...(input.plan === undefined || input.plan === null ? {} : { studentLoanPlan: input.plan }),
    postgraduateLoan: input.postgrad === true,
  });
  return { student_loan_p: amount('studentLoan'), postgrad_loan_p: amount('postgraduateLoan') };
}

const METHODS: ReadonlyMap<unknown, string> = new Map([
  ['annual', 'AN'],
  ['alternative', 'AL'],
]);
/** Payments of a case that name no frequency: twelve fit into a year of months, more into one of weeks. */
const MONTHS_A_YEAR = 12;

export function nicsOfDirector(input: VectorInput): unknown {
  const payments = list(input.payments).map(record);
  const employee = new VectorEmployee(input.tax_year);
  const first = {
    niCategory: input.ni_category,
    directorsNic: METHODS.get(input.method) ?? input.method,
    directorAppointedWeek: appointedWeekOf(input),
  };
  const made = payments.map((payment, index) => {
    const frequency = payment.pay_frequency ?? (payments.length > MONTHS_A_YEAR ? 'W1' : 'M1');
    const period = periodOf(frequency, index, payment.final === true);
    const amount = employee.pay(frequency, period, { ...first, nicableEarningsPence: payment.earnings_p });
    return { ee_p: amount('employeeNics'), er_p: amount('employerNics') };
  });
  return {
    payments: made,
    ee_ytd_p: made.reduce((sum, { ee_p }) => sum + ee_p, 0),
    er_ytd_p: made.reduce((sum, { er_p }) => sum + er_p, 0),
  };
}

/** Payments follow one another from the first period of the year; the last of the year is in its last period. */
function periodOf(frequency: unknown, index: number, final: boolean): number {
  if (!isPayFrequency(frequency)) return 1;
  const { family, periods } = FREQUENCY_TERMS[frequency];
  if (final) return family === 'week' ? 52 : 12;
  return Math.min(family === 'week' ? 52 : 12, 1 + index * periods);
}

function appointedWeekOf(input: VectorInput): number | null {
  if (input.pro_rata_weeks !== undefined) {
    const weeks = Array.from({ length: 53 }, (_, index) => index + 1);
    return weeks.find((week) => directorWeeks(week) === input.pro_rata_weeks) ?? null;
  }
  if (input.appointed === undefined) return null;
  const appointed = localDate(String(input.appointed));
  return taxYearOf(appointed) === input.tax_year ? taxWeekOf(appointed) : null;
}

/** Each letter's earnings are a payment of their own: the annual earnings period takes them together, whatever their order. */
export function nicsOfLetters(input: VectorInput): unknown {
  const employee = new VectorEmployee(input.tax_year);
  const made = Object.entries(record(input.earnings_by_category)).map(([niCategory, earnings], index) => {
    const fields = { niCategory, nicableEarningsPence: earnings, directorsNic: 'AN' };
    const amount = employee.pay('M1', index + 1, fields);
    return { ee: amount('employeeNics'), er: amount('employerNics') };
  });
  return {
    ee_ytd_p: made.reduce((sum, { ee }) => sum + ee, 0),
    er_ytd_p: made.reduce((sum, { er }) => sum + er, 0),
  };
}

/** Fields of `validate` as the doors take them: what is sent beside a payment that every door takes, on a day whose rates count. */
const FIELDS: Readonly<Record<string, (value: unknown) => VectorInput>> = {
  nino: (value) => ({ nino: value }),
  paye_ref: (value) => ({ payeReference: value }),
  tax_code: (value) => ({ taxCode: value }),
  ni_category: (value) => ({ niCategory: value }),
  student_loan_plan: (value) => ({ studentLoanPlan: value }),
  pay_period: (value) => ({ payFrequency: record(value ?? {}).pay_frequency, period: record(value ?? {}).period }),
  late_reason: (value) => ({ lateReason: value }),
  money_p: (value) => ({ taxablePayPence: value }),
  date: (value) => ({ paymentDate: value }),
};
/** What the vectors call a value of the wrong form, where the door says FIELD_TEXT, FIELD_TYPE or FIELD_MISSING of any field. */
const FORM_REASONS: Readonly<Record<string, string>> = {
  nino: 'bad_nino_format',
  paye_ref: 'bad_paye_ref',
  tax_code: 'bad_tax_code',
  ni_category: 'bad_ni_category',
  student_loan_plan: 'bad_student_loan_plan',
  pay_period: 'bad_period',
  late_reason: 'bad_late_reason',
  money_p: 'not_integer_pence:value',
  date: 'bad_date',
  tax_year: 'unsupported_tax_year',
};
const FORM_CODES: ReadonlySet<string> = new Set([
  'FIELD_TEXT',
  'FIELD_TYPE',
  'FIELD_MISSING',
  'NOT_INTEGER_PENCE',
  'BAD_TAX_YEAR',
]);

function reasonOf(field: string, code: string): string {
  return FORM_CODES.has(code) ? (FORM_REASONS[field] ?? code.toLowerCase()) : code.toLowerCase();
}

/** The newest year that the rules of this case's reference know. */
const NEWEST_YEAR = '2026-27';

/** What the door says of one field; a reference of HMRC's Accounts Office stands in no event, and is read where the payer states it. */
export function validOfField(input: VectorInput): unknown {
  const { field, value } = input;
  const taxYear = String(input.tax_year ?? NEWEST_YEAR);
  const reason =
    field === 'ao_ref'
      ? codeOf(() => accountsOfficeReference(String(value)))
      : doorReason(String(field), value, taxYear);
  return { valid: reason === null, reason };
}

function codeOf(read: () => unknown): string | null {
  try {
    read();
    return null;
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return error.code.toLowerCase();
  }
}

function doorReason(field: string, value: unknown, taxYear: string): string | null {
  const accounts = new ProductAccounts();
  const base = { eventId: nextEventId(), payeReference: '123/AB456' };
  const lastDay = dateOf(Number(taxYear.slice(0, 4)) + 1, 4, 5);
  if (field === 'tax_year') {
    const { faults } = accounts.read(
      'paye',
      { ...base, type: 'PayePeriodClosed', taxYear: value, taxMonth: 12 },
      noonOf(lastDay),
    );
    return faults[0] === undefined ? null : reasonOf(field, faults[0]);
  }
  const sent = FIELDS[field]?.(value);
  if (sent === undefined) throw new TallyError('UNKNOWN_FIELD', `no rule for the field "${field}"`, { name: field });
  const payment = {
    ...base,
    type: 'PaymentMade',
    worksNumber: 'W-1',
    paymentDate: lastDay,
    payFrequency: 'M1',
    period: 12,
    taxCode: '1257L',
    taxablePayPence: 0,
    nicableEarningsPence: 0,
    niCategory: 'A',
  };
  const { faults, event } = accounts.read('paye', { ...payment, ...sent }, noonOf(lastDay));
  const [code] = faults;
  if (code !== undefined) return reasonOf(field, code);
  // The door takes a day of any year that it has rates of: which year it is of, the day itself says.
  const isOfYear = event?.type !== 'PaymentMade' || taxYearOf(event.paymentDate) === taxYear;
  return isOfYear ? null : 'payment_date_outside_tax_year';
}
