import type { ReconciliationState } from './reconciliation-state.ts';
import { type AccountItem, inOrder, type PeriodItem } from './tables.ts';
import { newTally } from './tally.ts';

/** Keys of the tables, and what stands there before anything was put. */
export function eventKey(topic: string, partition: number, offset: number): string {
  return `${topic}/${inOrder(partition)}/${inOrder(offset)}`;
}

export function decisionKey(account: string, number: number): string {
  return `${account}|${inOrder(number)}`;
}

export function heldKey(account: string | null, eventId: string | null): string {
  return `${account}|${eventId}`;
}

export function blockKey(chain: string, seq: number): string {
  return `${chain}|${inOrder(seq)}`;
}

export function periodKey(account: string, taxPeriod: string): string {
  return `${account}|${taxPeriod}`;
}

export function accountItem(books: ReconciliationState, account: string): AccountItem {
  return books.tables.accounts.get(account) ?? [0, null];
}

export function periodItem(books: ReconciliationState, account: string, taxPeriod: string): PeriodItem {
  return books.tables.periods.get(periodKey(account, taxPeriod)) ?? [newTally(), newTally()];
}

export function tillKey(account: string, tillId: string): string {
  return `${account}|${tillId}`;
}
