import type { EventId } from '../../../libs/core/identity/event-id.ts';

export interface UnknownEventsDependencies {
  /** Whether the gateway has taken the event, which is then in this node's record (EventFetcher). */
  readonly find: (accountNumber: number, id: EventId) => Promise<boolean>;
  /** Called when an answer about an account has come. */
  readonly onAnswer: (accountNumber: number) => void;
}

/**
 * Events that the ledger names and this node has no record of. Another sender may have posted them: each is sought at the gateway before it is
 * held against the ledger.
 */
export class UnknownEvents {
  readonly #dependencies: UnknownEventsDependencies;
  /** By the number of the account. */
  readonly #sought = new Map<number, Map<EventId, 'awaited' | 'absent'>>();

  constructor(dependencies: UnknownEventsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Whether the gateway has not answered yet: it is asked at the first call. False once it has said that it never took the event. */
  isAwaited(accountNumber: number, id: EventId): boolean {
    const ofAccount = this.#sought.get(accountNumber) ?? new Map<EventId, 'awaited' | 'absent'>();
    this.#sought.set(accountNumber, ofAccount);
    const known = ofAccount.get(id);
    if (known !== undefined) return known === 'awaited';
    ofAccount.set(id, 'awaited');
    void this.#dependencies.find(accountNumber, id).then((isThere) => {
      if (isThere) ofAccount.delete(id);
      else ofAccount.set(id, 'absent');
      this.#dependencies.onAnswer(accountNumber);
    });
    return true;
  }

  /** Has the gateway asked anew about the events of an account that it did not have. */
  forget(accountNumber: number): void {
    this.#sought.delete(accountNumber);
  }
}
