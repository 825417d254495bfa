import type { PullAnswer, PulledChain } from '../../../libs/adapters/codec/pull-answer.ts';
import type { LedgerClient, PullRequest } from '../../../libs/adapters/http/ledger-client.ts';
import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { nextTurn, TimeSlice } from '../../../libs/adapters/time/time-slice.ts';
import { WakeSignal } from '../../../libs/adapters/time/wake-signal.ts';
import { printUtc } from '../../../libs/core/calendar/utc-time.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import type { NoteSigner } from '../../../libs/core/ledger/note/signed-note.ts';
import { printVerifierKey, type VerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import type { VerifiedCheckpoint } from '../../../libs/core/ledger/verify/verify-checkpoint.ts';
import { DivergenceLog } from '../store/divergence-log.ts';
import type { FollowedAccount, LedgerIdentity } from '../store/payer-records.ts';
import { countOf, type PayerStore } from '../store/payer-store.ts';
import { type WaitingEvents, WithheldEvents } from '../withheld/withheld-events.ts';
import { acknowledgeHeads } from './acknowledge-heads.ts';
import { ChainWorkingKeys } from './chain-working-keys.ts';
import { LedgerChanges } from './ledger-changes.ts';
import { MetLedger } from './met-ledger.ts';
import { PullSchedule } from './pull-schedule.ts';
import { ChainRegistrar } from './register-chains.ts';
import { type OpenedRejections, openPulledRejections, saveRejections, withoutAwaited } from './take-rejections.ts';
import { UnknownEvents } from './unknown-events.ts';
import { VerifiedChainWriter } from './verified-chain-writer.ts';
import { eventOfAnother, type PulledChainDependencies, verifyPulledChain } from './verify-pulled-chain.ts';

export interface FollowerOptions {
  /** Without a nudge, pull this often. */
  readonly pullEveryMs: number;
  /** Bytes that one pull asks for at most. */
  readonly pullBytesMax: number;
  /** An accepted event is withheld once this long has passed since a checkpoint later than its receipt. */
  readonly withheldAfterMs: number;
  /** An accepted event of an account of which nothing is decided is withheld once the public log has grown for so long without it. */
  readonly withheldWholeAfterMs: number;
}

export interface FollowerDependencies {
  readonly store: PayerStore;
  readonly ledger: LedgerClient;
  readonly signer: NoteSigner;
  readonly rules: RuleSets;
  readonly clock: CivilClock;
  /** The time of the node that receipts and pulls are held against (steadyTime). */
  readonly steadyMs: () => number;
  readonly onFault: (fault: TallyError) => void;
  /** Entries that were verified and stored just now, and the times of receipt of the events of ours among them. */
  readonly onTaken?: (entries: number, blocks: number, receivedAtMs: readonly number[]) => void;
  /** Whether the gateway has taken an event that this node has no record of; it is stored then (EventFetcher). */
  readonly find: (accountNumber: number, id: EventId) => Promise<boolean>;
  /** Called once, when it is known which ledger this is. */
  readonly onLedger: (ledger: LedgerIdentity) => void;
}

export interface PullOutcome {
  /** Whether the ledger has more for us under the same checkpoint. */
  readonly more: boolean;
  readonly blocks: number;
  readonly entries: number;
}

/** Working keys kept at hand, some 300 bytes each; any others are worked out again (one or two HKDF). */
const KEYS_KEPT_MAX = 20_000;
const RETRY_MS = 2_000;
const NOTHING: PullOutcome = { more: false, blocks: 0, entries: 0 };

/**
 * Follows the ledger for all accounts of the node: registers its key for each chain, pulls what is new of all chains under one
 * checkpoint, checks everything, stores, and only then countersigns. A chain that fails a check stops, with a report; the others go on.
 */
export class LedgerFollower {
  readonly #options: FollowerOptions;
  readonly #dependencies: FollowerDependencies;
  readonly #bell = new WakeSignal();
  readonly #keys = new Map<number, ChainWorkingKeys>();
  readonly #withheld: WithheldEvents;
  readonly #divergences: DivergenceLog;
  readonly #verifierKey: string;
  readonly #met: MetLedger;
  readonly #changes: LedgerChanges;
  readonly #registrar: ChainRegistrar;
  readonly #schedule: PullSchedule;
  readonly #unknown: UnknownEvents;
  /** Divergences of events that have come from the gateway since. */
  #answered: number[] = [];
  /** When the last pull of a chain began, where it left nothing behind: only there does silence mean anything. */
  readonly #completeAtMs = new Map<number, number>();
  #hasToldWaiting = false;

  constructor(options: FollowerOptions, dependencies: FollowerDependencies) {
    this.#options = options;
    this.#dependencies = dependencies;
    this.#verifierKey = printVerifierKey(dependencies.signer.key);
    this.#schedule = new PullSchedule(dependencies.store);
    this.#unknown = new UnknownEvents({ find: dependencies.find, onAnswer: (number) => this.#pullAgain(number) });
    this.#divergences = new DivergenceLog(dependencies);
    this.#withheld = new WithheldEvents(options, { ...dependencies, divergences: this.#divergences });
    this.#met = new MetLedger({ ...dependencies, divergences: this.#divergences });
    this.#changes = new LedgerChanges({
      ...dependencies,
      schedule: this.#schedule,
      from: this.#met.checkpoint?.size ?? 0,
    });
    this.#registrar = new ChainRegistrar({ ...dependencies, met: this.#met });
  }

  get openDivergences(): number {
    return this.#divergences.open;
  }

  /** Events that wait for longer than they should while nothing shows that HMRC passed over them; null where there are none. */
  get waiting(): WaitingEvents | null {
    return this.#withheld.waiting;
  }

  /** Goes on with a pull soon: a new checkpoint, a new account. */
  nudge(): void {
    this.#bell.notify();
  }

  /** Runs until the signal aborts. Throws only where the store fails or our own code does. */
  async run(signal: AbortSignal): Promise<void> {
    const stream = this.#listen(signal);
    this.#seekOfStopped();
    while (!signal.aborted) {
      const outcome = await this.#tryOnce();
      if (outcome === null) await pause(RETRY_MS, signal);
      else if (!outcome.more) await this.#bell.wait(this.#options.pullEveryMs, signal);
      else await nextTurn();
    }
    await stream;
  }

  /** One round: register, pull, check, store, countersign. Throws what the ledger client throws. */
  async pullOnce(): Promise<PullOutcome> {
    for (const number of this.#answered.splice(0)) await this.#divergences.settle(number);
    await this.#registrar.register();
    const startedAtMs = this.#dependencies.steadyMs();
    if (this.#schedule.hasTurns) await this.#changes.learn();
    const targets = this.#schedule.choose(startedAtMs);
    if (targets.length === 0) return NOTHING;
    const answer = await this.#pull({
      chains: targets.map(({ chain, head, rejectionsNext }) => ({
        chain: chain ?? '',
        from: head === null ? 0 : head.seq + 1,
        rejectionsFrom: rejectionsNext,
      })),
      verified: this.#met.checkpoint?.size ?? 0,
      maxBytes: this.#options.pullBytesMax,
    });
    const outcome = await this.#take(targets, answer, startedAtMs);
    await this.#acknowledge();
    return outcome;
  }

  async #pull(request: PullRequest): Promise<PullAnswer> {
    try {
      const answer = await this.#dependencies.ledger.pull(request);
      this.#schedule.wasAnswered();
      return answer;
    } catch (error) {
      if (hasCode(error, 'LEDGER_UNREACHABLE') || hasCode(error, 'LEDGER_BUSY')) this.#schedule.wasNotAnswered();
      throw error;
    }
  }

  /** Goes on with a chain that a divergence stopped, from the block that it stopped at. Throws DIVERGENCE_UNKNOWN. */
  async retry(divergenceNumber: number): Promise<void> {
    await this.#divergences.settle(divergenceNumber);
    this.nudge();
  }

  /** A chain that stopped at an event of another sender goes on once the gateway has given that. */
  #seekOfStopped(): void {
    const { store, find } = this.#dependencies;
    for (const { number, haltedBy } of store.accounts()) {
      const stored = haltedBy === null ? undefined : store.divergences.get(haltedBy);
      const id = eventOfAnother(stored?.findings ?? []);
      if (stored === undefined || id === null) continue;
      void find(number, id).then((isThere) => {
        if (!isThere) return;
        this.#answered.push(stored.number);
        this.nudge();
      });
    }
  }

  #pullAgain(accountNumber: number): void {
    this.#schedule.grew([this.#dependencies.store.accountOfNumber(accountNumber).chain ?? '']);
    this.nudge();
  }

  async #tryOnce(): Promise<PullOutcome | null> {
    try {
      return await this.pullOnce();
    } catch (error) {
      if (!(error instanceof TallyError) || !isAnswerOfLedger(error)) throw error;
      this.#dependencies.onFault(error);
      await this.#met.reportRefusal(error);
      return null;
    }
  }

  async #listen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#dependencies.ledger.follow({ signal, onCheckpoint: () => this.nudge() });
      } catch (error) {
        if (!(error instanceof TallyError)) throw error;
        await pause(RETRY_MS, signal);
      }
    }
  }

  async #take(targets: readonly FollowedAccount[], answer: PullAnswer, startedAtMs: number): Promise<PullOutcome> {
    const checkpoint = await this.#met.verify(answer);
    if (checkpoint === null) return NOTHING;
    const { store, rules, onTaken } = this.#dependencies;
    const { ledger, key } = this.#met.known();
    const writer = new VerifiedChainWriter(store, { keepsSettled: this.#withheld.hasOpen });
    const slice = new TimeSlice();
    const take: PulledChainDependencies = {
      store,
      rules,
      ledger,
      slice,
      ownKeys: [this.#verifierKey],
      keysOf: (one) => this.#keysOf(one),
      hasBankEntries: countOf(store.bankEntries) > 0,
    };
    checkChains(targets, answer);
    for (const [index, pulled] of answer.chains.entries()) {
      const followed = targets[index];
      assert(followed !== undefined, 'there is an answer for each chain that was asked for');
      const isQuiet = pulled.blocks.length === 0 && pulled.fault === null;
      const isComplete = isQuiet ? !pulled.more : await this.#takeOne(followed, pulled, checkpoint, take, writer);
      if (isComplete) {
        this.#completeAtMs.set(followed.number, startedAtMs);
        this.#schedule.isDone(followed.number);
      } else {
        this.#completeAtMs.delete(followed.number);
        // Known without the hint, which does not name it again.
        if (pulled.more) this.#schedule.grew([pulled.chain]);
      }
      if (slice.isUsedUp) await slice.giveWay();
    }
    const rejections = await this.#openRejections(targets, answer, ledger, key);
    await this.#save(writer, rejections, checkpoint);
    await this.#withheld.check(this.#completeAtMs, startedAtMs, checkpoint.size);
    this.#tellWaiting();
    const { blocks, entries } = writer;
    if (blocks > 0) onTaken?.(entries, blocks, writer.receivedAtMs);
    const left = answer.chains.some((chain) => chain.more || chain.moreRejections) || this.#schedule.hasNews;
    // Where nothing came further, asking again at once would not either.
    return { more: left && (blocks > 0 || rejections.cursors.size > 0), blocks, entries };
  }

  /** Has what passed written; whether nothing of the chain is left behind. */
  async #takeOne(
    followed: FollowedAccount,
    pulled: PulledChain,
    checkpoint: VerifiedCheckpoint,
    dependencies: PulledChainDependencies,
    writer: VerifiedChainWriter,
  ): Promise<boolean> {
    if (pulled.fault !== null) {
      const facts = { account: followed.account, fault: pulled.fault };
      this.#dependencies.onFault(new TallyError(pulled.fault, 'the ledger cannot give this chain now', facts));
    }
    const isWhole = pulled.fault === null && !pulled.more;
    if (pulled.blocks.length === 0) return isWhole;
    const outcome = await verifyPulledChain(followed, pulled, checkpoint, dependencies);
    if (outcome.kind === 'verified') writer.add(outcome.verified);
    if (outcome.kind === 'unknown' && this.#unknown.isAwaited(followed.number, outcome.eventId)) return false;
    if (outcome.kind === 'diverged' || outcome.kind === 'unknown') {
      this.#unknown.forget(followed.number);
      await this.#halt(followed, outcome.findings, pulled, checkpoint, dependencies.ledger);
      this.#schedule.isDone(followed.number);
    }
    return isWhole && outcome.kind === 'verified';
  }

  /** Where the ledger goes on from another head than ours, its version of our head is fetched: two blocks for one seq are proof. */
  async #halt(
    followed: FollowedAccount,
    findings: readonly Divergence[],
    pulled: PulledChain,
    checkpoint: VerifiedCheckpoint,
    ledger: LedgerIdentity,
  ): Promise<void> {
    const evidence = { tagKey: this.#keysOf(followed).tagKey, checkpoint: checkpoint.note };
    const { chain, head } = followed;
    let other: readonly PulledChain[] = [];
    if (chain !== null && head !== null && findings.some(({ code }) => code === 'PREV_DIFFERS')) {
      const request = { chains: [{ chain, from: head.seq }], verified: checkpoint.size, maxBytes: 1 };
      const answer = await this.#dependencies.ledger.pull(request).catch(() => null);
      if (answer?.checkpoint === checkpoint.note) other = answer.chains.slice(0, 1);
    }
    await this.#divergences.halt(followed, findings, [...other, pulled], evidence, ledger);
  }

  async #openRejections(
    targets: readonly FollowedAccount[],
    answer: PullAnswer,
    ledger: LedgerIdentity,
    key: VerifierKey,
  ): Promise<OpenedRejections> {
    const opened = openPulledRejections(targets, answer, ledger.name, key);
    if (opened.kind === 'opened') {
      const isAwaited = this.#unknown.isAwaited.bind(this.#unknown);
      return withoutAwaited(opened.rejections, this.#dependencies.store, isAwaited);
    }
    await this.#divergences.raise(null, [opened.finding], { note: answer.rejectionsNote });
    return { events: [], cursors: new Map() };
  }

  async #save(
    writer: VerifiedChainWriter,
    rejections: OpenedRejections,
    checkpoint: VerifiedCheckpoint,
  ): Promise<void> {
    const { store, clock } = this.#dependencies;
    const grown = checkpoint.size !== this.#met.checkpoint?.size;
    if (writer.blocks === 0 && rejections.cursors.size === 0 && !grown) return;
    await writer.finish(() => {
      saveRejections(store, rejections, clock.civilMs());
      if (grown) store.putNode('checkpoint', { size: checkpoint.size, note: checkpoint.note });
    });
    this.#met.advance(checkpoint);
    await this.#withheld.settle([...writer.settled, ...rejections.events.map((one) => one.key)]);
  }

  /** An outage is said once, however many events it holds up, and again only after it was over. */
  #tellWaiting(): void {
    const { waiting } = this.#withheld;
    if (waiting !== null && !this.#hasToldWaiting) this.#dependencies.onFault(waitingFault(waiting));
    this.#hasToldWaiting = waiting !== null;
  }

  async #acknowledge(): Promise<void> {
    const { checkpoint } = this.#met;
    if (checkpoint === null) return;
    const { store, ledger, signer, onFault } = this.#dependencies;
    await acknowledgeHeads(
      { ledgerName: this.#met.known().ledger.name, checkpoint },
      { store, ledger, signer, onFault },
    );
  }

  #keysOf(followed: FollowedAccount): ChainWorkingKeys {
    const known = this.#keys.get(followed.number);
    if (known !== undefined) return known;
    if (this.#keys.size >= KEYS_KEPT_MAX) this.#keys.clear();
    const made = new ChainWorkingKeys(Buffer.from(followed.chainKey ?? '', 'base64'));
    this.#keys.set(followed.number, made);
    return made;
  }
}

