import type { NiCategory, PayFrequency, StudentLoanPlan } from '../../../libs/core/events/paye-events.ts';
import { type Draws, drawsOf } from './seeded-random.ts';

export interface Employer {
  readonly name: string;
  readonly payeReference: string;
  readonly payFrequency: Extract<PayFrequency, 'W1' | 'M1'>;
  readonly employees: number;
  /** Nation prefix of most of its employees' tax codes. */
  readonly nation: '' | 'S' | 'C';
  /** Annual pay of most, pounds. */
  readonly annualPayPounds: readonly [number, number];
}

/** Invented employers. */
export const EMPLOYERS: readonly Employer[] = [
  employer('Marlow Engineering', '120/ME51724', 'M1', 18, '', [24_000, 72_000]),
  employer('St Brannoc Care Homes', '475/SB90312', 'W1', 26, '', [12_600, 31_000]),
  employer('Forth Bridge Software', '961/FB20117', 'M1', 14, 'S', [31_000, 128_000]),
  employer('Cwm Rhondda Bakeries', '948/CR77410', 'W1', 12, 'C', [11_500, 27_000]),
  employer('Harbour Street Grocers', '846/HG06625', 'M1', 16, '', [9_800, 38_000]),
  employer('Ashdown Academy Trust', '581/AA44803', 'M1', 20, '', [19_000, 64_000]),
];

/** One employment of the feed. Everything about it follows from the seed, the cohort, its employer and its place there. */
export interface Employee {
  readonly nino: string;
  readonly worksNumber: string;
  readonly taxCode: string;
  readonly week1Month1: boolean;
  readonly niCategory: NiCategory;
  readonly studentLoanPlan: StudentLoanPlan | null;
  readonly postgraduateLoan: boolean;
  readonly annualPayPence: number;
  /** Share of the pay that goes to a net pay pension: not taxable, but earnings for NICs. */
  readonly pensionPercent: 0 | 5;
  /** Joins at this pay run of the year (0: was there on 6 April) and leaves at that one (null: stays). */
  readonly firstRun: number;
  readonly lastRun: number | null;
  readonly joinsWith: 'p45' | 'A' | 'B' | null;
}

/** The people of one employer in one cohort: a cohort is paid from 6 April to today, then the next one is hired. */
export function employeesOf(seed: string, cohort: number, of: Employer): readonly Employee[] {
  return Array.from({ length: of.employees }, (_, place) =>
    employee(drawsOf(seed, `employee/${cohort}/${of.payeReference}/${place}`), of, cohort, place),
  );
}

function employee(draws: Draws, of: Employer, cohort: number, place: number): Employee {
  const firstRun = draws.chance(0.12) ? draws.between(1, 4) : 0;
  const drawn: Employee = {
    nino: ninoOf(draws),
    worksNumber: `${of.payeReference.slice(4, 6)}-${cohort}-${String(place + 1).padStart(3, '0')}`,
    taxCode: taxCodeOf(draws, of.nation),
    week1Month1: draws.chance(0.05),
    niCategory: draws.chance(0.78) ? 'A' : draws.oneOf<NiCategory>(['B', 'C', 'H', 'J', 'M', 'M', 'V', 'Z']),
    studentLoanPlan: draws.chance(0.22) ? draws.oneOf<StudentLoanPlan>(['01', '02', '02', '04', '05']) : null,
    postgraduateLoan: draws.chance(0.05),
    annualPayPence: draws.between(...of.annualPayPounds) * 100,
    pensionPercent: draws.chance(0.6) ? 5 : 0,
    firstRun,
    lastRun: draws.chance(0.05) ? firstRun + draws.between(2, 6) : null,
    joinsWith: firstRun === 0 ? null : draws.oneOf(['p45', 'A', 'B'] as const),
  };
  if (drawn.joinsWith === null || drawn.joinsWith === 'p45') return drawn;
  // Who joins without a P45 is on the emergency code, B on week 1/month 1 (paye.md 4.10).
  return { ...drawn, taxCode: `${of.nation}1257L`, week1Month1: drawn.joinsWith === 'B' };
}

function taxCodeOf(draws: Draws, nation: Employer['nation']): string {
  const prefix = draws.chance(0.9) ? nation : draws.oneOf(['', 'S', 'C'] as const);
  if (draws.chance(0.8)) return `${prefix}1257L`;
  return prefix + draws.oneOf(['1185L', '1383M', '1131N', '944T', 'K475', 'BR', 'D0', '0T']);
}

/** A NINO of the right shape with a prefix from the middle of the range in use (paye.md 8.1). Invented. */
function ninoOf(draws: Draws): string {
  const prefix = draws.oneOf(['AB', 'CE', 'HJ', 'JK', 'LM', 'NP', 'PR', 'RS', 'ST', 'WX', 'YZ']);
  return `${prefix}${String(draws.between(0, 999_999)).padStart(6, '0')}${draws.oneOf(['A', 'B', 'C', 'D'])}`;
}

function employer(
  name: string,
  payeReference: string,
  payFrequency: Employer['payFrequency'],
  employees: number,
  nation: Employer['nation'],
  annualPayPounds: readonly [number, number],
): Employer {
  return { name, payeReference, payFrequency, employees, nation, annualPayPounds };
}
