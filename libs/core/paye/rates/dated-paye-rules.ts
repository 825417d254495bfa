import type { LocalDate } from '../../calendar/local-date.ts';
import type { TaxYear } from '../../calendar/tax-calendar.ts';
import { TallyError } from '../../errors/tally-error.ts';
import {
  NI_CATEGORIES,
  type NiCategory,
  PAY_FREQUENCIES,
  type PayFrequency,
  STUDENT_LOAN_PLANS,
  type StudentLoanPlan,
} from '../../events/paye-events.ts';
import type { Class1Terms } from './class1-nics.ts';
import { loanThresholdPence } from './loan-deductions.ts';
import { NATIONS, type Nation } from './nation.ts';
import { FREQUENCY_TERMS, type FrequencyTerms, PERIODS_IN_YEAR } from './pay-frequency.ts';
import { type LetterValue, type RateCard, type RateUnit, valueOn } from './rate-card.ts';
import { type TaxScale, taxScale } from './tax-scale.ts';

export type LetterTerms = Readonly<Partial<Record<NiCategory, Class1Terms>>>;

/** What one pay frequency works with: earnings period thresholds by letter, and loan thresholds. */
export interface FrequencyRules {
  readonly terms: FrequencyTerms;
  readonly letters: LetterTerms;
  /** Only plans in force. */
  readonly loanThresholdsPence: Readonly<Partial<Record<StudentLoanPlan, number>>>;
  /** Absent where it is not known yet. */
  readonly postgraduateThresholdPence: number | undefined;
}

/** All PAYE rules that hold from a day on until the next set of the year (or its end). */
export interface DatedPayeRules {
  readonly taxYear: TaxYear;
  readonly from: LocalDate;
  /** A nation is absent where its rates are not known yet. */
  readonly scales: Readonly<Partial<Record<Nation, TaxScale>>>;
  /** Names of values that the year will have and that are not known yet (`studentLoan.threshold.05`). */
  readonly notKnown: ReadonlySet<string>;
  readonly overridingLimitBasisPoints: number;
  readonly emergencyCode: string;
  readonly frequencies: Readonly<Record<PayFrequency, FrequencyRules>>;
  /** Terms of a director's earnings period of so many weeks (52 is the whole year), index by weeks. */
  readonly directorTerms: readonly LetterTerms[];
  readonly letterOrder: readonly NiCategory[];
  /** Of a year, by plan in force, and of the postgraduate loan: what odd intervals are worked out from. */
  readonly loanThresholdsOfYearPence: Readonly<Partial<Record<StudentLoanPlan, number>>>;
  readonly postgraduateThresholdOfYearPence: number | undefined;
  readonly studentLoanBasisPoints: number;
  readonly postgraduateLoanBasisPoints: number;
  /** Which parts pool several payments of one period (paye.md 4.10, 5.5: assumed). */
  readonly poolsIncomeTax: boolean;
  readonly poolsClass1: boolean;
  readonly poolsLoans: boolean;
  /**
   * How the rules are applied (docs/rules/paye.md, section 0). A card that says nothing has revision 1: what was decided by it is worked out again as it
   * was then.
   */
  readonly revision: number;
  readonly employer: EmployerRules;
}

/** What an employer's month works with (paye.md section 7). */
export interface EmployerRules {
  /** As in DatedPayeRules. */
  readonly revision: number;
  readonly employmentAllowancePence: number;
  readonly class1aBasisPoints: number;
  /** Class 1A on payrolled benefits is due with the month's bill: from 6 April 2027. */
  readonly class1aOnPayrolledBenefits: boolean;
  readonly terminationAwardExemptPence: number;
  readonly sportingTestimonialExemptPence: number;
  readonly recoveryBasisPoints: number;
  readonly recoverySmallBasisPoints: number;
  /** Absent where it is not known yet. */
  readonly compensationBasisPoints: number | undefined;
  readonly recoverableKinds: readonly string[];
  readonly levyBasisPoints: number;
  readonly levyAllowancePence: number;
  readonly quarterlyLimitPence: number;
}

