import type { PaymentMade, Starter } from '../../events/paye-events.ts';
import type { DatedPayeRules } from './dated-paye-rules.ts';
import { type Nation, PREFIX_OF_NATION } from './nation.ts';
import { type PayeRules, taxCodeOf } from './paye-rules.ts';

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

/** What a starter's payment is to be taxed by, in the nation of the code stated; null where there is no starter, or a P45 says it. */
export function codeToOperate(event: PaymentMade, dated: DatedPayeRules, rules: PayeRules): CodeWithBasis | null {
  const { starter } = event;
  if (starter === null || starter.p45PayPence !== null) return null;
  return starterCode(starter.declaration, dated.emergencyCode, taxCodeOf(rules, event.taxCode).nation);
}

/** True where a starter's payment is taxed by another code or basis than the declaration gives (HMRC may have issued one since). */
export function isOtherThanStarters(event: PaymentMade, dated: DatedPayeRules, rules: PayeRules): boolean {
  const operate = codeToOperate(event, dated, rules);
  if (operate === null) return false;
  const expected = taxCodeOf(rules, operate.taxCode);
  const stated = taxCodeOf(rules, event.taxCode);
  const sameBasis = (event.week1Month1 || stated.nonCumulative) === operate.week1Month1;
  const sameCode =
    stated.kind === expected.kind && stated.number === expected.number && stated.aboveBasic === expected.aboveBasic;
  return !sameBasis || !sameCode;
}
