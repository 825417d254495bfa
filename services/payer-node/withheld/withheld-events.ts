import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import { TimeSlice } from '../../../libs/adapters/time/time-slice.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import { decideEvent } from '../../../libs/core/tax/decide-event.ts';
import type { DivergenceLog } from '../store/divergence-log.ts';
import { OwnState } from '../store/own-state.ts';
import { eventKey, partsOfEventKey } from '../store/payer-keys.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { AnsweredPulls } from './answered-pulls.ts';
import { DecidedSoFar } from './decided-so-far.ts';
import { type WatchedReceipt, watchedUntil, watchOnly } from './watched-events.ts';

export interface WithheldOptions {
  /** An event that later ones of its account were decided past is withheld once the node has looked for it for so long. */
  readonly withheldAfterMs: number;
  /** An event that nothing of its account was decided past is withheld once the public log has grown for so long without it. */
  readonly withheldWholeAfterMs: number;
}

export interface WithheldDependencies {
  readonly store: PayerStore;
  readonly rules: RuleSets;
  readonly divergences: DivergenceLog;
  /** As the times of receipts and of pulls are taken. */
  readonly steadyMs: () => number;
}

/** Events that wait for longer than they should while nothing shows that HMRC passed over them: an outage, told as one. */
export interface WaitingEvents {
  readonly events: number;
  /** When the receipt of the oldest came. */
  readonly oldestReceiptedAtMs: number;
  /** When the public log was seen to grow last; null where it has not grown since this node started. */
  readonly logGrewAtMs: number | null;
}

/** Events looked through in one check; the oldest receipts come first, and a check comes round every few seconds. */
const LOOKED_THROUGH_MAX = 50_000;
const CHECK_EVERY_MS = 2_000;
/** So many of an account's oldest tell whether any of it is withheld: some may wait by the rules. */
const SUSPECTS_MAX = 8;
/** Of more it is not worked out whether they wait by the rules. */
const HELD_LOOKED_AT_MAX = 100;
/** Events named in one report; all are counted. */
const EVENTS_NAMED_MAX = 100;

/** Undecided events of one account, the oldest first. */
interface Undecided {
  readonly followed: FollowedAccount;
  readonly events: { readonly key: Buffer; readonly receiptedAtMs: number }[];
}

interface OpenReport {
  readonly number: number;
  /** Event keys (latin1) that have not come yet. */
  readonly events: Set<string>;
}

/**
 * Finds events that the gateway accepted and HMRC keeps back (ledger.md section 5): neither in a block nor rejected after the node has looked for
 * `withheldAfterMs` since a valid checkpoint later than the receipt, in a chain that was pulled to its end, though a later event of the
 * account was decided. Where nothing of an account is decided, only the public log shows that HMRC is at work: it must have grown for
 * `withheldWholeAfterMs` meanwhile. An outage shows neither, and is told as one statement (`waiting`). One report for each account.
 */
export class WithheldEvents {
  readonly #options: WithheldOptions;
  readonly #dependencies: WithheldDependencies;
  readonly #begunMs: number;
  readonly #decided: DecidedSoFar;
  readonly #pulls: AnsweredPulls;
  /** By the number of the account. */
  readonly #open = new Map<number, OpenReport>();
  #waiting: WaitingEvents | null = null;
  #checkedAtMs = 0;

  constructor(options: WithheldOptions, dependencies: WithheldDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#begunMs = dependencies.steadyMs();
    this.#decided = new DecidedSoFar(dependencies.store);
    this.#pulls = new AnsweredPulls(options.withheldAfterMs);
    for (const { number, findings, account, settledAtMs } of dependencies.store.divergences.all()) {
      const followed = account === null ? undefined : dependencies.store.account(account);
      if (settledAtMs !== null || findings[0]?.code !== 'EVENT_WITHHELD' || followed === undefined) continue;
      this.#restore(number, followed, findings);
    }
  }

  /** What waits for longer than `withheldAfterMs` and is in no report; null where nothing does. */
  get waiting(): WaitingEvents | null {
    return this.#waiting;
  }

