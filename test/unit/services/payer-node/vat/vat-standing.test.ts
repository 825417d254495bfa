import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientRegistry, digestOfKey } from '../../../../../libs/adapters/access/clients.ts';
import { account } from '../../../../../libs/core/identity/account.ts';
import { uuidOfName } from '../../../../support/own-events.ts';
import { until } from '../../../../support/payer-node-fixture.ts';
import { type ServedTrader, serveTrader } from '../../../../support/served-trader.ts';

const VRN = '101747696';
const ANNUAL_VRN = '101747641';
const KEY = 'key-of-the-trader-0123456789abcdef012345';
/** A year and a half after the trader began; the second quarter of 2026 was due on 7 August. */
const NOW_MS = Date.UTC(2026, 10, 21, 12);
const registry = clientRegistry([
  {
    id: 'trader',
    keySha256: digestOfKey(KEY),
    accounts: [account(`vat:${VRN}`), account(`vat:${ANNUAL_VRN}`)],
    roles: ['payer'],
    expiresAt: null,
  },
]);

let trader: ServedTrader;

async function call(path: string, body?: unknown): Promise<Record<string, never>> {
  const response = await fetch(`${trader.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${KEY}`, accept: 'application/vnd.hmrc.1.0+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return (await response.json()) as Record<string, never>;
}

/** A caterer of the flat rate scheme that invoices 240,000.00 in April 2026, and a shop with annual periods. */
function events(): object[] {
  const of = (name: string, type: string, vrn: string) => ({ type, eventId: uuidOfName(name), vrn });
  const from = { validFrom: '2025-04-01', registeredOn: '2025-04-01' };
  const flat = { cadence: 'stagger1', scheme: 'flatRate', flatRateSector: 'catering' };
  const annual = { validFrom: '2025-01-01', cadence: 'annual', annualEndMonth: 12, scheme: 'pointOfSale' };
  const sale = (taxPoint: string, netPence: number, vatPence: number) => ({
    kind: 'sale',
    taxPoint,
    netPence,
    vatPence,
  });
  return [
    { ...of('flat', 'TraderRegistered', VRN), ...from, ...flat },
    { ...of('invoice', 'VatAdjustmentMade', VRN), ...sale('2026-04-20', 20_000_000, 4_000_000) },
    { ...of('annual', 'TraderRegistered', ANNUAL_VRN), ...annual, interimPayments: 'quarterly' },
    { ...of('last', 'VatAdjustmentMade', ANNUAL_VRN), ...sale('2025-06-01', 500_000, 100_000) },
    { ...of('this', 'VatAdjustmentMade', ANNUAL_VRN), ...sale('2026-06-01', 600_000, 120_000) },
  ];
}

/** 12.5% of 240,000.00, less a point in the first year, which ends on 31 March 2026. */
const DECLARED = {
  periodKey: '26A2',
  vatDueSales: 30_000,
  vatDueAcquisitions: 0,
  totalVatDue: 30_000,
  vatReclaimedCurrPeriod: 0,
  netVatDue: 30_000,
  totalValueSalesExVAT: 240_000,
  totalValuePurchasesExVAT: 0,
  totalValueGoodsSuppliedExVAT: 0,
  totalAcquisitionsExVAT: 0,
  finalised: true,
};
const MTD = `/organisations/vat/${VRN}`;
const PERIODS = `/payer/v1/vat/${VRN}/periods`;
let chargeRefNumber: string;

beforeAll(async () => {
  trader = await serveTrader({ vrn: VRN, events: events(), paidPence: 1_000_000, nowMs: NOW_MS, registry });
  ({ chargeRefNumber } = (await call(`${MTD}/returns`, DECLARED)) as unknown as { chargeRefNumber: string });
});

afterAll(() => trader.stop());

describe('a trader that files and pays late', () => {
  it('sees its points and penalties beside its periods, the first return of its registration left out', async () => {
    const { standing, periods } = (await call(PERIODS)) as unknown as { standing: object; periods: object[] };
    // 2025 Q3 and Q4, 2026 Q1 to Q3: four points, 200.00 with the fourth and with the fifth.
    expect(standing).toEqual({
      points: 4,
      threshold: 4,
      lateReturnPenaltiesPence: 40_000,
      complianceBy: '2027-12-01',
      unallocatedPence: 0,
    });
    expect(periods.length).toBe(7);
  });

  it('sees of each period what is open, what it costs so far, and why', async () => {
    const { charge, notices, interim } = await call(`${PERIODS}/26A2`);
    expect(interim).toBeNull();
    // 10,000.00 came on 21 November, day 106: 3% twice of 30,000.00; 76 days at 10%; 106 nights at 7.75%.
    expect(charge).toEqual({
      duePence: 3_000_000,
      outstandingPence: 2_000_000,
      firstPenaltyPence: 180_000,
      secondPenaltyPence: 62_466,
      interestPence: 67_521,
      interestEstimated: false,
      interestRatesKnownTo: null,
      interestFrom: '2026-08-07',
      lateReturn: { category: 'threshold', penaltyPence: 20_000, lapsesOn: '2028-09-01', ended: null },
    });
    // The anniversary of joining is 1 April: turnover is above now, and looked at then.
    expect(notices).toEqual([
      {
        code: 'FLAT_RATE_LIMIT',
        limitPence: 23_000_000,
        turnoverPence: 24_000_000,
        from: '2025-07-01',
        to: '2026-06-30',
        mustLeave: false,
      },
    ]);
    expect((await call(`${PERIODS}/25A2`))['charge']).toBeNull();
  });

  it('reads the same under HMRC’s paths', async () => {
    const penalties = await call(`${MTD}/penalties`);
    expect(penalties).toMatchObject({
      totalisations: {
        lateSubmissionPenaltyTotalValue: 400,
        penalisedPrincipalTotal: 30_000,
        latePaymentPenaltyPostedTotal: 0,
        latePaymentPenaltyEstimateTotal: 2_424.66,
      },
      lateSubmissionPenalty: { summary: { activePenaltyPoints: 4, regimeThreshold: 4 } },
      latePaymentPenalty: { details: [{ principalChargeReference: chargeRefNumber }, { penaltyCategory: 'LPP2' }] },
    });
    const { details } = (penalties as unknown as { lateSubmissionPenalty: { details: { penaltyNumber: string }[] } })
      .lateSubmissionPenalty;
    expect(new Set(details.map(({ penaltyNumber }) => penaltyNumber)).size).toBe(5);
    for (const { penaltyNumber } of details) expect(penaltyNumber).toMatch(/^\d{14}$/);
    expect(await call(`${MTD}/financial-details/${chargeRefNumber}`)).toMatchObject({
      totalisations: { totalOverdue: 20_000, totalCleared: 10_000 },
      documentDetails: [{ documentInterestTotals: { interestAccruingAmount: 675.21 } }],
    });
    expect(await call(`${MTD}/information`)).toEqual({
      customerDetails: { effectiveRegistrationDate: '2025-04-01' },
      flatRateScheme: { frsCategory: '008', startDate: '2025-04-01' },
    });
  });
});

describe('money that comes later', () => {
  it('is found once, by all who ask at the same time, and clears the oldest charge', async () => {
    const asked = () =>
      Promise.all([1, 2, 3].map(() => call(`${MTD}/financial-details/${chargeRefNumber}`))) as Promise<unknown[]>;
    const cleared = (pounds: number) => Array(3).fill({ totalisations: { totalCleared: pounds } });
    expect(await asked()).toMatchObject(cleared(10_000));
    trader.hmrc.pay(account(`vat:${VRN}`), 500_000);
    trader.hmrc.seal();
    await until(() => trader.node.accounts().some(({ unconfirmedPence }) => unconfirmedPence === 1_500_000));
    // The account is ahead of its blocks until they are on the disk.
    await expect.poll(asked).toMatchObject(cleared(15_000));
    expect(await call(`${MTD}/payments?from=2026-01-01&to=2026-11-21`)).toEqual({
      payments: [
        { amount: 10_000, received: '2026-11-21' },
        { amount: 5_000, received: '2026-11-21' },
      ],
    });
  });
});

describe('a trader with interim payments', () => {
  it('sees them from the VAT of the year before, and what is left to pay', async () => {
    const { interim } = await call(`/payer/v1/vat/${ANNUAL_VRN}/periods/2026-06-01`);
    expect(interim).toEqual({
      payments: [
        { due: '2026-04-30', amountPence: 25_000 },
        { due: '2026-07-31', amountPence: 25_000 },
        { due: '2026-10-31', amountPence: 25_000 },
      ],
      balance: { due: '2027-02-28', amountPence: 45_000 },
    });
    expect((await call(`/payer/v1/vat/${ANNUAL_VRN}/periods/2025-06-01`))['interim']).toBeNull();
  });

  it('that files in time, or owes nothing yet, has no penalties', async () => {
    expect((await call(`/organisations/vat/${ANNUAL_VRN}/penalties`))['latePaymentPenalty']).toBeUndefined();
  });
});
