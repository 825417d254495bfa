import type { LocalDate } from '../../calendar/local-date.ts';
import { quarterEndMonth, type TaxYear } from '../../calendar/tax-calendar.ts';
import { workingDayOnOrBefore } from '../../calendar/working-days.ts';
import type { Head } from '../../decisions/heads.ts';
import type { EmployerClaimsMade } from '../../events/paye-events.ts';
import { shareUpPence } from '../../money/paye-rounding.ts';
import { formatPence, type Pence } from '../../money/pence.ts';
import type { EmployerRules } from '../rates/dated-paye-rules.ts';
import { dueDatesOf, paymentPeriodSuffix } from './employer-month.ts';
import { citationOf, type PayeRule } from './rule-sources.ts';

/** What the ledger's entries of a tax month come to, and what its payments were. */
export interface MonthFigures {
  /** Sum of the entries by head, pence. */
  readonly heads: Readonly<Partial<Record<Head, number>>>;
  /** Employer's Class 1 and earnings liable to it, of the payments that count in the month. */
  readonly employerNicsPence: number;
  readonly payBillPence: number;
  readonly payments: number;
}

export interface MonthBillInput {
  readonly taxYear: TaxYear;
  /** 1 to 12. */
  readonly taxMonth: number;
  /** Months 1 to taxMonth, in order. */
  readonly months: readonly MonthFigures[];
  /** The employer's claims as last settled up to the month; null where it made none. */
  readonly claims: Pick<
    EmployerClaimsMade,
    'smallEmployer' | 'statutoryPayPence' | 'cisSufferedPence' | 'levyAllowancePence'
  > | null;
}

/** One line of the bill: the lines of a month add up to its net due. */
export interface BillLine {
  readonly head: Head;
  /** How the amount came about, for a person to follow. */
  readonly text: string;
  readonly pence: number;
  /** Section of paye.md. */
  readonly rule: string;
}

/** What is due at an end: a negative net due is a credit that is carried to later months of the year (paye.md 7.1). */
export interface Due {
  readonly netDuePence: number;
  readonly broughtForwardPence: number;
  readonly payablePence: number;
  readonly carriedForwardPence: number;
  /** Nominal days (paye.md 7.6), from which interest runs even where one is no working day. A Faster Payment may arrive on the day. */
  readonly duePost: LocalDate;
  readonly dueElectronic: LocalDate;
  /** By when other money must have arrived: the last working day on or before (collection.md 2.2); null where holidays are not known. */
  readonly payByPost: LocalDate | null;
  readonly payByElectronic: LocalDate | null;
  /** What follows the 13 characters of the Accounts Office reference: `2702`. */
  readonly referenceSuffix: string;
}

export interface MonthBill extends Due {
  readonly lines: readonly BillLine[];
  readonly chargePence: number;
  /** The quarter so far, for who may pay quarterly: whose average month is under the limit. */
  readonly quarter: Due & { readonly mayPayQuarterly: boolean; readonly averageMonthPence: number };
}

const CHARGES: readonly (readonly [Head, string, PayeRule])[] = [
  ['incomeTax', 'income tax less refunds', '7.1'],
  ['employeeNics', "employees' NICs", '7.1'],
  ['employerNics', "employer's NICs", '7.1'],
  ['studentLoan', 'student loans', '7.1'],
  ['postgraduateLoan', 'postgraduate loans', '7.1'],
  ['class1aNics', 'Class 1A on termination awards and testimonials', '5.10'],
];

/** The bill of an employer's tax month from the entries of the ledger (paye.md section 7), each line with its working. Throws BAD_TAX_MONTH. */
export function monthBill(input: MonthBillInput, rules: EmployerRules): MonthBill {
  const { taxYear, taxMonth } = input;
  const month = input.months[taxMonth - 1];
  const charges = CHARGES.map(([head, text, rule]) => ({
    head,
    text: `${text} of ${countText(month?.payments ?? 0)}`,
    pence: headOf(month, head),
    rule: citationOf(rule),
  }));
  const lines = [...charges, ...adjustments(input, rules)].filter(({ pence }) => pence !== 0);
  const nets = input.months.map(netOf);
  const quarters = quarterNets(nets);
  const averageMonthPence = Math.round(nets.reduce((sum, net) => sum + Math.max(0, net), 0) / Math.max(1, nets.length));
  return {
    lines,
    chargePence: charges.reduce((sum, { pence }) => sum + pence, 0),
    ...dueOf(nets),
    ...payDatesOf(taxYear, taxMonth, false),
    referenceSuffix: paymentPeriodSuffix(taxYear, taxMonth),
    quarter: {
      ...dueOf(quarters),
      ...payDatesOf(taxYear, taxMonth, true),
      referenceSuffix: paymentPeriodSuffix(taxYear, quarterEndMonth(taxMonth)),
      mayPayQuarterly: averageMonthPence < rules.quarterlyLimitPence,
      averageMonthPence,
    },
  };
}

