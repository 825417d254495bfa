import { addMonths, type LocalDate } from '../../calendar/local-date.ts';
import type { LateReturn, LateReturnStanding } from '../standing/late-return-points.ts';
import type { ChargeStanding, ReturnOfTrader, TraderStanding } from '../standing/trader-standing.ts';
import type { ChargePenalties } from '../standing/vat-penalties.ts';

/** What names a return and its charge to HMRC's API, as our own receipts and records do. */
export interface ReturnNames {
  /** Our number of the return's period: digits. */
  readonly number: string;
  /** Of the filed return; null while it is owed. */
  readonly formBundleNumber: string | null;
  /** Null where nothing is to be paid. */
  readonly chargeRefNumber: string | null;
}

export type NamedReturn = ReturnOfTrader & ReturnNames;

type Json = Readonly<Record<string, unknown>>;

const MONTHS_SHOWN = 24;
/** "The individual or organisation has no active penalty points" (OpenAPI file, Summary). */
const NO_COMPLIANCE_DATE = '9999-12-31';

/**
 * Answers `GET …/penalties`: late returns and late payments of the last 24 months, as they follow from returns and money here. Nothing is
 * posted by this system: a penalty for late payment is accruing, and has no charge reference. Letters, appeals and time to pay are not known
 * here. Pounds; `{}` where there is none.
 */
export function penaltiesAnswer(
  { lateReturns, charges }: TraderStanding<NamedReturn>,
  namesOf: (late: LateReturn) => ReturnNames,
  today: LocalDate,
): Json {
  const since = addMonths(today, -MONTHS_SHOWN);
  const late = lateReturns.late.filter(({ failedOn, ended }) => failedOn >= since || ended === null);
  const payments = charges.flatMap(latePaymentOf).filter(({ charge }) => charge.due >= since || charge.openPence > 0);
  if (late.length === 0 && payments.length === 0) return {};
  const sumOf = (pick: (one: LatePayment) => number) => payments.reduce((sum, one) => sum + pick(one), 0);
  return {
    totalisations: {
      lateSubmissionPenaltyTotalValue: late.reduce((sum, { penaltyPence }) => sum + penaltyPence, 0) / 100,
      penalisedPrincipalTotal: sumOf(({ penalties }) => penalties.day15Pence) / 100,
      latePaymentPenaltyPostedTotal: 0,
      latePaymentPenaltyEstimateTotal: sumOf(({ penalties }) => penalties.firstPence + penalties.secondPence) / 100,
    },
    ...(late.length === 0 ? {} : { lateSubmissionPenalty: lateSubmission(late, lateReturns, namesOf) }),
    ...(payments.length === 0 ? {} : { latePaymentPenalty: { details: payments.flatMap(latePaymentDetails) } }),
  };
}

interface LatePayment {
  readonly charge: ChargeStanding<NamedReturn>['charge'] & { readonly openPence: number };
  readonly names: ReturnNames;
  readonly penalties: ChargePenalties;
  readonly clearedOn: LocalDate | null;
}

function latePaymentOf(standing: ChargeStanding<NamedReturn>): LatePayment[] {
  const { penalties, charge, openPence, clearings } = standing;
  if (penalties === null || penalties.firstPence + penalties.secondPence === 0) return [];
  const clearedOn = openPence === 0 ? (clearings.at(-1)?.on ?? null) : null;
  return [{ charge: { ...charge, openPence }, names: standing.return, penalties, clearedOn }];
}

function lateSubmission(
  late: readonly LateReturn[],
  { points, threshold, complianceBy }: LateReturnStanding,
  namesOf: (late: LateReturn) => ReturnNames,
): Json {
  const counting = late.filter(({ ended, category }) => ended === null && category !== 'charge');
  const ended = late.filter((one) => one.ended !== null && one.category !== 'charge');
  const lastLapse = counting
    .map(({ lapsesOn }) => lapsesOn)
    .sort()
    .at(-1);
  return {
    summary: {
      activePenaltyPoints: points,
      inactivePenaltyPoints: ended.length,
      periodOfComplianceAchievement: complianceBy ?? lastLapse ?? NO_COMPLIANCE_DATE,
      regimeThreshold: threshold,
      penaltyChargeAmount: late.reduce((sum, { penaltyPence }) => sum + penaltyPence, 0) / 100,
    },
    details: late.map((one) => lateSubmissionDetail(one, counting.indexOf(one), namesOf(one))),
  };
}

function lateSubmissionDetail(late: LateReturn, place: number, { number }: ReturnNames): Json {
  const { category, failedOn, lapsesOn, ended, penaltyPence, due } = late;
  return {
    penaltyNumber: number,
    penaltyOrder: place < 0 ? 'NA' : String(place + 1),
    penaltyCategory: category,
    penaltyStatus: ended === null ? 'active' : 'inactive',
    penaltyCreationDate: failedOn,
    penaltyExpiryDate: ended?.on ?? lapsesOn,
    ...(ended === null ? {} : { expiryReason: ended.why }),
    lateSubmissions: [
      {
        lateSubmissionID: number,
        taxReturnStatus: due.received === null ? 'Open' : 'Fulfilled',
        taxPeriodStartDate: due.start,
        taxPeriodEndDate: due.end,
        taxPeriodDueDate: due.due,
        ...(due.received === null ? {} : { returnReceiptDate: due.received }),
      },
    ],
    ...(penaltyPence === 0 ? {} : { chargeAmount: penaltyPence / 100 }),
  };
}

function latePaymentDetails({ charge, names, penalties, clearedOn }: LatePayment): Json[] {
  const principal = {
    principalChargeDocNumber: names.formBundleNumber ?? '',
    principalChargeBillingFrom: charge.start,
    principalChargeBillingTo: charge.end,
    principalChargeDueDate: charge.due,
    ...(clearedOn === null ? {} : { principalChargeLatestClearing: clearedOn }),
  };
  const head = (penaltyCategory: 'LPP1' | 'LPP2', amountPence: number) => ({
    principalChargeReference: names.chargeRefNumber ?? '',
    penaltyCategory,
    penaltyStatus: 'accruing',
    penaltyAmountAccruing: amountPence / 100,
    penaltyAmountPosted: 0,
  });
  const { day15Pence, day15Rate, day30Pence, day30Rate, dailyDays, dailyRate, firstPence, secondPence } = penalties;
  const first = {
    ...head('LPP1', firstPence),
    latePaymentPenalty1LowerRateCalculationAmount: day15Pence / 100,
    latePaymentPenalty1LowerRatePercentage: day15Rate / 100,
    ...(day30Pence === 0
      ? {}
      : {
          latePaymentPenalty1HigherRateCalculationAmount: day30Pence / 100,
          latePaymentPenalty1HigherRatePercentage: day30Rate / 100,
        }),
    ...principal,
  };
  const second = {
    ...head('LPP2', secondPence),
    latePaymentPenalty2Days: String(dailyDays),
    latePaymentPenalty2Percentage: dailyRate / 100,
    ...principal,
  };
  return secondPence === 0 ? [first] : [first, second];
}
