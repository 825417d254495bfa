import { roundNicsProduct } from '../../money/paye-rounding.ts';

/** Thresholds of an earnings period and the rates of one letter (paye.md 5.1 to 5.3), pence and basis points. */
export interface Class1Terms {
  /** False for X: no NICs at all, nothing reported. */
  readonly liable: boolean;
  /** Undefined where it is not known yet: contributions do not need it, the bands of an FPS do. */
  readonly lowerEarningsLimitPence: number | undefined;
  readonly primaryThresholdPence: number;
  readonly upperEarningsLimitPence: number;
  /** Where the employer starts to pay: the secondary threshold or the letter's upper one. */
  readonly employerFromPence: number;
  readonly employeeBasisPoints: number;
  readonly employeeAboveBasisPoints: number;
  readonly employerBasisPoints: number;
}

/** Employee's Class 1 of an earnings period by the exact percentage method (paye.md 5.4), pence. */
export function employeeNicsPence(terms: Class1Terms, earningsPence: number): number {
  const { primaryThresholdPence: from, upperEarningsLimitPence: top } = terms;
  if (earningsPence <= from || !terms.liable) return 0;
  if (earningsPence <= top) return roundNicsProduct((earningsPence - from) * terms.employeeBasisPoints);
  return (
    roundNicsProduct((top - from) * terms.employeeBasisPoints) +
    roundNicsProduct((earningsPence - top) * terms.employeeAboveBasisPoints)
  );
}

/** Employer's Class 1 of an earnings period (paye.md 5.4), pence: each product rounded on its own, then added. */
export function employerNicsPence(terms: Class1Terms, earningsPence: number): number {
  const { employerFromPence: from, upperEarningsLimitPence: top, employerBasisPoints: rate } = terms;
  if (earningsPence <= from || !terms.liable) return 0;
  if (earningsPence <= top) return roundNicsProduct((earningsPence - from) * rate);
  return roundNicsProduct(Math.max(0, top - from) * rate) + roundNicsProduct((earningsPence - top) * rate);
}

/** Earnings by the bands that an FPS reports (paye.md 5.4), pence. */
export interface Class1Bands {
  readonly atLowerEarningsLimitPence: number;
  readonly toPrimaryThresholdPence: number;
  readonly toUpperEarningsLimitPence: number;
  readonly abovePence: number;
}

const NO_BANDS: Class1Bands = {
  atLowerEarningsLimitPence: 0,
  toPrimaryThresholdPence: 0,
  toUpperEarningsLimitPence: 0,
  abovePence: 0,
};

/**
 * Undefined where the lower earnings limit is not known; all zero below it, although the employer may owe since April 2025.
 */
export function class1BandsOf(terms: Class1Terms, earningsPence: number): Class1Bands | undefined {
  const { lowerEarningsLimitPence: lel, primaryThresholdPence: pt, upperEarningsLimitPence: uel } = terms;
  if (!terms.liable) return NO_BANDS;
  if (lel === undefined) return undefined;
  if (earningsPence < lel) return NO_BANDS;
  return {
    atLowerEarningsLimitPence: lel,
    toPrimaryThresholdPence: Math.min(earningsPence, pt) - lel,
    toUpperEarningsLimitPence: Math.max(0, Math.min(earningsPence, uel) - pt),
    abovePence: Math.max(0, earningsPence - uel),
  };
}
