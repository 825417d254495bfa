import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { ReadMessage } from './input-progress.ts';

/** An account whose decisions the ledger cannot make entries or a block of, and where the first of them stands. */
export interface HeldAccount {
  readonly account: Account;
  /** Code of what was thrown; RULES_FAILED where it is no error of this house. */
  readonly code: string;
  /** Number of the first decision that waits. */
  readonly number: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/**
 * Accounts that are held alone while all others go on. What is held is in no store: the message of an account's first decision that waits stays
 * uncovered, so that the ledger reads from it again at each start or take, and goes on with the account by itself once a release can.
 * It costs that reading, and some bytes for each message read meanwhile.
 */
export class HeldAccounts {
  #held = new Map<Account, HeldAccount>();

  has(account: Account): boolean {
    return this.#held.size > 0 && this.#held.has(account);
  }

  get all(): readonly HeldAccount[] {
    return [...this.#held.values()];
  }

  /** Holds the account from this decision on, which came in the message; gives what is to be told. */
  hold(account: Account, number: number, source: ReadMessage, error: unknown): HeldAccount {
    source.pins += 1;
    const code = error instanceof TallyError ? error.code : 'RULES_FAILED';
    const { topic, partition } = source.track;
    const held = { account, code, number, topic, partition, offset: source.offset };
    this.#held.set(account, held);
    return held;
  }

  /** Everything is read again from what is covered. */
  clear(): void {
    this.#held = new Map();
  }
}