const THRESHOLDS = [
  'lowerEarningsLimit',
  'primaryThreshold',
  'secondaryThreshold',
  'freeportUpperSecondaryThreshold',
  'investmentZoneUpperSecondaryThreshold',
  'upperEarningsLimit',
  'upperSecondaryThreshold',
  'apprenticeUpperSecondaryThreshold',
  'veteransUpperSecondaryThreshold',
] as const;
type Threshold = (typeof THRESHOLDS)[number];
type Thresholds = Readonly<Partial<Record<Threshold, number>>>;

interface Class1Rates {
  readonly employee: Readonly<Record<string, number>>;
  readonly aboveBasisPoints: number;
  readonly employerBasisPoints: number;
}

/** Everything that a card says for a day. Throws RATE_CARD_INVALID where a value is missing or of another unit. */
export function datedPayeRulesOf(card: RateCard, from: LocalDate): DatedPayeRules {
  const read = reader(card, from);
  const notKnown: ReadonlySet<string> = new Set(read.has('notKnown') ? read.list('notKnown') : []);
  const rates = class1Rates(read, '');
  const directorRates = class1Rates(read, 'directors.');
  const frequencies = {} as Record<PayFrequency, FrequencyRules>;
  for (const frequency of PAY_FREQUENCIES) {
    const terms = FREQUENCY_TERMS[frequency];
    frequencies[frequency] = {
      terms,
      letters: letterTermsOf(read, periodThresholds(read, terms), rates),
      ...loanThresholds(read, terms),
    };
  }
  const directorTerms: LetterTerms[] = [];
  for (let weeks = 0; weeks <= 52; weeks += 1) {
    directorTerms.push(letterTermsOf(read, directorThresholds(read, weeks), directorRates));
  }
  return {
    taxYear: card.taxYear,
    from,
    scales: Object.fromEntries(
      NATIONS.filter((nation) => !notKnown.has(`incomeTax.${nation}`)).map((nation) => [nation, scaleOf(read, nation)]),
    ),
    notKnown,
    overridingLimitBasisPoints: read.number('incomeTax.overridingLimit', 'basisPoints'),
    emergencyCode: read.text('incomeTax.emergencyCode'),
    frequencies,
    directorTerms,
    letterOrder: read.list('class1.directors.letterOrder') as readonly NiCategory[],
    ...loanThresholdsOfYear(read),
    studentLoanBasisPoints: read.number('studentLoan.rate', 'basisPoints'),
    postgraduateLoanBasisPoints: read.number('postgraduateLoan.rate', 'basisPoints'),
    poolsIncomeTax: read.list('pooledInPeriod').includes('incomeTax'),
    poolsClass1: read.list('pooledInPeriod').includes('class1'),
    poolsLoans: read.list('pooledInPeriod').includes('loans'),
    revision: revisionOf(read),
    employer: employerRules(read),
  };
}

function revisionOf(read: Reader): number {
  return read.has('rulesRevision') ? read.number('rulesRevision', 'index') : 1;
}

function scaleOf(read: Reader, nation: Nation): TaxScale {
  const rates: number[] = [];
  const tops: number[] = [];
  for (let band = 1; read.has(`incomeTax.${nation}.rate.${band}`); band += 1) {
    rates.push(read.number(`incomeTax.${nation}.rate.${band}`, 'basisPoints'));
    const top = `incomeTax.${nation}.bandTop.${band}`;
    if (read.has(top)) tops.push(read.number(top, 'pounds') / 100);
  }
  return taxScale(read.number(`incomeTax.${nation}.basicRateIndex`, 'index') - 1, rates, tops);
}

