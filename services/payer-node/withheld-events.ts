import { decodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import type { RuleSets } from '../../libs/adapters/runtime/rule-sets.ts';
import { decideEvent } from '../../libs/core/events/decide-event.ts';
import type { Divergence } from '../../libs/core/ledger/divergence.ts';
import type { DivergenceBook } from './divergence-book.ts';
import { OwnState } from './own-state.ts';
import type { FollowedAccount } from './payer-records.ts';
import { eventKey, type PayerStore, partsOfEventKey } from './payer-store.ts';
import { TimeSlice } from './time-slice.ts';
import { type WatchedReceipt, watchedUntil, watchOnly } from './watched-events.ts';

export interface WithheldOptions {
  readonly withheldAfterMs: number;
}

export interface WithheldDependencies {
  readonly store: PayerStore;
  readonly rules: RuleSets;
  readonly divergences: DivergenceBook;
}

/** Events looked through in one check; the oldest receipts come first, and a check comes round every few seconds. */
const LOOKED_THROUGH_MAX = 50_000;
const CHECK_EVERY_MS = 2_000;
const PULLS_KEPT_MAX = 4_000;

/**
 * Of the time between two answers so much counts at most, as a part of the time allowed: a node that slept in between saw nothing of what
 * the ledger did, which may have slept on the same machine.
 */
const GAP_PART_MAX = 0.5;

/** A pull that was answered under a valid checkpoint. */
interface AnsweredPull {
  readonly startedAtMs: number;
  /** How long the node has been looking by then, from any beginning. */
  readonly watchedMs: number;
}

/**
 * Finds events that the gateway accepted and the ledger keeps back: neither in a block nor rejected when this node has looked for
 * `withheldAfterMs` since a valid checkpoint later than the receipt, in a chain that was pulled to its end (ledger.md section 5).
 */
export class WithheldEvents {
  readonly #options: WithheldOptions;
  readonly #dependencies: WithheldDependencies;
  /** Report by event key (latin1). */
  readonly #open = new Map<string, number>();
  /** Oldest first. */
  readonly #pulls: AnsweredPull[] = [];
  #checkedAtMs = 0;

  constructor(options: WithheldOptions, dependencies: WithheldDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    for (const { number, findings, account, settledAtMs } of dependencies.store.divergences()) {
      const finding = findings[0];
      const followed = account === null ? undefined : dependencies.store.account(account);
      if (settledAtMs !== null || finding?.code !== 'EVENT_WITHHELD' || finding.eventId === null) continue;
      if (followed !== undefined) this.#open.set(textOf(eventKey(followed.number, finding.eventId)), number);
    }
  }

  /**
   * After a pull that was taken under a valid checkpoint: raises a report for each event that is overdue. Of each chain it is known when the
   * last pull began that left nothing of it behind.
   */
  async check(completeAtMs: ReadonlyMap<number, number>, pullStartedAtMs: number): Promise<void> {
    this.#noteAnswer(pullStartedAtMs);
    const { withheldAfterMs } = this.#options;
    if (pullStartedAtMs - this.#checkedAtMs < Math.min(CHECK_EVERY_MS, withheldAfterMs)) return;
    this.#checkedAtMs = pullStartedAtMs;
    const { store } = this.#dependencies;
    const overdue: Buffer[] = [];
    const shrunk: (readonly [WatchedReceipt, readonly Buffer[]])[] = [];
    const slice = new TimeSlice();
    // Most of what waits came just now, and nothing is to be known of it yet.
    for (const watched of watchedUntil(store, pullStartedAtMs - withheldAfterMs, LOOKED_THROUGH_MAX)) {
      const undecided = watched.events.filter((key) => !store.entries.doesExist(key) && !store.rejected.doesExist(key));
      if (undecided.length < watched.events.length) shrunk.push([watched, undecided]);
      for (const key of undecided) {
        if (this.#open.has(textOf(key))) continue;
        if (this.#isOverdue(key, watched.receiptedAtMs, completeAtMs)) overdue.push(key);
      }
      await slice.giveWay();
    }
    if (shrunk.length > 0) {
      await store.commit(() => {
        for (const [watched, undecided] of shrunk) watchOnly(store, watched, undecided);
      });
    }
    for (const key of overdue) await this.#raise(key);
  }

  /** Whether any report stands open. */
  get hasOpen(): boolean {
    return this.#open.size > 0;
  }

  /** Events that have come after all: their reports are closed. */
  async settle(keys: Iterable<Buffer>): Promise<void> {
    if (this.#open.size === 0) return;
    for (const key of keys) {
      const number = this.#open.get(textOf(key));
      if (number === undefined) continue;
      this.#open.delete(textOf(key));
      await this.#dependencies.divergences.settle(number);
    }
  }

  #isOverdue(key: Buffer, receiptedAtMs: number, completeAtMs: ReadonlyMap<number, number>): boolean {
    const later = this.#pulls.find(({ startedAtMs }) => startedAtMs > receiptedAtMs);
    const { accountNumber } = partsOfEventKey(key);
    const completeMs = completeAtMs.get(accountNumber);
    const complete = this.#pulls.findLast(({ startedAtMs }) => startedAtMs === completeMs);
    if (later === undefined || complete === undefined) return false;
    const watchedMs = complete.watchedMs - later.watchedMs;
    return watchedMs >= this.#options.withheldAfterMs && !this.#isHeld(key, accountNumber);
  }

  #noteAnswer(startedAtMs: number): void {
    const last = this.#pulls.at(-1);
    const gapMs = last === undefined ? 0 : Math.max(0, startedAtMs - last.startedAtMs);
    const seenMs = Math.min(gapMs, this.#options.withheldAfterMs * GAP_PART_MAX);
    this.#pulls.push({ startedAtMs, watchedMs: (last?.watchedMs ?? 0) + seenMs });
    if (this.#pulls.length > PULLS_KEPT_MAX) this.#pulls.splice(0, PULLS_KEPT_MAX / 2);
  }

  /** A refund that waits for its sale waits by the rules, in our own recomputation too. */
  #isHeld(key: Buffer, accountNumber: number): boolean {
    const { store, rules } = this.#dependencies;
    const appended = store.appendedEvent(key);
    if (appended === undefined) return false;
    const view = new OwnState(store, accountNumber);
    const decision = decideEvent(decodeEvent(appended.bytes), appended.hash.toString('hex'), view, rules.current);
    return decision.outcome === 'held';
  }

  async #raise(key: Buffer): Promise<void> {
    const { store, divergences } = this.#dependencies;
    const { accountNumber, id } = partsOfEventKey(key);
    const followed = store.accountOfNumber(accountNumber);
    const appended = store.appendedEvent(key);
    const receipt = appended === undefined ? undefined : store.receipt(appended.receiptKey);
    const number = await divergences.raise(followed.account, [findingOf(followed, id)], {
      head: headOf(followed, store),
      receipt: receipt?.note ?? null,
      index: appended?.index ?? null,
      leafHashes: receipt?.leafHashes.map((hash) => hash.toString('base64')) ?? [],
      path: store.paths.get(key)?.toString('base64') ?? null,
      event: appended?.bytes.toString('base64') ?? null,
    });
    this.#open.set(textOf(key), number);
  }
}

function findingOf(followed: FollowedAccount, id: Divergence['eventId']): Divergence {
  return {
    code: 'EVENT_WITHHELD',
    account: followed.account,
    chain: followed.chain,
    seq: followed.head?.seq ?? null,
    entryIndex: null,
    eventId: id,
    field: 'entry',
    expected: 'an entry or a rejection for the event of this receipt',
    found: 'neither',
  };
}

/** The head with the proof that it is in the public log. */
function headOf(followed: FollowedAccount, store: PayerStore): unknown {
  const stands = store.headProof(followed.number);
  if (followed.head === null || stands === undefined) return followed.head;
  const path = stands.path.map((hash) => Buffer.from(hash).toString('base64'));
  return { ...followed.head, proof: { index: stands.index, path, checkpoint: stands.note } };
}

function textOf(key: Buffer): string {
  return key.toString('latin1');
}
