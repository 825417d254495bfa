import type { NiCategory } from '../../events/paye-events.ts';
import { roundNicsProduct } from '../../money/paye-rounding.ts';
import type { Class1Terms } from '../rates/class1-nics.ts';

interface EmployeeAndEmployer {
  readonly employeePence: number;
  readonly employerPence: number;
}

export interface DirectorNics extends EmployeeAndEmployer {
  readonly byLetter: Readonly<Partial<Record<NiCategory, EmployeeAndEmployer>>>;
}

/** Weeks of the earnings period of a director appointed in a tax week: that week to week 52 (paye.md 5.8). At least one. */
export function directorWeeks(appointedWeek: number | null): number {
  return appointedWeek === null ? 52 : Math.max(1, Math.min(52, 53 - appointedWeek));
}

/**
 * NICs of a director's annual earnings period on the year's earnings (paye.md 5.8): letters use up the annual bands in the given order,
 * each slice rounded on its own. Letter X is outside.
 */
export function directorNics(
  terms: Readonly<Partial<Record<NiCategory, Class1Terms>>>,
  letterOrder: readonly NiCategory[],
  earningsPence: Readonly<Partial<Record<NiCategory, number>>>,
): DirectorNics {
  const byLetter: Partial<Record<NiCategory, EmployeeAndEmployer>> = {};
  let from = 0;
  let employeePence = 0;
  let employerPence = 0;
  for (const letter of letterOrder) {
    const earned = earningsPence[letter];
    const letterTerms = terms[letter];
    if (earned === undefined || letterTerms === undefined) continue;
    const to = from + Math.max(0, earned);
    const slice = sliceNics(letterTerms, from, to);
    byLetter[letter] = slice;
    employeePence += slice.employeePence;
    employerPence += slice.employerPence;
    from = to;
  }
  return { employeePence, employerPence, byLetter };
}

/** NICs on the earnings between two points of the year's earnings. */
function sliceNics(terms: Class1Terms, from: number, to: number): EmployeeAndEmployer {
  const top = terms.upperEarningsLimitPence;
  const above = overlap(from, to, top, Number.MAX_SAFE_INTEGER);
  return {
    employeePence:
      roundNicsProduct(overlap(from, to, terms.primaryThresholdPence, top) * terms.employeeBasisPoints) +
      roundNicsProduct(above * terms.employeeAboveBasisPoints),
    employerPence:
      roundNicsProduct(overlap(from, to, terms.employerFromPence, top) * terms.employerBasisPoints) +
      roundNicsProduct(above * terms.employerBasisPoints),
  };
}

function overlap(from: number, to: number, low: number, high: number): number {
  return Math.max(0, Math.min(to, high) - Math.max(from, low));
}
