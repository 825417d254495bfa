import type { Assessment, HeadAmount } from '../../decisions/decision.ts';
import type { Head } from '../../decisions/heads.ts';
import type { PaymentMade, StatedDeductions } from '../../events/paye-events.ts';
import type { Pence } from '../../money/pence.ts';
import { assessPayment } from '../assess/assess-payment.ts';
import { type PayeRules, payDayOf, rulesAtYearEnd } from '../rates/paye-rules.ts';
import { checkPayment } from './check-payment.ts';
import type { EmploymentBefore } from './employment-before.ts';

type Before = Pick<EmploymentBefore, 'state' | 'others'>;

/**
 * Why an employer's own figure may differ: a penny or two (`rounding`), the tax code of another basis or the emergency code
 * (`wrong code`), another letter (`wrong letter`), pay or tax carried from earlier (`year-to-date drift`), or none of these.
 */
export type DifferenceCause = (typeof DIFFERENCE_CAUSES)[number];

export const DIFFERENCE_CAUSES = [
  'rounding',
  'wrong code',
  'wrong letter',
  'year-to-date drift',
  'unexplained',
] as const;

export interface StatedDifference {
  readonly head: Head;
  readonly statedPence: number;
  readonly assessedPence: number;
  /** Stated less assessed. */
  readonly differencePence: number;
  readonly cause: DifferenceCause;
}

/** Differences up to this many pence are rounding. */
const ROUNDING_PENCE_MAX = 2;
const NO_MARK = '0'.repeat(24);

/** What the employer stated by head, zero included: a stated zero is a statement. */
export function statedAmounts(stated: StatedDeductions | null): readonly HeadAmount[] {
  const amounts: HeadAmount[] = [];
  if (stated === null) return amounts;
  const amount = (head: Head, pence: Pence): HeadAmount => ({ head, pence });
  if (stated.incomeTaxPence !== null) amounts.push(amount('incomeTax', stated.incomeTaxPence));
  if (stated.employeeNicsPence !== null) amounts.push(amount('employeeNics', stated.employeeNicsPence));
  if (stated.employerNicsPence !== null) amounts.push(amount('employerNics', stated.employerNicsPence));
  if (stated.studentLoanPence !== null) amounts.push(amount('studentLoan', stated.studentLoanPence));
  if (stated.postgraduateLoanPence !== null) amounts.push(amount('postgraduateLoan', stated.postgraduateLoanPence));
  if (stated.class1aNicsPence !== null) amounts.push(amount('class1aNics', stated.class1aNicsPence));
  return amounts;
}

/** The heads where what was stated is not what was assessed; a head that was not stated is not compared. Without cause. */
export function statedDifferences(
  result: Pick<Assessment, 'amounts' | 'stated'>,
): readonly Omit<StatedDifference, 'cause'>[] {
  const differences: Omit<StatedDifference, 'cause'>[] = [];
  for (const { head, pence: statedPence } of result.stated) {
    const assessedPence = result.amounts.find((amount) => amount.head === head)?.pence ?? 0;
    if (statedPence !== assessedPence) {
      differences.push({ head, statedPence, assessedPence, differencePence: statedPence - assessedPence });
    }
  }
  return differences;
}

/**
 * The same with causes, found by assessing the payment again as the employer may have: on the other basis or the emergency code, under
 * each other letter, without the figures to date.
 *
 * @param before what the payment was worked out on.
 */
export function explainedDifferences(
  event: PaymentMade,
  result: Pick<Assessment, 'amounts' | 'stated'>,
  before: Before,
  rules: PayeRules,
): readonly StatedDifference[] {
  return statedDifferences(result).map((difference) => ({
    ...difference,
    cause: causeOf(event, difference, before, rules),
  }));
}

/** The differences of a decision with the causes that its flags name. */
export function flaggedDifferences(
  result: Pick<Assessment, 'amounts' | 'stated' | 'flags'>,
): readonly StatedDifference[] {
  return statedDifferences(result).map((difference) => {
    const { head } = difference;
    const cause = DIFFERENCE_CAUSES.find((each) => result.flags.includes(statedFlag({ head, cause: each })));
    return { ...difference, cause: cause ?? 'unexplained' };
  });
}

const STATED = 'STATED_';

/** Whether a flag of a decision names a difference to what was stated. */
export function isStatedFlag(flag: string): boolean {
  return flag.startsWith(STATED);
}

/** The flag of a decision that names a difference and its cause: `STATED_INCOME_TAX_WRONG_CODE`. */
export function statedFlag({ head, cause }: Pick<StatedDifference, 'head' | 'cause'>): string {
  const words = head.replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `${STATED}${words}_${cause.replace(/[- ]/g, '_')}`.toUpperCase();
}

function causeOf(
  event: PaymentMade,
  { head, statedPence, differencePence }: Omit<StatedDifference, 'cause'>,
  before: Before,
  rules: PayeRules,
): DifferenceCause {
  if (Math.abs(differencePence) <= ROUNDING_PENCE_MAX) return 'rounding';
  const nothing: Before = { state: null, others: before.others };
  const gives = (changed: PaymentMade, on: Before): boolean =>
    Math.abs(headOf(changed, on, head, rules) - statedPence) <= ROUNDING_PENCE_MAX;
  if (head === 'incomeTax') {
    if (otherCodes(event, rules).some((changed) => gives(changed, before))) return 'wrong code';
    return before.state !== null && gives(event, nothing) ? 'year-to-date drift' : 'unexplained';
  }
  if (head === 'employeeNics' || head === 'employerNics') {
    if (otherLetters(event, rules).some((changed) => gives(changed, before))) return 'wrong letter';
    return before.state !== null && gives(event, nothing) ? 'year-to-date drift' : 'unexplained';
  }
  return 'unexplained';
}

function otherCodes(event: PaymentMade, rules: PayeRules): PaymentMade[] {
  const { taxYear } = payDayOf(rules, event.paymentDate);
  const { emergencyCode } = rulesAtYearEnd(rules, taxYear);
  const nation = /^[SC](?=\d|K|BR|D)/.exec(event.taxCode)?.[0] ?? '';
  const bare = event.taxCode.slice(nation.length);
  const codes = [
    event.taxCode,
    `${nation}${emergencyCode}`,
    `${nation}BR`,
    `${nation}0T`,
    bare,
    `S${bare}`,
    `C${bare}`,
  ];
  return codes
    .flatMap((taxCode) => [true, false].map((week1Month1) => ({ ...event, taxCode, week1Month1 })))
    .filter((changed) => checkPayment(changed, rules).length === 0);
}

function otherLetters(event: PaymentMade, rules: PayeRules): PaymentMade[] {
  const { letters } = payDayOf(rules, event.paymentDate).rules.frequencies[event.payFrequency];
  return (Object.keys(letters) as PaymentMade['niCategory'][])
    .filter((letter) => letter !== event.niCategory)
    .map((niCategory) => ({ ...event, niCategory }));
}

function headOf(event: PaymentMade, { state, others }: Before, head: Head, rules: PayeRules): number {
  const assessed = assessPayment(event, NO_MARK, state, payDayOf(rules, event.paymentDate), rules, others);
  if (head === 'incomeTax') return assessed.incomeTaxPence;
  return head === 'employeeNics' ? assessed.employeeNicsPence : assessed.employerNicsPence;
}
