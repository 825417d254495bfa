import type { LocalDate } from '../../../libs/core/calendar/local-date.ts';
import { declaredDuePence } from '../../../libs/core/vat/mtd/return.ts';
import { balancingPayment, interimPayments } from '../../../libs/core/vat/schemes/interim-payments.ts';
import { registrationOn, type TraderState } from '../../../libs/core/vat/state/trader.ts';
import type { TraderPeriod } from './vat-periods.ts';
import type { NamedStanding } from './vat-standing.ts';

/** Points for late returns, and money that no charge took, as the trader sees them. */
export function standingView({ standing }: NamedStanding) {
  const { points, threshold, penaltiesPence, complianceBy } = standing.lateReturns;
  return {
    points,
    threshold,
    lateReturnPenaltiesPence: penaltiesPence,
    complianceBy,
    unallocatedPence: standing.unallocatedPence,
  };
}

/** What the return of a period, filed or late, came to: null where neither. Penalties and interest to the day asked for; none is posted. */
export function chargeView({ standing }: NamedStanding, start: LocalDate) {
  const charge = standing.charges.find((one) => one.charge.start === start);
  const late = standing.lateReturns.late.find(({ due }) => due.start === start);
  if (charge === undefined && late === undefined) return null;
  const { penalties } = charge ?? { penalties: null };
  return {
    duePence: charge?.charge.duePence ?? null,
    outstandingPence: charge?.openPence ?? null,
    firstPenaltyPence: penalties?.firstPence ?? 0,
    secondPenaltyPence: penalties?.secondPence ?? 0,
    interestPence: charge?.interestPence ?? 0,
    interestEstimated: (charge?.interestKnownTo ?? null) !== null,
    interestRatesKnownTo: charge?.interestKnownTo ?? null,
    interestFrom: charge?.interestFrom ?? null,
    lateReturn:
      late === undefined
        ? null
        : { category: late.category, penaltyPence: late.penaltyPence, lapsesOn: late.lapsesOn, ended: late.ended },
  };
}

/**
 * Interim payments of annual accounting (vat.md section 5) from the VAT of the year before, as it was declared or as its events came to, and
 * what is left to pay with the return: null where the trader has none, or no year before is known here.
 */
export function interimView(trader: TraderState, period: TraderPeriod, before: TraderPeriod | undefined) {
  const { start, end } = period.return.period;
  const frequency = registrationOn(trader, start)?.interimPayments ?? 'none';
  const isYear = before !== undefined && registrationOn(trader, before.return.period.start)?.cadence === 'annual';
  if (frequency === 'none' || !isYear) return null;
  const payments = interimPayments(start, vatOf(before), frequency);
  const paidPence = payments.reduce((sum, { amountPence }) => sum + amountPence, 0);
  return { payments, balance: balancingPayment(end, vatOf(period), paidPence) };
}

function vatOf({ filed, return: { boxes } }: TraderPeriod): number {
  return filed === null ? boxes[3] - boxes[4] : declaredDuePence(filed.declared);
}
