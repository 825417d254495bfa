import { TallyError } from '../../core/errors/tally-error.ts';
import {
  type AppendOutcome,
  type AppendRecord,
  type PartitionAppend,
  RECORD_BYTES_MAX,
  type RecordBatch,
  type TopicPartition,
} from '../event-log/event-log.ts';
import { partitionKey } from '../event-log/partition-key.ts';
import { readAt } from '../event-log/read-at.ts';
import type { Checkpoint, StorePut } from '../state-store/state-store.ts';
import { chainProposals } from './chain-proposals.ts';
import { asProgram, codeOf, outOfRange, programError, staleError } from './faults.ts';
import { InputPositions } from './input-positions.ts';
import { type EncodedMessage, LinkedInput, readLink, ZERO_TIP } from './linked-output.ts';
import type {
  FoldedMessage,
  PartitionPosition,
  Proposal,
  StageClock,
  StageDependencies,
  StageEvent,
  StageLimits,
  StageOptions,
  StagePartitionStats,
  StageProgram,
} from './program.ts';
import type { StageRules } from './rules.ts';

export interface StageContext<Body> {
  readonly options: StageOptions;
  readonly limits: StageLimits;
  readonly dependencies: StageDependencies<Body>;
  readonly clock: StageClock;
  readonly rules: StageRules;
  readonly observe: (event: StageEvent) => void;
}

/** How often what may merely be late (an end of the log, a batch from elsewhere) is looked at again before it counts as a fault. */
const LATE_TRIES = 10;

/**
 * One output partition of one take: tip, positions, the chain of messages under way, what is folded and not yet stored.
 * Nothing here is shared with another take; what a former owner leaves behind is fenced off by the link, the store's tip and `alive`.
 */
export class StagePartition<Body> {
  readonly partition: number;
  readonly take: number;
  readonly program: StageProgram<Body>;
  readonly inputs: readonly TopicPartition[];
  /** False once the partition has gone to another take: nothing is sent, stored or served any more. */
  alive = true;
  status: 'folding' | 'running' | 'halted' = 'folding';
  haltError: unknown = null;
  /** The reader of inputs stands at readNext and reads this partition. */
  reading = false;
  /** startReading is due: after a fold and after foreign messages. */
  mustRewind = true;
  /** A send whose fate is not known: read back before it is sent again. */
  unsettled = false;
  retryAtMs = 0;
  nextTickMs = 0;
  lastActiveMs = 0;
  messagesFolded = 0;
  readonly #context: StageContext<Body>;
  readonly #output: TopicPartition;
  readonly #positions = new InputPositions(LATE_TRIES);
  #linked: LinkedInput<Body>;
  #tipOffset = -1;
  #storedTip: string | null = null;
  #pending: EncodedMessage<Body>[] = [];
  #folded: FoldedMessage<Body>[] = [];
  #foldedBytes = 0;
  /** What the store must take, of each message folded since it took the last. */
  #puts: (readonly StorePut[])[] = [];
  #isStored = true;
  #mustNotify = false;

  constructor(partition: number, take: number, context: StageContext<Body>) {
    this.partition = partition;
    this.take = take;
    this.#context = context;
    this.#output = { topic: context.options.output, partition };
    this.inputs = context.dependencies.inputsOf(partition);
    this.program = context.dependencies.programFor(partition);
    this.#linked = this.#linkedFrom(null);
  }

  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** Folded messages that the store or the program has not taken yet. */
  get isDirty(): boolean {
    return this.#folded.length > 0 || this.#mustNotify;
  }

  get isReady(): boolean {
    return this.isClean && !this.mustRewind;
  }

  /** Nothing is under way: what is decided now stands on all that is folded. */
  get isClean(): boolean {
    return this.alive && this.status === 'running' && !this.hasPending && !this.isDirty;
  }

  isDue(elapsedMs: number): boolean {
    return this.retryAtMs <= elapsedMs;
  }

  /** Where the store, as far as this owner knows, stands. */
  get storedTip(): string | null {
    return this.#storedTip;
  }

