import type { Account } from '../identity/account.ts';
import type { EventId, PersonToken } from '../identity/event-id.ts';
import type { Pence } from '../money/pence.ts';
import type { EntryKind } from './entry-kinds.ts';
import type { Head } from './heads.ts';

export interface HeadAmount {
  readonly head: Head;
  readonly pence: Pence;
}

/**
 * What tax made of one accepted event: exactly one ledger entry comes of it (amounts may be empty, for a no-sale or a report).
 */
export interface Assessment {
  readonly account: Account;
  readonly eventId: EventId;
  readonly kind: EntryKind;
  /** Number of the decision within the account: 1, 2, 3 … without gap, in the order of the entries. */
  readonly number: number;
  /** `2026-27/M08` for PAYE, `2026-10-01/2026-12-31` for VAT, '' where none applies (a payment of money). */
  readonly taxPeriod: string;
  /** Taxable base: taxable pay, VAT-inclusive takings (signed), net purchases; 0 where none. */
  readonly basePence: Pence;
  /**
   * Signed: what is owed is positive under its head, what reduces it negative (a refund's outputVat, recoverable inputVat).
   * Head `payment`: received positive, repaid negative. Zero amounts are left out; heads in the order of their numbers, each once.
   */
  readonly amounts: readonly HeadAmount[];
  readonly person: PersonToken | null;
  /** Event ids of earlier entries that this one refers to (the sale of a refund). */
  readonly links: readonly EventId[];
  /** Codes that do not refuse: E_SEQ_GAP, E_CHAIN_BROKEN, UNLINKED_REFUND … */
  readonly flags: readonly string[];
  /** What the payer itself stated by head; a difference is a reconciliation item. */
  readonly stated: readonly HeadAmount[];
  /** Copied from the event. */
  readonly receivedAtMs: number;
}

export interface Rejection {
  /** Null where the record could not be read that far. */
  readonly account: Account | null;
  readonly eventId: EventId | null;
  readonly code: string;
  /** Typed facts for people, never the value of a personal field. Values are short texts. */
  readonly facts: Readonly<Record<string, string>>;
  readonly receivedAtMs: number | null;
}

/** A key of tax's state and its new value; null removes it. Values are immutable plain JSON values. */
export interface StateChange {
  readonly key: string;
  readonly value: StateValue | null;
  /** The value as JSON, where somebody printed it already: it goes into the log, the store and the reckoning of sizes. */
  readonly text?: string;
}
export type StateValue = Readonly<Record<string, unknown>> | readonly unknown[];

/**
 * Reads of tax's state during a decision. A key that is not at hand may make `get` throw a signal of the stage, which loads the key
 * and decides again from the start: so a decision catches nothing, changes nothing outside itself and may be run more than once.
 */
export interface StateView {
  get(key: string): StateValue | undefined;
}

/**
 * One decision per input record, once. `held`: an event that waits for another (a refund before its sale); it becomes a result or
 * a rejection in the decision of a later record. `repeat`: the same event again; nothing happens.
 */
export interface Decision {
  readonly outcome: 'accepted' | 'rejected' | 'repeat' | 'held';
  /** The event of the record itself and then those that it released. */
  readonly results: readonly Assessment[];
  readonly rejections: readonly Rejection[];
  readonly changes: readonly StateChange[];
}
