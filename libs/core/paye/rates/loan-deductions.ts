/** Days of a year, by which the threshold of an odd interval is worked out, in leap years too (CSLM17065, paye.md 6). */
export const DAYS_OF_ODD_INTERVALS = 365;

/** Threshold of one period, pence: the annual figure by n / 52 or 12, down to the penny (paye.md 6.1). */
export function loanThresholdPence(annualPence: number, periods: number, inYear: number): number {
  return Math.floor((annualPence * periods) / inYear);
}

/** Deduction of a student or postgraduate loan from one payment: the excess at the rate, down to the whole pound (paye.md 6.2), pence. */
export function loanDeductionPence(earningsPence: number, thresholdPence: number, rateBasisPoints: number): number {
  if (earningsPence <= thresholdPence) return 0;
  return Math.floor(((earningsPence - thresholdPence) * rateBasisPoints) / 1_000_000) * 100;
}
