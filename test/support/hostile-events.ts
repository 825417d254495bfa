import fc from 'fast-check';
import { NI_CATEGORIES, PAY_FREQUENCIES, STUDENT_LOAN_PLANS } from '../../libs/core/events/paye-events.ts';
import { TILL_EVENT_TYPES, VAT_CADENCES, VAT_SCHEMES } from '../../libs/core/events/vat-events.ts';
import { adjustmentHits, isAdjustmentKind, namesRate } from '../../libs/core/vat/return/adjustment-kinds.ts';
import type { Json } from './submissions.ts';

/**
 * Events that are well formed and mean harm: everything that schemas and doors admit, at its edges. Each step is what somebody sends, as JSON,
 * with holes that the world which it is sent to fills in (hostile-world.ts): identity, links to what was sent before, whole periods.
 */

/** What is sent next. `of` chooses among what was sent before, of those that fit. */
export interface HostileStep {
  readonly door: 'paye' | 'vat' | 'payments';
  readonly json: Json;
  /** Which of the world's accounts of the door's tax. */
  readonly account: number;
  readonly of: number;
  /** How the step refers to what was sent before. */
  readonly link: 'none' | 'sale' | 'same' | 'sameId';
  /** The period of this day, as the trader has it, is what is closed; null: the days that the JSON has. */
  readonly wholePeriod: boolean;
  /** How long after the step before it is received. */
  readonly advanceMs: number;
  /** What comes up to here is decided together. */
  readonly endsBatch: boolean;
}

const DAY_MS = 86_400_000;
const EDGE_DATES = [
  ...['0001-01-01', '0001-04-05', '0099-12-31', '1000-02-28', '1582-10-10', '1899-12-31', '1900-01-01', '1970-01-01'],
  ...['1973-03-31', '1973-04-01', '1991-04-01', '2010-12-31', '2011-01-03', '2011-01-04', '2016-02-29', '2022-04-05'],
  ...['2022-04-06', '2025-04-05', '2025-04-06', '2026-03-31', '2026-04-01', '2026-04-05', '2026-04-06', '2026-11-30'],
  ...['2027-04-05', '2027-04-06', '2028-02-29', '2028-04-06', '2100-02-28', '2199-12-31', '2200-01-01', '2999-12-31'],
  ...['3000-01-01', '9998-12-31', '9999-01-01', '9999-04-05', '9999-04-06', '9999-10-01', '9999-12-30', '9999-12-31'],
];
const ORDINARY_DATES = [
  '2024-07-05',
  '2025-10-01',
  '2026-01-31',
  '2026-05-29',
  '2026-08-31',
  '2026-10-01',
  '2026-11-20',
];
const OFFSETS = ['Z', '+01:00', '-01:00', '+23:59', '-23:59', '+14:00', '-12:00'];
const CLOCKS = ['00:00:00', '00:59:59', '01:00:00', '12:00:00', '23:00:00', '23:59:59', '23:59:59.999999999'];
/** Limits of the doors and one beyond each, powers at which the arithmetic changes its ways, and the edges of what a number holds. */
const EDGE_PENCE = [
  ...[0, 1, 2, 3, 5, 6, 49, 50, 51, 99, 100, 12_300, 125_700, 600_000, 999_999, 2 ** 31 - 1, 2 ** 31],
  ...[9_999_999_998, 9_999_999_999, 10_000_000_000, 99_999_999_999, 100_000_000_000, 100_000_000_001],
  ...[999_999_999_999, 1_000_000_000_000, 1_000_000_000_001, 5_000_000_000_000, 33_000_000_000_000],
  ...[99_999_999_999_999, 100_000_000_000_000, 100_000_000_000_001, 999_999_999_999_999, 2 ** 50, 2 ** 53 - 1],
];
const ODD_TEXTS = [
  '',
  ' ',
  'a',
  '0',
  '__proto__',
  'constructor',
  '\u00a1',
  '\u{1f9fe}',
  'é'.repeat(20),
  '\uffff',
  'Z'.repeat(35),
];
const LONG_TEXTS = ['x'.repeat(40), 'y'.repeat(64), 'z'.repeat(100), '\u{10ffff}'.repeat(50), '\u{20ac}'.repeat(100)];
const CATEGORIES = ['standard', 'reduced', 'zero', 'exempt', 'outside', 'food.basic', 'clothing.children', 'no such'];
const RATES = ['0', '5', '12.5', '15', '17.5', '20', '100', '100.01', '20.00'];
/** Every kind of adjustment. */
export const HOSTILE_KINDS: readonly string[] = [
  ...[
    'sale',
    'sale_zero',
    'sale_exempt',
    'sale_export',
    'sale_refund',
    'outside_scope',
    'import_vat_paid',
    'import_pva',
  ],
  ...['rc_services_in', 'drc_sale', 'drc_purchase', 'ni_acquisition', 'ni_dispatch', 'fuel_scale', 'own_use'],
  ...['stock_retained_dereg', 'bad_debt_relief', 'bad_debt_recovered', 'error_underdeclared', 'error_overdeclared'],
  ...['frs_capital', 'frs_relevant_goods', 'cash_received', 'cash_paid', 'goods_for_resale', 'stock_opening'],
  ...['stock_closing', 'margin_purchase', 'margin_sale', 'margin_pool_purchase', 'margin_pool_sale'],
].filter(isAdjustmentKind);
const TAX_CODES = [
  ...[
    '1257L',
    'S1257L',
    'C1257L',
    'K475',
    'SK475',
    'BR',
    'SBR',
    'D0',
    'D1',
    'SD0',
    'SD1',
    'SD2',
    'CD0',
    'NT',
    '0T',
    'S0T',
  ],
  ...['K9999', '9999L', '999999L', '1L', '500M', '500N', '1100T', 'K1', 'D8', 'X'],
];

