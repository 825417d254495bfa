import { assert } from '../errors/assert.ts';

/** Parts of a basis point in one: a rate of 20% is 2,000. */
export const BASIS_POINTS_IN_ONE = 10_000;

/**
 * HMRC's rounding of one product of Class 1 (paye.md 5.4): cut to three decimals of a pound, third decimal 0-5 down, 6-9 up.
 * So 0.0056 is 0.00. `penceByBasisPoints` is earnings in pence times a rate in basis points, not negative.
 */
export function roundNicsProduct(penceByBasisPoints: number): number {
  const thousandths = Math.floor(penceByBasisPoints / 1_000);
  const wholePence = Math.floor(thousandths / 10);
  return thousandths - wholePence * 10 >= 6 ? wholePence + 1 : wholePence;
}

/** A share of an amount in pence, down to the penny (towards minus infinity). Exact for every amount within the limits of a payment. */
export function shareDownPence(amountPence: number, basisPoints: number): number {
  return Math.floor(safeProduct(amountPence, basisPoints) / BASIS_POINTS_IN_ONE);
}

/** A share of an amount in pence, up to the penny. */
export function shareUpPence(amountPence: number, basisPoints: number): number {
  return Math.ceil(safeProduct(amountPence, basisPoints) / BASIS_POINTS_IN_ONE);
}

/**
 * Tax on pounds at a rate, in ten-thousandths of a pound, cut to four decimals. Split into whole pounds and the rest, so that no
 * product leaves the safe integers.
 */
export function taxOnTenThousandths(amountTenThousandths: number, basisPoints: number): number {
  const pounds = Math.floor(amountTenThousandths / BASIS_POINTS_IN_ONE);
  const rest = amountTenThousandths - pounds * BASIS_POINTS_IN_ONE;
  return pounds * basisPoints + Math.floor((rest * basisPoints) / BASIS_POINTS_IN_ONE);
}

function safeProduct(a: number, b: number): number {
  const product = a * b;
  assert(Number.isSafeInteger(product), 'a product of pence and basis points stays within the safe integers', { b });
  return product;
}
