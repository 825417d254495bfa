import { setImmediate as nextTurn } from 'node:timers/promises';
import { liabilitiesCodecWithoutState } from '../../../libs/adapters/codec/liabilities-codec.ts';
import type { PartitionPosition, RecordBatch } from '../../../libs/adapters/event-log/event-log.ts';
import { ACKNOWLEDGEMENTS, LIABILITIES } from '../../../libs/adapters/event-log/topics.ts';
import { LinkedInput, linkedPositionAt } from '../../../libs/adapters/stage/linked-output.ts';
import type { FoldedMessage, InputReach, Proposal, StageProgram } from '../../../libs/adapters/stage/program.ts';
import type { Checkpoint, StorePut } from '../../../libs/adapters/state-store/state-store.ts';
import { type Moment, momentOf } from '../../../libs/adapters/time/clock.ts';
import type { Assessment } from '../../../libs/core/decisions/decision.ts';
import type { LiabilityBody } from '../../../libs/core/decisions/liability-message.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { CloseReason } from '../../../libs/core/ledger/block/block-header.ts';
import { BLIND_BYTES } from '../../../libs/core/ledger/block/block-totals.ts';
import type { BlocksBody, SealedBlock } from '../../../libs/core/ledger/block/blocks-message.ts';
import { type OpenEntry, openEntryOf, type Sealed } from '../../../libs/core/ledger/block/seal-block.ts';
import { entryOf } from '../../../libs/core/ledger/entry/entry-of-assessment.ts';
import { ledgerKeyEntry } from '../../../libs/core/ledger/entry/key-event.ts';
import { ENTRY_SALT_BYTES } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import { chainKeysFor } from '../store/ledger-identity.ts';
import { AcknowledgementInput } from './acknowledgement-input.ts';
import { type HeldAccount, HeldAccounts } from './held-accounts.ts';
import { InputProgress, type ReadMessage } from './input-progress.ts';
import { type EntryContext, OpenChain, SEAL_LIMITS, type SealLimits } from './open-chain.ts';
import { packMessages } from './pack-messages.ts';
import { RandomPool } from './random-pool.ts';
import { RejectionIndex } from './rejection-index.ts';
import type { BlockSealerDependencies } from './seal-events.ts';

export interface BlockSealerOptions {
  readonly limits?: Partial<SealLimits>;
}

/**
 * The ledger's stage program: decisions of liabilities.v1 become entries, entries blocks, blocks the log; checkpoints are signed over what
 * was read back. An account of which no entry or block can be made is held alone (held-accounts.ts). Order: append (acknowledged) → read back and fold → sign → append the checkpoint → read back → serve.
 */
