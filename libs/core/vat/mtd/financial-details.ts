import { addDays, type LocalDate } from '../../calendar/local-date.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { clearedPence } from '../standing/settle-charges.ts';
import type { ChargeStanding, TraderStanding } from '../standing/trader-standing.ts';
import { interestRateOn } from '../standing/vat-interest.ts';
import { type MtdRefusal, mtdRefusal } from './error.ts';
import type { NamedReturn } from './penalties.ts';

type Json = Readonly<Record<string, unknown>>;

/** Between 1 and 16 characters, as `chargeRefNumber` of a filed return. */
const CHARGE_REFERENCE = /^[A-Za-z0-9]{1,16}$/;

/**
 * Answers `GET …/financial-details/{reference}` for the charge of a return that was filed here, by the reference that its receipt gave. No
 * penalty is posted here, so none has a reference. Interest is worked out to `today` and not posted. Pounds. CHARGE_REFERENCE_INVALID,
 * MATCHING_RESOURCE_NOT_FOUND.
 */
export function financialDetailsAnswer(
  reference: string,
  { charges, unallocatedPence }: Pick<TraderStanding<NamedReturn>, 'charges' | 'unallocatedPence'>,
  today: LocalDate,
  rules: VatRules,
): Json | MtdRefusal {
  if (!CHARGE_REFERENCE.test(reference)) return mtdRefusal('CHARGE_REFERENCE_INVALID');
  const standing = charges.find((one) => one.return.chargeRefNumber === reference);
  if (standing === undefined) return mtdRefusal('MATCHING_RESOURCE_NOT_FOUND');
  const { charge, openPence, clearings, interestPence } = standing;
  const isOverdue = today > charge.due;
  const overduePence = isOverdue ? openPence : 0;
  return {
    totalisations: {
      totalOverdue: overduePence / 100,
      totalNotYetDue: (openPence - overduePence) / 100,
      totalBalance: (overduePence - unallocatedPence) / 100,
      totalCredit: unallocatedPence / 100,
      totalCleared: clearedPence(clearings) / 100,
      additionalReceivableTotalisations: {
        totalAccountPostedInterest: 0,
        totalAccountAccruingInterest: accruingPence(charges) / 100,
      },
    },
    documentDetails: [
      {
        postingDate: charge.filedOn,
        documentTotalAmount: charge.duePence / 100,
        documentClearedAmount: clearedPence(clearings) / 100,
        documentOutstandingAmount: openPence / 100,
        documentInterestTotals: { interestPostedAmount: 0, interestAccruingAmount: interestPence / 100 },
        lineItemDetails: [lineItem(standing, today, rules)],
      },
    ],
  };
}

function lineItem({ charge, interestPence }: ChargeStanding<NamedReturn>, today: LocalDate, rules: VatRules): Json {
  const { basisPoints: rate, knownTo } = interestRateOn('late', today, rules);
  const interest = {
    interestStartDate: addDays(charge.due, 1),
    // A rate that HMRC has not published is not given as HMRC's.
    ...(rate === null || knownTo !== null ? {} : { currentInterestRate: rate / 100 }),
    interestPostedAmount: 0,
    interestAccruingAmount: interestPence / 100,
  };
  return {
    chargeDescription: 'VAT Return',
    periodFromDate: charge.start,
    periodToDate: charge.end,
    netDueDate: charge.due,
    amount: charge.duePence / 100,
    ...(interestPence === 0 ? {} : { lineItemInterestDetails: interest }),
  };
}

/** Late payment interest of all charges; what HMRC owes on credits is none of the trader's to pay. */
function accruingPence(charges: readonly ChargeStanding<NamedReturn>[]): number {
  return charges.reduce((sum, { charge, interestPence }) => sum + (charge.duePence > 0 ? interestPence : 0), 0);
}