/** Rates of Class 1; directors' own where the card has them (rates that changed within the year), else the ordinary ones. */
function class1Rates(read: Reader, variant: '' | 'directors.'): Class1Rates {
  const rate = (name: string): number => {
    const own = `class1.${variant}${name}`;
    return read.number(read.has(own) ? own : `class1.${name}`, 'basisPoints');
  };
  return {
    employee: {
      main: rate('employee.main'),
      reduced: rate('employee.reduced'),
      deferred: rate('employee.deferred'),
      none: 0,
    },
    aboveBasisPoints: rate('employee.aboveUpperEarningsLimit'),
    employerBasisPoints: rate('employer'),
  };
}

/** Thresholds of one earnings period (paye.md 5.3): published for one week, month or year, else from the annual figure, up to the pound. */
function periodThresholds(read: Reader, { family, periods }: FrequencyTerms): Thresholds {
  const inYear = PERIODS_IN_YEAR[family];
  return thresholdsOf(read, (name) => {
    if (periods === 1) return read.number(`class1.${name}.${family}`, 'pounds');
    const annual = read.number(`class1.${name}.year`, 'pounds');
    if (periods === inYear) return annual;
    if (name === 'lowerEarningsLimit') return read.number(`class1.${name}.${family}`, 'pounds') * periods;
    return upToPound(annual, periods, inYear);
  });
}

/** Thresholds of a director's earnings period of so many weeks (paye.md 5.8). */
function directorThresholds(read: Reader, weeks: number): Thresholds {
  return thresholdsOf(read, (name) => {
    const own = `class1.directors.${name}.year`;
    return upToPound(read.number(read.has(own) ? own : `class1.${name}.year`, 'pounds'), weeks, 52);
  });
}

function thresholdsOf(read: Reader, pence: (name: Threshold) => number): Thresholds {
  return Object.fromEntries(
    THRESHOLDS.filter((name) => read.has(`class1.${name}.year`)).map((name) => [name, pence(name)]),
  );
}

function upToPound(annualPence: number, periods: number, inYear: number): number {
  return Math.ceil(((annualPence / 100) * periods) / inYear) * 100;
}

function letterTermsOf(read: Reader, thresholds: Thresholds, rates: Class1Rates): LetterTerms {
  const letters: Partial<Record<NiCategory, Class1Terms>> = {};
  for (const letter of NI_CATEGORIES) {
    const name = `class1.letter.${letter}`;
    if (read.has(name)) letters[letter] = class1Terms(name, read.letter(name), thresholds, rates);
  }
  return letters;
}

function class1Terms(name: string, value: LetterValue, thresholds: Thresholds, rates: Class1Rates): Class1Terms {
  const liable = value.employerFrom !== 'none';
  const employerFromPence = liable ? thresholds[value.employerFrom as Threshold] : 0;
  const employeeBasisPoints = rates.employee[value.employee];
  const { lowerEarningsLimit, primaryThreshold, upperEarningsLimit } = thresholds;
  if (
    employerFromPence === undefined ||
    employeeBasisPoints === undefined ||
    primaryThreshold === undefined ||
    upperEarningsLimit === undefined
  ) {
    throw invalid(name, 'names a rate or a threshold that the card does not have');
  }
  return {
    liable,
    lowerEarningsLimitPence: lowerEarningsLimit,
    primaryThresholdPence: primaryThreshold,
    upperEarningsLimitPence: upperEarningsLimit,
    employerFromPence,
    employeeBasisPoints,
    employeeAboveBasisPoints: value.employee === 'none' ? 0 : rates.aboveBasisPoints,
    employerBasisPoints: liable ? rates.employerBasisPoints : 0,
  };
}

