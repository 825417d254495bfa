import type { Tax } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';

/**
 * A table of the reconciliation's own store: plain values by key, never changed once put. Reads see every put at once; `scan` sees what was
 * committed.
 */
export interface Table<Value> {
  get(key: string): Value | undefined;
  put(key: string, value: Value): void;
  /** As put, of a key that is known not to be there: what comes and goes between two commits then never touches the disk. */
  insert(key: string, value: Value): void;
  remove(key: string): void;
  /** Committed rows with from <= key < until, in the order of their keys. */
  scan(from: string, until: string): Iterable<readonly [key: string, value: Value]>;
}

/** An accepted event without a decision, by position. Account and id are null where the record could not be read that far. */
export type EventItem = readonly [
  tax: Tax,
  account: string | null,
  eventId: string | null,
  basePence: number,
  receivedAtMs: number,
];

/** A decision without an entry in HMRC's copy, by account and number. */
export type DecisionItem = readonly [eventId: string, receivedAtMs: number, tally: readonly PenceSum[]];

/** A held event, by account and event id. */
export type HeldItem = readonly [basePence: number, receivedAtMs: number];

/** A block that its payer has not acknowledged, by chain and seq. */
export type BlockItem = readonly [
  blockHash: string,
  closedAtMs: number,
  /** What of it was received in which second. */
  groups: readonly (readonly [second: number, tally: readonly PenceSum[]])[],
  /** Receipt of each of its entries that has one, milliseconds. */
  receivedAtMs: readonly number[],
];

/** Where a chain stands in HMRC's copy, and up to where its payer has the same. */
export interface ChainItem {
  readonly head: ChainHead;
  /** -1 before the payer acknowledged anything. */
  readonly acknowledgedSeq: number;
  readonly acknowledgedHash: string;
}

/** What is known of an account: the number of its last decision read, and its chain once it has one. */
export type AccountItem = readonly [decided: number, chain: string | null];

/** One tax period of an account: as decided and as in HMRC's copy. */
export type PeriodItem = readonly [decided: readonly PenceSum[], hmrcCopy: readonly PenceSum[]];

/** Numbers of a till: the next expected and the ranges not seen. */
export type TillItem = readonly [next: number, missing: readonly (readonly [from: number, to: number])[]];

/** A copy that differs: who found it, where, and how. */
export interface DivergentItem {
  readonly chain: string;
  readonly seq: number;
  readonly code: string;
  readonly atMs: number;
}

export interface ExceptionItem {
  readonly account: string | null;
  readonly eventId: string | null;
  readonly code: string;
  readonly stage: Stage;
  readonly detail: string;
  readonly atMs: number;
}

export const STAGES = ['decision', 'hmrcCopy', 'payerCopy'] as const;
export type Stage = (typeof STAGES)[number];

/** Every table of the store. */
export interface Tables {
  readonly events: Table<EventItem>;
  readonly decisions: Table<DecisionItem>;
  readonly held: Table<HeldItem>;
  readonly blocks: Table<BlockItem>;
  readonly chains: Table<ChainItem>;
  readonly accounts: Table<AccountItem>;
  readonly periods: Table<PeriodItem>;
  readonly tills: Table<TillItem>;
  readonly divergent: Table<DivergentItem>;
  readonly exceptions: Table<ExceptionItem>;
}

export const TABLE_NAMES = [
  'events',
  'decisions',
  'held',
  'blocks',
  'chains',
  'accounts',
  'periods',
  'tills',
  'divergent',
  'exceptions',
] as const satisfies readonly (keyof Tables)[];

const NUMBER_DIGITS = 16;

/** A whole number as text of one length, so that keys stand in its order. */
export function inOrder(value: number): string {
  return String(value).padStart(NUMBER_DIGITS, '0');
}

/** Above every key that begins with a prefix (keys are ASCII). */
export function afterPrefix(prefix: string): string {
  return `${prefix}\u007f`;
}