/** Throws LEDGER_ANSWER_INVALID, before anything of the answer is taken. */
function checkChains(targets: readonly FollowedAccount[], { chains }: PullAnswer): void {
  if (chains.length <= targets.length && chains.every(({ chain }, index) => chain === targets[index]?.chain)) return;
  const why = 'the answer is for other chains than were asked for';
  throw new TallyError('LEDGER_ANSWER_INVALID', why, {}, RETRIABLE);
}

const RETRIABLE = { retriable: true } as const;

function isAnswerOfLedger(error: TallyError): boolean {
  return error.retriable || error.code === 'LEDGER_REFUSED' || error.code === 'LEDGER_DIFFERS';
}

function waitingFault({ events, oldestReceiptedAtMs, logGrewAtMs }: WaitingEvents): TallyError {
  const since = printUtc(oldestReceiptedAtMs, 'milliseconds');
  const grew = logGrewAtMs === null ? 'since this node started' : `since ${printUtc(logGrewAtMs, 'milliseconds')}`;
  const many = events === 1 ? '1 event waits' : `${events} events wait`;
  const message = `${many} for HMRC's decision, the oldest receipted at ${since}; the public log has not grown ${grew}: nothing is lost, and nothing is to be sent again`;
  return new TallyError('EVENTS_WAIT', message, { events, since, logGrew: logGrewAtMs }, RETRIABLE);
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new WakeSignal().wait(ms, signal);
}
