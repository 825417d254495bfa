import fc from 'fast-check';
import type { LocalDate } from '../../libs/core/calendar/local-date.ts';
import { dateOfDayNumber } from '../../libs/core/calendar/local-date.ts';
import type { Assessment, Rejection, StateChange } from '../../libs/core/decisions/decision.ts';
import { ENTRY_KINDS, type EntryKind } from '../../libs/core/decisions/entry-kinds.ts';
import { HEADS, type Head } from '../../libs/core/decisions/heads.ts';
import type { DecisionOfRecord, LiabilityBody } from '../../libs/core/decisions/liability-message.ts';
import {
  type EmployerClaimsMade,
  NI_CATEGORIES,
  PAY_FREQUENCIES,
  type PayePeriodClosed,
  type PayeSchemeCeased,
  type PaymentMade,
  STUDENT_LOAN_PLANS,
} from '../../libs/core/events/paye-events.ts';
import type { MoneyMoved } from '../../libs/core/events/payment-events.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import {
  type PurchaseRecorded,
  TILL_EVENT_TYPES,
  type TillEvent,
  type TraderDeregistered,
  type TraderRegistered,
  VAT_CADENCES,
  VAT_SCHEMES,
  type VatAdjustmentMade,
  type VatPeriodClosed,
} from '../../libs/core/events/vat-events.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import type { EventId, PersonToken } from '../../libs/core/identity/event-id.ts';
import type { BlocksBody } from '../../libs/core/ledger/block/blocks-message.ts';
import type { Pence } from '../../libs/core/money/pence.ts';

/** Any event that the types allow, sense aside: what a codec must carry. */

const hex = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((array) => Buffer.from(array).toString('hex'));
/** avsc loses the last digit of negative longs beyond 2^52 and refuses some above 2^53 - 2^9: the comparison with it ends before. */
const AVSC_EXACT_MAX = 2 ** 52;
const pence = fc.integer({ min: -AVSC_EXACT_MAX, max: AVSC_EXACT_MAX }) as fc.Arbitrary<Pence>;
const position = fc.nat({ max: AVSC_EXACT_MAX });
const smallPence = fc.integer({ min: -10_000_000, max: 10_000_000 }) as fc.Arbitrary<Pence>;
const money = fc.oneof(smallPence, pence);
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 100 }));
const date: fc.Arbitrary<LocalDate> = fc.integer({ min: 10_000, max: 40_000 }).map(dateOfDayNumber);
const nullable = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | null> => fc.option(arbitrary);
const letters = fc.stringMatching(/^[A-Z0-9]{1,10}$/);
const payeAccount = fc
  .tuple(fc.integer({ min: 0, max: 999 }), letters)
  .map(([office, ref]) => `paye:${String(office).padStart(3, '0')}/${ref}` as Account);
const vatAccount = fc
  .integer({ min: 0, max: 999_999_999 })
  .map((vrn) => `vat:${String(vrn).padStart(9, '0')}` as Account);
const eventId = hex(16) as fc.Arbitrary<EventId>;
const person = hex(16) as fc.Arbitrary<PersonToken>;
const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
const payeHead = { eventId, account: payeAccount, receivedAtMs: time };
const vatHead = { eventId, account: vatAccount, receivedAtMs: time };

const yearToDate = fc.record({
  taxablePayPence: nullable(money),
  incomeTaxPence: nullable(money),
  nicableEarningsByLetter: fc.dictionary(letters, money, { noNullPrototype: true }),
  employeeNicsPence: nullable(money),
  employerNicsPence: nullable(money),
  studentLoanPence: nullable(money),
  postgraduateLoanPence: nullable(money),
});

