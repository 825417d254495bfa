import { describe, expect, it } from 'vitest';
import { localDate } from '../../../../../../libs/core/calendar/local-date.ts';
import { financialDetailsAnswer } from '../../../../../../libs/core/vat/mtd/financial-details.ts';
import { type NamedReturn, penaltiesAnswer } from '../../../../../../libs/core/vat/mtd/penalties.ts';
import type { MoneyOfTrader } from '../../../../../../libs/core/vat/standing/settle-charges.ts';
import { traderStanding } from '../../../../../../libs/core/vat/standing/trader-standing.ts';
import { testVatRules } from '../../../../../support/vat-rules.ts';

const RULES = testVatRules();
const on = (day: string) => localDate(day);
const QUARTERS = [
  ['2025-04-01', '2025-06-30', '2025-08-07'],
  ['2025-07-01', '2025-09-30', '2025-11-07'],
  ['2025-10-01', '2025-12-31', '2026-02-07'],
  ['2026-01-01', '2026-03-31', '2026-05-07'],
  ['2026-04-01', '2026-06-30', '2026-08-07'],
] as const;

/** Quarters from April 2025 on: the day on which each was filed and its pence due. */
function returns(...filed: readonly (readonly [filedOn: string | null, duePence: number])[]): NamedReturn[] {
  return filed.flatMap(([filedOn, duePence], index) => {
    const [start, end, due] = QUARTERS[index] ?? QUARTERS[0];
    const isFiled = filedOn !== null;
    return {
      start: on(start),
      end: on(end),
      due: on(due),
      registration: null,
      isOwed: true,
      filedOn: isFiled ? on(filedOn) : null,
      duePence: isFiled ? duePence : null,
      number: `0000000000000${index}`,
      formBundleNumber: isFiled ? `00000000000${index}` : null,
      chargeRefNumber: isFiled && duePence > 0 ? `XCHARGE${index}` : null,
    };
  });
}

function answer(all: readonly NamedReturn[], money: readonly MoneyOfTrader[], today: string) {
  const standing = traderStanding(all, money, on(today), RULES);
  const namesOf = ({ due }: { due: { start: string } }) => all.find(({ start }) => start === due.start) ?? all[0];
  return penaltiesAnswer(standing, (late) => namesOf(late) as NamedReturn, on(today)) as Record<string, never>;
}