function loanThresholds(
  read: Reader,
  { family, periods }: FrequencyTerms,
): Pick<FrequencyRules, 'loanThresholdsPence' | 'postgraduateThresholdPence'> {
  const inYear = PERIODS_IN_YEAR[family];
  const postgraduate = read.optional('postgraduateLoan.threshold', 'pounds');
  const inForce = STUDENT_LOAN_PLANS.filter((plan) => read.has(`studentLoan.threshold.${plan}`));
  return {
    loanThresholdsPence: Object.fromEntries(
      inForce.map((plan) => [
        plan,
        loanThresholdPence(read.number(`studentLoan.threshold.${plan}`, 'pounds'), periods, inYear),
      ]),
    ),
    postgraduateThresholdPence:
      postgraduate === undefined ? undefined : loanThresholdPence(postgraduate, periods, inYear),
  };
}

function loanThresholdsOfYear(
  read: Reader,
): Pick<DatedPayeRules, 'loanThresholdsOfYearPence' | 'postgraduateThresholdOfYearPence'> {
  const inForce = STUDENT_LOAN_PLANS.filter((plan) => read.has(`studentLoan.threshold.${plan}`));
  return {
    loanThresholdsOfYearPence: Object.fromEntries(
      inForce.map((plan) => [plan, read.number(`studentLoan.threshold.${plan}`, 'pounds')]),
    ),
    postgraduateThresholdOfYearPence: read.optional('postgraduateLoan.threshold', 'pounds'),
  };
}

function employerRules(read: Reader): EmployerRules {
  return {
    revision: revisionOf(read),
    employmentAllowancePence: read.number('employmentAllowance.year', 'pounds'),
    class1aBasisPoints: read.number('class1a.employer', 'basisPoints'),
    class1aOnPayrolledBenefits: read.has('class1a.payrolledBenefits'),
    terminationAwardExemptPence: read.number('class1a.terminationAwardExempt', 'pounds'),
    sportingTestimonialExemptPence: read.number('class1a.sportingTestimonialExempt', 'pounds'),
    recoveryBasisPoints: read.number('statutoryPay.recovery', 'basisPoints'),
    recoverySmallBasisPoints: read.number('statutoryPay.recoverySmallEmployer', 'basisPoints'),
    compensationBasisPoints: read.optional('statutoryPay.compensation', 'basisPoints'),
    recoverableKinds: read.list('statutoryPay.kinds'),
    levyBasisPoints: read.number('apprenticeshipLevy.rate', 'basisPoints'),
    levyAllowancePence: read.number('apprenticeshipLevy.allowance', 'pounds'),
    quarterlyLimitPence: read.number('quarterlyPayer.averageMonthLimit', 'pounds'),
  };
}

interface Reader {
  has(name: string): boolean;
  /** Pence for pounds. */
  number(name: string, unit: RateUnit): number;
  /** As number; undefined where the card lists the value among those that are not known. */
  optional(name: string, unit: RateUnit): number | undefined;
  text(name: string): string;
  list(name: string): readonly string[];
  letter(name: string): LetterValue;
}

function reader(card: RateCard, date: LocalDate): Reader {
  const known = (name: string, unit: RateUnit) => {
    const found = valueOn(card, name, date);
    if (found === undefined) throw invalid(name, `has no value on ${date}`);
    if (found.unit !== unit) throw invalid(name, `is in ${found.unit}, expected ${unit}`);
    return found.value;
  };
  const notKnown = valueOn(card, 'notKnown', date)?.value ?? [];
  const isNotKnown = (name: string): boolean => Array.isArray(notKnown) && notKnown.includes(name);
  return {
    has: (name) => valueOn(card, name, date) !== undefined,
    number: (name, unit) => known(name, unit) as number,
    optional: (name, unit) => (isNotKnown(name) ? undefined : (known(name, unit) as number)),
    text: (name) => known(name, 'taxCode') as string,
    list: (name) => known(name, 'list') as readonly string[],
    letter: (name) => known(name, 'letter') as LetterValue,
  };
}

function invalid(name: string, what: string): TallyError {
  return new TallyError('RATE_CARD_INVALID', `rate card: ${name} ${what}`, { name, what });
}
