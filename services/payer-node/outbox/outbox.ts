import { idConflict } from '../../../libs/adapters/submissions/submissions.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import { type Account, type Tax, taxOf } from '../../../libs/core/identity/account.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import { eventKey, laneKey, partsOfEventKey } from '../store/payer-keys.ts';
import { countOf, type PayerStore } from '../store/payer-store.ts';
import { readUint64 } from '../store/uint64-bytes.ts';
import { watchedSince, watchOnly } from '../withheld/watched-events.ts';
import type { OwnEvents, ReadableEvent, SubmittedEvent } from './own-events.ts';
import { putTillHeads } from './till-heads.ts';

/** Lanes of one tax: requests to the gateway that may be under way beside one another. Fixed: an account's events keep to one lane. */
export const LANES_PER_TAX = 2;
export const LANES: readonly { readonly lane: number; readonly tax: Tax }[] = [
  { lane: 0, tax: 'paye' },
  { lane: 1, tax: 'paye' },
  { lane: 2, tax: 'vat' },
  { lane: 3, tax: 'vat' },
];
/** Events at most in one submission, and in one request to the gateway. */
export const BATCH_EVENTS_MAX = 1_000;
/** Events that may wait in the outbox before it refuses more. */
export const UNSENT_EVENTS_MAX = 5_000_000;

/** Free bytes of the disk below which the outbox refuses more, so that what it holds can still be sent, checked and stored. */
const FREE_BYTES_MIN = 16 * 1024 ** 2;

const RETRIABLE = { retriable: true } as const;

/** What became of a submission: durable in the outbox, or not, event by event. */
export interface SubmitResult {
  readonly queued: number;
  /** Known already, with the same body: nothing to do. */
  readonly repeated: number;
  readonly refused: readonly RefusedSubmission[];
}

export interface RefusedSubmission {
  /** Its place in the submission. */
  readonly index: number;
  readonly eventId: EventId | null;
  readonly faults: readonly Fault[];
}

export interface SubmitOptions {
  readonly whole: boolean;
  readonly mayPost?: (owner: Account) => boolean;
}

export interface OutboxCounts {
  readonly unsent: number;
  readonly receipted: number;
  readonly refused: number;
  readonly decided: number;
  readonly rejected: number;
}

export interface OutboxDependencies {
  readonly store: PayerStore;
  readonly events: OwnEvents;
  /** Called when a lane has work. */
  readonly wake: (lane: number) => void;
  /** Called where there are accounts that this node did not follow before. */
  readonly follow: () => void;
}

/** The payer's outbox: what it holds is durable before anyone is told so, and is sent until a receipt or a refusal is in hand. */
export class Outbox {
  readonly #dependencies: OutboxDependencies;
  readonly #nextPosition: number[];

  constructor(dependencies: OutboxDependencies) {
    this.#dependencies = dependencies;
    this.#nextPosition = LANES.map(({ lane }) => nextPositionOf(dependencies.store, lane));
  }

