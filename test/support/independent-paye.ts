/**
 * PAYE of monthly pay in 2026-27 worked out a second time, from the reference alone (shared domain/paye.md sections 2-6), in exact fractions
 * of bigint, sharing nothing with libs/core: what the whole import is held against. Only what the made payroll uses is here.
 */
export interface MonthlyPay {
  readonly monthlyPence: number;
  readonly taxCode: string;
  readonly niCategory: string;
  readonly studentLoanPlan: string;
  readonly postgraduateLoan: boolean;
}

export interface PayeTotals {
  incomeTax: number;
  employeeNics: number;
  employerNics: number;
  studentLoan: number;
  postgraduateLoan: number;
}

/** Band tops (pounds a year) and rates (per cent) by nation, 2026-27. */
const BANDS: Readonly<Record<string, readonly (readonly [number, bigint])[]>> = {
  UK: [
    [37_700, 20n],
    [125_140, 40n],
    [Number.POSITIVE_INFINITY, 45n],
  ],
  S: [
    [3_967, 19n],
    [16_956, 20n],
    [31_092, 21n],
    [62_430, 42n],
    [125_140, 45n],
    [Number.POSITIVE_INFINITY, 48n],
  ],
};
const FLAT: Readonly<Record<string, bigint>> = { BR: 20n, D0: 40n, D1: 45n };

/** Totals by head of the months 1..months for one employee paid the same each month. */
export function payeOfMonths(pay: MonthlyPay, months: number): PayeTotals {
  const totals: PayeTotals = { incomeTax: 0, employeeNics: 0, employerNics: 0, studentLoan: 0, postgraduateLoan: 0 };
  for (let month = 1; month <= months; month++) {
    const due = taxToDate(pay.taxCode, pay.monthlyPence * month, month) - totals.incomeTax;
    const limit = Math.floor(pay.monthlyPence / 2);
    totals.incomeTax += Math.min(due, limit);
    const [employee, employer] = class1(pay.niCategory, pay.monthlyPence);
    totals.employeeNics += employee;
    totals.employerNics += employer;
    const nicable = pay.niCategory === 'X' ? 0 : pay.monthlyPence;
    totals.studentLoan += studentLoan(pay.studentLoanPlan, nicable);
    totals.postgraduateLoan += pay.postgraduateLoan ? loan(nicable, 21_000, 6) : 0;
  }
  return totals;
}

/** Pence of tax to date in month n on pay to date (pence). Amounts inside are ten-thousandths of a pound. */
function taxToDate(code: string, payPence: number, n: number): number {
  const nation = code.startsWith('S') ? 'S' : 'UK';
  const plain = code.replace(/^[SC](?=[\dBDK0])/, '');
  const flat = FLAT[plain];
  if (flat !== undefined) return Number((BigInt(Math.floor(payPence / 100)) * flat * 100n) / 100n);
  const additional = plain.startsWith('K');
  const number = plain === '0T' ? 0 : Number(plain.replace(/\D/g, ''));
  const free = freePayPence(number) * n;
  const taxable = additional ? payPence + free : payPence - free;
  if (taxable <= 0) return 0;
  const wholePounds = BigInt(Math.floor(taxable / 100));
  let lower = 0n;
  let tax = 0n;
  let previousTop = 0;
  let yearTax = 0n;
  for (const [top, rate] of BANDS[nation] ?? []) {
    const isTop = top === Number.POSITIVE_INFINITY;
    const c = isTop ? 0n : (BigInt(top) * BigInt(n) * 10_000n) / 12n;
    const ceilingPence = ((c + 9_999n) / 10_000n) * 100n;
    if (isTop || BigInt(taxable) <= ceilingPence) {
      return Number((tax * 100n + (wholePounds * 10_000n - lower) * rate) / 100n / 100n);
    }
    yearTax += BigInt(top - previousTop) * rate;
    previousTop = top;
    tax = (yearTax * BigInt(n) * 10_000n) / (12n * 100n);
    lower = c;
  }
  throw new Error('no band');
}

function freePayPence(number: number): number {
  if (number === 0) return 0;
  const quotient = Math.floor((number - 1) / 500);
  const remainder = ((number - 1) % 500) + 1;
  const tenThousandths = Math.floor(((10 * remainder + 9) * 10_000) / 12);
  return Math.ceil(tenThousandths / 100) + quotient * 41_667;
}

/** [employee, employer] pence of a month: thresholds of 2026-27 in pence. */
function class1(letter: string, pence: number): [number, number] {
  const [pt, st, fust, uel] = [104_800, 41_700, 208_300, 418_900];
  const main: Readonly<Record<string, number>> = { A: 800, H: 800, M: 800, V: 800, B: 185, J: 200, C: 0 };
  const start: Readonly<Record<string, number>> = { A: st, B: st, C: st, J: st, H: uel, M: uel, V: uel, F: fust };
  const rate = main[letter];
  const from = start[letter];
  if (rate === undefined || from === undefined) throw new Error(`letter ${letter} is not in the made payroll`);
  const band = (low: number, high: number) => Math.max(0, Math.min(pence, high) - low);
  const above = Math.max(0, pence - uel);
  const employee = hmrcRound(band(pt, uel) * rate) + (letter === 'C' ? 0 : hmrcRound(above * 200));
  const employer = hmrcRound(band(from, uel) * 1_500) + hmrcRound(above * 1_500);
  return [employee, employer];
}

/** Pence times basis points, cut to a tenth of a penny, then 0-5 down and 6-9 up. */
function hmrcRound(penceBasisPoints: number): number {
  const tenths = Math.floor(penceBasisPoints / 1_000);
  return Math.floor(tenths / 10) + (tenths % 10 >= 6 ? 1 : 0);
}

function studentLoan(plan: string, pence: number): number {
  const yearly: Readonly<Record<string, number>> = { '01': 26_900, '02': 29_385, '04': 33_795, '05': 25_000 };
  const threshold = yearly[plan];
  return threshold === undefined ? 0 : loan(pence, threshold, 9);
}

function loan(pence: number, yearlyPounds: number, percent: number): number {
  const threshold = Math.floor((yearlyPounds * 100) / 12);
  return Math.floor((Math.max(0, pence - threshold) * percent) / 10_000) * 100;
}