  /** Whether any report stands open. */
  get hasOpen(): boolean {
    return this.#open.size > 0;
  }

  /**
   * After a pull that was taken under a valid checkpoint over `logSize` leaves: raises a report for each account of which an event is
   * withheld. Of each chain it is known when the last pull began that left nothing of it behind.
   */
  async check(completeAtMs: ReadonlyMap<number, number>, pullStartedAtMs: number, logSize: number): Promise<void> {
    this.#pulls.note(pullStartedAtMs, logSize);
    const { withheldAfterMs } = this.#options;
    if (pullStartedAtMs - this.#checkedAtMs < Math.min(CHECK_EVERY_MS, withheldAfterMs)) return;
    this.#checkedAtMs = pullStartedAtMs;
    const undecided = await this.#undecidedUntil(pullStartedAtMs - withheldAfterMs);
    const waiting: { readonly key: Buffer; readonly receiptedAtMs: number }[] = [];
    const slice = new TimeSlice();
    for (const [number, { followed, events }] of undecided) {
      const late = events.filter(({ receiptedAtMs }) => this.#isLate(number, receiptedAtMs, completeAtMs));
      // The oldest are passed over first: where they are not, no later one is.
      const isSuspect = late.slice(0, SUSPECTS_MAX).some((one) => this.#isWithheld(followed, one, completeAtMs));
      const withheld = isSuspect ? late.filter((one) => this.#isWithheld(followed, one, completeAtMs)) : [];
      if (withheld.length > 0) {
        await this.#report(
          followed,
          withheld.map(({ key }) => key),
        );
      }
      const told = new Set(withheld);
      for (const one of late) if (!told.has(one)) waiting.push(one);
      await slice.giveWay();
    }
    for (const [number, { number: report }] of [...this.#open])
      if (!undecided.has(number)) await this.#close(number, report);
    this.#waiting = this.#statementOf(waiting);
  }

  /** Events that have come after all: a report whose last event came is closed. */
  async settle(keys: Iterable<Buffer>): Promise<void> {
    if (this.#open.size === 0) return;
    for (const key of keys) {
      const { accountNumber } = partsOfEventKey(key);
      const report = this.#open.get(accountNumber);
      if (report?.events.delete(textOf(key)) === true && report.events.size === 0) {
        await this.#close(accountNumber, report.number);
      }
    }
  }

  /** Undecided events by account, of receipts that came until then; those that are decided are watched no more. */
  async #undecidedUntil(untilMs: number): Promise<ReadonlyMap<number, Undecided>> {
    const { store, steadyMs } = this.#dependencies;
    const found = new Map<number, Undecided>();
    const shrunk: (readonly [WatchedReceipt, readonly Buffer[]])[] = [];
    const slice = new TimeSlice();
    // Most of what waits came just now, and nothing is to be known of it yet.
    for (const watched of watchedUntil(
      store,
      { untilMs, steadyNowMs: steadyMs(), begunMs: this.#begunMs },
      LOOKED_THROUGH_MAX,
    )) {
      const undecided = watched.events.filter((key) => !store.entries.doesExist(key) && !store.rejected.doesExist(key));
      if (undecided.length < watched.events.length) shrunk.push([watched, undecided]);
      for (const key of undecided) {
        const { accountNumber } = partsOfEventKey(key);
        const known = found.get(accountNumber) ?? { followed: store.accountOfNumber(accountNumber), events: [] };
        known.events.push({ key, receiptedAtMs: watched.receiptedAtMs });
        found.set(accountNumber, known);
      }
      await slice.giveWay();
    }
    if (shrunk.length > 0) {
      await store.commit(() => {
        for (const [watched, undecided] of shrunk) watchOnly(store, watched, undecided);
      });
    }
    return found;
  }

  /** Whether the node has looked long enough for what was receipted then. */
  #isLate(number: number, receiptedAtMs: number, completeAtMs: ReadonlyMap<number, number>): boolean {
    const seen = this.#pulls.between(receiptedAtMs, completeAtMs.get(number) ?? Number.NEGATIVE_INFINITY);
    return seen !== null && seen.watchedMs >= this.#options.withheldAfterMs;
  }

  #isWithheld(
    followed: FollowedAccount,
    { key, receiptedAtMs }: { readonly key: Buffer; readonly receiptedAtMs: number },
    completeAtMs: ReadonlyMap<number, number>,
  ): boolean {
    const appended = this.#dependencies.store.appendedEvent(key);
    if (appended === undefined) return false;
    const seen = this.#pulls.between(receiptedAtMs, completeAtMs.get(followed.number) ?? Number.NEGATIVE_INFINITY);
    const isWithoutAll = (seen?.grownMs ?? 0) >= this.#options.withheldWholeAfterMs;
    return (isWithoutAll || this.#decided.hasPassed(followed, appended)) && !this.#isHeld(key, followed.number);
  }

  #statementOf(late: readonly { readonly key: Buffer; readonly receiptedAtMs: number }[]): WaitingEvents | null {
    const waiting =
      late.length > HELD_LOOKED_AT_MAX
        ? late
        : late.filter(({ key }) => !this.#isHeld(key, partsOfEventKey(key).accountNumber));
    if (waiting.length === 0) return null;
    const oldestReceiptedAtMs = waiting.reduce((oldest, one) => Math.min(oldest, one.receiptedAtMs), Infinity);
    return { events: waiting.length, oldestReceiptedAtMs, logGrewAtMs: this.#pulls.grewAtMs };
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

  /** One report for an account: what is withheld later is one with what is withheld already. */
  async #report(followed: FollowedAccount, keys: readonly Buffer[]): Promise<void> {
    const known = this.#open.get(followed.number);
    if (known !== undefined) {
      for (const key of keys) known.events.add(textOf(key));
      return;
    }
    const { store, divergences } = this.#dependencies;
    const named = keys.slice(0, EVENTS_NAMED_MAX);
    const appended = named[0] === undefined ? undefined : store.appendedEvent(named[0]);
    const receipt = appended === undefined ? undefined : store.receipt(appended.receiptKey);
    const found = keys.length === 1 ? 'neither' : `neither, of ${keys.length} events of this account`;
    const findings = named.map((key) => findingOf(followed, partsOfEventKey(key).id, found));
    const number = await divergences.raise(followed.account, findings, {
      head: headOf(followed, store),
      receipt: receipt?.note ?? null,
      index: appended?.index ?? null,
      leafHashes: receipt?.leafHashes.map((hash) => hash.toString('base64')) ?? [],
      path: named[0] === undefined ? null : (store.paths.get(named[0])?.toString('base64') ?? null),
      event: appended?.bytes.toString('base64') ?? null,
    });
    this.#open.set(followed.number, { number, events: new Set(keys.map(textOf)) });
  }

  /** Reports of an older release are one for each event: the first that is open stands for the account, the others are closed with it. */
  #restore(number: number, followed: FollowedAccount, findings: readonly Divergence[]): void {
    const known = this.#open.get(followed.number);
    const report = known ?? { number, events: new Set<string>() };
    for (const { eventId } of findings) {
      if (eventId !== null) report.events.add(textOf(eventKey(followed.number, eventId)));
    }
    this.#open.set(followed.number, report);
  }

  async #close(accountNumber: number, report: number): Promise<void> {
    this.#open.delete(accountNumber);
    const { store, divergences } = this.#dependencies;
    const { account } = store.accountOfNumber(accountNumber);
    const open = [...store.divergences.all()].filter(
      (one) => one.account === account && one.settledAtMs === null && one.findings[0]?.code === 'EVENT_WITHHELD',
    );
    for (const number of new Set([report, ...open.map((one) => one.number)])) await divergences.settle(number);
  }
}

function findingOf(followed: FollowedAccount, id: Divergence['eventId'], found: string): Divergence {
  return {
    code: 'EVENT_WITHHELD',
    account: followed.account,
    chain: followed.chain,
    seq: followed.head?.seq ?? null,
    entryIndex: null,
    eventId: id,
    field: 'entry',
    expected: 'an entry or a rejection for the event of this receipt',
    found,
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
