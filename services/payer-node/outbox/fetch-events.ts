import type { GatewayClient, GivenEvents } from '../../../libs/adapters/http/gateway-client.ts';
import { WakeSignal } from '../../../libs/adapters/time/wake-signal.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import { accountKey, eventKey } from '../store/payer-keys.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readUint64, uint64Bytes } from '../store/uint64-bytes.ts';
import type { ReceiptChecker } from './check-receipts.ts';
import { saveReceipts } from './save-receipts.ts';

export interface EventFetcherDependencies {
  readonly store: PayerStore;
  readonly gateway: GatewayClient;
  readonly receipts: ReceiptChecker;
  /** The time of the node that receipts and pulls are held against (steadyTime). */
  readonly steadyMs: () => number;
  readonly onFault: (fault: TallyError) => void;
  /** Reports events of other senders that were checked and stored just now. */
  readonly onFetched: (events: number) => void;
}

interface SoughtEvent {
  readonly id: EventId;
  /** Whether the gateway has it. */
  readonly answer: (isThere: boolean) => void;
}

const IDLE_WAIT_MS = 1_000;
const RETRY_MS = 5_000;

/**
 * Fetches from the gateway what this node has no record of: events that another sender posted for the same account, and all events of a node
 * that lost its store. Each is taken only with the gateway's receipt for the very bytes.
 */
export class EventFetcher {
  readonly #dependencies: EventFetcherDependencies;
  readonly #bell = new WakeSignal();
  /** By the number of the account. */
  readonly #sought = new Map<number, SoughtEvent[]>();

  constructor(dependencies: EventFetcherDependencies) {
    this.#dependencies = dependencies;
  }

  /**
   * Whether the gateway has taken an event of the account, which is then stored. Resolves once the gateway's list was read to an end that lies
   * after this call: as long as the gateway does not answer, it is asked again.
   */
  find(accountNumber: number, id: EventId): Promise<boolean> {
    return new Promise((answer) => {
      const before = this.#sought.get(accountNumber);
      if (before === undefined) this.#sought.set(accountNumber, [{ id, answer }]);
      else before.push({ id, answer });
      this.#bell.notify();
    });
  }

  /** Runs until the signal aborts. Throws only where the store fails. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const isAnswered = await this.#fetchSought(signal);
      if (!isAnswered) await this.#pause(signal);
      else if (this.#sought.size === 0) await this.#bell.wait(IDLE_WAIT_MS, signal);
    }
  }

  /** Fetches for each account of which something is sought; whether the gateway answered for all of them. */
  async #fetchSought(signal: AbortSignal): Promise<boolean> {
    for (const [number, sought] of [...this.#sought]) {
      if (signal.aborted) return true;
      // What is sought from here on is answered by the next reading of the list.
      this.#sought.delete(number);
      try {
        await this.#fetch(number, sought, signal);
      } catch (error) {
        if (!(error instanceof TallyError) || !error.retriable) throw error;
        this.#sought.set(number, [...sought, ...(this.#sought.get(number) ?? [])]);
        this.#dependencies.onFault(error);
        return false;
      }
    }
    return true;
  }

  async #fetch(accountNumber: number, sought: readonly SoughtEvent[], signal: AbortSignal): Promise<void> {
    const { store } = this.#dependencies;
    const followed = store.accountOfNumber(accountNumber);
    const isThere = ({ id }: SoughtEvent): boolean => store.appended.doesExist(eventKey(accountNumber, id));
    const from = fetchedTo(store, accountNumber);
    try {
      await this.#readList(followed, from, signal);
      // A log that was restored since may have put an event before the place that was reached.
      if (from > 0 && !sought.every(isThere)) await this.#readList(followed, 0, signal);
    } catch (error) {
      // What cannot be proven was not taken: the chain then stops with a report.
      if (!hasCode(error, 'RECEIPT_INVALID')) throw error;
      this.#dependencies.onFault(error);
    }
    if (signal.aborted) return;
    for (const one of sought) one.answer(isThere(one));
  }

  /** Reads the account's list from a position to its end. */
  async #readList(followed: FollowedAccount, start: number, signal: AbortSignal): Promise<void> {
    for (let from: number | null = start; from !== null && !signal.aborted; ) {
      const page = await this.#pageOf(followed, from);
      await this.#save(followed, page);
      from = page.more ? page.next : null;
    }
  }

  async #pageOf(followed: FollowedAccount, from: number): Promise<GivenEvents> {
    const { gateway, onFault } = this.#dependencies;
    try {
      return await gateway.eventsOf(followed.account, from);
    } catch (error) {
      if (!hasCode(error, 'ACCOUNT_NOT_YOURS')) throw error;
      // The gateway gives this node nothing of the account: what is sought is not to be had.
      onFault(error);
      return { receipts: [], next: from, more: false };
    }
  }

  async #save(followed: FollowedAccount, page: GivenEvents): Promise<void> {
    const { store, receipts, steadyMs, onFetched } = this.#dependencies;
    const checked = receipts.checkGiven(followed.account, page.receipts);
    const fetched = await store.exclusively(() => {
      const events = checked.events.filter(({ eventKey: key }) => !store.appended.doesExist(key));
      const keys = new Set(events.map(({ receiptKey }) => receiptKey.toString('latin1')));
      const wanted = checked.receipts.filter(({ key }) => keys.has(key.toString('latin1')));
      saveReceipts(store, { receipts: wanted, events }, steadyMs());
      void store.fetched.put(accountKey(followed.number), uint64Bytes(page.next));
      return events.length;
    });
    if (fetched > 0) onFetched(fetched);
  }

  async #pause(signal: AbortSignal): Promise<void> {
    await new WakeSignal().wait(RETRY_MS, signal);
  }
}

/** The position in the gateway's list of an account up to which it was read. */
function fetchedTo(store: PayerStore, accountNumber: number): number {
  const value = store.fetched.get(accountKey(accountNumber));
  return value === undefined ? 0 : readUint64(value, 0);
}
