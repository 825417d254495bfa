import type { Account } from '../identity/account.ts';
import type { StateValue, StateView } from './decision.ts';

/** State key of what an account counts across its taxes and payments: `{ decisions }`, how many decisions it has. */
export function accountKey(account: Account): string {
  return `account|${account}`;
}

/** How many decisions an account has: the next assessment bears this plus 1. */
export function decisionsOf(account: Account, view: StateView): number {
  const value = view.get(accountKey(account)) as { readonly decisions?: unknown } | undefined;
  return typeof value?.decisions === 'number' ? value.decisions : 0;
}

/** What is stored once an account has so many decisions. */
export function accountCounter(decisions: number): StateValue {
  return { decisions };
}
