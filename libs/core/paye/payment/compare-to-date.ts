import type { YearToDate } from '../../events/paye-events.ts';
import type { EmploymentState } from '../employment/employment-state.ts';

/** Figures of an employment's year that an employer may state, as docs/http-api.md names them. */
export type ToDateFigure = Exclude<keyof YearToDate, 'nicableEarningsByLetter'> | 'nicableEarningsPence';

export interface ToDateDifference {
  readonly figure: ToDateFigure;
  readonly statedPence: number;
  readonly ownPence: number;
  /** Stated less own. */
  readonly differencePence: number;
}

/**
 * Where the figures to date that an employer states with a payment are not our own, pence. P45 figures are in neither, as in an FPS;
 * earnings for NICs are compared in total, and where some letter is stated.
 */
export function toDateDifferences(stated: YearToDate | null, after: EmploymentState): readonly ToDateDifference[] {
  if (stated === null) return [];
  const letters = Object.values(stated.nicableEarningsByLetter);
  const figures: readonly (readonly [ToDateFigure, number | null, number])[] = [
    ['taxablePayPence', stated.taxablePayPence, after.taxablePayPence - (after.p45?.[0] ?? 0)],
    ['incomeTaxPence', stated.incomeTaxPence, after.taxPence - (after.p45?.[1] ?? 0)],
    [
      'nicableEarningsPence',
      letters.length === 0 ? null : letters.reduce((sum, pence) => sum + pence, 0),
      after.niEarningsPence,
    ],
    ['employeeNicsPence', stated.employeeNicsPence, after.employeeNicsPence],
    ['employerNicsPence', stated.employerNicsPence, after.employerNicsPence],
    ['studentLoanPence', stated.studentLoanPence, after.studentLoanPence],
    ['postgraduateLoanPence', stated.postgraduateLoanPence, after.postgraduateLoanPence],
  ];
  return figures.flatMap(([figure, statedPence, ownPence]) =>
    statedPence === null || statedPence === ownPence
      ? []
      : [{ figure, statedPence, ownPence, differencePence: statedPence - ownPence }],
  );
}

/** The flag of a decision that names a difference: `TO_DATE_INCOME_TAX_DIFFERS`. */
export function toDateFlag({ figure }: Pick<ToDateDifference, 'figure'>): string {
  const words = figure.replace(/Pence$/, '').replace(/[A-Z]/g, (letter) => `_${letter}`);
  return `TO_DATE_${words}_DIFFERS`.toUpperCase();
}
