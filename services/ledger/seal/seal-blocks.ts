import { setImmediate as nextTurn } from 'node:timers/promises';
import { decodeAcknowledgement } from '../../../libs/adapters/codec/acknowledgement-codec.ts';
import { liabilitiesCodecWithoutState } from '../../../libs/adapters/codec/liabilities-codec.ts';
import type {
  EventLog,
  LogRecord,
  PartitionPosition,
  RecordBatch,
} from '../../../libs/adapters/event-log/event-log.ts';
import { ACKNOWLEDGEMENTS, LIABILITIES } from '../../../libs/adapters/event-log/topics.ts';
import { LinkedInput, linkedPositionAt } from '../../../libs/adapters/stage/linked-output.ts';
import type { FoldedMessage, InputReach, Proposal, StageProgram } from '../../../libs/adapters/stage/program.ts';
import type { Checkpoint, StorePut } from '../../../libs/adapters/state-store/state-store.ts';
import { type Clock, type Moment, momentOf } from '../../../libs/adapters/time/clock.ts';
import type { Assessment } from '../../../libs/core/decisions/decision.ts';
import type { LiabilityBody } from '../../../libs/core/decisions/liability-message.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type {
  AcknowledgementEvent,
  HeadsAcknowledged,
  KeyRegistered,
} from '../../../libs/core/ledger/block/acknowledgement-events.ts';
import type { CloseReason } from '../../../libs/core/ledger/block/block-header.ts';
import { BLIND_BYTES } from '../../../libs/core/ledger/block/block-totals.ts';
import type { AcknowledgedHead, BlocksBody, SealedBlock } from '../../../libs/core/ledger/block/blocks-message.ts';
import { type OpenEntry, openEntryOf, type Sealed } from '../../../libs/core/ledger/block/seal-block.ts';
import { entryOf } from '../../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry, payerKeyEntry } from '../../../libs/core/ledger/entry/key-event.ts';
import { ENTRY_SALT_BYTES } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import { chainKeysFor, type LedgerCrypto, type LedgerIdentity } from '../store/ledger-identity.ts';
import type { LedgerStore } from '../store/ledger-store.ts';
import { checkAcknowledgement } from './check-acknowledgement.ts';
import type { RegistrationCheck } from './check-registration.ts';
import type { CheckedRecords } from './checked-records.ts';
import type { BlockFold } from './fold-blocks.ts';
import { type HeldAccount, HeldAccounts } from './held-accounts.ts';
import { InputTrack, type ReadMessage } from './input-track.ts';
import { BLOCK_LIMITS, type BlockLimits, type EntryContext, OpenChain } from './open-chain.ts';
import { packMessages } from './pack-messages.ts';
import { RandomPool } from './random-pool.ts';
import { RejectionIndex } from './rejection-index.ts';
import type { CheckpointSigner } from './sign-checkpoints.ts';

export interface SealBlocksOptions {
  readonly limits?: Partial<SealLimits>;
}

export interface SealLimits extends BlockLimits {
  /** Age of its oldest entry at which a block of a PAYE or VAT account is closed. */
  readonly payeAgeMs: number;
  readonly vatAgeMs: number;
  /** Entries of all open blocks together, bytes: beyond it the oldest are closed. */
  readonly openBytesMax: number;
  /** At most one signature in so much time. */
  readonly checkpointMs: number;
  /** How long settled input may stay uncovered where no block is closed. */
  readonly coverMs: number;
  /** Chains whose working state is kept between messages. */
  readonly chainsKeptMax: number;
}

/** The embedded default; production sets 5 s and 30 s (ledger.md section 3). */
export const SEAL_LIMITS: SealLimits = {
  ...BLOCK_LIMITS,
  payeAgeMs: 2_000,
  vatAgeMs: 2_000,
  openBytesMax: 64 * 1024 * 1024,
  checkpointMs: 1_000,
  coverMs: 10_000,
  chainsKeptMax: 10_000,
};

