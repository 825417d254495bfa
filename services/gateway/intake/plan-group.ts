import { hash as digest } from 'node:crypto';
import { olderEncodings } from '../../../libs/adapters/codec/schema/single-object.ts';
import type { PartitionPosition } from '../../../libs/adapters/event-log/event-log.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { reservationKey } from '../store/reservation.ts';
import type { ReservationStore } from '../store/reservation-store.ts';
import { eventBytes, type UnwritableEvent, unwritable } from './event-bytes.ts';
import type { IssuedReceipt, ReceiptedEvent, ReceiptPaths } from './issue-receipt.ts';
import type { PreparedEvent } from './prepared-event.ts';

/** What became of a request. Nothing of it was appended where it has conflicts or events that cannot be written; some of it may have been where the log is unavailable. */
export type TakeResult =
  | { readonly kind: 'taken'; readonly receipts: readonly IssuedReceipt[]; readonly fresh: readonly PreparedEvent[] }
  | { readonly kind: 'conflicts'; readonly indexes: readonly number[] }
  | { readonly kind: 'unwritable'; readonly events: readonly UnwritableEvent[] }
  | { readonly kind: 'unavailable'; readonly cause: unknown };

/** A request that waits for its answer. */
export interface Waiting {
  readonly events: readonly PreparedEvent[];
  readonly paths: ReceiptPaths;
  readonly answer: (result: TakeResult) => void;
}

/** An event of the group under way, whichever of its requests named it first. */
export interface Entry extends ReceiptedEvent {
  readonly key: Buffer;
  readonly prepared: PreparedEvent;
  receipt: number;
  index: number;
  readonly receivedAtMs: number;
  /** What is to be appended, exactly. */
  readonly bytes: Buffer;
  appended: boolean;
}

/** What is to be done with a request. */
export interface Plan {
  readonly waiting: Waiting;
  readonly conflicts: number[];
  readonly unwritable: UnwritableEvent[];
  /** Each event of the request once. */
  readonly entries: Entry[];
  readonly fresh: Entry[];
}

/** A receipt whose events may not all be in the log, as the store has it. */
export interface OpenReceipt {
  readonly from: readonly PartitionPosition[];
  readonly appended: Set<number>;
  readonly size: number;
}

/** In place of a receipt number: the event was never seen. */
export const NEW = -1;
/** In place of a receipt number: the reservation was rebuilt from the log and has no receipt yet. */
export const REBUILT = 0;

/** The entry where the event is the same to the byte, by the entry's time of receipt; null for another event under its id. */
function sameOrNull(entry: Entry, prepared: PreparedEvent): Entry | null {
  const bytes = eventBytes(prepared, entry.receivedAtMs);
  const same = hashOf(bytes) === entry.hash || olderEncodings(bytes).some((older) => hashOf(older) === entry.hash);
  return same ? entry : null;
}

/** Whether the request may be taken: it is whole or not at all. */
export function isWhole(plan: Plan): boolean {
  return plan.conflicts.length === 0 && plan.unwritable.length === 0;
}

/** Says what each event of a group of requests is, by the store and by the requests before it in the group. */
export class GroupPlanner {
  readonly #store: ReservationStore;
  readonly #clock: CivilClock;
  readonly #open: ReadonlyMap<number, OpenReceipt>;

  /** @param open the receipts whose events may not all be in the log; the caller goes on changing it. */
  constructor(store: ReservationStore, clock: CivilClock, open: ReadonlyMap<number, OpenReceipt>) {
    this.#store = store;
    this.#clock = clock;
    this.#open = open;
  }

  /** What each event of a request is: new, known and in the log, known and still to be appended, or another under a known id. */
  plan(waiting: Waiting, group: Map<string, Entry>): Plan {
    const plan: Plan = { waiting, conflicts: [], unwritable: [], entries: [], fresh: [] };
    const own = new Map<string, Entry>();
    const civilMs = this.#clock.civilMs();
    for (const prepared of waiting.events) {
      try {
        this.#planOne(prepared, plan, own, group, civilMs);
      } catch (error) {
        const fault = unwritable(prepared, error);
        if (fault === null) throw error;
        plan.unwritable.push(fault);
      }
    }
    if (isWhole(plan)) for (const [name, entry] of own) group.set(name, entry);
    return plan;
  }

  #planOne(
    prepared: PreparedEvent,
    plan: Plan,
    own: Map<string, Entry>,
    group: ReadonlyMap<string, Entry>,
    civilMs: number,
  ): void {
    const { account, eventId } = prepared.draft.event;
    const name = `${account} ${eventId}`;
    const before = own.get(name) ?? group.get(name);
    const entry = before === undefined ? this.find(prepared, civilMs) : sameOrNull(before, prepared);
    if (entry === null) {
      plan.conflicts.push(prepared.draft.index);
    } else if (!own.has(name)) {
      own.set(name, entry);
      plan.entries.push(entry);
      if (before === undefined && entry.receipt === NEW) plan.fresh.push(entry);
    }
  }

  /** The entry of an event: as it is known, or new. Null where another event is known under its id. Throws where the event cannot be written. */
  find(prepared: PreparedEvent, civilMs: number): Entry | null {
    const { draft, person } = prepared;
    const { account, eventId } = draft.event;
    const key = reservationKey(account, eventId);
    const known = this.#store.reservation(key);
    const receivedAtMs = known?.receivedAtMs ?? civilMs;
    const bytes = eventBytes(prepared, receivedAtMs);
    const hash = hashOf(bytes);
    const base = { key, prepared, account, eventId, person, receivedAtMs };
    if (known === null) return { ...base, bytes, hash, receipt: NEW, index: 0, appended: false };
    const reserved =
      known.hash === hash ? bytes : (olderEncodings(bytes).find((older) => hashOf(older) === known.hash) ?? null);
    if (reserved === null) return null;
    const open = this.#open.get(known.receipt);
    const appended = open === undefined || open.appended.has(known.index);
    return { ...base, bytes: reserved, hash: known.hash, receipt: known.receipt, index: known.index, appended };
  }
}

function hashOf(bytes: Buffer): string {
  return digest('sha256', bytes, 'hex');
}
