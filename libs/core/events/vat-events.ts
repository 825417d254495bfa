import {
  added,
  code,
  count,
  date,
  defineEvent,
  type EventOf,
  eventHead,
  flag,
  hex,
  id,
  list,
  money,
  nullable,
  record,
  text,
  type ValuesOf,
  whole,
} from './field.ts';

export const TILL_EVENT_TYPES = ['SALE', 'REFUND', 'VOID', 'NO_SALE', 'X_REPORT', 'Z_REPORT'] as const;
export type TillEventType = (typeof TILL_EVENT_TYPES)[number];
const VAT_REGIONS = ['GB', 'NI'] as const;
export type VatRegion = (typeof VAT_REGIONS)[number];

const head = eventHead('The trader: `vat:<VAT registration number>`.');

const lineFields = {
  id: text('The line’s own id within the event.'),
  category: text('A code of the category table, or `standard`, `reduced`, `zero`, `exempt`, `outside`.'),
  qty: nullable(text('Decimal text; information only.')),
  ratePct: nullable(text('What the till believes the rate is, as decimal text; checked against the category’s.')),
  paidPence: money('What was paid for the line after all discounts, VAT included; negative on REFUND and VOID.'),
};
export type TillLine = ValuesOf<typeof lineFields>;

const tenderFields = {
  method: text('How it was paid: `card`, `cash` …'),
  amountPence: money('Amount paid in this way.'),
};
export type TenderPayment = ValuesOf<typeof tenderFields>;

/** A till event, as appended to vat.events.v1. */
export const tillEvent = defineEvent({
  type: 'TillEvent',
  schema: 'till-event.v1',
  fields: {
    ...head,
    tillId: text('The till within the account.'),
    seq: whole('The till’s own count of its events: 1, 2, 3 … without gap.'),
    prevHash: nullable(
      hex(32, 'Sha256', 'SHA-256 of the RFC 8785 JSON of the till’s event before; absent if and only if seq is 1.'),
    ),
    hash: hex(32, 'Sha256', 'SHA-256 of the RFC 8785 JSON of this event as the till sent it, worked out at the door.'),
    tillType: code(TILL_EVENT_TYPES, 'What happened at the till.'),
    occurredAt: text('RFC 3339 time with offset, as the till wrote it.'),
    currency: text('ISO 4217; `GBP`.'),
    region: nullable(code(VAT_REGIONS, 'Great Britain or Northern Ireland.')),
    lines: list(record('TillLine', lineFields, 'What was sold, line by line.')),
    totalPence: money('Sum of the lines.'),
    vatPence: nullable(money('The VAT that the till printed; information, compared.')),
    payments: list(record('TenderPayment', tenderFields, 'How it was paid.')),
    originalEventId: nullable(id('The sale that a refund or void undoes.')),
    unlinkedReason: nullable(text('Why a refund names no sale.')),
    claimedDate: nullable(
      date('For an unlinked refund: the date on which the customer claims to have bought, whose rate then applies.'),
    ),
  },
});
export type TillEvent = EventOf<typeof tillEvent>;

/** A purchase invoice or a supplier's credit note was entered. Amounts of a credit are negative. */
export const purchaseRecorded = defineEvent({
  type: 'PurchaseRecorded',
  schema: 'purchase-recorded.v1',
  fields: {
    ...head,
    kind: code(['purchase', 'purchase_credit'], 'A purchase, or a supplier’s credit note.'),
    taxPoint: date('Tax point of the invoice.'),
    netPence: money('Net amount; negative on a credit.'),
    vatPence: money('VAT of the invoice; negative on a credit.'),
    recoverableBasisPoints: count('Share of the VAT that can be recovered, basis points 0 to 10,000.'),
    supplierVrn: nullable(text('The supplier’s VAT registration number.')),
    reference: nullable(text('The sender’s reference.')),
  },
});
export type PurchaseRecorded = EventOf<typeof purchaseRecorded>;

/**
 * An adjustment to a return other than a till's sale or a purchase: its kinds, and what their amounts mean, are in
 * libs/core/vat/return/adjustment-kinds.ts. Amounts are given as the kind says; an entry taken back has them negated.
 */