/** What the sealing tells of itself, for metrics, logs and alarms. */
export type SealEvent =
  | {
      readonly type: 'blockSealed';
      readonly tax: 'paye' | 'vat';
      readonly reason: CloseReason;
      readonly entries: number;
    }
  | { readonly type: 'checkpointSigned'; readonly size: number }
  | { readonly type: 'acknowledgementTaken'; readonly heads: number }
  | { readonly type: 'accountHeld'; readonly held: HeldAccount; readonly error: unknown }
  | { readonly type: 'storeRotten'; readonly code: string }
  | { readonly type: 'acknowledgementRefused'; readonly code: string; readonly offset: number };

export interface SealBlocksDependencies {
  readonly log: EventLog;
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
  readonly fold: BlockFold;
  readonly signer: CheckpointSigner;
  /** Of the door of this process. */
  readonly checked: CheckedRecords;
  readonly registrations: RegistrationCheck;
  readonly clock: Clock;
  readonly observe: (event: SealEvent) => void;
  /** After a commit: what was read back may be served. */
  readonly onCommitted: () => void;
}

/**
 * The ledger's stage program: decisions of liabilities.v1 become entries, entries blocks, blocks the log; checkpoints are signed over what
 * was read back. An account of which no entry or block can be made is held alone (held-accounts.ts). Order: append (acknowledged) → read back and fold → sign → append the checkpoint → read back → serve.
 */