describe('penalties', () => {
  it('of a trader that files and pays in time are none', () => {
    const all = returns(['2025-08-07', 1_000_000]);
    expect(answer(all, [{ amountPence: 1_000_000, received: on('2025-08-07') }], '2026-11-21')).toEqual({});
  });

  it('of a late payment accrue, with what they were worked out from, and without a reference of their own', () => {
    const all = returns(['2025-08-07', 1_000_000]);
    const money = [{ amountPence: 400_000, received: on('2025-08-22') }];
    // Day 15 and 30: 6,000.00 at 3%; from day 31, 7 September, 2 days at 10%: 3.2877.
    expect(answer(all, money, '2025-09-08')).toEqual({
      totalisations: {
        lateSubmissionPenaltyTotalValue: 0,
        penalisedPrincipalTotal: 6_000,
        latePaymentPenaltyPostedTotal: 0,
        latePaymentPenaltyEstimateTotal: 363.29,
      },
      latePaymentPenalty: {
        details: [
          {
            principalChargeReference: 'XCHARGE0',
            penaltyCategory: 'LPP1',
            penaltyStatus: 'accruing',
            penaltyAmountAccruing: 360,
            penaltyAmountPosted: 0,
            latePaymentPenalty1LowerRateCalculationAmount: 6_000,
            latePaymentPenalty1LowerRatePercentage: 3,
            latePaymentPenalty1HigherRateCalculationAmount: 6_000,
            latePaymentPenalty1HigherRatePercentage: 3,
            principalChargeDocNumber: '000000000000',
            principalChargeBillingFrom: '2025-04-01',
            principalChargeBillingTo: '2025-06-30',
            principalChargeDueDate: '2025-08-07',
          },
          {
            principalChargeReference: 'XCHARGE0',
            penaltyCategory: 'LPP2',
            penaltyStatus: 'accruing',
            penaltyAmountAccruing: 3.29,
            penaltyAmountPosted: 0,
            latePaymentPenalty2Days: '2',
            latePaymentPenalty2Percentage: 10,
            principalChargeDocNumber: '000000000000',
            principalChargeBillingFrom: '2025-04-01',
            principalChargeBillingTo: '2025-06-30',
            principalChargeDueDate: '2025-08-07',
          },
        ],
      },
    });
  });

  it('of a payment between day 16 and day 30 are the first part alone, and say when it was paid', () => {
    const all = returns(['2025-08-07', 1_000_000]);
    const money = [{ amountPence: 1_000_000, received: on('2025-08-23') }];
    const { latePaymentPenalty } = answer(all, money, '2025-12-01') as unknown as {
      latePaymentPenalty: { details: Record<string, unknown>[] };
    };
    expect(latePaymentPenalty.details).toHaveLength(1);
    expect(latePaymentPenalty.details[0]).toMatchObject({
      penaltyAmountAccruing: 300,
      principalChargeLatestClearing: '2025-08-23',
    });
    expect(latePaymentPenalty.details[0]).not.toHaveProperty('latePaymentPenalty1HigherRatePercentage');
  });

  it('of late returns are points, at the threshold with 200.00, in the order in which they came', () => {
    const late = ['2025-08-20', '2025-11-20', '2026-02-20', '2026-05-20', null] as const;
    const all = returns(...late.map((day) => [day, 0] as const));
    const { lateSubmissionPenalty, totalisations } = answer(all, [], '2026-11-21') as unknown as {
      lateSubmissionPenalty: { summary: object; details: Record<string, unknown>[] };
      totalisations: object;
    };
    expect(totalisations).toMatchObject({ lateSubmissionPenaltyTotalValue: 400 });
    expect(lateSubmissionPenalty.summary).toEqual({
      activePenaltyPoints: 4,
      inactivePenaltyPoints: 0,
      periodOfComplianceAchievement: '2027-09-01',
      regimeThreshold: 4,
      penaltyChargeAmount: 400,
    });
    const { details } = lateSubmissionPenalty;
    expect(details.map((one) => [one['penaltyOrder'], one['penaltyCategory'], one['chargeAmount']])).toEqual([
      ['1', 'point', undefined],
      ['2', 'point', undefined],
      ['3', 'point', undefined],
      ['4', 'threshold', 200],
      ['NA', 'charge', 200],
    ]);
    expect(details[3]).toEqual({
      penaltyNumber: '00000000000003',
      penaltyOrder: '4',
      penaltyCategory: 'threshold',
      penaltyStatus: 'active',
      penaltyCreationDate: '2026-05-08',
      penaltyExpiryDate: '2028-06-01',
      lateSubmissions: [
        {
          lateSubmissionID: '00000000000003',
          taxReturnStatus: 'Fulfilled',
          taxPeriodStartDate: '2026-01-01',
          taxPeriodEndDate: '2026-03-31',
          taxPeriodDueDate: '2026-05-07',
          returnReceiptDate: '2026-05-20',
        },
      ],
      chargeAmount: 200,
    });
    expect(details[4]).toMatchObject({ lateSubmissions: [{ taxReturnStatus: 'Open' }] });
  });

  it('of points that went once returns came in time for a year say so, and have no place any more', () => {
    const late = ['2025-08-20', '2025-11-20', '2026-02-20', '2026-05-20', '2026-08-07'] as const;
    const all = returns(...late.map((day) => [day, 0] as const));
    const { lateSubmissionPenalty } = answer(all, [], '2027-06-01') as unknown as {
      lateSubmissionPenalty: { summary: object; details: Record<string, unknown>[] };
    };
    expect(lateSubmissionPenalty.summary).toMatchObject({
      activePenaltyPoints: 0,
      inactivePenaltyPoints: 4,
      periodOfComplianceAchievement: '9999-12-31',
      regimeThreshold: 4,
    });
    expect(lateSubmissionPenalty.details).toHaveLength(4);
    for (const detail of lateSubmissionPenalty.details) {
      expect(detail).toMatchObject({
        penaltyOrder: 'NA',
        penaltyStatus: 'inactive',
        penaltyExpiryDate: '2027-06-01',
        expiryReason: 'expiry-conditions-met',
      });
    }
  });

  it('count a charge at the threshold among neither the active nor the inactive points', () => {
    const late = ['2025-08-20', '2025-11-20', '2026-02-20', '2026-05-20', '2026-08-20'] as const;
    const all = returns(...late.map((day) => [day, 0] as const));
    const { lateSubmissionPenalty } = answer(all, [], '2027-09-01') as unknown as {
      lateSubmissionPenalty: { summary: object; details: object[] };
    };
    expect(lateSubmissionPenalty.summary).toMatchObject({ activePenaltyPoints: 0, inactivePenaltyPoints: 3 });
    expect(lateSubmissionPenalty.details).toHaveLength(4);
  });

  it('of a return that is missing show it as open, without a day of receipt', () => {
    const { lateSubmissionPenalty } = answer(returns([null, 0]), [], '2025-08-08') as unknown as {
      lateSubmissionPenalty: { details: { lateSubmissions: object[] }[] };
    };
    expect(lateSubmissionPenalty.details[0]?.lateSubmissions).toEqual([
      {
        lateSubmissionID: '00000000000000',
        taxReturnStatus: 'Open',
        taxPeriodStartDate: '2025-04-01',
        taxPeriodEndDate: '2025-06-30',
        taxPeriodDueDate: '2025-08-07',
      },
    ]);
  });

  it('of a late payment are shown for 24 months after it was due, or while it is not paid', () => {
    const all = returns(['2025-08-07', 1_000_000]);
    const paid = [{ amountPence: 1_000_000, received: on('2025-08-23') }];
    expect(answer(all, paid, '2027-08-07')).toHaveProperty('latePaymentPenalty');
    expect(answer(all, paid, '2027-08-08')).toEqual({});
    expect(answer(all, [], '2027-12-01')).toHaveProperty('latePaymentPenalty');
    expect(answer(all, [], '2027-12-01')).not.toHaveProperty('lateSubmissionPenalty');
  });

  it('of a point below the threshold say when it lapses, and are shown for 24 months', () => {
    const all = returns(['2025-08-20', 0]);
    const shown = (today: string) =>
      (answer(all, [], today) as unknown as { lateSubmissionPenalty?: { summary: object; details: object[] } })
        .lateSubmissionPenalty;
    expect(shown('2026-11-21')?.summary).toMatchObject({ periodOfComplianceAchievement: '2027-09-01' });
    expect(shown('2027-08-08')?.details).toHaveLength(1);
    expect(shown('2027-08-31')?.details).toHaveLength(1);
    expect(shown('2027-09-01')).toBeUndefined();
  });
});

