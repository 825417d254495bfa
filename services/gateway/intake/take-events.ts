import { topicOfType } from '../../../libs/adapters/codec/event-codec.ts';
import type { AppendOutcome, EventLog, PartitionPosition } from '../../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../../libs/adapters/event-log/partition-of.ts';
import type { Logger } from '../../../libs/adapters/telemetry/logger.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { EventId, PersonToken } from '../../../libs/core/identity/event-id.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import {
  type LogEnd,
  type NewReservation,
  type PendingReceipt,
  type ReservationBatch,
  reservationKey,
  type StoredReceipt,
} from '../store/reservation.ts';
import type { ReservationStore } from '../store/reservation-store.ts';
import { unwritable } from './event-bytes.ts';
import { type IssuedReceipt, issueReceipt, type ReceiptPaths, signReceipt } from './issue-receipt.ts';
import {
  type Entry,
  GroupPlanner,
  isWhole,
  NEW,
  type OpenReceipt,
  type Plan,
  REBUILT,
  type TakeResult,
  type Waiting,
} from './plan-group.ts';
import type { PreparedEvent } from './prepared-event.ts';

export interface IntakeOptions {
  readonly ledgerName: string;
  readonly signer: NoteSigner;
  /** Partitions of each event topic. */
  readonly partitions: ReadonlyMap<string, number>;
  /** Events of all requests that are reserved and appended together: one sync each. */
  readonly groupEventsMax: number;
  /** Events that may wait; beyond it requests are turned away. */
  readonly waitingEventsMax: number;
}

export interface IntakeDependencies {
  readonly log: EventLog;
  readonly store: ReservationStore;
  readonly clock: CivilClock;
  readonly logger: Logger;
}