const date = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ORDINARY_DATES) },
  { weight: 2, arbitrary: fc.constantFrom(...EDGE_DATES) },
);
const ordinaryDate = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...ORDINARY_DATES) },
  { weight: 1, arbitrary: fc.constantFrom(...EDGE_DATES) },
);
const time = fc
  .tuple(ordinaryDate, fc.constantFrom(...CLOCKS), fc.constantFrom(...OFFSETS))
  .map(([day, clock, offset]) => `${day}T${clock}${offset}`);
const positive = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 300_000 }) },
  { weight: 4, arbitrary: fc.constantFrom(...EDGE_PENCE.filter((pence) => pence <= 9_999_999_999)) },
  { weight: 1, arbitrary: fc.constantFrom(...EDGE_PENCE) },
);
const signed = fc.tuple(positive, fc.constantFrom(1, 1, 1, -1)).map(([pence, sign]) => pence * sign);
const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('W1', 'W2', 'ref 7') },
  { weight: 1, arbitrary: fc.constantFrom(...ODD_TEXTS, ...LONG_TEXTS) },
);
/** Nearly always such as doors take, so that what is odd elsewhere in the event is not hidden by it. */
const mostly = <Value>(usual: readonly Value[], odd: readonly Value[]) =>
  fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: fc.constantFrom(...odd) });
