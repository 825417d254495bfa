import type { LocalDate } from '../../calendar/local-date.ts';
import type { PaymentMade } from '../../events/paye-events.ts';
import type { EmploymentState } from '../employment/employment-state.ts';
import { PREFIX_OF_NATION } from '../rates/nation.ts';
import { PERIODS_IN_YEAR } from '../rates/pay-frequency.ts';
import { type PayeRules, payDayOf, taxCodeOf } from '../rates/paye-rules.ts';
import { scaleOfNation } from '../rates/rates-not-known.ts';
import { isOtherThanStarters } from '../rates/starter-code.ts';
import type { TaxCode } from '../rates/tax-code.ts';
import { type IncomeTax, incomeTax } from './income-tax.ts';
import type { PaymentContext } from './payment-context.ts';

/** How the tax of a payment came about. */
export interface PaymentWorking {
  readonly code: TaxCode;
  readonly cumulative: boolean;
  /** n of the tax tables: week or month number, or periods of one payment. */
  readonly periods: number;
  /** Week or month number of the pay day. */
  readonly period: number;
  readonly tax: IncomeTax;
}

export interface Taxed {
  readonly working: PaymentWorking;
  readonly taxPence: number;
  readonly payToDatePence: number;
  readonly taxToDatePence: number;
  readonly p45: readonly [number, number] | undefined;
  readonly leftOn: LocalDate | undefined;
}

/** Income tax of a payment (docs/rules/paye.md, sections 3 and 4). Throws NO_RATE_FOR_D_CODE, RATES_NOT_KNOWN. */
export function taxOf(context: PaymentContext): Taxed {
  const { event, before, day, frequency, period, totals, rules, flags } = context;
  const stated = taxCodeOf(rules, event.taxCode);
  const spell = spellOf(context);
  if (spell === 'over' && !event.paymentAfterLeaving) flags.push('AFTER_LEAVING_NOT_STATED');
  const code = spell === 'over' ? codeAfterLeaving(event, stated, rules, flags) : stated;
  if (event.starter !== null && isOtherThanStarters(event, day.rules, rules)) flags.push('STARTER_CODE_DIFFERS');
  const nonCumulative = event.week1Month1 || stated.nonCumulative || spell === 'over';
  const { family, periods: perPayment } = frequency.terms;
  // 4.10: weeks 53, 54 and 56 stand alone, whatever the basis.
  const cumulative = !nonCumulative && period.number <= PERIODS_IN_YEAR[family];
  // A P45 of a new employment holds the whole year before it, that with this employer too.
  const earlier = spell === 'new' ? null : before;
  const p45 = p45Of(event, earlier);
  const payToDate = (earlier?.taxablePayPence ?? 0) + (p45?.[0] ?? 0) - (earlier?.p45?.[0] ?? 0);
  const taxToDate = (earlier?.taxPence ?? 0) + (p45?.[1] ?? 0) - (earlier?.p45?.[1] ?? 0);
  let payBeforePence = payToDate;
  let taxBeforePence = taxToDate;
  if (!cumulative) {
    payBeforePence = day.rules.poolsIncomeTax ? totals.payPence : 0;
    taxBeforePence = day.rules.poolsIncomeTax ? totals.taxPence : 0;
  }
  const periods = cumulative ? furthestPeriod(context) : perPayment;
  const tax = incomeTax({
    scale: scaleOfNation(day.rules, code.nation),
    code,
    family,
    periods,
    cumulative,
    payPence: event.taxablePayPence,
    benefitsPence: event.payrolledBenefitsPence,
    payBeforePence,
    taxBeforePence,
    limitBasisPoints: day.rules.overridingLimitBasisPoints,
  });
  let { taxPence } = tax;
  if (event.onStrike && taxPence < 0) {
    // 4.10: refunds are withheld while on strike; the tax to date keeps them for the return.
    taxPence = 0;
    flags.push('REFUND_WITHHELD');
  }
  return {
    working: { code, cumulative, periods, period: period.number, tax },
    taxPence,
    payToDatePence: payToDate + event.taxablePayPence,
    taxToDatePence: taxToDate + taxPence,
    p45,
    leftOn: day.rules.revision < 2 ? before?.leftOn : (event.leavingDate ?? earlier?.leftOn),
  };
}

/**
 * Where a payment is in the employment: `new` with the figures of a starter after a recorded leaving date; `over` after the leaving date,
 * whether the employer says so or not (PAYE Regulations 2003, regulation 37); else `going on`.
 */
function spellOf({ event, before, day }: PaymentContext): 'going on' | 'new' | 'over' {
  if (event.paymentAfterLeaving) return 'over';
  const leftOn = day.rules.revision < 2 ? undefined : before?.leftOn;
  if (leftOn === undefined || event.paymentDate <= leftOn) return 'going on';
  return event.starter === null ? 'over' : 'new';
}

/** 4.10: after leaving (P45 issued) 0T on week 1/month 1 by the nation last used, whatever code is stated. */
function codeAfterLeaving(event: PaymentMade, stated: TaxCode, rules: PayeRules, flags: string[]): TaxCode {
  const isZeroT = stated.kind === 'allowance' && stated.number === 0;
  const isOperated = isZeroT && (event.week1Month1 || stated.nonCumulative);
  if (event.paymentAfterLeaving && !isOperated) flags.push('CODE_AFTER_LEAVING');
  return taxCodeOf(rules, `${PREFIX_OF_NATION[stated.nation]}0T`);
}

/**
 * n of a cumulative code. A payment that comes after one of a later pay day adds to the position of the later day: so tax to date is
 * the same in whatever order the payments came.
 */
function furthestPeriod({ event, before, frequency, period, rules }: PaymentContext): number {
  if (before === null || event.paymentDate >= before.lastPayDay) return period.number;
  const latest = payDayOf(rules, before.lastPayDay).periods[event.payFrequency].number;
  return Math.min(PERIODS_IN_YEAR[frequency.terms.family], latest);
}

/**
 * The P45 figures of the year, which count once, as last stated. A week 1 or month 1 basis leaves them out of the tax of its payments; they
 * stand in pay and tax to date for the first payment on a cumulative basis (paye.md 4.2 and 4.10).
 */
function p45Of({ starter }: PaymentMade, before: EmploymentState | null): readonly [number, number] | undefined {
  if (starter?.p45PayPence == null || starter.p45TaxPence == null) return before?.p45;
  return [starter.p45PayPence, starter.p45TaxPence];
}