export const arbitraryPaymentMade: fc.Arbitrary<PaymentMade> = fc.record({
  type: fc.constant('PaymentMade' as const),
  ...payeHead,
  person,
  worksNumber: text,
  paymentDate: date,
  payFrequency: fc.constantFrom(...PAY_FREQUENCIES),
  period: fc.integer({ min: 1, max: 56 }),
  taxCode: text,
  week1Month1: fc.boolean(),
  taxablePayPence: money,
  payrolledBenefitsPence: money,
  nicableEarningsPence: money,
  niCategory: fc.constantFrom(...NI_CATEGORIES),
  studentLoanPlan: nullable(fc.constantFrom(...STUDENT_LOAN_PLANS)),
  postgraduateLoan: fc.boolean(),
  starter: nullable(
    fc.record({
      startDate: nullable(date),
      declaration: nullable(fc.constantFrom('A' as const, 'B' as const, 'C' as const)),
      p45PayPence: nullable(money),
      p45TaxPence: nullable(money),
    }),
  ),
  leavingDate: nullable(date),
  paymentAfterLeaving: fc.boolean(),
  directorsNic: nullable(fc.constantFrom('AN' as const, 'AL' as const)),
  directorAppointedWeek: nullable(fc.integer({ min: 1, max: 53 })),
  onStrike: fc.boolean(),
  irregularEmployment: fc.boolean(),
  oldWorksNumber: nullable(text),
  lateReason: nullable(text),
  terminationAwardPence: money,
  sportingTestimonialPence: money,
  oddIntervalDays: nullable(fc.integer({ min: 1, max: 366 })),
  stated: nullable(
    fc.record({
      incomeTaxPence: nullable(money),
      employeeNicsPence: nullable(money),
      employerNicsPence: nullable(money),
      studentLoanPence: nullable(money),
      postgraduateLoanPence: nullable(money),
      class1aNicsPence: nullable(money),
    }),
  ),
  separateNics: fc.boolean(),
  toDate: nullable(yearToDate),
  openingBalance: nullable(yearToDate),
});

export const arbitraryTillEvent: fc.Arbitrary<TillEvent> = fc.record({
  type: fc.constant('TillEvent' as const),
  ...vatHead,
  tillId: text,
  seq: fc.integer({ min: 1 }),
  prevHash: nullable(hex(32)),
  hash: hex(32),
  tillType: fc.constantFrom(...TILL_EVENT_TYPES),
  occurredAt: text,
  currency: text,
  region: nullable(fc.constantFrom('GB' as const, 'NI' as const)),
  lines: fc.array(
    fc.record({ id: text, category: text, qty: nullable(text), ratePct: nullable(text), paidPence: money }),
    { maxLength: 12 },
  ),
  totalPence: money,
  vatPence: nullable(money),
  payments: fc.array(fc.record({ method: text, amountPence: money }), { maxLength: 3 }),
  originalEventId: nullable(eventId),
  unlinkedReason: nullable(text),
  claimedDate: nullable(date),
});

const claims: fc.Arbitrary<EmployerClaimsMade> = fc.record({
  type: fc.constant('EmployerClaimsMade' as const),
  ...payeHead,
  taxYear: text,
  taxMonth: fc.integer({ min: 1, max: 12 }),
  employmentAllowance: fc.boolean(),
  smallEmployer: fc.boolean(),
  statutoryPayPence: fc.dictionary(letters, money, { noNullPrototype: true }),
  cisSufferedPence: money,
  levyAllowancePence: nullable(money),
  noPayment: fc.boolean(),
});

const schemeCeased: fc.Arbitrary<PayeSchemeCeased> = fc.record({
  type: fc.constant('PayeSchemeCeased' as const),
  ...payeHead,
  ceasedOn: date,
});

const payeClosed: fc.Arbitrary<PayePeriodClosed> = fc.record({
  type: fc.constant('PayePeriodClosed' as const),
  ...payeHead,
  taxYear: text,
  taxMonth: fc.integer({ min: 1, max: 12 }),
});

const purchase: fc.Arbitrary<PurchaseRecorded> = fc.record({
  type: fc.constant('PurchaseRecorded' as const),
  ...vatHead,
  kind: fc.constantFrom('purchase' as const, 'purchase_credit' as const),
  taxPoint: date,
  netPence: money,
  vatPence: money,
  recoverableBasisPoints: fc.integer({ min: 0, max: 10_000 }),
  supplierVrn: nullable(text),
  reference: nullable(text),
});

const adjustment: fc.Arbitrary<VatAdjustmentMade> = fc.record({
  type: fc.constant('VatAdjustmentMade' as const),
  ...vatHead,
  kind: text,
  taxPoint: date,
  netPence: money,
  vatPence: money,
  recoverableBasisPoints: fc.integer({ min: 0, max: 10_000 }),
  reference: nullable(text),
  ratePct: nullable(text),
  costPence: nullable(money),
  dearestItemPence: nullable(money),
});

