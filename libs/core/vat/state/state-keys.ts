import { accountKey } from '../../decisions/account-counter.ts';
import type { Account } from '../../identity/account.ts';

/** Keys of tax's state that nearly every decision on an account reads. */
interface AccountKeys {
  readonly account: Account;
  readonly counter: string;
  readonly trader: string;
  readonly held: string;
  /** Of the period asked for last: nearly every event is of these weeks. */
  periodStart: string;
  period: string;
  /** Of the tills asked for lately. */
  readonly tills: Map<string, string>;
}

const ACCOUNTS_MAX = 4_096;
/** Of one account. */
const TILLS_MAX = 16;
const known = new Map<Account, AccountKeys>();
let last: AccountKeys = keysOf('vat:');

/** Of what an account counts across its taxes (account-counter.ts). */
export function counterKey(account: Account): string {
  return accountKeys(account).counter;
}

export function traderKey(account: Account): string {
  return accountKeys(account).trader;
}

export function heldKey(account: Account): string {
  return accountKeys(account).held;
}

export function periodKey(account: Account, periodStart: string): string {
  const keys = accountKeys(account);
  if (keys.periodStart !== periodStart) {
    keys.periodStart = periodStart;
    keys.period = `vat|${account}|${periodStart}`;
  }
  return keys.period;
}

/** Of a till's chain (till-chain.ts). */
export function tillKey(account: Account, tillId: string): string {
  const { tills } = accountKeys(account);
  const known = tills.get(tillId);
  if (known !== undefined) return known;
  const key = `till|${account}|${tillId}`;
  if (tills.size >= TILLS_MAX) tills.clear();
  tills.set(tillId, key);
  return key;
}

/** Of an event that is remembered, or looked for. The one asked for last is kept: a decision asks for its own event's twice. */
export function eventKey(account: Account, eventId: string): string {
  if (lastEvent.eventId !== eventId || lastEvent.account !== account) {
    lastEvent.account = account;
    lastEvent.eventId = eventId;
    lastEvent.key = `event|${account}|${eventId}`;
  }
  return lastEvent.key;
}

const lastEvent = { account: 'vat:' as Account, eventId: '', key: '' };

/** Made once for each account, as far as there is room: a text that is made anew is hashed anew at each look-up. */
function accountKeys(account: Account): AccountKeys {
  if (last.account === account) return last;
  let keys = known.get(account);
  if (keys === undefined) {
    keys = keysOf(account);
    if (known.size >= ACCOUNTS_MAX) known.clear();
    known.set(account, keys);
  }
  last = keys;
  return keys;
}

function keysOf(account: Account): AccountKeys {
  return {
    account,
    counter: accountKey(account),
    trader: `trader|${account}`,
    held: `held|${account}`,
    periodStart: '',
    period: '',
    tills: new Map(),
  };
}