/**
 * Takes events: reserve (durable), append exactly what was reserved, answer. Requests that come while a group is under way make up the
 * next one, so that however many there are, a group costs one sync of the store and one of the log.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #dependencies: IntakeDependencies;
  readonly #open: Map<number, OpenReceipt>;
  readonly #planner: GroupPlanner;
  readonly #ends = new Map<string, number>();
  #nextReceipt: number;
  #queue: Waiting[] = [];
  #queuedEvents = 0;
  #running: Promise<void> | null = null;
  #settling: Promise<void> = Promise.resolve();
  /** The log lost records under this very process: nothing is taken until the next start has compared the two. */
  #shrunk: TallyError | null = null;

  constructor(options: IntakeOptions, dependencies: IntakeDependencies, open: Map<number, OpenReceipt>) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#open = open;
    this.#planner = new GroupPlanner(dependencies.store, dependencies.clock, open);
    this.#nextReceipt = dependencies.store.lastReceipt + 1;
  }

  get waitingEvents(): number {
    return this.#queuedEvents;
  }

  get pendingReceipts(): number {
    return this.#open.size;
  }

  /** Throws LOG_SHRANK where the log was found to have lost records. */
  checkLog(): void {
    if (this.#shrunk !== null) throw this.#shrunk;
  }

  /** Resolves when every event is durable in the log, or with why not. Never rejects. */
  take(events: readonly PreparedEvent[], paths: ReceiptPaths = 'all'): Promise<TakeResult> {
    if (this.#shrunk !== null) return Promise.resolve({ kind: 'unavailable', cause: this.#shrunk });
    if (this.#queuedEvents > this.#options.waitingEventsMax) {
      const cause = new TallyError('GATEWAY_BUSY', 'too many events wait for the log', {}, { retriable: true });
      return Promise.resolve({ kind: 'unavailable', cause });
    }
    this.#queuedEvents += events.length;
    return new Promise((answer) => {
      this.#queue.push({ events, paths, answer });
      this.#running ??= this.#run();
    });
  }

  /** Whether this very event was reserved before, whatever rates were in force then. */
  isReserved(prepared: PreparedEvent): boolean {
    try {
      const entry = this.#planner.find(prepared, this.#dependencies.clock.civilMs());
      return entry !== null && entry.receipt !== NEW;
    } catch (error) {
      if (unwritable(prepared, error) === null) throw error;
      return false;
    }
  }

  /** The receipt of an event that is in the log, or null: then its sender sends it again. */
  receiptOf(account: Account, eventId: EventId): IssuedReceipt | null {
    const known = this.#dependencies.store.reservation(reservationKey(account, eventId));
    if (known === null || known.receipt === REBUILT) return null;
    const open = this.#open.get(known.receipt);
    if (open !== undefined && !open.appended.has(known.index)) return null;
    const { hash, index } = known;
    const receipt = this.#dependencies.store.receipt(known.receipt);
    return issueReceipt(receipt, [{ account, eventId, hash, index, person: null }]);
  }

  /** Resolves when nothing waits and everything is settled in the store. */
  async drain(): Promise<void> {
    while (this.#running !== null) await this.#running;
    await this.#settling;
  }

  async #run(): Promise<void> {
    // one turn of the event loop, so that what came together goes together
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const group = this.#nextGroup();
      try {
        await this.#takeGroup(group);
      } catch (cause) {
        this.#dependencies.logger.error({ err: cause }, 'a group of requests was not taken');
        for (const { answer } of group) answer({ kind: 'unavailable', cause });
      }
    }
    this.#running = null;
  }

  #nextGroup(): Waiting[] {
    let events = 0;
    let count = 0;
    for (const { events: more } of this.#queue) {
      if (count > 0 && events + more.length > this.#options.groupEventsMax) break;
      events += more.length;
      count += 1;
    }
    this.#queuedEvents -= events;
    return this.#queue.splice(0, count);
  }

  /** The order that must not change: reserve, append, settle, answer. */
  async #takeGroup(group: readonly Waiting[]): Promise<void> {
    const entries = new Map<string, Entry>();
    const plans = group.map((waiting) => this.#planner.plan(waiting, entries));
    const toAppend = [...entries.values()].filter((entry) => !entry.appended);
    const byPartition = this.#byPartition(toAppend);
    const batch = this.#reservationBatch(plans, await this.#startsOf(byPartition.keys()));
    // first: should the write fail and yet be found on the disk later, its events must not pass for appended
    this.#openReceipts(batch);
    if (batch.receipts.length > 0) await this.#dependencies.store.reserve(batch);
    const { failure, ends } = await this.#append(byPartition);
    this.#settle(toAppend, ends);
    for (const plan of plans) plan.waiting.answer(this.#resultOf(plan, failure));
  }

  #byPartition(entries: readonly Entry[]): Map<string, Entry[]> {
    const found = new Map<string, Entry[]>();
    for (const entry of entries) {
      const topic = topicOfType(entry.prepared.draft.event.type);
      const partitions = this.#options.partitions.get(topic);
      assert(partitions !== undefined, 'the partitions of every event topic are known', { topic });
      const place = `${topic} ${partitionOf(entry.account, partitions)}`;
      const before = found.get(place);
      if (before === undefined) found.set(place, [entry]);
      else before.push(entry);
    }
    return found;
  }

  /** Where the partitions end at the earliest: what is appended now stands there or behind. */
  async #startsOf(places: Iterable<string>): Promise<readonly PartitionPosition[]> {
    const starts: PartitionPosition[] = [];
    for (const place of places) {
      const { topic, partition } = placeOf(place);
      const offset = this.#ends.get(place) ?? (await this.#dependencies.log.bounds({ topic, partition })).high;
      this.#ends.set(place, offset);
      starts.push({ topic, partition, offset });
    }
    return starts;
  }

  /** A receipt for the new events of each request, and for those that were rebuilt from the log and have none. */
  #reservationBatch(plans: readonly Plan[], from: readonly PartitionPosition[]): ReservationBatch {
    const receipts: { number: number; receipt: StoredReceipt; pending: PendingReceipt | null }[] = [];
    const reservations: NewReservation[] = [];
    const persons: { person: PersonToken; nino: string }[] = [];
    for (const plan of plans) {
      if (!isWhole(plan)) continue;
      const rebuilt = plan.entries.filter((entry) => entry.receipt === REBUILT);
      for (const members of [plan.fresh, ...byReceiptTime(rebuilt)]) {
        const first = members[0];
        if (first === undefined) continue;
        const number = this.#nextReceipt++;
        for (const [index, entry] of members.entries()) Object.assign(entry, { receipt: number, index });
        const receipt = signReceipt(this.#options, first.receivedAtMs, members);
        receipts.push({
          number,
          receipt,
          pending: members === plan.fresh ? { from, appended: [], size: members.length } : null,
        });
        reservations.push(...members);
      }
      for (const { person, prepared } of plan.fresh) {
        if (person !== null && prepared.draft.nino !== null) persons.push({ person, nino: prepared.draft.nino });
      }
    }
    return { receipts, reservations, persons };
  }

  #openReceipts(batch: ReservationBatch): void {
    for (const { number, pending } of batch.receipts) {
      if (pending !== null) this.#open.set(number, { from: pending.from, appended: new Set(), size: pending.size });
    }
  }

  /** Appends to all partitions at once: where they end now, and null or why some of it is not known to be in the log. */
  async #append(
    byPartition: ReadonlyMap<string, readonly Entry[]>,
  ): Promise<{ readonly failure: unknown; readonly ends: readonly LogEnd[] }> {
    const ends: LogEnd[] = [];
    if (byPartition.size === 0) return { failure: null, ends };
    const places = [...byPartition];
    const appends = places.map(([place, entries]) => ({
      ...placeOf(place),
      records: entries.map((entry) => ({ key: entry.account, value: entry.bytes })),
    }));
    let outcomes: AppendOutcome[];
    try {
      outcomes = await this.#dependencies.log.append(appends);
    } catch (cause) {
      return { failure: cause, ends };
    }
    let failure: unknown = null;
    for (const [at, [place, entries]] of places.entries()) {
      const outcome = outcomes[at];
      const known = this.#ends.get(place) ?? 0;
      if (outcome?.status === 'appended' && outcome.baseOffset < known) {
        this.#shrunk ??= logShrank(place, known, outcome.baseOffset);
        failure = this.#shrunk;
      } else if (outcome?.status === 'appended') {
        for (const entry of entries) entry.appended = true;
        const offset = outcome.baseOffset + entries.length;
        this.#ends.set(place, offset);
        ends.push({ ...placeOf(place), offset, hash: entries.at(-1)?.hash ?? '' });
      } else {
        failure =
          outcome?.error ?? new TallyError('LOG_UNAVAILABLE', 'the log gave no outcome', {}, { retriable: true });
      }
    }
    return { failure, ends };
  }

  /** Notes in the store what is in the log. Not waited for: start-up finds out by itself what a crash forgets. */
  #settle(entries: readonly Entry[], ends: readonly LogEnd[]): void {
    const done: number[] = [];
    const stillPending = new Map<number, PendingReceipt>();
    for (const number of new Set(entries.map((entry) => entry.receipt))) {
      const open = this.#open.get(number);
      if (open === undefined) continue;
      for (const entry of entries) if (entry.receipt === number && entry.appended) open.appended.add(entry.index);
      if (open.appended.size < open.size) {
        stillPending.set(number, { from: open.from, appended: [...open.appended], size: open.size });
      } else {
        this.#open.delete(number);
        done.push(number);
      }
    }
    const settled = this.#dependencies.store.settle(done, stillPending, ends);
    this.#settling = settled.catch((error: unknown) => {
      this.#dependencies.logger.warn({ err: error }, 'receipts stay pending in the store until the next start');
    });
  }

  #resultOf(plan: Plan, failure: unknown): TakeResult {
    if (plan.unwritable.length > 0) return { kind: 'unwritable', events: plan.unwritable };
    if (plan.conflicts.length > 0) return { kind: 'conflicts', indexes: plan.conflicts };
    if (plan.entries.some((entry) => !entry.appended)) return { kind: 'unavailable', cause: failure };
    const byReceipt = new Map<number, Entry[]>();
    for (const entry of plan.entries) {
      const before = byReceipt.get(entry.receipt);
      if (before === undefined) byReceipt.set(entry.receipt, [entry]);
      else before.push(entry);
    }
    const receipts = [...byReceipt].map(([number, entries]) =>
      issueReceipt(this.#dependencies.store.receipt(number), entries, plan.waiting.paths),
    );
    return { kind: 'taken', receipts, fresh: plan.fresh.map((entry) => entry.prepared) };
  }
}

function logShrank(place: string, known: number, baseOffset: number): TallyError {
  const { topic, partition } = placeOf(place);
  const facts = { topic, partition, known, baseOffset };
  const message = `${topic}/${partition} held ${known} records and took the next at offset ${baseOffset}: it was made anew or cut. Nothing is receipted; look at the topic, then start the gateway again`;
  return new TallyError('LOG_SHRANK', message, facts);
}

/** A receipt has one time of receipt. */
function byReceiptTime(entries: readonly Entry[]): readonly Entry[][] {
  const found = new Map<number, Entry[]>();
  for (const entry of entries) {
    const before = found.get(entry.receivedAtMs);
    if (before === undefined) found.set(entry.receivedAtMs, [entry]);
    else before.push(entry);
  }
  return [...found.values()];
}

function placeOf(place: string): { readonly topic: string; readonly partition: number } {
  const [topic = '', partition = ''] = place.split(' ');
  return { topic, partition: Number(partition) };
}