export class BlockSealer implements StageProgram<BlocksBody> {
  readonly coverage = 'low';
  readonly #limits: SealLimits;
  readonly #dependencies: BlockSealerDependencies;
  readonly #random: RandomPool;
  readonly #rejections: RejectionIndex;
  readonly #acknowledgements: AcknowledgementInput;
  #inputs = new Map<string, LiabilityInput>();
  #tracks: InputProgress[] = [];
  #chains = new Map<Account, OpenChain>();
  readonly #held = new HeldAccounts();
  /** Open blocks by the time they were opened, the oldest first; one age limit each. */
  #openPaye = new Set<OpenChain>();
  #openVat = new Set<OpenChain>();
  #openBytes = 0;
  #sealed: SealedBlock[] = [];
  #demanded = false;
  #signedSize = 0;
  #signedAtMs = Number.NEGATIVE_INFINITY;
  #coveredAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: BlockSealerOptions, dependencies: BlockSealerDependencies) {
    this.#limits = { ...SEAL_LIMITS, ...options.limits };
    this.#dependencies = dependencies;
    this.#random = new RandomPool(dependencies.crypto.randomBytes);
    this.#rejections = new RejectionIndex(dependencies);
    this.#acknowledgements = new AcknowledgementInput({
      ...dependencies,
      random: this.#random,
      chainOf: (account, source, now) => this.#chainOf(account, source, now),
      isHeld: (account) => this.#held.has(account),
      addKeyEvent: (chain, entry, context) => this.#addKeyEvent(chain, entry, context),
    });
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
    return this.#dependencies.fold.signedSize;
  }

  /** Every open block is closed at the next tick. */
  closeOnDemand(): void {
    this.#demanded = true;
  }

  reset(): void {
    this.#dependencies.store.discard();
    this.#dropOpen();
  }

  /** Where the store stands. One that does not hold what was signed is no copy of this log: it is folded again from the start. */
  async checkpoint(): Promise<Checkpoint | null> {
    const { store, fold, observe } = this.#dependencies;
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
    await this.#dependencies.store.wipe();
    this.#dependencies.fold.resume();
  }

  /** Before anything new is taken: the log as folded begins with what was signed. Throws SIGNER_AHEAD_OF_LOG, SIGNER_HISTORY_DIFFERS. */
  async startReading(positions: readonly PartitionPosition[]): Promise<void> {
    this.#dropOpen();
    this.#dependencies.signer.assertExtends(this.#dependencies.store.tree);
    this.#inputs = new Map();
    this.#tracks = [];
    this.#acknowledgements.reset();
    for (const position of positions) {
      const track = new InputProgress(position.topic, position.partition, position.offset);
      this.#tracks.push(track);
      if (position.topic === ACKNOWLEDGEMENTS) {
        this.#acknowledgements.begin(track, (await this.#dependencies.log.bounds(position)).high);
      }
      if (position.topic !== LIABILITIES) continue;
      const start = await linkedPositionAt(position, {
        log: this.#dependencies.log,
        codec: liabilitiesCodecWithoutState,
      });
      await this.#rejections.catchUp(start);
      const reader = new LinkedInput(start, liabilitiesCodecWithoutState);
      this.#inputs.set(`${position.topic}/${position.partition}`, { reader, track, rereadBelow: null });
    }
  }

  async decide(batches: readonly RecordBatch[]): Promise<readonly Proposal<BlocksBody>[]> {
    const now = momentOf(this.#dependencies.clock);
    for (const batch of batches) {
      const key = `${batch.topic}/${batch.partition}`;
      const input = this.#inputs.get(key);
      if (input !== undefined) await this.#readLiabilities(input, batch, now);
      else if (batch.topic === ACKNOWLEDGEMENTS) this.#acknowledgements.read(batch, now);
    }
    this.#closeExcess(now);
    return this.#proposals(null, now.elapsedMs);
  }

  async tick(): Promise<readonly Proposal<BlocksBody>[]> {
    const now = momentOf(this.#dependencies.clock);
    const { payeAgeMs, vatAgeMs } = this.#limits;
    this.#closeOlder(this.#openPaye, now.elapsedMs - payeAgeMs, 'age', now);
    this.#closeOlder(this.#openVat, now.elapsedMs - vatAgeMs, 'age', now);
    if (this.#demanded) {
      this.#demanded = false;
      this.#closeOlder(this.#openPaye, Number.POSITIVE_INFINITY, 'demand', now);
      this.#closeOlder(this.#openVat, Number.POSITIVE_INFINITY, 'demand', now);
    }
    if (this.#dependencies.store.hasPendingRejections) {
      await this.#dependencies.store.commit();
      this.#dependencies.onCommitted();
    }
    return this.#proposals(this.#dueCheckpoint(now.elapsedMs), now.elapsedMs);
  }

  fold(message: FoldedMessage<BlocksBody>): readonly StorePut[] {
    this.#dependencies.fold.fold(message.body, message.offset);
    return [];
  }

  async onFolded(_messages: readonly FoldedMessage<BlocksBody>[], checkpoint: Checkpoint): Promise<void> {
    await this.#dependencies.store.commit(checkpoint);
    this.#signedSize = this.#dependencies.fold.signedSize;
    this.#forgetIdle();
    this.#dependencies.onCommitted();
  }

  async #readLiabilities(input: LiabilityInput, batch: RecordBatch, now: Moment): Promise<void> {
    // Only what stood in the log at the take can be in a block already; a number that comes again later is a fault of tax.
    input.rereadBelow ??= batch.highOffset;
    let turnStartedMs = this.#dependencies.clock.elapsedMs();
    for (const record of batch.records) {
      if (this.#dependencies.clock.elapsedMs() - turnStartedMs > TURN_MS) {
        await nextTurn();
        turnStartedMs = this.#dependencies.clock.elapsedMs();
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
      return openEntryOf(entryOf(assessment, making, this.#dependencies.crypto.hmac));
    } catch (error) {
      this.#hold(chain, source, error);
      return null;
    }
  }

  /** What is open of the chain stays open, and is sealed in its time; nothing is added to it. */
  #hold(chain: OpenChain, source: ReadMessage, error: unknown): void {
    const held = this.#held.hold(chain.account, chain.nextNumber, source, error);
    this.#dependencies.observe({ type: 'accountHeld', held, error });
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
    const { store, identity, crypto } = this.#dependencies;
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
    this.#dependencies.fold.expect(sealed, chain.keys);
    this.#sealed.push(sealed.block);
    this.#dependencies.observe({ type: 'blockSealed', tax: chain.tax, reason, entries: sealed.block.entries.length });
    return true;
  }

  #seal(chain: OpenChain, reason: CloseReason, now: Moment): Sealed | null {
    try {
      return chain.seal({
        ledgerName: this.#dependencies.identity.name,
        reason,
        civilMs: now.civilMs,
        blind: this.#random.take(BLIND_BYTES),
        hashes: this.#dependencies.crypto.hashes,
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

  #dueCheckpoint(elapsedMs: number): string | null {
    const { store, signer } = this.#dependencies;
    if (store.tree.size <= this.#signedSize || elapsedMs - this.#signedAtMs < this.#limits.checkpointMs) return null;
    this.#signedAtMs = elapsedMs;
    const note = signer.sign(store.tree);
    this.#dependencies.observe({ type: 'checkpointSigned', size: store.tree.size });
    return note;
  }

  /** What is ready for the log, in messages; the last of them covers everything that is settled. */
  #proposals(checkpoint: string | null, elapsedMs: number): readonly Proposal<BlocksBody>[] {
    const bodies = packMessages(this.#sealed, checkpoint, this.#acknowledgements.takeHeads());
    this.#sealed = [];
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
    this.#acknowledgements.drop();
    this.#dependencies.fold.forgetExpected();
    this.#signedSize = this.#dependencies.fold.signedSize;
  }

  /** Everything sealed is folded now: a chain without open block can be read from the store again. */
  #forgetIdle(): void {
    this.#acknowledgements.forgetKeys();
    if (this.#chains.size <= this.#limits.chainsKeptMax) return;
    for (const [account, chain] of this.#chains) if (!chain.isOpen) this.#chains.delete(account);
  }
}

/** How long sealing may hold the event loop before others get their turn. */
const TURN_MS = 20;

interface LiabilityInput {
  readonly reader: LinkedInput<LiabilityBody>;
  readonly track: InputProgress;
  /** End of the partition when the reading of it began. */
  rereadBelow: number | null;
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
