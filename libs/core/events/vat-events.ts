import type { LocalDate } from '../calendar/local-date.ts';
import type { Account } from '../identity/account.ts';
import type { EventId } from '../identity/event-id.ts';
import type { Pence } from '../money/pence.ts';

export const TILL_EVENT_TYPES = ['SALE', 'REFUND', 'VOID', 'NO_SALE', 'X_REPORT', 'Z_REPORT'] as const;
export type TillEventType = (typeof TILL_EVENT_TYPES)[number];
export type VatRegion = 'GB' | 'NI';

export interface TillLine {
  readonly id: string;
  /** A code of the category table, or `standard`, `reduced`, `zero`, `exempt`, `outside`. */
  readonly category: string;
  /** Decimal text; information only. */
  readonly qty: string | null;
  /** What the till believes the rate is, as decimal text; checked against the category's. */
  readonly ratePct: string | null;
  /** What was paid for the line after all discounts, VAT included; negative on REFUND and VOID. */
  readonly paidPence: Pence;
}

export interface TenderPayment {
  readonly method: string;
  readonly amountPence: Pence;
}

/** A till event (vat.md section 9), as appended to vat.events.v1. */
export interface TillEvent {
  readonly type: 'TillEvent';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly tillId: string;
  /** 1.. without gap per till. */
  readonly seq: number;
  /** SHA-256 (64 lower-case hex) of the RFC 8785 JSON of the till's event before; null if and only if seq is 1. */
  readonly prevHash: string | null;
  /** SHA-256 of the RFC 8785 JSON of this event as the till sent it, worked out at the door. */
  readonly hash: string;
  readonly tillType: TillEventType;
  /** RFC 3339 with offset, as the till wrote it. */
  readonly occurredAt: string;
  readonly currency: string;
  readonly region: VatRegion | null;
  readonly lines: readonly TillLine[];
  readonly totalPence: Pence;
  /** The VAT that the till printed; information, compared. */
  readonly vatPence: Pence | null;
  readonly payments: readonly TenderPayment[];
  readonly originalEventId: EventId | null;
  readonly unlinkedReason: string | null;
  /** For an unlinked refund: the date the customer claims to have bought, whose rate then applies. */
  readonly claimedDate: LocalDate | null;
}

/** A purchase invoice or a supplier's credit note was entered (vat.events.v1). Amounts of a credit are negative. */
export interface PurchaseRecorded {
  readonly type: 'PurchaseRecorded';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly kind: 'purchase' | 'purchase_credit';
  readonly taxPoint: LocalDate;
  readonly netPence: Pence;
  readonly vatPence: Pence;
  /** Share of the VAT that can be recovered, basis points 0..10000. */
  readonly recoverableBasisPoints: number;
  readonly supplierVrn: string | null;
  readonly reference: string | null;
}

/**
 * An adjustment to a return other than a till's sale or a purchase (vat.md sections 5, 6 and 8.4): kinds and what their amounts mean in
 * libs/core/vat/adjustment-kinds.ts. Amounts are given as the kind says; an entry taken back has them negated.
 */
export interface VatAdjustmentMade {
  readonly type: 'VatAdjustmentMade';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly kind: string;
  readonly taxPoint: LocalDate;
  readonly netPence: Pence;
  readonly vatPence: Pence;
  readonly recoverableBasisPoints: number;
  readonly reference: string | null;
  /** Rate of goods for resale and stock, decimal text (retail schemes); null otherwise. */
  readonly ratePct: string | null;
  /** What an item of the margin scheme was bought for; null otherwise. */
  readonly costPence: Pence | null;
}

/** A VAT period of an account was closed (soft or hard). */
export interface VatPeriodClosed {
  readonly type: 'VatPeriodClosed';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly periodStart: LocalDate;
  readonly periodEnd: LocalDate;
  readonly close: 'soft' | 'hard';
}

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

/** What holds for a trader from a day on, until the next one of these: periods and schemes (vat.md sections 5 and 7.2). */
export interface TraderRegistered {
  readonly type: 'TraderRegistered';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly validFrom: LocalDate;
  /** Effective date of registration: the flat rate scheme's first year counts from it. Null where it is not known. */
  readonly registeredOn: LocalDate | null;
  readonly cadence: VatCadence;
  /** 1..12, for the cadence annual alone. */
  readonly annualEndMonth: number | null;
  readonly scheme: VatScheme;
  /** Flat rate scheme: the sector, as its rate card names it. */
  readonly flatRateSector: string | null;
  /** Flat rate scheme: the limited cost trader test is made (goods are recorded as frs_relevant_goods). */
  readonly limitedCostTest: boolean;
  /** Direct calculation: the rate of the majority of the goods, decimal text. */
  readonly majorityRatePct: string | null;
  /** Cash accounting: invoices count when they are paid. */
  readonly cashAccounting: boolean;
  /** Annual accounting: the interim payments. */
  readonly interimPayments: 'none' | 'monthly' | 'quarterly';
  /** How boxes 6 to 9 become whole pounds. */
  readonly poundsRule: 'truncate' | 'nearest';
  /** Where this ends cash accounting: what is unpaid then counts over six more months as it is paid, and the rest after them. */
  readonly unpaidOverSixMonths: boolean;
}

export type VatEvent = TillEvent | PurchaseRecorded | VatAdjustmentMade | VatPeriodClosed | TraderRegistered;