  /**
   * Takes events of one tax, at most BATCH_EVENTS_MAX, in order. Resolves once they are durable. An event that the door refuses is left
   * out and the others go on; with `whole`, any fault leaves out all. An account for which the sender `mayPost` nothing is a fault.
   * Throws BATCH_TOO_LARGE, OUTBOX_FULL, DISK_FULL (both retriable).
   */
  async submit(tax: Tax, events: readonly unknown[], options: SubmitOptions): Promise<SubmitResult> {
    if (events.length > BATCH_EVENTS_MAX) {
      throw new TallyError('BATCH_TOO_LARGE', `at most ${BATCH_EVENTS_MAX} events at a time`, {
        events: events.length,
      });
    }
    const { store } = this.#dependencies;
    if (countOf(store.unsent) + events.length > UNSENT_EVENTS_MAX) {
      throw new TallyError('OUTBOX_FULL', 'the outbox is full: is the gateway out of reach?', {}, RETRIABLE);
    }
    this.assertRoom();
    const { mayPost } = options;
    const read = this.#dependencies.events
      .read(tax, events)
      .map((event, index) => (event.readable && mayPost?.(event.account) === false ? notYours(event, index) : event));
    const queued = new Set<number>();
    const followed = store.accountCount;
    const result = await store.exclusively(() => this.#take(tax, read, options.whole, queued));
    // Only now can others see what was written.
    for (const lane of queued) this.#dependencies.wake(lane);
    if (store.accountCount > followed) this.#dependencies.follow();
    return result;
  }

  /** Throws DISK_FULL (retriable) where nothing can be taken. */
  assertRoom(): void {
    if (this.#dependencies.store.freeBytes() >= FREE_BYTES_MIN) return;
    const message = 'the disk of the payer node is full: nothing is taken until there is room';
    throw new TallyError('DISK_FULL', message, {}, RETRIABLE);
  }

  /**
   * Sends again the events with a receipt that came at `sinceMs` or later and that are neither in a block nor rejected, of accounts for which the
   * sender `mayPost`: for events that the log lost. The gateway gives the same receipt for what it still holds, so nothing is doubled. Gives how many;
   * resolves once they are durable in the outbox. Throws DISK_FULL (retriable).
   */
  async resend(sinceMs: number, mayPost: (owner: Account) => boolean): Promise<number> {
    this.assertRoom();
    const { store } = this.#dependencies;
    const lanes = new Set<number>();
    const count = await store.exclusively(() => {
      let queued = 0;
      for (const { receipt, events } of watchedSince(store, sinceMs)) {
        const undecided = events.filter((key) => !store.entries.doesExist(key) && !store.rejected.doesExist(key));
        const sent = undecided.filter((key) => store.submitted.doesExist(key) && mayPost(ownerOf(store, key)));
        for (const key of sent) lanes.add(this.#queueAgain(key));
        queued += sent.length;
        // The new receipt puts them under watch again.
        watchOnly(
          store,
          { key: receipt },
          undecided.filter((key) => !sent.includes(key)),
        );
      }
      return queued;
    });
    for (const lane of lanes) this.#dependencies.wake(lane);
    return count;
  }

  counts(): OutboxCounts {
    const { store } = this.#dependencies;
    return {
      unsent: countOf(store.unsent),
      receipted: store.awaitingCount(),
      refused: countOf(store.refused),
      decided: countOf(store.entries),
      rejected: countOf(store.rejected),
    };
  }

  #take(tax: Tax, read: readonly SubmittedEvent[], whole: boolean, queued: Set<number>): SubmitResult {
    const { store, events } = this.#dependencies;
    const refused: RefusedSubmission[] = [];
    const fresh = new Map<string, ReadableEvent>();
    let repeated = 0;
    read.forEach((event, index) => {
      if (!event.readable) {
        refused.push({ index, eventId: event.eventId, faults: event.faults });
        return;
      }
      const place = `${event.account} ${event.eventId}`;
      const known = fresh.get(place)?.text ?? this.#knownText(event.account, event.eventId);
      if (known !== undefined && events.isSame(tax, known, event.text)) repeated += 1;
      else if (event.doubts.length > 0) refused.push({ index, eventId: event.eventId, faults: event.doubts });
      else if (known === undefined) fresh.set(place, event);
      else refused.push({ index, eventId: event.eventId, faults: [idConflict(`/${index}`)] });
    });
    if (whole && refused.length > 0) return { queued: 0, repeated: 0, refused };
    for (const event of fresh.values()) queued.add(this.#queue(event));
    putTillHeads(store, fresh.values());
    return { queued: fresh.size, repeated, refused };
  }

  /** The text under which an event is in the record already; a refused event may be sent again, mended or not. */
  #knownText(owner: Account, id: EventId): string | undefined {
    const { store } = this.#dependencies;
    const known = store.account(owner);
    if (known === undefined) return undefined;
    const key = eventKey(known.number, id);
    return store.refused.doesExist(key) ? undefined : store.submitted.get(key);
  }

  #queue({ account: owner, eventId: id, text }: ReadableEvent): number {
    const { store } = this.#dependencies;
    const followed = store.account(owner) ?? store.addAccount(owner);
    const key = eventKey(followed.number, id);
    void store.submitted.put(key, text);
    if (store.refused.doesExist(key)) void store.refused.remove(key);
    return this.#queueAgain(key);
  }

  /** An event of the record goes to the end of its account's lane, which is given. */
  #queueAgain(key: Buffer): number {
    const { store } = this.#dependencies;
    const lane = laneOf(ownerOf(store, key), partsOfEventKey(key).accountNumber);
    const position = this.#nextPosition[lane] ?? 0;
    this.#nextPosition[lane] = position + 1;
    void store.unsent.put(laneKey(lane, position), key);
    return lane;
  }
}

function ownerOf(store: PayerStore, key: Buffer): Account {
  return store.accountOfNumber(partsOfEventKey(key).accountNumber).account;
}

/** The lane of an account: the same for all of its events, so that they keep their order. */
export function laneOf(owner: Account, accountNumber: number): number {
  const first = taxOf(owner) === 'paye' ? 0 : LANES_PER_TAX;
  return first + (accountNumber % LANES_PER_TAX);
}

function nextPositionOf(store: PayerStore, lane: number): number {
  // Above every position of the lane, and below the first: its own keys alone, position 0 among them.
  const range = { start: laneKey(lane, Number.MAX_SAFE_INTEGER), end: Buffer.of(lane), reverse: true, limit: 1 };
  for (const key of store.unsent.getKeys(range)) return readUint64(key, 1) + 1;
  return 0;
}

function notYours(event: ReadableEvent, index: number): SubmittedEvent {
  const detail = 'the account is not bound to this client';
  const faults = [{ code: 'ACCOUNT_NOT_YOURS', pointer: `/${index}`, detail }];
  return { readable: false, eventId: event.eventId, faults };
}
