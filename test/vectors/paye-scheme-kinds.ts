import { createHash } from 'node:crypto';
import { addDays, localDate } from '../../libs/core/calendar/local-date.ts';
import { taxMonthEnd, taxYear } from '../../libs/core/calendar/tax-calendar.ts';
import type { Assessment } from '../../libs/core/decisions/decision.ts';
import type { Head } from '../../libs/core/decisions/heads.ts';
import { personToken } from '../../libs/core/identity/event-id.ts';
import { accepted, nextEventId, ProductAccounts } from './product-accounts.ts';
import { list, record, type VectorInput } from './vector-case.ts';
import { noonOf } from './vector-trader.ts';

/** Flags that the vectors compare, in their order. */
const FLAGS = ['PERIOD_DIFFERS', 'AFTER_LEAVING_NOT_STATED', 'DIRECTOR_WEEK_MISSING'];
const PAYE_REFERENCE = '123/AB456';

/** Payments of one employer in the order of their decisions, each received on its pay day. */
export function payOfScheme(input: VectorInput): unknown {
  const accounts = new ProductAccounts();
  const payments = list(input.payments).map((payment) => {
    const result = paid(accounts, record(payment));
    if (!result.taxPeriod.startsWith(String(input.tax_year))) throw new Error('the payment is of another tax year');
    return {
      tax_p: amountOf(result, 'incomeTax'),
      ee_p: amountOf(result, 'employeeNics'),
      er_p: amountOf(result, 'employerNics'),
      flags: FLAGS.filter((flag) => result.flags.includes(flag)).map((flag) => flag.toLowerCase()),
    };
  });
  const sum = (name: 'tax_p' | 'ee_p' | 'er_p'): number => payments.reduce((total, each) => total + each[name], 0);
  return { payments, tax_ytd_p: sum('tax_p'), ee_ytd_p: sum('ee_p'), er_ytd_p: sum('er_p') };
}

/** Claims and closes of every month of one employer, with its payments before them. */
export function monthsOfScheme(input: VectorInput): unknown {
  const accounts = new ProductAccounts();
  const year = taxYear(String(input.tax_year));
  const payments = list(input.payments).map(record);
  const claims = list(input.claims).map(record);
  const months: Record<string, unknown> = {};
  let [allowanceToDate, levyToDate] = [0, 0];
  for (let month = 1; month <= 12; month += 1) {
    const end = taxMonthEnd(year, month);
    for (const payment of payments.filter(({ payment_date: day }) => isWithin(String(day), year, month))) {
      paid(accounts, payment);
    }
    const due = { allowance: 0, levy: 0 };
    const settle = (json: VectorInput): void => {
      const { decision } = accepted(accounts.submit('paye', json, noonOf(addDays(end, 1))));
      const [result] = decision.results;
      if (result === undefined) return;
      due.allowance -= amountOf(result, 'employmentAllowance');
      due.levy += amountOf(result, 'apprenticeshipLevy');
    };
    const head = { eventId: nextEventId(), payeReference: PAYE_REFERENCE, taxYear: year, taxMonth: month };
    for (const claim of claims.filter(({ tax_month: of }) => of === month)) settle({ ...head, ...claimOf(claim) });
    settle({ ...head, eventId: nextEventId(), type: 'PayePeriodClosed' });
    allowanceToDate += due.allowance;
    levyToDate += due.levy;
    months[String(month)] = {
      employment_allowance_p: due.allowance,
      employment_allowance_ytd_p: allowanceToDate,
      levy_p: due.levy,
      levy_ytd_p: levyToDate,
    };
  }
  return { months };
}

function isWithin(day: string, year: ReturnType<typeof taxYear>, month: number): boolean {
  return day <= taxMonthEnd(year, month) && (month === 1 || day > taxMonthEnd(year, month - 1));
}

function claimOf(claim: VectorInput): VectorInput {
  return {
    type: 'EmployerClaimsMade',
    employmentAllowance: claim.employment_allowance === true,
    smallEmployer: claim.small_employer === true,
    ...(claim.levy_allowance_p === undefined ? {} : { levyAllowancePence: claim.levy_allowance_p }),
    ...(claim.cis_suffered_ytd_p === undefined ? {} : { cisSufferedPence: claim.cis_suffered_ytd_p }),
  };
}

function paid(accounts: ProductAccounts, payment: VectorInput): Assessment {
  const { starter } = payment;
  const { start_date: startDate, p45_pay_p: p45PayPence, p45_tax_p: p45TaxPence } = record(starter ?? {});
  const json = {
    type: 'PaymentMade',
    eventId: nextEventId(),
    payeReference: PAYE_REFERENCE,
    worksNumber: payment.works_number,
    paymentDate: payment.payment_date,
    payFrequency: payment.pay_frequency,
    period: payment.period,
    taxCode: payment.tax_code,
    week1Month1: payment.week1month1 === true,
    taxablePayPence: payment.pay_in_period_p,
    payrolledBenefitsPence: payment.bik_in_period_p,
    nicableEarningsPence: payment.earnings_p ?? payment.pay_in_period_p,
    niCategory: payment.ni_category,
    ...(starter === undefined
      ? {}
      : { starter: { startDate, declaration: declarationOf(payment), p45PayPence, p45TaxPence } }),
    leavingDate: payment.leaving_date,
    paymentAfterLeaving: payment.payment_after_leaving === true,
    directorsNic: payment.directors_nic,
    directorAppointedWeek: payment.director_appointed_week,
    irregularEmployment: payment.irregular === true,
    separateNics: payment.separate_nics === true,
  };
  const sent = JSON.parse(JSON.stringify(json)) as VectorInput;
  const person = tokenOf(payment.person ?? `job ${String(payment.works_number)}`);
  const { decision } = accepted(accounts.submit('paye', sent, noonOf(localDate(String(payment.payment_date))), person));
  const [result] = decision.results;
  if (result === undefined) throw new Error('an accepted payment has a result');
  return result;
}

/** Without a P45 the code that a case states is that of a declaration. */
function declarationOf({ starter, week1month1 }: VectorInput): string | undefined {
  if (record(starter ?? {}).p45_pay_p !== undefined) return undefined;
  return week1month1 === true ? 'B' : 'A';
}

function tokenOf(person: unknown) {
  return personToken(createHash('sha256').update(String(person)).digest('hex').slice(0, 32));
}

function amountOf(result: Assessment, head: Head): number {
  return result.amounts.find((amount) => amount.head === head)?.pence ?? 0;
}
