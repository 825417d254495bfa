import { roundNicsProduct } from '../../money/paye-rounding.ts';
import type { EmploymentState } from '../employment/employment-state.ts';
import type { PaymentContext } from './payment-context.ts';

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

/** Class 1A on every part of an award together (paye.md 5.10); undefined for who never had one. */
export function awardsAfter({ event, before, day }: PaymentContext): EmploymentState['awards'] {
  const { terminationAwardPence, sportingTestimonialPence } = event;
  if (terminationAwardPence === 0 && sportingTestimonialPence === 0) return before?.awards;
  const { class1aBasisPoints, terminationAwardExemptPence, sportingTestimonialExemptPence } = day.rules.employer;
  const [award, testimonial, taken] = before?.awards ?? [0, 0, 0];
  const awardAfter = award + terminationAwardPence;
  const testimonialAfter = testimonial + sportingTestimonialPence;
  const due =
    class1aNicsPence(awardAfter, award, terminationAwardExemptPence, class1aBasisPoints) +
    class1aNicsPence(testimonialAfter, testimonial, sportingTestimonialExemptPence, class1aBasisPoints);
  return [awardAfter, testimonialAfter, taken + due];
}

/**
 * Class 1A on benefits that are taxed through payroll, from 6 April 2027 with the month's bill: on benefits to date, less what was charged before.
 * Undefined before that day, and for an employment without such benefits.
 */
export function benefitsAfter({ event, before, day }: PaymentContext): EmploymentState['benefits'] {
  const { class1aBasisPoints, class1aOnPayrolledBenefits } = day.rules.employer;
  if (!class1aOnPayrolledBenefits || event.payrolledBenefitsPence === 0) return before?.benefits;
  const benefitsPence = (before?.benefits?.[0] ?? 0) + event.payrolledBenefitsPence;
  return [benefitsPence, roundNicsProduct(Math.max(0, benefitsPence) * class1aBasisPoints)];
}
