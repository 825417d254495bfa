import type { Account } from '../identity/account.ts';
import type { StateValue, StateView } from './decision.ts';

/** State key of what an account counts across its taxes and payments: `{ decisions }`, how many decisions it has. */
export function accountKey(account: Account): string {
  let key = KEYS.get(account);
  if (key === undefined) {
    key = `account|${account}`;
    if (KEYS.size >= KEYS_MAX) KEYS.clear();
    KEYS.set(account, key);
  }
  return key;
}

/** Made once for each account, as far as there is room. */
const KEYS = new Map<Account, string>();
const KEYS_MAX = 4_096;

/** How many decisions an account has: the next assessment bears this plus 1. */
export function decisionsOf(account: Account, view: StateView): number {
  return decisionsIn(view.get(accountKey(account)));
}

/** As decisionsOf, of the value under the account's key. */
export function decisionsIn(value: StateValue | undefined): number {
  const decisions = (value as { readonly decisions?: unknown } | undefined)?.decisions;
  return typeof decisions === 'number' ? decisions : 0;
}

/** What is stored once an account has so many decisions. */
export function accountCounter(decisions: number): StateValue {
  return { decisions };
}