  covered(): PartitionPosition[] {
    return this.inputs.map((input) => ({ ...input, offset: this.#linked.coveredOf(input) }));
  }

  readPositions(): PartitionPosition[] {
    return this.inputs.map((input) => ({ ...input, offset: this.#positions.nextOf(input) }));
  }

  checkpoint(): Checkpoint {
    return {
      tip: this.#linked.tip,
      tipOffset: this.#tipOffset,
      outputNext: this.#linked.offset,
      inputs: this.covered(),
    };
  }

  /** Starts again from the store's checkpoint (or the program's own, or nothing) and folds to the end of the log. */
  async foldAll(wipe: boolean): Promise<void> {
    this.abandon();
    this.program.reset();
    const checkpoint = await this.#usableCheckpoint(wipe);
    this.#storedTip = checkpoint?.tip ?? null;
    this.#tipOffset = checkpoint?.tipOffset ?? -1;
    this.#linked = this.#linkedFrom(checkpoint);
    this.#mustNotify = true;
    await this.catchUp(0);
    if ((await this.store()) === 'stale') {
      throw staleError(this.#output);
    }
    this.lastActiveMs = this.#context.clock.elapsedMs();
  }

  /** Reads the output from where this owner stands to its end, at least to `reach`, and folds what is valid. */
  async catchUp(reach: number): Promise<{ readonly foreign: number }> {
    let foreign = 0;
    const { log } = this.#context.dependencies;
    for (let tries = 0; this.alive; tries += 1) {
      const { low, high } = await log.bounds(this.#output);
      if (this.#linked.offset < low) {
        throw outOfRange(this.#output, this.#linked.offset, low, high);
      }
      if (high > this.#linked.offset) {
        foreign += await this.#foldTo(high);
      }
      if (this.#linked.offset >= reach && high >= this.#linked.offset) {
        break;
      }
      if (tries >= LATE_TRIES) {
        // An end that stays before what was folded: the log has lost its tail, or this is another log.
        throw outOfRange(this.#output, Math.max(this.#linked.offset, reach), low, high);
      }
      await this.#context.clock.sleep(this.#context.limits.retryMs);
    }
    return { foreign };
  }

  /** The batches of a poll that may be decided now; one that was read for an older take or comes from elsewhere is dropped and sought again. */
  current(batches: readonly RecordBatch[], ownedTake: number | undefined): RecordBatch[] {
    const usable: RecordBatch[] = [];
    for (const batch of batches) {
      if (this.#context.rules.isForThisTake(batch, this.#positions.nextOf(batch), ownedTake, this.take)) {
        usable.push(batch);
        this.#positions.keep(batch);
        continue;
      }
      this.reading = false;
      this.#context.observe({ type: 'batchDropped', partition: this.partition, topic: batch.topic });
      this.#positions.drop(batch);
    }
    return usable;
  }

  async decide(batches: readonly RecordBatch[]): Promise<void> {
    const proposals = await asProgram(this.#output, () => this.program.decide(batches));
    for (const batch of batches) {
      this.#positions.pass(batch);
    }
    this.#propose(proposals, (this.program.coverage ?? 'all') === 'all' ? batches : []);
  }

  async tick(): Promise<void> {
    const { clock, limits } = this.#context;
    const tick = this.program.tick?.bind(this.program);
    if (tick !== undefined) {
      this.nextTickMs = clock.elapsedMs() + limits.tickMs;
      this.#propose(await asProgram(this.#output, () => tick()), []);
    }
  }

  /** The next records to send: as many messages, in order, as stand in one record batch of a broker. */
  round(): PartitionAppend {
    const records: AppendRecord[] = [];
    let bytes = 0;
    for (const message of this.#pending) {
      if (records.length > 0 && bytes + message.bytes.length > RECORD_BYTES_MAX) {
        break;
      }
      records.push({ key: null, value: message.bytes });
      bytes += message.bytes.length;
    }
    return { ...this.#output, records };
  }

  /** Folds what was sent, from the acknowledgement where that is allowed, else from what is read back. */
  async settle(sent: number, outcome: AppendOutcome): Promise<void> {
    const { options, rules, clock, limits, observe } = this.#context;
    if (outcome.status !== 'appended') {
      observe({ type: 'appendUnsettled', partition: this.partition, status: outcome.status, error: outcome.error });
    }
    if (options.foldFrom === 'acknowledged' && rules.standsAsExpected(outcome, this.#linked.offset)) {
      this.#foldAcknowledged(sent);
      return;
    }
    const head = this.#pending[0];
    this.unsettled = true;
    await this.readBack(outcome.status === 'appended' ? outcome.baseOffset + sent : 0);
    if (this.hasPending && this.#pending[0] === head) {
      this.unsettled = true;
      this.retryAtMs = clock.elapsedMs() + limits.retryMs;
    }
  }

  /** Folds what is new in the log and finds what became of the messages under way. */
  async readBack(reach = 0): Promise<void> {
    const { foreign } = await this.catchUp(reach);
    if (foreign > 0) {
      this.#context.observe({ type: 'foreignFolded', partition: this.partition, messages: foreign });
      this.mustRewind = true;
    }
    const [head] = this.#pending;
    if (head === undefined) {
      this.unsettled = false;
    } else if (this.#context.rules.isLost(this.#linked.tip, head.link.previous)) {
      this.#pending = [];
      this.unsettled = false;
      this.mustRewind = true;
      this.#context.observe({ type: 'appendLost', partition: this.partition });
    }
  }

  /** Writes what is folded to the store, then tells the program. `stale`: another owner, or another store than this owner wrote last. */
  async store(): Promise<'done' | 'stale'> {
    const { store } = this.#context.dependencies;
    if (store !== null && !this.#isStored) {
      const [outcome] = await store.commit([this.storeCommit()]);
      if (outcome === 'stale' && !(await this.isStoreAtTip())) {
        return 'stale';
      }
    }
    await this.stored();
    return 'done';
  }

  storeCommit() {
    const puts = lastPuts(this.#puts);
    return { partition: this.partition, expectedTip: this.#storedTip, checkpoint: this.checkpoint(), puts };
  }

  get needsStore(): boolean {
    return !this.#isStored && this.#context.dependencies.store !== null;
  }

  /** A commit whose answer was lost is refused as stale when it is sent again: the stored tip tells. */
  async isStoreAtTip(): Promise<boolean> {
    const stored = await this.#context.dependencies.store?.checkpoint(this.partition);
    return stored?.tip === this.#linked.tip;
  }

  /** The store has taken what is folded: now the program may show it. */
  async stored(): Promise<void> {
    if (!this.#isStored) {
      this.#storedTip = this.#linked.tip;
      this.#puts = [];
      this.#isStored = true;
    }
    if (this.isDirty && this.alive) {
      const checkpoint = this.checkpoint();
      await asProgram(this.#output, async () => this.program.onFolded?.(this.#folded, checkpoint));
      this.#folded = [];
      this.#foldedBytes = 0;
      this.#mustNotify = false;
    }
  }

  /** Reading begins at what is covered: checked against the log here, for a broker would go silently elsewhere. */
  async rewind(): Promise<void> {
    const positions = this.covered();
    for (const position of positions) {
      await this.#checkInput(position);
      this.#positions.seek(position);
    }
    await asProgram(this.#output, async () => this.program.startReading?.(positions));
    this.reading = false;
    this.mustRewind = false;
  }

  /** Nothing of what is under way is kept: the log has it or it does not count. */
  abandon(): void {
    this.#pending = [];
    this.#folded = [];
    this.#puts = [];
    this.#isStored = true;
    this.#mustNotify = false;
    this.unsettled = false;
    this.reading = false;
    this.mustRewind = true;
  }

  stats(): StagePartitionStats {
    return {
      partition: this.partition,
      take: this.take,
      status: this.status,
      haltCode: this.haltError === null ? null : codeOf(this.haltError),
      tip: this.#linked.tip,
      outputNext: this.#linked.offset,
      covered: this.covered(),
      lagRecords: this.inputs.reduce((sum, input) => sum + this.#positions.lagOf(input), 0),
    };
  }

  #linkedFrom(checkpoint: Checkpoint | null): LinkedInput<Body> {
    const known = new Map(checkpoint?.inputs.map((input) => [partitionKey(input), input.offset]));
    const covered = this.inputs.map((input) => ({ ...input, offset: known.get(partitionKey(input)) ?? 0 }));
    const position = {
      ...this.#output,
      offset: checkpoint?.outputNext ?? 0,
      tip: checkpoint?.tip ?? ZERO_TIP,
      covered,
    };
    return new LinkedInput(position, this.#context.dependencies.codec, this.#context.rules.isNextLink);
  }

  async #usableCheckpoint(wipe: boolean): Promise<Checkpoint | null> {
    const { store } = this.#context.dependencies;
    if (!wipe) {
      const stored = store === null ? await this.program.checkpoint?.() : await store.checkpoint(this.partition);
      if (stored === null || stored === undefined || (await this.#isOfThisLog(stored))) {
        return stored ?? null;
      }
      this.#context.observe({ type: 'storeStale', partition: this.partition });
    }
    await store?.wipe(this.partition);
    await this.program.wipe?.();
    this.program.reset();
    return null;
  }

  /** A store of another log (restored elsewhere, mixed up) has a tip that does not stand where it says. */
  async #isOfThisLog({ tip, tipOffset }: Checkpoint): Promise<boolean> {
    if (tip === ZERO_TIP) {
      return true;
    }
    const { log } = this.#context.dependencies;
    for (let tries = 0; this.alive; tries += 1) {
      const record = await readAt({ ...this.#output, offset: tipOffset }, log);
      if (record !== null) {
        return readLink(record.value)?.id === tip;
      }
      if (tries >= LATE_TRIES) {
        const { low, high } = await log.bounds(this.#output);
        throw outOfRange(this.#output, tipOffset, low, high);
      }
      await this.#context.clock.sleep(this.#context.limits.retryMs);
    }
    return true;
  }

  async #foldTo(high: number): Promise<number> {
    const { limits, dependencies } = this.#context;
    const reader = dependencies.log.reader([{ ...this.#output, offset: this.#linked.offset }]);
    let foreign = 0;
    try {
      for (let tries = 0; this.alive && this.#linked.offset < high && tries < LATE_TRIES; ) {
        const batches = await reader.poll({
          maxBytes: limits.foldReadBytes,
          maxRecords: limits.pollMaxRecords,
          waitMs: limits.pollWaitMs,
        });
        tries = batches.length === 0 ? tries + 1 : 0;
        for (const batch of batches) {
          foreign += this.#foldBatch(batch);
        }
        if (this.#foldedBytes >= limits.foldCommitBytes && (await this.store()) === 'stale') {
          throw staleError(this.#output);
        }
      }
    } finally {
      await reader.close();
    }
    if (this.alive && this.#linked.offset < high) {
      // Records that stand in the log do not come: the connection, not the position, is at fault.
      const { topic, partition } = this.#output;
      const facts = { topic, partition, offset: this.#linked.offset, high };
      const message = `what stands in ${topic}/${partition} up to ${high} can not be read now`;
      throw new TallyError('LOG_UNAVAILABLE', message, facts, { retriable: true });
    }
    return foreign;
  }

  /** Folds the valid messages of a batch of the output; gives how many were not this owner's. */
  #foldBatch(batch: RecordBatch): number {
    let foreign = 0;
    for (const record of batch.records) {
      const message = this.#linked.take(record, this.#pending[0]);
      if (message !== null) {
        this.#foldedBytes += record.value?.length ?? 0;
        this.#fold(message);
        if (this.#pending[0]?.link.id === message.link.id) {
          this.#pending.shift();
        } else {
          foreign += 1;
        }
      }
    }
    this.#linked.advanceTo(batch.nextOffset);
    return foreign;
  }

  #foldAcknowledged(sent: number): void {
    for (const { link, covers, body } of this.#pending.splice(0, sent)) {
      const message = { link, covers, body, offset: this.#linked.offset };
      this.#linked.accept(message);
      this.#fold(message);
    }
    this.unsettled = false;
  }

  #fold(message: FoldedMessage<Body>): void {
    this.#tipOffset = message.offset;
    try {
      this.#puts.push(this.program.fold(message));
    } catch (cause) {
      throw programError(this.#output, cause);
    }
    this.#folded.push(message);
    this.#isStored = false;
    this.messagesFolded += 1;
    this.lastActiveMs = this.#context.clock.elapsedMs();
  }

  /** Links and encodes proposals: from here they are under way. */
  #propose(proposals: readonly Proposal<Body>[], mustCover: readonly RecordBatch[]): void {
    const start = {
      output: this.#output,
      tip: this.#linked.tip,
      covered: this.covered(),
      readNextOf: (input: TopicPartition) => this.#positions.nextOf(input),
      dependencies: this.#context.dependencies,
    };
    this.#pending = chainProposals(start, proposals, mustCover);
  }

  /** Throws POSITION_OUT_OF_RANGE where the log does not hold an input's position; an end that is merely late is waited for. */
  async #checkInput(position: PartitionPosition): Promise<void> {
    for (let tries = 0; this.alive; tries += 1) {
      const { low, high } = await this.#context.dependencies.log.bounds(position);
      if (position.offset >= low && position.offset <= high) {
        this.#positions.setHigh(position, high);
        return;
      }
      if (position.offset < low || tries >= LATE_TRIES) {
        throw outOfRange(position, position.offset, low, high);
      }
      await this.#context.clock.sleep(this.#context.limits.retryMs);
    }
  }
}

/** The last change to each key made by several messages. Changes of a single message stay as they are: the store takes the last of a key. */
function lastPuts(ofMessages: readonly (readonly StorePut[])[]): readonly StorePut[] {
  const [first, ...others] = ofMessages;
  if (first === undefined || others.length === 0) return first ?? [];
  const last = new Map<string, StorePut>();
  for (const puts of ofMessages) for (const put of puts) last.set(put.key, put);
  return [...last.values()];
}