const registered: fc.Arbitrary<TraderRegistered> = fc.record({
  type: fc.constant('TraderRegistered' as const),
  ...vatHead,
  validFrom: date,
  registeredOn: nullable(date),
  cadence: fc.constantFrom(...VAT_CADENCES),
  annualEndMonth: nullable(fc.integer({ min: 1, max: 12 })),
  scheme: fc.constantFrom(...VAT_SCHEMES),
  flatRateSector: nullable(text),
  limitedCostTest: fc.boolean(),
  majorityRatePct: nullable(text),
  cashAccounting: fc.boolean(),
  interimPayments: fc.constantFrom('none' as const, 'monthly' as const, 'quarterly' as const),
  poundsRule: fc.constantFrom('truncate' as const, 'nearest' as const),
  unpaidOverSixMonths: fc.boolean(),
});

const deregistered: fc.Arbitrary<TraderDeregistered> = fc.record({
  type: fc.constant('TraderDeregistered' as const),
  ...vatHead,
  deregisteredOn: date,
});

const vatClosed: fc.Arbitrary<VatPeriodClosed> = fc.record({
  type: fc.constant('VatPeriodClosed' as const),
  ...vatHead,
  periodStart: date,
  periodEnd: date,
  close: fc.constantFrom('soft' as const, 'hard' as const),
});

const moved: fc.Arbitrary<MoneyMoved> = fc.record({
  type: fc.constant('MoneyMoved' as const),
  eventId,
  account: fc.oneof(payeAccount, vatAccount),
  receivedAtMs: time,
  direction: fc.constantFrom('received' as const, 'repaid' as const),
  amountPence: money,
  bookedOn: date,
  reference: nullable(text),
});

export const arbitraryEvent: fc.Arbitrary<TaxEvent> = fc.oneof(
  arbitraryPaymentMade,
  arbitraryTillEvent,
  claims,
  payeClosed,
  schemeCeased,
  purchase,
  adjustment,
  vatClosed,
  registered,
  deregistered,
  moved,
);

const amounts = fc.array(fc.record({ head: fc.constantFrom(...(Object.keys(HEADS) as Head[])), pence: money }), {
  maxLength: 4,
});

const assessment: fc.Arbitrary<Assessment> = fc.record({
  account: fc.oneof(payeAccount, vatAccount),
  eventId,
  kind: fc.constantFrom(...(Object.keys(ENTRY_KINDS) as EntryKind[])),
  number: fc.integer({ min: 1 }),
  taxPeriod: text,
  basePence: money,
  amounts,
  person: nullable(person),
  links: fc.array(eventId, { maxLength: 2 }),
  flags: fc.array(text, { maxLength: 2 }),
  stated: amounts,
  receivedAtMs: time,
});

const rejection: fc.Arbitrary<Rejection> = fc.record({
  account: nullable(fc.oneof(payeAccount, vatAccount)),
  eventId: nullable(eventId),
  code: text,
  facts: fc.dictionary(letters, text, { noNullPrototype: true, maxKeys: 3 }),
  receivedAtMs: nullable(time),
});

const change: fc.Arbitrary<StateChange> = fc.record({
  key: text,
  value: nullable(fc.dictionary(letters, fc.oneof(fc.integer(), text, fc.boolean()), { noNullPrototype: true })),
});

const decision: fc.Arbitrary<DecisionOfRecord> = fc.record({
  topic: fc.constantFrom('paye.events.v1', 'vat.events.v1', 'payments.v1'),
  offset: position,
  outcome: fc.constantFrom('accepted' as const, 'rejected' as const, 'repeat' as const, 'held' as const),
  results: fc.array(assessment, { maxLength: 2 }),
  rejections: fc.array(rejection, { maxLength: 2 }),
  changes: fc.array(change, { maxLength: 3 }),
});

export const arbitraryLiabilityBody: fc.Arbitrary<LiabilityBody> = fc.record({
  decidedAtMs: time,
  payeRulesHash: hex(32),
  vatRulesHash: hex(32),
  decisions: fc.array(decision, { maxLength: 5 }),
});

export const arbitraryBlocksBody: fc.Arbitrary<BlocksBody> = fc.record({
  blocks: fc.array(
    fc.record({
      account: fc.oneof(payeAccount, vatAccount),
      chain: hex(16),
      header: text,
      totals: text,
      entries: fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 4 }),
    }),
    { maxLength: 4 },
  ),
  checkpoint: nullable(text),
  acknowledged: fc.array(fc.record({ account: vatAccount, chain: hex(16), seq: position, blockHash: hex(32) }), {
    maxLength: 3,
  }),
});

export const arbitraryLink = fc.record({ id: hex(16), previous: hex(16) });
export const arbitraryCovers = fc.array(
  fc.record({ topic: text, partition: fc.nat(100), from: position, next: position }),
  { maxLength: 3 },
);