const orNull = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary });
const seldom = <Value>(arbitrary: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const payment = fc.record({
  type: fc.constant('PaymentMade'),
  nino: fc.constantFrom('AB123456C', 'ZY987654A'),
  worksNumber: text,
  paymentDate: ordinaryDate,
  payFrequency: fc.constantFrom(...PAY_FREQUENCIES),
  period: mostly([1, 2, 8, 12], [13, 52, 53, 54, 56]),
  taxCode: mostly(TAX_CODES.slice(0, 16), TAX_CODES.slice(16)),
  week1Month1: fc.boolean(),
  taxablePayPence: signed,
  payrolledBenefitsPence: seldom(signed),
  nicableEarningsPence: signed,
  niCategory: fc.constantFrom(...NI_CATEGORIES),
  studentLoanPlan: orNull(fc.constantFrom(...STUDENT_LOAN_PLANS)),
  postgraduateLoan: fc.boolean(),
  starter: orNull(
    fc.record({
      startDate: orNull(date),
      declaration: orNull(fc.constantFrom('A', 'B', 'C')),
      p45PayPence: positive,
      p45TaxPence: positive,
    }),
  ),
  leavingDate: orNull(date),
  paymentAfterLeaving: fc.boolean(),
  directorsNic: orNull(fc.constantFrom('AN', 'AL')),
  directorAppointedWeek: orNull(mostly([1, 2, 26, 52, 53], [54])),
  irregularEmployment: fc.boolean(),
  oldWorksNumber: orNull(text),
  lateReason: orNull(mostly(['A', 'H'], ['Z'])),
  terminationAwardPence: seldom(signed),
  sportingTestimonialPence: seldom(signed),
  oddIntervalDays: orNull(mostly([1, 6, 365, 366], [367])),
  stated: orNull(fc.record({ incomeTaxPence: orNull(signed), employerNicsPence: orNull(signed) })),
  separateNics: seldom(fc.boolean()),
  toDate: orNull(
    fc.record({ taxablePayPence: orNull(signed), nicableEarningsByLetter: fc.constantFrom({}, { A: 1 }) }),
  ),
  openingBalance: orNull(
    fc.record({ taxablePayPence: orNull(signed), nicableEarningsByLetter: fc.constantFrom({}, { A: 9 }) }),
  ),
});

const taxMonth = {
  taxYear: mostly(['2022-23', '2025-26', '2026-27', '2027-28'], ['2028-29', '1999-00', '9999-00', '0000-01']),
  taxMonth: fc.integer({ min: 1, max: 12 }),
};
const claims = fc.record({
  type: fc.constant('EmployerClaimsMade'),
  ...taxMonth,
  employmentAllowance: fc.boolean(),
  smallEmployer: fc.boolean(),
  statutoryPayPence: fc.dictionary(mostly(['SMP', 'SPP', 'SAP', 'ShPP', 'SPBP', 'SNCP'], ['__proto__']), positive, {
    maxKeys: 4,
    noNullPrototype: true,
  }),
  cisSufferedPence: positive,
  levyAllowancePence: orNull(positive),
  noPayment: fc.boolean(),
});
const monthClosed = fc.record({ type: fc.constant('PayePeriodClosed'), ...taxMonth });
const schemeCeased = fc.record({ type: fc.constant('PayeSchemeCeased'), ceasedOn: date });

const line = fc.record({
  category: mostly(CATEGORIES.slice(0, -1), CATEGORIES.slice(-1)),
  qty: seldom(mostly(['1', '0.000001', '999999999999.999999'], ['1e3'])),
  ratePct: seldom(fc.constantFrom('20', '20.00')),
  paidPence: positive,
});
/** Lines repeated: many at the limit make the largest takings that an event may have. */
const lines = fc
  .tuple(
    fc.array(line, { minLength: 1, maxLength: 4 }),
    fc.oneof({ weight: 60, arbitrary: fc.constant(1) }, fc.constantFrom(40, 499)),
  )
  .map(([kinds, times]) => Array.from({ length: times }, () => kinds).flat())
  .map((all) => all.map((one, index) => ({ id: String(index + 1), ...one })));
const till = fc.record({
  schema: fc.constant(1),
  tillId: mostly(['T1', 'T2', 'x'.repeat(32), '__proto__'], ['x'.repeat(33), '']),
  type: fc.oneof({ weight: 3, arbitrary: fc.constant('SALE') }, fc.constantFrom(...TILL_EVENT_TYPES)),
  occurredAt: time,
  currency: fc.constant('GBP'),
  region: seldom(fc.constantFrom('GB', 'NI')),
  lines,
  vatPence: seldom(positive),
  unlinkedReason: orNull(text),
  claimedDate: seldom(date),
});
const recoverable = seldom(mostly([0, 1, 3_333, 5_000, 9_999, 10_000], [10_001]));
const purchase = fc.record({
  type: fc.constant('PurchaseRecorded'),
  kind: fc.constantFrom('purchase', 'purchase', 'purchase_credit'),
  taxPoint: date,
  netPence: signed,
  vatPence: signed,
  recoverableBasisPoints: recoverable,
  supplierVrn: seldom(text),
  reference: seldom(text),
});
const anyAdjustment = fc.record({
  type: fc.constant('VatAdjustmentMade'),
  kind: fc.constantFrom(...HOSTILE_KINDS),
  taxPoint: date,
  netPence: signed,
  vatPence: fc.oneof(fc.constant(0), signed),
  recoverableBasisPoints: recoverable,
  reference: seldom(text),
  ratePct: orNull(fc.constantFrom(...RATES)),
  costPence: orNull(signed),
});
/** Half of them have what belongs to their kind: VAT, a rate, a cost, and none of them otherwise. */
const adjustment = fc.tuple(anyAdjustment, fc.boolean()).map(([json, isAsItShouldBe]) => {
  if (!isAsItShouldBe) return json;
  const statesVat = json.kind === 'frs_relevant_goods' || adjustmentHits(json.kind, undefined).vat.length > 0;
  const costPence = json.kind === 'margin_sale' ? Math.trunc(json.netPence / 2) : null;
  return {
    ...json,
    vatPence: statesVat ? json.vatPence : 0,
    ratePct: namesRate(json.kind) ? (json.ratePct ?? '20') : null,
    costPence,
  };
});
const periodClosed = fc.record({
  type: fc.constant('VatPeriodClosed'),
  periodStart: date,
  periodEnd: date,
  close: fc.constantFrom('soft', 'hard', 'hard'),
});
const registered = fc
  .record({
    type: fc.constant('TraderRegistered'),
    validFrom: date,
    registeredOn: orNull(date),
    cadence: fc.constantFrom(...VAT_CADENCES),
    annualEndMonth: fc.integer({ min: 1, max: 12 }),
    scheme: fc.constantFrom(...VAT_SCHEMES),
    flatRateSector: fc.constantFrom('accountancy_bookkeeping', 'any_other_activity'),
    limitedCostTest: fc.boolean(),
    majorityRatePct: fc.constantFrom(...RATES),
    cashAccounting: fc.boolean(),
    interimPayments: fc.constantFrom('none', 'monthly', 'quarterly'),
    poundsRule: fc.constantFrom('truncate', 'nearest'),
    unpaidOverSixMonths: fc.boolean(),
  })
  .map(onlyWhatGoesTogether);
const deregistered = fc.record({ type: fc.constant('TraderDeregistered'), deregisteredOn: date });
const moved = fc.record({
  direction: fc.constantFrom('received', 'received', 'repaid'),
  amountPence: positive,
  bookedOn: date,
  reference: seldom(text),
});

/** Most registrations are such as the door takes: each scheme with what belongs to it alone. */
function onlyWhatGoesTogether(json: Json): Json {
  const { cadence, scheme } = json;
  const isFlat = scheme === 'flatRate';
  const isDirect = scheme === 'directCalculation1' || scheme === 'directCalculation2';
  const isCash = json.cashAccounting === true && !isFlat;
  return {
    ...json,
    annualEndMonth: cadence === 'annual' ? json.annualEndMonth : null,
    flatRateSector: isFlat ? json.flatRateSector : null,
    interimPayments: cadence === 'annual' ? json.interimPayments : 'none',
    limitedCostTest: isFlat && json.limitedCostTest === true,
    majorityRatePct: isDirect ? json.majorityRatePct : null,
    cashAccounting: isCash,
    unpaidOverSixMonths: !isCash && json.unpaidOverSixMonths === true,
  };
}

const sent: fc.Arbitrary<Pick<HostileStep, 'door' | 'json'>> = fc.oneof(
  { weight: 5, arbitrary: payment.map((json) => ({ door: 'paye' as const, json })) },
  { weight: 1, arbitrary: claims.map((json) => ({ door: 'paye' as const, json })) },
  { weight: 2, arbitrary: monthClosed.map((json) => ({ door: 'paye' as const, json })) },
  { weight: 1, arbitrary: schemeCeased.map((json) => ({ door: 'paye' as const, json })) },
  { weight: 6, arbitrary: till.map((json) => ({ door: 'vat' as const, json })) },
  { weight: 2, arbitrary: purchase.map((json) => ({ door: 'vat' as const, json })) },
  { weight: 4, arbitrary: adjustment.map((json) => ({ door: 'vat' as const, json })) },
  { weight: 3, arbitrary: periodClosed.map((json) => ({ door: 'vat' as const, json })) },
  { weight: 2, arbitrary: registered.map((json) => ({ door: 'vat' as const, json })) },
  { weight: 1, arbitrary: deregistered.map((json) => ({ door: 'vat' as const, json })) },
  { weight: 2, arbitrary: moved.map((json) => ({ door: 'payments' as const, json })) },
);

/** One step of a hostile sender. */
export const hostileStep: fc.Arbitrary<HostileStep> = fc
  .tuple(
    sent,
    fc.record({
      account: fc.nat({ max: 2 }),
      of: fc.nat({ max: 30 }),
      link: fc.oneof(
        { weight: 8, arbitrary: fc.constant('sale' as const) },
        fc.constantFrom('none' as const, 'same' as const, 'sameId' as const),
      ),
      wholePeriod: fc.boolean(),
      advanceMs: fc.constantFrom(0, 0, 1, 60_000, DAY_MS, 40 * DAY_MS, 100 * DAY_MS, 400 * DAY_MS),
      endsBatch: fc.boolean(),
    }),
  )
  .map(([what, how]) => ({ ...what, ...how }));