export const vatAdjustmentMade = defineEvent({
  type: 'VatAdjustmentMade',
  schema: 'vat-adjustment-made.v1',
  fields: {
    ...head,
    kind: text('Kind of the adjustment.'),
    taxPoint: date('The day whose period it belongs to.'),
    netPence: money('Net amount, as the kind says.'),
    vatPence: money('VAT, as the kind says.'),
    recoverableBasisPoints: count('Share of the VAT that can be recovered, basis points 0 to 10,000.'),
    reference: nullable(text('The sender’s reference.')),
    ratePct: nullable(text('Rate of goods for resale and stock (retail schemes), decimal text.')),
    costPence: nullable(money('What an item of the margin scheme was bought for.')),
    dearestItemPence: nullable(money('What the dearest item of a purchase for the margin scheme’s pool cost.')),
  },
});
export type VatAdjustmentMade = EventOf<typeof vatAdjustmentMade>;

/** A VAT period of an account was closed. */
export const vatPeriodClosed = defineEvent({
  type: 'VatPeriodClosed',
  schema: 'vat-period-closed.v1',
  fields: {
    ...head,
    periodStart: date('First day of the period.'),
    periodEnd: date('Last day of the period.'),
    close: code(['soft', 'hard'], 'Soft: what comes late is still taken, and flagged. Hard: nothing more is taken.'),
  },
});
export type VatPeriodClosed = EventOf<typeof vatPeriodClosed>;

export const VAT_CADENCES = ['stagger1', 'stagger2', 'stagger3', 'monthly', 'annual'] as const;
/** Which periods a trader accounts for (vat.md 7.2). */
export type VatCadence = (typeof VAT_CADENCES)[number];

export const VAT_SCHEMES = [
  'pointOfSale',
  'apportionment1',
  'apportionment2',
  'directCalculation1',
  'directCalculation2',
  'flatRate',
] as const;
/** How takings become VAT (vat.md section 5). */
export type VatScheme = (typeof VAT_SCHEMES)[number];

/** What holds for a trader from a day on, until the next one of these: periods and schemes. */
export const traderRegistered = defineEvent({
  type: 'TraderRegistered',
  schema: 'trader-registered.v1',
  fields: {
    ...head,
    validFrom: date('First day on which this holds.'),
    registeredOn: nullable(
      date(
        'Effective date of registration: the flat rate scheme’s first year counts from it. Absent where it is not known.',
      ),
    ),
    cadence: code(VAT_CADENCES, 'Which periods the trader accounts for.'),
    annualEndMonth: nullable(count('Month in which the year ends, 1 to 12; for the cadence annual alone.')),
    scheme: code(VAT_SCHEMES, 'How takings become VAT.'),
    flatRateSector: nullable(text('Flat rate scheme: the sector, as its rate card names it.')),
    limitedCostTest: flag(
      'Flat rate scheme: the limited cost trader test is made (goods are recorded as frs_relevant_goods).',
    ),
    majorityRatePct: nullable(text('Direct calculation: the rate of the majority of the goods, decimal text.')),
    cashAccounting: flag('Cash accounting: invoices count when they are paid.'),
    interimPayments: code(['none', 'monthly', 'quarterly'], 'Annual accounting: the interim payments.'),
    poundsRule: code(['truncate', 'nearest'], 'How boxes 6 to 9 become whole pounds.'),
    unpaidOverSixMonths: added(
      false,
      flag(
        'Where this ends cash accounting: what is unpaid then counts over six more months as it is paid, and the rest after them.',
      ),
    ),
  },
});
export type TraderRegistered = EventOf<typeof traderRegistered>;

/** A trader's registration ends: no period opens after it. */
export const traderDeregistered = defineEvent({
  type: 'TraderDeregistered',
  schema: 'trader-deregistered.v1',
  fields: {
    ...head,
    deregisteredOn: date('Effective date of deregistration: the last day in the registration.'),
  },
});
export type TraderDeregistered = EventOf<typeof traderDeregistered>;

export type VatEvent =
  | TillEvent
  | PurchaseRecorded
  | VatAdjustmentMade
  | VatPeriodClosed
  | TraderRegistered
  | TraderDeregistered;