export class SealBlocks implements StageProgram<BlocksBody> {
  readonly coverage = 'low';
  readonly #limits: SealLimits;
  readonly #of: SealBlocksDependencies;
  readonly #random: RandomPool;
  readonly #rejections: RejectionIndex;
  #inputs = new Map<string, LiabilityInput>();
  #tracks: InputTrack[] = [];
  #chains = new Map<Account, OpenChain>();
  readonly #held = new HeldAccounts();
  /** Open blocks by the time they were opened, the oldest first; one age limit each. */
  #openPaye = new Set<OpenChain>();
  #openVat = new Set<OpenChain>();
  #openBytes = 0;
  #sealed: SealedBlock[] = [];
  #acknowledged: AcknowledgedHead[] = [];
  #demanded = false;
  #signedSize = 0;
  #signedAtMs = Number.NEGATIVE_INFINITY;
  #coveredAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SealBlocksOptions, dependencies: SealBlocksDependencies) {
    this.#limits = { ...SEAL_LIMITS, ...options.limits };
    this.#of = dependencies;
    this.#random = new RandomPool(dependencies.crypto.randomBytes);
    this.#rejections = new RejectionIndex(dependencies);
  }

  /** Open blocks that wait, for statistics. */
  get openBlocks(): number {
    return this.#openPaye.size + this.#openVat.size;
  }

  /** Accounts that are held alone. */
  get heldAccounts(): readonly HeldAccount[] {
    return this.#held.all;
  }

  /** Leaves under the newest signed checkpoint that was read back, committed or not. */
  get signedSize(): number {
    return this.#of.fold.signedSize;
  }

  /** Every open block is closed at the next tick. */
  closeOnDemand(): void {
    this.#demanded = true;
  }

  reset(): void {
    this.#of.store.discard();
    this.#dropOpen();
  }

  /** Where the store stands. One that does not hold what was signed is no copy of this log: it is folded again from the start. */
  async checkpoint(): Promise<Checkpoint | null> {
    const { store, fold, observe } = this.#of;
    await store.settle();
    try {
      fold.resume();
    } catch (error) {
      if (!(error instanceof TallyError)) throw error;
      observe({ type: 'storeRotten', code: error.code });
      await this.wipe();
    }
    return store.checkpoint();
  }

  async wipe(): Promise<void> {
    await this.#of.store.wipe();
    this.#of.fold.resume();
  }

  /** Before anything new is taken: the log as folded begins with what was signed. Throws SIGNER_AHEAD_OF_LOG, SIGNER_HISTORY_DIFFERS. */
  async startReading(positions: readonly PartitionPosition[]): Promise<void> {
    this.#dropOpen();
    this.#of.signer.assertExtends(this.#of.store.tree);
    this.#inputs = new Map();
    this.#tracks = [];
    this.#provenFrom = new Map();
    for (const position of positions) {
      const track = new InputTrack(position.topic, position.partition, position.offset);
      this.#tracks.push(track);
      if (position.topic === ACKNOWLEDGEMENTS) {
        this.#provenFrom.set(track, (await this.#of.log.bounds(position)).high);
      }
      if (position.topic !== LIABILITIES) continue;
      const start = await linkedPositionAt(position, { log: this.#of.log, codec: liabilitiesCodecWithoutState });
      await this.#rejections.catchUp(start);
      const reader = new LinkedInput(start, liabilitiesCodecWithoutState);
      this.#inputs.set(`${position.topic}/${position.partition}`, { reader, track, rereadBelow: null });
    }
  }

  async decide(batches: readonly RecordBatch[]): Promise<readonly Proposal<BlocksBody>[]> {
    const now = momentOf(this.#of.clock);
    for (const batch of batches) {
      const key = `${batch.topic}/${batch.partition}`;
      const input = this.#inputs.get(key);
      if (input !== undefined) await this.#readLiabilities(input, batch, now);
      else if (batch.topic === ACKNOWLEDGEMENTS) this.#readAcknowledgements(batch, now);
    }
    this.#closeExcess(now);
    return this.#proposals(null, now.elapsedMs);
  }

  async tick(): Promise<readonly Proposal<BlocksBody>[]> {
    const now = momentOf(this.#of.clock);
    const { payeAgeMs, vatAgeMs } = this.#limits;
    this.#closeOlder(this.#openPaye, now.elapsedMs - payeAgeMs, 'age', now);
    this.#closeOlder(this.#openVat, now.elapsedMs - vatAgeMs, 'age', now);
    if (this.#demanded) {
      this.#demanded = false;
      this.#closeOlder(this.#openPaye, Number.POSITIVE_INFINITY, 'demand', now);
      this.#closeOlder(this.#openVat, Number.POSITIVE_INFINITY, 'demand', now);
    }
    if (this.#of.store.hasPendingRejections) {
      await this.#of.store.commit();
      this.#of.onCommitted();
    }
    return this.#proposals(this.#dueCheckpoint(now.elapsedMs), now.elapsedMs);
  }

  fold(message: FoldedMessage<BlocksBody>): readonly StorePut[] {
    this.#of.fold.fold(message.body, message.offset);
    return [];
  }

  async onFolded(_messages: readonly FoldedMessage<BlocksBody>[], checkpoint: Checkpoint): Promise<void> {
    await this.#of.store.commit(checkpoint);
    this.#signedSize = this.#of.fold.signedSize;
    this.#forgetIdle();
    this.#of.onCommitted();
  }

  async #readLiabilities(input: LiabilityInput, batch: RecordBatch, now: Moment): Promise<void> {
    // Only what stood in the log at the take can be in a block already; a number that comes again later is a fault of tax.
    input.rereadBelow ??= batch.highOffset;
    let turnStartedMs = this.#of.clock.elapsedMs();
    for (const record of batch.records) {
      if (this.#of.clock.elapsedMs() - turnStartedMs > TURN_MS) {
        await nextTurn();
        turnStartedMs = this.#of.clock.elapsedMs();
      }
      const message = input.reader.take(record);
      if (message === null) continue;
      this.#rejections.take(batch.partition, message);
      const source = input.track.read(message.offset);
      for (const decision of message.body.decisions) {
        for (const assessment of decision.results) this.#take(assessment, message.body, source, input, now);
      }
    }
  }

  #take(assessment: Assessment, body: LiabilityBody, source: ReadMessage, input: LiabilityInput, now: Moment): void {
    const { account, number } = assessment;
    if (this.#held.has(account)) return;
    const chain = this.#chainOf(account, source, now);
    if (this.#held.has(account)) return;
    if (number !== chain.nextNumber) {
      if (number > chain.nextNumber) throw numberFault('NUMBER_GAP', assessment, chain, source);
      if (source.offset >= (input.rereadBelow ?? 0)) throw numberFault('NUMBER_REPEATED', assessment, chain, source);
      return;
    }
    const entry = this.#entryOf(assessment, chain, source);
    if (entry === null) return;
    const rulesHash = chain.tax === 'paye' ? body.payeRulesHash : body.vatRulesHash;
    this.#add(chain, entry, { taxPeriod: assessment.taxPeriod, rulesHash, source, now });
  }

  /** Null where the ledger cannot take it: the account is held. */
  #entryOf(assessment: Assessment, chain: OpenChain, source: ReadMessage): OpenEntry | null {
    const making = { personKey: chain.keys.personKey, salt: this.#random.take(ENTRY_SALT_BYTES) };
    try {
      return openEntryOf(entryOf(assessment, making, this.#of.crypto.hmac));
    } catch (error) {
      this.#hold(chain, source, error);
      return null;
    }
  }

  /** What is open of the chain stays open, and is sealed in its time; nothing is added to it. */
  #hold(chain: OpenChain, source: ReadMessage, error: unknown): void {
    const held = this.#held.hold(chain.account, chain.nextNumber, source, error);
    this.#of.observe({ type: 'accountHeld', held, error });
  }

  #add(chain: OpenChain, entry: OpenEntry, context: EntryContext): void {
    if (!this.#place(chain, entry, context)) return;
    if (chain.isFull(this.#limits)) this.#close(chain, 'size', context.now);
  }

  /** A key event's entry closes its block, and is the last in it. */
  #addKeyEvent(chain: OpenChain, entry: OpenEntry, context: EntryContext): void {
    if (this.#place(chain, entry, context)) this.#close(chain, 'key', context.now);
  }

  /** False where the block before it could not be sealed: the account is held. */
  #place(chain: OpenChain, entry: OpenEntry, context: EntryContext): boolean {
    const reason = chain.closesBefore(entry, context, this.#limits);
    if (reason !== null && !this.#close(chain, reason, context.now)) return false;
    const wasOpen = chain.isOpen;
    chain.take(entry, context);
    this.#openBytes += entry.bytes.length;
    if (!wasOpen) this.#openOf(chain).add(chain);
    return true;
  }

  /** The chain of an account; the first time anything is heard of it, with its block 0. */
  #chainOf(account: Account, source: ReadMessage, now: Moment): OpenChain {
    const known = this.#chains.get(account);
    if (known !== undefined) return known;
    const { store, identity, crypto } = this.#of;
    const stored = store.chainOf(account);
    const keys = stored?.keys ?? chainKeysFor(identity, crypto, account);
    const chain = new OpenChain(account, keys, stored?.head ?? null);
    this.#chains.set(account, chain);
    if (stored === undefined) {
      const salt = this.#random.take(ENTRY_SALT_BYTES);
      const entry = openEntryOf(ledgerKeyEntry(account, identity.verifierKey, salt, crypto.hashes.sha256));
      this.#addKeyEvent(chain, entry, { taxPeriod: '', rulesHash: '', source, now });
    }
    return chain;
  }

  /** False where no block can be made of what is open: the account is held, and the messages that its open block pins stay uncovered. */
  #close(chain: OpenChain, reason: CloseReason, now: Moment): boolean {
    this.#openBytes -= chain.bytes;
    this.#openOf(chain).delete(chain);
    const sealed = this.#seal(chain, reason, now);
    if (sealed === null) return false;
    this.#of.fold.expect(sealed, chain.keys);
    this.#sealed.push(sealed.block);
    this.#of.observe({ type: 'blockSealed', tax: chain.tax, reason, entries: sealed.block.entries.length });
    return true;
  }

  #seal(chain: OpenChain, reason: CloseReason, now: Moment): Sealed | null {
    try {
      return chain.seal({
        ledgerName: this.#of.identity.name,
        reason,
        civilMs: now.civilMs,
        blind: this.#random.take(BLIND_BYTES),
        hashes: this.#of.crypto.hashes,
      });
    } catch (error) {
      const [source] = chain.pinned;
      if (source === undefined) throw error;
      this.#hold(chain, source, error);
      return null;
    }
  }

  #openOf(chain: OpenChain): Set<OpenChain> {
    return chain.tax === 'paye' ? this.#openPaye : this.#openVat;
  }

  #closeOlder(open: ReadonlySet<OpenChain>, openedBeforeMs: number, reason: CloseReason, now: Moment): void {
    for (const chain of open) {
      if (chain.openedElapsedMs > openedBeforeMs) return;
      this.#close(chain, reason, now);
    }
  }

  /** Memory is bounded: beyond the limit the oldest open blocks go, whatever their age. */
  #closeExcess(now: Moment): void {
    for (const open of [this.#openVat, this.#openPaye]) {
      for (const chain of open) {
        if (this.#openBytes <= this.#limits.openBytesMax) return;
        this.#close(chain, 'demand', now);
      }
    }
  }

  #readAcknowledgements(batch: RecordBatch, now: Moment): void {
    const track = this.#tracks.find((one) => one.topic === batch.topic && one.partition === batch.partition);
    if (track === undefined) return;
    for (const record of batch.records) {
      const source = track.read(record.offset);
      const event = readAcknowledgement(record);
      try {
        this.#takeAcknowledgement(event, record, source, now);
      } catch (error) {
        if (!(error instanceof TallyError)) throw error;
        this.#of.observe({ type: 'acknowledgementRefused', code: error.code, offset: record.offset });
      }
    }
  }

  #takeAcknowledgement(
    event: AcknowledgementEvent | TallyError,
    { value }: LogRecord,
    source: ReadMessage,
    now: Moment,
  ): void {
    if (event instanceof TallyError) throw event;
    switch (event.type) {
      case 'KeyRegistered':
        this.#takeKey(event, source, now, () => value !== null && this.#of.checked.take(value));
        return;
      case 'HeadsAcknowledged':
        if (value === null || !this.#of.checked.take(value)) this.#checkHeads(event);
        this.#takeHeads(event);
        return;
      case 'DisputeRaised':
        throw new TallyError('DISPUTE_NOT_BUILT', 'disputes are not entries yet', { chain: event.chain });
    }
  }

  /** The payer's key is an entry of its own and closes its block. A chain's first key stands; the same again is a repeat. */
  #takeKey(event: KeyRegistered, source: ReadMessage, now: Moment, isChecked: () => boolean): void {
    const chain = this.#chainOf(event.account, source, now);
    if (event.chain !== chain.keys.chain) {
      throw new TallyError('CHAIN_UNKNOWN', "the chain is not the account's", { chain: event.chain });
    }
    const known = this.#payerKeys.get(event.account) ?? this.#of.store.payerKeyOf(event.account);
    if (known === event.verifierKey) return;
    if (known !== undefined)
      throw new TallyError('PAYER_KEY_DIFFERS', 'another key is registered', { chain: event.chain });
    if (!isChecked()) this.#checkRegistration(event, source);
    if (this.#held.has(event.account)) {
      throw new TallyError('ACCOUNT_HELD', "the account's chain waits for a release that can go on with it", {
        chain: event.chain,
      });
    }
    const salt = this.#random.take(ENTRY_SALT_BYTES);
    const entry = openEntryOf(payerKeyEntry(event.eventId, event.verifierKey, salt));
    this.#addKeyEvent(chain, entry, { taxPeriod: '', rulesHash: '', source, now });
    this.#payerKeys.set(event.account, event.verifierKey);
  }

  /**
   * What the door of another process appended, or of this one before its start, is checked as the door checks it. A registration without a
   * proof counts only where it was in the log already when the reading of it began: an earlier release, which knew no proofs, answered for it.
   */
  #checkRegistration(event: KeyRegistered, { track, offset }: ReadMessage): void {
    const { registrations } = this.#of;
    if (event.proof !== null || offset >= (this.#provenFrom.get(track) ?? 0))
      registrations.assertProven(event, event.proof);
    else registrations.assertReadable(event.verifierKey);
  }

  /** End of each partition of acknowledgements.v1 when the reading of it began. */
  #provenFrom = new Map<InputTrack, number>();

  /** Keys whose entries are on their way to the log. */
  #payerKeys = new Map<Account, string>();

  #checkHeads(event: HeadsAcknowledged): void {
    const { store, crypto, identity } = this.#of;
    checkAcknowledgement(event.note, event.heads, {
      store,
      crypto,
      identity,
      chainOf: (head) => store.chainOf(head.account),
      payerKeyOf: (chain) => store.payerKeyOf(chain.account),
    });
  }

  #takeHeads(event: HeadsAcknowledged): void {
    const { store } = this.#of;
    const newer = event.heads.filter(({ account, seq }) => seq > (store.acknowledgedOf(account)?.seq ?? -1));
    this.#acknowledged.push(...newer);
    this.#of.observe({ type: 'acknowledgementTaken', heads: newer.length });
  }

  #dueCheckpoint(elapsedMs: number): string | null {
    const { store, signer } = this.#of;
    if (store.tree.size <= this.#signedSize || elapsedMs - this.#signedAtMs < this.#limits.checkpointMs) return null;
    this.#signedAtMs = elapsedMs;
    const note = signer.sign(store.tree);
    this.#of.observe({ type: 'checkpointSigned', size: store.tree.size });
    return note;
  }

  /** What is ready for the log, in messages; the last of them covers everything that is settled. */
  #proposals(checkpoint: string | null, elapsedMs: number): readonly Proposal<BlocksBody>[] {
    const bodies = packMessages(this.#sealed, checkpoint, this.#acknowledged);
    this.#sealed = [];
    this.#acknowledged = [];
    if (bodies.length === 0) {
      const due =
        elapsedMs - this.#coveredAtMs >= this.#limits.coverMs && this.#tracks.some((track) => track.hasAdvanced);
      if (!due) return [];
      bodies.push({ blocks: [], checkpoint: null, acknowledged: [] });
    }
    this.#coveredAtMs = elapsedMs;
    const covers = this.#tracks.map((track) => track.advance()).filter((cover): cover is InputReach => cover !== null);
    return bodies.map((body, index) => ({ body, covers: index === bodies.length - 1 ? covers : [] }));
  }

  #dropOpen(): void {
    this.#held.clear();
    this.#chains = new Map();
    this.#openPaye = new Set();
    this.#openVat = new Set();
    this.#openBytes = 0;
    this.#sealed = [];
    this.#acknowledged = [];
    this.#payerKeys = new Map();
    this.#of.fold.forgetExpected();
    this.#signedSize = this.#of.fold.signedSize;
  }

  /** Everything sealed is folded now: a chain without open block can be read from the store again. */
  #forgetIdle(): void {
    this.#payerKeys.clear();
    if (this.#chains.size <= this.#limits.chainsKeptMax) return;
    for (const [account, chain] of this.#chains) if (!chain.isOpen) this.#chains.delete(account);
  }
}

/** How long sealing may hold the event loop before others get their turn. */
const TURN_MS = 20;

interface LiabilityInput {
  readonly reader: LinkedInput<LiabilityBody>;
  readonly track: InputTrack;
  /** End of the partition when the reading of it began. */
  rereadBelow: number | null;
}

function readAcknowledgement(record: LogRecord): AcknowledgementEvent | TallyError {
  if (record.value === null) return new TallyError('RECORD_UNREADABLE', 'the record has no value', {});
  try {
    return decodeAcknowledgement(record.value);
  } catch (error) {
    if (error instanceof TallyError) return error;
    throw error;
  }
}

function numberFault(
  code: 'NUMBER_GAP' | 'NUMBER_REPEATED',
  assessment: Assessment,
  chain: OpenChain,
  source: ReadMessage,
): TallyError {
  const { topic, partition } = source.track;
  const facts = { topic, partition, offset: source.offset, number: assessment.number, expected: chain.nextNumber };
  const what = `decision ${assessment.number} of an account where ${chain.nextNumber} comes next`;
  return new TallyError(code, `${topic}/${partition} offset ${source.offset}: ${what}`, facts);
}
