import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { LedgerStore } from '../store/ledger-store.ts';
import { servedCheckpoint } from './answer-pull.ts';
import { PULL_LIMITS } from './pull-limits.ts';

/** Which chains of a payer's have blocks in a part of the log. */
export interface ChainChanges {
  /** The log was looked through up to here, not included: ask again from here. */
  readonly to: number;
  /** Size of the newest checkpoint that is served. */
  readonly size: number;
  /** Each once, 32 lower-case hex. */
  readonly chains: readonly string[];
}

/** Places of the log read before others may use the event loop. */
const PLACES_PER_TURN = 2_000;

/**
 * The chains of blocks from a place in the log up to the served checkpoint, of accounts that the caller may have; at most
 * PULL_LIMITS.changesMax places at a time. A `from` beyond the checkpoint gives nothing: the pull says what is wrong.
 */
export async function listChanges(
  from: number,
  dependencies: { readonly store: LedgerStore; readonly mayHave: (account: Account) => boolean },
): Promise<ChainChanges> {
  const { store, mayHave } = dependencies;
  const size = servedCheckpoint(store)?.size ?? 0;
  const to = Math.max(from, Math.min(size, from + PULL_LIMITS.changesMax));
  const numbers = new Set<number>();
  for (let index = from; index < to; index += 1) {
    const number = store.committedChainNumberAt(index);
    if (number !== undefined) numbers.add(number);
    if ((index - from) % PLACES_PER_TURN === PLACES_PER_TURN - 1) await nextTurn();
  }
  const chains: string[] = [];
  for (const number of numbers) {
    const { account, chain } = store.committedIdentity(number);
    if (mayHave(account)) chains.push(chain);
  }
  return { to, size, chains };
}
