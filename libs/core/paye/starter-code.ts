import type { Starter } from '../events/paye-events.ts';
import { type Nation, PREFIX_OF_NATION } from './nation.ts';

export interface CodeWithBasis {
  readonly taxCode: string;
  readonly week1Month1: boolean;
}

/**
 * The code of a starter without a P45 (paye.md 4.10, HMRC's starter checklist): A, first job since 6 April: the emergency code,
 * cumulative; B, now the only job: the emergency code on week 1/month 1; C, another job or pension: BR; no declaration: 0T on week 1/month 1.
 */
export function starterCode(declaration: Starter['declaration'], emergencyCode: string, nation: Nation): CodeWithBasis {
  const prefix = PREFIX_OF_NATION[nation];
  switch (declaration) {
    case 'A':
      return { taxCode: `${prefix}${emergencyCode}`, week1Month1: false };
    case 'B':
      return { taxCode: `${prefix}${emergencyCode}`, week1Month1: true };
    case 'C':
      return { taxCode: `${prefix}BR`, week1Month1: false };
    case null:
      return { taxCode: `${prefix}0T`, week1Month1: true };
  }
}
