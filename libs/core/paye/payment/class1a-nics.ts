import { roundNicsProduct } from '../../money/paye-rounding.ts';

/**
 * Class 1A on a termination award or a sporting testimonial, employer only, pence (paye.md 5.10): on what exceeds the exempt amount,
 * all of one award together, less what was charged on earlier parts of it.
 *
 * @param awardToDatePence every part of the award so far, this one included.
 * @param awardBeforePence the parts before this one.
 */
export function class1aNicsPence(
  awardToDatePence: number,
  awardBeforePence: number,
  exemptPence: number,
  basisPoints: number,
): number {
  const dueOn = (award: number): number => roundNicsProduct(Math.max(0, award - exemptPence) * basisPoints);
  return dueOn(awardToDatePence) - dueOn(awardBeforePence);
}
