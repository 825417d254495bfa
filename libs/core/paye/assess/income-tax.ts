import { shareDownPence } from '../../money/paye-rounding.ts';
import type { Family } from '../rates/pay-frequency.ts';
import type { TaxCode } from '../rates/tax-code.ts';
import { flatRateOf, type TaxScale, taxByBandsPence } from '../rates/tax-scale.ts';

/** What income tax of one payment is worked out from. */
export interface IncomeTaxInput {
  readonly scale: TaxScale;
  readonly code: TaxCode;
  readonly family: Family;
  /** n: the week or month number on a cumulative basis, else the periods of one payment (paye.md section 4). */
  readonly periods: number;
  /** Cumulative: a payment's tax is what is due to date less what was taken to date. */
  readonly cumulative: boolean;
  /** Pay of this payment, payrolled benefits included. */
  readonly payPence: number;
  readonly benefitsPence: number;
  /** Pay before this payment on the same basis: to date when cumulative, else earlier pay of the same period (0 for none). */
  readonly payBeforePence: number;
  /** Tax taken from that pay. */
  readonly taxBeforePence: number;
  /** The overriding limit, basis points of pay less payrolled benefits (paye.md 4.8). */
  readonly limitBasisPoints: number;
}

/** Income tax of a payment with its working. */
export interface IncomeTax {
  /** Tax to deduct; negative is a refund. */
  readonly taxPence: number;
  /** l of paye.md 4.7, before the overriding limit. */
  readonly beforeLimitPence: number;
  readonly limitApplied: boolean;
  /** Free pay of the n periods; negative for the additional pay of a K code. */
  readonly adjustmentPence: number;
  /** U: taxable pay on the basis; may be negative. */
  readonly taxablePence: number;
  /** Tax due on U. */
  readonly duePence: number;
}

/** Income tax of one payment (paye.md 4.1 to 4.8). Throws NO_RATE_FOR_D_CODE. */
export function incomeTax(input: IncomeTaxInput): IncomeTax {
  const { scale, code, family, periods } = input;
  const adjustmentPence = adjustmentOf(code, family, periods);
  const taxablePence = input.payBeforePence + input.payPence - adjustmentPence;
  const duePence = dueOf(scale, code, family, periods, taxablePence);
  // 4.6: NT refunds what was taken only on a cumulative basis.
  const taken = code.kind === 'nt' && !input.cumulative ? 0 : input.taxBeforePence;
  const beforeLimitPence = duePence - taken;
  let taxPence = beforeLimitPence;
  if (taxPence > 0) {
    const limit = Math.max(0, shareDownPence(input.payPence - input.benefitsPence, input.limitBasisPoints));
    if (taxPence > limit) taxPence = limit;
  }
  const limitApplied = taxPence !== beforeLimitPence;
  return { taxPence, beforeLimitPence, limitApplied, adjustmentPence, taxablePence, duePence };
}

function adjustmentOf(code: TaxCode, family: Family, periods: number): number {
  const onePeriod = code.adjustmentPence[family];
  if (onePeriod === 0) return 0;
  return code.kind === 'k' ? -periods * onePeriod : periods * onePeriod;
}

function dueOf(scale: TaxScale, code: TaxCode, family: Family, periods: number, taxablePence: number): number {
  switch (code.kind) {
    case 'allowance':
    case 'k':
      return taxByBandsPence(scale, family, periods, taxablePence);
    case 'flat': {
      // 4.5: whole pounds at one rate, down to the penny.
      const rate = flatRateOf(scale, code);
      return taxablePence <= 0 ? 0 : Math.floor((Math.floor(taxablePence / 100) * rate) / 100);
    }
    case 'nt':
      return 0;
  }
}
