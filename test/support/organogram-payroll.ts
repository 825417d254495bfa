import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

/** One made employee on a real post and pay scale (shared data: payroll/uk_gov_organogram_2013-09_junior_posts.csv.gz). No person: the file has none. */
export interface MadeEmployee {
  readonly payeReference: string;
  readonly worksNumber: string;
  readonly nino: string;
  readonly monthlyPence: number;
  readonly taxCode: string;
  readonly niCategory: string;
  readonly studentLoanPlan: string;
  readonly postgraduateLoan: boolean;
}

const BODIES = new Map([
  ["Her Majesty's Revenue and Customs", '961/HMRC13'],
  ['Department for Work and Pensions', '951/DWP2013'],
]);

/** Pay days of three months of 2026-27, with their tax months. */
export const PAY_DAYS = [
  { paymentDate: '2026-04-30', period: 1 },
  { paymentDate: '2026-05-29', period: 2 },
  { paymentDate: '2026-06-30', period: 3 },
] as const;

/**
 * The employees of HMRC and DWP: each row's full-time equivalents spread evenly over its pay scale, one employee a whole equivalent,
 * fractions carried to the next row. Codes, letters and loans go round by a fixed pattern, so that every rule of ordinary pay is met.
 */
export async function* madeEmployees(file: string): AsyncGenerator<MadeEmployee> {
  const carried = new Map<string, number>();
  const counted = new Map<string, number>();
  const rows = createReadStream(file)
    .pipe(createGunzip())
    .pipe(parse({ columns: true, bom: true }));
  for await (const row of rows as AsyncIterable<Record<string, string>>) {
    const payeReference = BODIES.get(row['organisation'] ?? '');
    if (payeReference === undefined) continue;
    const equivalents = (carried.get(payeReference) ?? 0) + Number(row['posts_fte']);
    const people = Math.floor(equivalents + 1e-9);
    carried.set(payeReference, equivalents - people);
    for (let i = 0; i < people; i++) {
      const number = (counted.get(payeReference) ?? 0) + 1;
      counted.set(payeReference, number);
      const minimum = Number(row['payscale_min_gbp']);
      const maximum = Number(row['payscale_max_gbp']);
      const yearlyPounds = people === 1 ? minimum : minimum + ((maximum - minimum) * i) / (people - 1);
      yield employeeOf(payeReference, number, Math.round((yearlyPounds * 100) / 12));
    }
  }
}

const TAX_CODES = ['1257L', '1257L', '1257L', '1257L', 'S1257L', 'C1257L', '1100L', 'BR', 'K150', '0T', 'D0', 'S1180L'];
const NI_LETTERS = ['A', 'A', 'A', 'A', 'A', 'H', 'B', 'C', 'J', 'M', 'A', 'V', 'A'];
const PLANS = ['', '', '', '01', '', '02', '', '04', '', '05', ''];
const NINO_PREFIXES = ['AA', 'AB', 'CE', 'EH', 'HJ', 'JK', 'LM', 'MP', 'PR', 'RS', 'SW', 'WX', 'YZ'];

function employeeOf(payeReference: string, number: number, monthlyPence: number): MadeEmployee {
  const offset = payeReference.startsWith('961') ? 0 : 500_000;
  const prefix = NINO_PREFIXES[number % NINO_PREFIXES.length] ?? 'AA';
  return {
    payeReference,
    worksNumber: `W${String(number).padStart(6, '0')}`,
    nino: `${prefix}${String((number + offset) % 1_000_000).padStart(6, '0')}${'ABCD'[number % 4]}`,
    monthlyPence,
    taxCode: TAX_CODES[number % TAX_CODES.length] ?? '1257L',
    niCategory: NI_LETTERS[number % NI_LETTERS.length] ?? 'A',
    studentLoanPlan: PLANS[number % PLANS.length] ?? '',
    postgraduateLoan: number % 29 === 0,
  };
}

/** The header and rows of a payroll file that docs/mappings/payroll.json reads: three months of every employee. */
export async function* payrollCsv(employees: AsyncIterable<MadeEmployee>): AsyncGenerator<string> {
  yield 'paye_reference,works_number,nino,payment_date,pay_frequency,period,tax_code,week1_month1,taxable_pay,nicable_earnings,ni_category,student_loan_plan,postgraduate_loan\n';
  const everyone: MadeEmployee[] = [];
  for await (const employee of employees) everyone.push(employee);
  for (const { paymentDate, period } of PAY_DAYS) {
    for (const employee of everyone) {
      const pounds = `${Math.trunc(employee.monthlyPence / 100)}.${String(employee.monthlyPence % 100).padStart(2, '0')}`;
      yield `${employee.payeReference},${employee.worksNumber},${employee.nino},${paymentDate},M1,${period},${employee.taxCode},no,${pounds},${pounds},${employee.niCategory},${employee.studentLoanPlan},${employee.postgraduateLoan ? 'yes' : 'no'}\n`;
    }
  }
}