describe('financial details', () => {
  const all = returns(['2025-08-07', 1_000_000], ['2025-09-01', -20_000]);
  const details = (reference: string, money: readonly MoneyOfTrader[], today: string) => {
    const known = all.filter(({ filedOn }) => filedOn !== null && filedOn <= today);
    return financialDetailsAnswer(reference, traderStanding(known, money, on(today), RULES), on(today), RULES);
  };

  it('of a filed return are its charge, what cleared it, what is open and the interest so far', () => {
    const money = [{ amountPence: 400_000, received: on('2025-08-22') }];
    // 8.25% to 27 August, then 8%: 4,000.00 for 15 nights 13.5616, the credit’s 200.00 for 25 1.1233, 5,800.00 for 32 41.4740.
    expect(details('XCHARGE0', money, '2025-09-08')).toEqual({
      totalisations: {
        totalOverdue: 5_800,
        totalNotYetDue: 0,
        totalBalance: 5_800,
        totalCredit: 0,
        totalCleared: 4_200,
        additionalReceivableTotalisations: { totalAccountPostedInterest: 0, totalAccountAccruingInterest: 56.16 },
      },
      documentDetails: [
        {
          postingDate: '2025-08-07',
          documentTotalAmount: 10_000,
          documentClearedAmount: 4_200,
          documentOutstandingAmount: 5_800,
          documentInterestTotals: { interestPostedAmount: 0, interestAccruingAmount: 56.16 },
          lineItemDetails: [
            {
              chargeDescription: 'VAT Return',
              periodFromDate: '2025-04-01',
              periodToDate: '2025-06-30',
              netDueDate: '2025-08-07',
              amount: 10_000,
              lineItemInterestDetails: {
                interestStartDate: '2025-08-08',
                currentInterestRate: 8,
                interestPostedAmount: 0,
                interestAccruingAmount: 56.16,
              },
            },
          ],
        },
      ],
    });
  });

  it('count no interest that HMRC owes on a credit among what the trader owes', () => {
    const money = [{ amountPence: 1_000_000, received: on('2025-08-07') }];
    expect(details('XCHARGE0', money, '2025-12-21')).toMatchObject({
      totalisations: { additionalReceivableTotalisations: { totalAccountAccruingInterest: 0 } },
      documentDetails: [{ documentInterestTotals: { interestAccruingAmount: 0 } }],
    });
  });

  it('before the charge is due show it as not yet due, without interest, and money above it as credit', () => {
    const early = [{ amountPence: 300_000, received: on('2025-08-01') }];
    expect(details('XCHARGE0', early, '2025-08-07')).toMatchObject({
      totalisations: { totalOverdue: 0, totalNotYetDue: 7_000, totalCleared: 3_000 },
    });
    const much = [{ amountPence: 1_500_000, received: on('2025-08-01') }];
    const answered = details('XCHARGE0', much, '2025-08-07');
    expect(answered).toMatchObject({
      totalisations: { totalCredit: 5_000, totalBalance: -5_000, totalCleared: 10_000 },
    });
    expect(JSON.stringify(answered)).not.toContain('lineItemInterestDetails');
  });

  it('of a reference that is none, or that nobody was given, are refused', () => {
    expect(details('X-1', [], '2025-08-07')).toMatchObject({ status: 400, body: { code: 'CHARGE_REFERENCE_INVALID' } });
    expect(details('X'.repeat(17), [], '2025-08-07')).toMatchObject({ status: 400 });
    expect(details('XCHARGE1', [], '2025-08-07')).toMatchObject({
      status: 404,
      body: { code: 'MATCHING_RESOURCE_NOT_FOUND' },
    });
  });
});
