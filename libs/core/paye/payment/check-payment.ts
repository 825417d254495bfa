import { EVENT_DATE_EXPECTED, isEventDate } from '../../calendar/event-date.ts';
import { isLocalDate } from '../../calendar/local-date.ts';
import type { Fault } from '../../errors/fault.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { NI_CATEGORIES, type PaymentMade, STUDENT_LOAN_PLANS, type YearToDate } from '../../events/paye-events.ts';
import { isNinoShaped } from '../../identity/nino.ts';
import type { DatedPayeRules } from '../rates/dated-paye-rules.ts';
import { isPayFrequency, isPeriodOf } from '../rates/pay-frequency.ts';
import { isDateSupported, type PayeRules, payDayOf, taxCodeOf } from '../rates/paye-rules.ts';
import { ratesNotKnown, scaleOfNation } from '../rates/rates-not-known.ts';
import { flatRateOf } from '../rates/tax-scale.ts';

/** Limits of a payment at every door. */
export const PAYMENT_LIMITS = {
  /** 99,999,999.99 pounds, either way. */
  amountPenceMax: 9_999_999_999,
  /** Of one employment in a year, either way: so that every product of the arithmetic stays within the safe integers. */
  toDatePenceMax: 5_000_000_000_000,
  worksNumberLengthMax: 35,
  taxCodeLengthMax: 16,
  directorWeekMax: 53,
  oddIntervalDaysMax: 366,
} as const;

/** Late reporting reasons in use (paye.md 7.9); E ended with the relaxation for micro employers. */
const LATE_REASONS: ReadonlySet<string> = new Set(['A', 'B', 'C', 'D', 'F', 'G', 'H']);

/** No control characters, no surrogates: what RTI and a person can read. */
const PRINTABLE = /^[\x20-\x7E\u00A1-\uFFFD]+$/;

/**
 * Everything that is wrong with a payment, whatever door it came through; empty where nothing is. Pointers name the fields of
 * docs/http-api.md. Codes: UNSUPPORTED_TAX_YEAR, BAD_DATE, BAD_PAY_FREQUENCY, BAD_PERIOD, BAD_TAX_CODE, NO_RATE_FOR_D_CODE,
 * RATES_NOT_KNOWN, K_CODE_OUT_OF_RANGE, BAD_NI_CATEGORY, BAD_STUDENT_LOAN_PLAN, PLAN_NOT_IN_FORCE, BAD_LATE_REASON, BAD_DIRECTOR_METHOD,
 * DIRECTOR_WEEK_INVALID, ODD_INTERVAL_INVALID, WORKS_NUMBER_INVALID, WORKS_NUMBER_IS_NINO, NOT_INTEGER_PENCE, AMOUNT_OUT_OF_RANGE, STARTER_INVALID.
 */
export function checkPayment(event: PaymentMade, rules: PayeRules): readonly Fault[] {
  const faults: Fault[] = [];
  checkIdentity(event, faults);
  checkAmounts(event, faults);
  checkStated(event, faults);
  if (!isPayFrequency(event.payFrequency)) {
    faults.push(fault('BAD_PAY_FREQUENCY', '/payFrequency', 'expected W1, W2, W4, M1, M3, M6, MA, IO or IR'));
  } else if (!isPeriodOf(event.payFrequency, event.period)) {
    faults.push(
      fault('BAD_PERIOD', '/period', 'expected a month 1 to 12, or a week 1 to 52 (53, 54, 56 for the odd day)'),
    );
  }
  const dated = datedRules(event, rules, faults);
  if (dated !== null) checkAgainstRates(event, dated, rules, faults);
  checkDirector(event, faults);
  checkOddInterval(event, faults);
  if (event.toDate !== null) checkYearToDate(event.toDate, '/toDate', dated, faults);
  if (event.openingBalance !== null) checkYearToDate(event.openingBalance, '/openingBalance', dated, faults);
  if (event.lateReason !== null && !isLateReason(event.lateReason)) {
    faults.push(fault('BAD_LATE_REASON', '/lateReason', 'expected A, B, C, D, F, G or H'));
  }
  return faults;
}

function checkIdentity(event: PaymentMade, faults: Fault[]): void {
  checkWorksNumber(event.worksNumber, '/worksNumber', faults);
  if (event.oldWorksNumber !== null) {
    checkWorksNumber(event.oldWorksNumber, '/oldWorksNumber', faults);
    if (event.oldWorksNumber === event.worksNumber) {
      faults.push(fault('WORKS_NUMBER_INVALID', '/oldWorksNumber', 'expected another works number than the new one'));
    }
  }
}

