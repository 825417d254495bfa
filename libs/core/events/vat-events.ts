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

/** An adjustment to a return other than a sale or purchase (vat.md sections 6 and 8.4). */
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

export type VatEvent = TillEvent | PurchaseRecorded | VatAdjustmentMade | VatPeriodClosed;