function payDatesOf(
  taxYear: TaxYear,
  taxMonth: number,
  quarterly: boolean,
): Pick<Due, 'duePost' | 'dueElectronic' | 'payByPost' | 'payByElectronic'> {
  const due = dueDatesOf(taxYear, taxMonth, quarterly);
  const payByPost = workingDayOnOrBefore(due.duePost);
  return { ...due, payByPost, payByElectronic: workingDayOnOrBefore(due.dueElectronic) };
}

/** Heads of a bill with their sign in it: entries hold what reduces it as negative already. */
const BILL_HEADS: readonly Head[] = [
  ...CHARGES.map(([head]) => head),
  'apprenticeshipLevy',
  'employmentAllowance',
  'statutoryPayRecovered',
  'nicCompensation',
  'cisSuffered',
];

function netOf(month: MonthFigures): number {
  return BILL_HEADS.reduce((sum, head) => sum + headOf(month, head), 0);
}

/** Nets by quarter, the last one so far. */
function quarterNets(nets: readonly number[]): number[] {
  const quarters: number[] = [];
  for (const [index, net] of nets.entries()) {
    const quarter = Math.floor(index / 3);
    quarters[quarter] = (quarters[quarter] ?? 0) + net;
  }
  return quarters;
}

function dueOf(
  nets: readonly number[],
): Pick<Due, 'netDuePence' | 'broughtForwardPence' | 'payablePence' | 'carriedForwardPence'> {
  let credit = 0;
  for (const net of nets.slice(0, -1)) credit = Math.max(0, credit - net);
  const netDuePence = nets.at(-1) ?? 0;
  return {
    netDuePence,
    broughtForwardPence: credit,
    payablePence: Math.max(0, netDuePence - credit),
    carriedForwardPence: Math.max(0, credit - netDuePence),
  };
}

function adjustments(input: MonthBillInput, rules: EmployerRules): BillLine[] {
  const { claims } = input;
  const statutory = Object.entries(claims?.statutoryPayPence ?? {});
  const rate = claims?.smallEmployer === true ? rules.recoverySmallBasisPoints : rules.recoveryBasisPoints;
  return [
    {
      head: 'employmentAllowance',
      text: allowanceText(input, rules),
      pence: now(input, 'employmentAllowance'),
      rule: citationOf('7.2'),
    },
    toDateLine(input, 'statutoryPayRecovered', 'statutory pay recovered', sharesText(statutory, rate), '7.3'),
    toDateLine(
      input,
      'nicCompensation',
      "small employer's compensation",
      sharesText(statutory, rules.compensationBasisPoints ?? 0),
      '7.3',
    ),
    toDateLine(input, 'apprenticeshipLevy', 'Apprenticeship Levy', levyText(input, rules), '7.4'),
    toDateLine(input, 'cisSuffered', 'CIS deductions suffered', amount(claims?.cisSufferedPence ?? 0), '7.5'),
  ];
}

/** By what is to date less what was taken in earlier months: all claims but the allowance are by year-to-date figures. */
function toDateLine(input: MonthBillInput, head: Head, what: string, working: string, rule: PayeRule): BillLine {
  const before = Math.abs(sumOf(input.months.slice(0, -1), head));
  const toDate = Math.abs(sumOf(input.months, head));
  const text = `${what}: ${working}: ${amount(toDate)} to date less ${amount(before)} of earlier months`;
  return { head, text, pence: now(input, head), rule: citationOf(rule) };
}

function allowanceText(input: MonthBillInput, rules: EmployerRules): string {
  const before = -sumOf(input.months.slice(0, -1), 'employmentAllowance');
  const left = amount(rules.employmentAllowancePence - before);
  const nics = amount(input.months.at(-1)?.employerNicsPence ?? 0);
  return `Employment Allowance: employer's NICs ${nics}, ${left} left of ${amount(rules.employmentAllowancePence)}`;
}

function sharesText(statutory: readonly (readonly [string, number])[], basisPoints: number): string {
  const shares = statutory.filter(([, paid]) => paid !== 0);
  if (shares.length === 0) return 'as claimed';
  return shares
    .map(
      ([kind, paid]) => `${kind} ${amount(paid)} at ${basisPoints / 100}% = ${amount(shareUpPence(paid, basisPoints))}`,
    )
    .join(', ');
}

function levyText({ taxMonth, months, claims }: MonthBillInput, rules: EmployerRules): string {
  const bill = amount(months.reduce((sum, { payBillPence }) => sum + payBillPence, 0));
  const allowance = amount(claims?.levyAllowancePence ?? rules.levyAllowancePence);
  return `${rules.levyBasisPoints / 100}% of a pay bill of ${bill} less ${allowance} x ${taxMonth} / 12`;
}

function countText(payments: number): string {
  return payments === 1 ? '1 payment' : `${payments} payments`;
}

function now({ months, taxMonth }: MonthBillInput, head: Head): number {
  return headOf(months[taxMonth - 1], head);
}

function sumOf(months: readonly MonthFigures[], head: Head): number {
  return months.reduce((sum, month) => sum + headOf(month, head), 0);
}

function headOf(month: MonthFigures | undefined, head: Head): number {
  return month?.heads[head] ?? 0;
}

function amount(pence: number): string {
  return formatPence(pence as Pence);
}