function checkWorksNumber(text: string, pointer: string, faults: Fault[]): void {
  if (text.length < 1 || text.length > PAYMENT_LIMITS.worksNumberLengthMax || !PRINTABLE.test(text)) {
    faults.push(fault('WORKS_NUMBER_INVALID', pointer, 'expected 1 to 35 printable characters'));
  } else if (isNinoShaped(text)) {
    faults.push(
      fault('WORKS_NUMBER_IS_NINO', pointer, 'a works number shaped like a NINO is refused: use the payroll id'),
    );
  }
}

function checkAmounts(event: PaymentMade, faults: Fault[]): void {
  checkAmount(event.taxablePayPence, '/taxablePayPence', faults);
  checkAmount(event.payrolledBenefitsPence, '/payrolledBenefitsPence', faults);
  checkAmount(event.nicableEarningsPence, '/nicableEarningsPence', faults);
  checkAmount(event.terminationAwardPence, '/terminationAwardPence', faults);
  checkAmount(event.sportingTestimonialPence, '/sportingTestimonialPence', faults);
  const { starter } = event;
  if (starter === null) return;
  if (starter.p45PayPence !== null) checkNotNegative(starter.p45PayPence, '/starter/p45PayPence', faults);
  if (starter.p45TaxPence !== null) checkNotNegative(starter.p45TaxPence, '/starter/p45TaxPence', faults);
  if ((starter.p45PayPence === null) !== (starter.p45TaxPence === null)) {
    faults.push(fault('STARTER_INVALID', '/starter', 'P45 pay and tax come together'));
  }
  if (starter.declaration !== null && !['A', 'B', 'C'].includes(starter.declaration)) {
    faults.push(fault('STARTER_INVALID', '/starter/declaration', 'expected A, B or C'));
  }
  checkDate(starter.startDate, '/starter/startDate', faults);
}

function checkStated(event: PaymentMade, faults: Fault[]): void {
  const { stated } = event;
  if (stated === null) return;
  if (stated.incomeTaxPence !== null) checkAmount(stated.incomeTaxPence, '/stated/incomeTaxPence', faults);
  if (stated.employeeNicsPence !== null) checkAmount(stated.employeeNicsPence, '/stated/employeeNicsPence', faults);
  if (stated.employerNicsPence !== null) checkAmount(stated.employerNicsPence, '/stated/employerNicsPence', faults);
  if (stated.studentLoanPence !== null) checkAmount(stated.studentLoanPence, '/stated/studentLoanPence', faults);
  if (stated.postgraduateLoanPence !== null) {
    checkAmount(stated.postgraduateLoanPence, '/stated/postgraduateLoanPence', faults);
  }
  if (stated.class1aNicsPence !== null) checkAmount(stated.class1aNicsPence, '/stated/class1aNicsPence', faults);
}

