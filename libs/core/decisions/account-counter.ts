import type { Account } from '../identity/account.ts';
import type { StateValue, StateView } from './decision.ts';

/** State key of what is known of an account across its taxes and payments: `decisions`, how many it has; `ceasedOn` of a PAYE scheme that ceased. */
export function accountKey(account: Account): string {
  let key = keysCache.get(account);
  if (key === undefined) {
    key = `account|${account}`;
    if (keysCache.size >= CACHE_MAX) keysCache.clear();
    keysCache.set(account, key);
  }
  return key;
}

/** Made once for each account, as far as there is room. */
const keysCache = new Map<Account, string>();
const CACHE_MAX = 4_096;

/** How many decisions an account has: the next assessment bears this plus 1. */
export function decisionsOf(account: Account, view: StateView): number {
  return decisionsIn(view.get(accountKey(account)));
}

/** As decisionsOf, of the value under the account's key. */
export function decisionsIn(value: StateValue | undefined): number {
  const decisions = (value as { readonly decisions?: unknown } | undefined)?.decisions;
  return typeof decisions === 'number' ? decisions : 0;
}

/** What is stored after a decision of this number; what else is known of the account stays as it was `before`. */
export function accountCounter(decisions: number, before?: StateValue): StateValue {
  return before === undefined ? { decisions } : { ...before, decisions };
}
