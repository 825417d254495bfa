import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { type PayeTotals, payeOfMonths } from './independent-paye.ts';
import { type MadeEmployee, madeEmployees, payrollCsv } from './organogram-payroll.ts';

const RETAIL = 'pos/online_retail_2010-12_2011-12.csv.gz';
const ORGANOGRAM = 'payroll/uk_gov_organogram_2013-09_junior_posts.csv.gz';

/** Writes the rows of the first so many invoices of Online Retail, gzipped as the whole is. */
export function writeRetailSlice(dataFolder: string, invoices: number, file: string): void {
  const text = gunzipSync(readFileSync(join(dataFolder, RETAIL))).toString('utf8');
  const rows = text.split('\n');
  const seen = new Set<string>();
  const kept = rows.filter((row, i) => {
    const invoice = row.slice(0, row.indexOf(','));
    if (i === 0 || seen.has(invoice)) return true;
    if (seen.size >= invoices || row === '') return false;
    seen.add(invoice);
    return true;
  });
  writeFileSync(file, gzipSync(`${kept.join('\n')}\n`));
}

export interface MadePayroll {
  readonly employees: readonly MadeEmployee[];
  readonly payments: number;
  /** Pence by account and head, by the second reckoning (independent-paye.ts). */
  readonly heads: ReadonlyMap<string, PayeTotals>;
}

/** Writes the payroll of every n-th employee of HMRC and DWP for the months 1 to `months` of 2026-27, and says what is due on it. */
export async function writePayroll(
  dataFolder: string,
  of: { readonly everyNth: number; readonly months: number },
  file: string,
): Promise<MadePayroll> {
  const employees: MadeEmployee[] = [];
  let number = 0;
  for await (const employee of madeEmployees(join(dataFolder, ORGANOGRAM))) {
    if (number % of.everyNth === 0) employees.push(employee);
    number += 1;
  }
  const payments = employees.length * of.months;
  await pipeline(Readable.from(chunksOf(payrollCsv(each(employees)), payments)), createWriteStream(file));
  const heads = new Map<string, PayeTotals>();
  for (const employee of employees) {
    const account = `paye:${employee.payeReference}`;
    const due = payeOfMonths(employee, of.months);
    const sum = heads.get(account);
    heads.set(account, sum === undefined ? due : addTotals(sum, due));
  }
  return { employees, payments, heads };
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

/** The header and the first `rows` rows, many to a chunk. */
async function* chunksOf(lines: AsyncIterable<string>, rows: number): AsyncGenerator<string> {
  let [chunk, taken] = ['', -1];
  for await (const line of lines) {
    if (taken === rows) break;
    chunk += line;
    taken += 1;
    if (chunk.length < 65_536) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

function addTotals(a: PayeTotals, b: PayeTotals): PayeTotals {
  return {
    incomeTax: a.incomeTax + b.incomeTax,
    employeeNics: a.employeeNics + b.employeeNics,
    employerNics: a.employerNics + b.employerNics,
    studentLoan: a.studentLoan + b.studentLoan,
    postgraduateLoan: a.postgraduateLoan + b.postgraduateLoan,
  };
}

/** A generator of numbers from 0 to 1 that a seed fixes (mulberry32), for tests that print their seed. */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