/** Figures of a year are limited as an employment's are, and letters are those in force. */
function checkYearToDate(figures: YearToDate, pointer: string, dated: DatedPayeRules | null, faults: Fault[]): void {
  const { nicableEarningsByLetter, ...amounts } = figures;
  for (const [name, amountPence] of Object.entries(amounts)) {
    if (amountPence !== null) checkToDate(amountPence, `${pointer}/${name}`, faults);
  }
  for (const [letter, amountPence] of Object.entries(nicableEarningsByLetter)) {
    const at = `${pointer}/nicableEarningsByLetter/${letter.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    checkToDate(amountPence, at, faults);
    if (dated !== null && !Object.hasOwn(dated.frequencies.W1.letters, letter)) {
      faults.push(fault('BAD_NI_CATEGORY', at, 'expected a letter of Class 1 NICs that is in force'));
    }
  }
}

function checkToDate(amountPence: number, pointer: string, faults: Fault[]): void {
  if (!Number.isSafeInteger(amountPence)) {
    faults.push(fault('NOT_INTEGER_PENCE', pointer, 'expected a whole number of pence'));
  } else if (Math.abs(amountPence) > PAYMENT_LIMITS.toDatePenceMax) {
    faults.push(fault('AMOUNT_OUT_OF_RANGE', pointer, 'expected no more than a year of pay can be'));
  }
}

function checkAmount(amountPence: number, pointer: string, faults: Fault[]): void {
  if (!Number.isSafeInteger(amountPence)) {
    faults.push(fault('NOT_INTEGER_PENCE', pointer, 'expected a whole number of pence'));
  } else if (Math.abs(amountPence) > PAYMENT_LIMITS.amountPenceMax) {
    faults.push(fault('AMOUNT_OUT_OF_RANGE', pointer, 'expected at most 99,999,999.99 pounds either way'));
  }
}

function checkNotNegative(amountPence: number, pointer: string, faults: Fault[]): void {
  checkAmount(amountPence, pointer, faults);
  if (amountPence < 0) faults.push(fault('AMOUNT_OUT_OF_RANGE', pointer, 'expected an amount that is not negative'));
}

function datedRules(event: PaymentMade, rules: PayeRules, faults: Fault[]): DatedPayeRules | null {
  checkDate(event.leavingDate, '/leavingDate', faults);
  const known = rules.payDays.get(event.paymentDate);
  if (known !== undefined) return known.rules;
  if (!isLocalDate(event.paymentDate)) {
    faults.push(fault('BAD_DATE', '/paymentDate', 'expected a date YYYY-MM-DD'));
    return null;
  }
  if (!isDateSupported(rules, event.paymentDate)) {
    const years = rules.taxYears.join(', ');
    faults.push(fault('UNSUPPORTED_TAX_YEAR', '/paymentDate', `expected a date of one of the tax years ${years}`));
    return null;
  }
  return payDayOf(rules, event.paymentDate).rules;
}

function checkAgainstRates(event: PaymentMade, dated: DatedPayeRules, rules: PayeRules, faults: Fault[]): void {
  const codeFault = taxCodeFault(event.taxCode, dated, rules);
  if (codeFault !== null) faults.push(codeFault);
  const frequency = dated.frequencies[event.payFrequency] ?? dated.frequencies.W1;
  if (!Object.hasOwn(frequency.letters, event.niCategory)) {
    const known = NI_CATEGORIES.filter((letter) => frequency.letters[letter] !== undefined).join(' ');
    faults.push(fault('BAD_NI_CATEGORY', '/niCategory', `expected one of ${known}`));
  }
  if (event.postgraduateLoan) checkKnown('postgraduateLoan.threshold', '/postgraduateLoan', dated, faults);
  if (event.studentLoanPlan === null) return;
  if (!STUDENT_LOAN_PLANS.includes(event.studentLoanPlan)) {
    faults.push(fault('BAD_STUDENT_LOAN_PLAN', '/studentLoanPlan', 'expected 01, 02, 04 or 05'));
  } else if (
    checkKnown(`studentLoan.threshold.${event.studentLoanPlan}`, '/studentLoanPlan', dated, faults) &&
    frequency.loanThresholdsPence[event.studentLoanPlan] === undefined
  ) {
    faults.push(
      fault('PLAN_NOT_IN_FORCE', '/studentLoanPlan', 'the plan is not deducted through payroll in this tax year'),
    );
  }
}

/** False, and a fault, where the year's value is not published yet. */
function checkKnown(name: string, pointer: string, dated: DatedPayeRules, faults: Fault[]): boolean {
  if (!dated.notKnown.has(name)) return true;
  const { code, message } = ratesNotKnown(name, dated.taxYear);
  faults.push(fault(code, pointer, message));
  return false;
}

function taxCodeFault(text: string, dated: DatedPayeRules, rules: PayeRules): Fault | null {
  if (text.length > PAYMENT_LIMITS.taxCodeLengthMax) {
    return fault('BAD_TAX_CODE', '/taxCode', 'expected a code such as 1257L, S1257L, K475, BR, D0 or NT');
  }
  try {
    checkTaxCode(text, dated, rules);
    return null;
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return fault(error.code, '/taxCode', error.message);
  }
}

/** Throws BAD_TAX_CODE, K_CODE_OUT_OF_RANGE, NO_RATE_FOR_D_CODE or RATES_NOT_KNOWN. */
export function checkTaxCode(text: string, dated: DatedPayeRules, rules: PayeRules): void {
  const code = taxCodeOf(rules, text);
  if (code.kind === 'nt') return;
  const scale = scaleOfNation(dated, code.nation);
  if (code.kind === 'flat') flatRateOf(scale, code);
}

function isLateReason(value: unknown): value is string {
  return typeof value === 'string' && LATE_REASONS.has(value);
}

function checkDirector(event: PaymentMade, faults: Fault[]): void {
  if (event.directorsNic !== null && event.directorsNic !== 'AN' && event.directorsNic !== 'AL') {
    faults.push(fault('BAD_DIRECTOR_METHOD', '/directorsNic', 'expected AN or AL'));
  }
  const week = event.directorAppointedWeek;
  if (week !== null && (!Number.isInteger(week) || week < 1 || week > PAYMENT_LIMITS.directorWeekMax)) {
    faults.push(fault('DIRECTOR_WEEK_INVALID', '/directorAppointedWeek', 'expected a tax week, 1 to 53'));
  }
}

function checkOddInterval(event: PaymentMade, faults: Fault[]): void {
  const days = event.oddIntervalDays;
  if (days === null) return;
  if (!Number.isInteger(days) || days < 1 || days > PAYMENT_LIMITS.oddIntervalDaysMax) {
    faults.push(fault('ODD_INTERVAL_INVALID', '/oddIntervalDays', 'expected the days of an interval, 1 to 366'));
  }
}

function checkDate(date: string | null, pointer: string, faults: Fault[]): void {
  if (date !== null && !isEventDate(date)) faults.push(fault('BAD_DATE', pointer, `expected ${EVENT_DATE_EXPECTED}`));
}

function fault(code: string, pointer: string, detail: string): Fault {
  return { code, pointer, detail };
}
