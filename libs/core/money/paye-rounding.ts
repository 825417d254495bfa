/** Parts of a basis point in one: a rate of 20% is 2,000. */
const BASIS_POINTS_IN_ONE = 10_000;

/**
 * HMRC's rounding of one product of Class 1 (paye.md 5.4): cut to three decimals of a pound, third decimal 0-5 down, 6-9 up.
 * So 0.0056 is 0.00. `penceByBasisPoints` is earnings in pence times a rate in basis points, not negative.
 */
export function roundNicsProduct(penceByBasisPoints: number): number {
  const thousandths = Math.floor(penceByBasisPoints / 1_000);
  const wholePence = Math.floor(thousandths / 10);
  return thousandths - wholePence * 10 >= 6 ? wholePence + 1 : wholePence;
}

/** A share of an amount in pence, down to the penny (towards minus infinity). Exact: no product leaves the safe integers. */
export function shareDownPence(amountPence: number, basisPoints: number): number {
  const whole = Math.floor(amountPence / BASIS_POINTS_IN_ONE);
  const rest = amountPence - whole * BASIS_POINTS_IN_ONE;
  return whole * basisPoints + Math.floor((rest * basisPoints) / BASIS_POINTS_IN_ONE);
}

/** A share of an amount in pence, up to the penny. */
export function shareUpPence(amountPence: number, basisPoints: number): number {
  const down = shareDownPence(-amountPence, basisPoints);
  return down === 0 ? 0 : -down;
}

/** Tax on an amount at a rate, both in ten-thousandths of a pound, cut to four decimals: the same arithmetic in another unit. */
export function taxOnTenThousandths(amountTenThousandths: number, basisPoints: number): number {
  return shareDownPence(amountTenThousandths, basisPoints);
}
