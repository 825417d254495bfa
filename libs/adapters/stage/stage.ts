import { TallyError } from '../../core/errors/tally-error.ts';
import type { AppendOutcome, LogReader, Membership, RecordBatch } from '../event-log/event-log.ts';
import { partitionKey } from '../event-log/partition-key.ts';
import { STAGE_LIMITS, systemStageClock } from './defaults.ts';
import { isDamaged, isFatal, isRetriable, isStale } from './faults.ts';
import { type StageContext, StagePartition } from './partition.ts';
import type { StageDependencies, StageEvent, StageHandle, StageOptions, StageStats } from './program.ts';
import { STAGE_RULES, type StageRules } from './rules.ts';

/**
 * Runs a stage (design section 3): takes the partitions of its output that the group gives it, folds each to the end of its log, and
 * then, batch by batch for all of them together: decide → append → fold → store → tell the program. What an owner may do is not
 * decided by the group but by the link between messages; so two owners, late answers and lost stores do no harm, they only cost.
 * Throws TOPIC_UNKNOWN.
 *
 * @param rules only the simulation gives others.
 */
export async function runStage<Body>(
  options: StageOptions,
  dependencies: StageDependencies<Body>,
  rules: StageRules = STAGE_RULES,
): Promise<StageHandle> {
  const context: StageContext<Body> = {
    options,
    dependencies,
    rules,
    limits: { ...STAGE_LIMITS, ...options.limits },
    clock: dependencies.clock ?? systemStageClock,
    observe: dependencies.observe ?? (() => undefined),
  };
  await dependencies.log.partitionCount(options.output);
  const membership = await dependencies.log.join({ group: options.group, output: options.output });
  const stage = new Stage(context, membership);
  stage.start();
  return stage;
}

interface Rebuild {
  readonly partition: number | undefined;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

class Stage<Body> implements StageHandle {
  readonly failed: Promise<unknown>;
  readonly #context: StageContext<Body>;
  readonly #membership: Membership;
  readonly #reader: LogReader;
  readonly #partitions = new Map<number, StagePartition<Body>>();
  /** The last fold of each partition, in the background: the loop goes on with the other partitions. */
  readonly #folds = new Map<number, Promise<void>>();
  readonly #outputOfInput = new Map<string, number>();
  readonly #rebuilds: Rebuild[] = [];
  readonly #stopped = new AbortController();
  #isStopping = false;
  #running: Promise<void> = Promise.resolve();
  #stop: Promise<boolean> | null = null;
  #tellFailed: (error: unknown) => void = () => undefined;
  #fatal: { readonly error: unknown } | null = null;
  #startedRoundMs = 0;
  #nextMonitorMs = 0;
  #hasBacklog = false;
  readonly #counts = { recordsDecided: 0, messagesAppended: 0, messagesFolded: 0, appendsLost: 0, storeRefolds: 0 };

  constructor(context: StageContext<Body>, membership: Membership) {
    this.#context = { ...context, observe: (event) => this.#observe(event, context.observe) };
    this.#membership = membership;
    this.#reader = context.dependencies.log.reader([]);
    this.failed = new Promise((resolve) => {
      this.#tellFailed = resolve;
    });
  }

  start(): void {
    this.#running = this.#run();
  }

  stop(deadlineMs: number): Promise<boolean> {
    this.#stop ??= this.#stopWithin(deadlineMs);
    return this.#stop;
  }

  async #stopWithin(deadlineMs: number): Promise<boolean> {
    this.#isStopping = true;
    const timer = new AbortController();
    const late = this.#context.clock.sleep(deadlineMs, timer.signal).then(() => 'late' as const);
    const first = await Promise.race([this.#running.then(() => 'ended' as const), late]);
    timer.abort();
    // From here nothing is sent, stored or shown, whatever still comes back.
    this.#stopped.abort();
    const isClean = first === 'ended' && this.#fatal === null;
    for (const partition of this.#partitions.values()) {
      partition.alive = false;
    }
    await this.#reader.close();
    await this.#membership.leave().catch(() => undefined);
    this.#rejectRebuilds();
    return isClean;
  }

  stats(): StageStats {
    const partitions = [...this.#partitions.values()].sort((a, b) => a.partition - b.partition);
    const isRunning = !this.#isStopping && this.#fatal === null;
    return {
      stage: this.#context.options.stage,
      running: isRunning,
      partitions: partitions.map((partition) => partition.stats()),
      ...this.#counts,
      messagesFolded:
        this.#counts.messagesFolded + partitions.reduce((sum, { messagesFolded }) => sum + messagesFolded, 0),
    };
  }

  rebuild(partition?: number): Promise<void> {
    return new Promise((done, failed) => {
      this.#rebuilds.push({ partition, done, failed });
    });
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopped.signal.aborted && (!this.#isStopping || this.#hasUnfinished())) {
        this.#throwFatal();
        await this.#round();
      }
      await this.#monitor(Number.POSITIVE_INFINITY);
    } catch (error) {
      this.#fatal = { error };
      for (const partition of this.#partitions.values()) {
        partition.alive = false;
      }
      this.#rejectRebuilds();
      this.#tellFailed(error);
    }
  }

  /** One round of all partitions together. The order of its steps is the safety of the stage: see design section 3. */
  async #round(): Promise<void> {
    this.#syncOwnership();
    this.#startRebuilds();
    await this.#look();
    await this.#each(
      this.#active(
        (partition) => partition.mustRewind && partition.isClean && partition.isDue(this.#context.clock.elapsedMs()),
      ),
      (partition) => partition.rewind(),
    );
    await this.#linger();
    this.#syncReading();
    await this.#decide(await this.#poll());
    await this.#sendAndStore();
    await this.#tick();
    await this.#sendAndStore();
    await this.#monitor(this.#context.clock.elapsedMs());
  }

  #syncOwnership(): void {
    const owned = this.#membership.owned();
    for (const partition of [...this.#partitions.values()]) {
      if (owned.get(partition.partition) !== partition.take) {
        this.#release(partition);
      }
    }
    if (this.#isStopping) {
      return;
    }
    for (const [number, take] of owned) {
      if (!this.#partitions.has(number)) {
        this.#startFold(number, take, false);
      }
    }
  }

  #release(partition: StagePartition<Body>): void {
    this.#stopReading(partition);
    partition.alive = false;
    this.#partitions.delete(partition.partition);
    this.#counts.messagesFolded += partition.messagesFolded;
    this.#context.observe({ type: 'released', partition: partition.partition, take: partition.take });
  }

  /** Begins a partition from nothing: what an earlier object of it still does is not alive any more, and is waited for. */
  #startFold(number: number, take: number, wipe: boolean): StagePartition<Body> {
    const partition = new StagePartition(number, take, this.#context);
    this.#partitions.set(number, partition);
    for (const input of partition.inputs) {
      this.#outputOfInput.set(partitionKey(input), number);
    }
    const earlier = this.#folds.get(number) ?? Promise.resolve();
    const fold = earlier.then(() => this.#foldUntilDone(partition, wipe));
    this.#folds.set(number, fold);
    return partition;
  }

  #foldAgain(partition: StagePartition<Body>, wipe: boolean): StagePartition<Body> {
    this.#release(partition);
    return this.#startFold(partition.partition, partition.take, wipe);
  }

  async #foldUntilDone(partition: StagePartition<Body>, wipeFirst: boolean): Promise<void> {
    let wipe = wipeFirst;
    while (partition.alive && this.#fatal === null) {
      try {
        await partition.foldAll(wipe);
        if (partition.alive) {
          partition.status = 'running';
          const { partition: number, take, messagesFolded: folded } = partition;
          this.#context.observe({ type: 'taken', partition: number, take, folded });
        }
        return;
      } catch (error) {
        if (isFatal(error)) {
          this.#fatal = { error };
          return;
        }
        if (!partition.alive) {
          return;
        }
        if (isDamaged(error) && !wipe) {
          this.#context.observe({ type: 'storeDamaged', partition: partition.partition, error });
          wipe = true;
          continue;
        }
        if (!isRetriable(error)) {
          this.#halt(partition, error);
          return;
        }
        // A store that another owner writes is folded from where that owner has come to.
        wipe = wipe && !isStale(error);
        this.#context.observe({ type: 'retrying', partition: partition.partition, error });
        await this.#context.clock.sleep(this.#context.limits.retryMs, this.#stopped.signal);
      }
    }
  }

  #startRebuilds(): void {
    for (const rebuild of this.#rebuilds.splice(0)) {
      const wanted = [...this.#partitions.values()].filter(
        ({ partition }) => rebuild.partition === undefined || rebuild.partition === partition,
      );
      const begun = wanted.map((partition) => this.#foldAgain(partition, true));
      const folds = begun.map((partition) => this.#folds.get(partition.partition));
      Promise.all(folds).then(() => {
        const halted = begun.find((partition) => partition.status === 'halted');
        return halted === undefined ? rebuild.done() : rebuild.failed(halted.haltError);
      }, rebuild.failed);
    }
  }

  /** Once a second an idle owner looks whether its store is still its own and its output still ends where it thinks. */
  async #look(): Promise<void> {
    const { clock, limits, dependencies } = this.#context;
    const elapsedMs = clock.elapsedMs();
    const idle = this.#active((partition) => elapsedMs - partition.lastActiveMs >= limits.lookMs && partition.isClean);
    await this.#each(idle, async (partition) => {
      partition.lastActiveMs = elapsedMs;
      await partition.readBack();
      if ((await partition.store()) === 'stale') {
        return this.#storeStale(partition);
      }
      const stored = await dependencies.store?.checkpoint(partition.partition);
      if (stored !== undefined && (stored?.tip ?? null) !== partition.storedTip && partition.isClean) {
        this.#storeStale(partition);
      }
    });
  }

  async #linger(): Promise<void> {
    const { clock, limits } = this.#context;
    const leftMs = this.#startedRoundMs + limits.lingerMs - clock.elapsedMs();
    if (!this.#hasBacklog && !this.#isStopping && leftMs > 0) {
      await clock.sleep(leftMs, this.#stopped.signal);
    }
    this.#startedRoundMs = clock.elapsedMs();
  }

  /** Inputs are read only for partitions with nothing under way: that is the back-pressure. */
  #syncReading(): void {
    for (const partition of this.#partitions.values()) {
      const mayRead = partition.isReady && partition.isDue(this.#context.clock.elapsedMs());
      if (mayRead && !partition.reading) {
        for (const position of partition.readPositions()) {
          this.#reader.seek(position);
        }
        partition.reading = true;
      } else if (!mayRead && partition.reading) {
        this.#stopReading(partition);
      }
    }
  }

  #stopReading(partition: StagePartition<Body>): void {
    partition.reading = false;
    for (const input of partition.inputs) {
      this.#reader.drop(input);
    }
  }

  async #poll(): Promise<RecordBatch[]> {
    const { limits, observe, clock } = this.#context;
    if (this.#isStopping) {
      return [];
    }
    try {
      const batches = await this.#reader.poll({
        maxBytes: limits.pollMaxBytes,
        maxRecords: limits.pollMaxRecords,
        waitMs: this.#pollWaitMs(),
      });
      this.#hasBacklog = batches.some((batch) => batch.nextOffset < batch.highOffset);
      return batches;
    } catch (error) {
      const partition = this.#partitionOfError(error);
      if (isFatal(error)) {
        throw error;
      }
      if (partition !== undefined && !isRetriable(error)) {
        this.#halt(partition, error);
      } else {
        observe({ type: 'retrying', partition: null, error });
        await clock.sleep(limits.retryMs, this.#stopped.signal);
      }
      return [];
    }
  }

  #pollWaitMs(): number {
    const elapsedMs = this.#context.clock.elapsedMs();
    let waitMs = this.#context.limits.pollWaitMs;
    for (const partition of this.#active(() => true)) {
      if (!partition.isReady) {
        waitMs = Math.min(waitMs, Math.max(partition.retryAtMs - elapsedMs, 0));
      } else if (partition.program.tick !== undefined) {
        waitMs = Math.min(waitMs, Math.max(partition.nextTickMs - elapsedMs, 0));
      }
    }
    return waitMs;
  }

  async #decide(batches: readonly RecordBatch[]): Promise<void> {
    const byOutput = new Map<StagePartition<Body>, RecordBatch[]>();
    for (const batch of batches) {
      const partition = this.#partitions.get(this.#outputOfInput.get(partitionKey(batch)) ?? -1);
      if (partition?.isReady === true) {
        const group = byOutput.get(partition) ?? [];
        group.push(batch);
        byOutput.set(partition, group);
      }
    }
    // One after another: what is read, decoded and decided of one partition is garbage before the next is begun.
    for (const [partition, group] of byOutput) {
      await this.#each([partition], async () => {
        const owned = this.#membership.owned().get(partition.partition);
        const current = partition.current(group, owned);
        if (current.length > 0) {
          await partition.decide(current);
          this.#counts.recordsDecided += current.reduce((sum, batch) => sum + batch.records.length, 0);
        }
      });
    }
  }

  async #tick(): Promise<void> {
    const elapsedMs = this.#context.clock.elapsedMs();
    const due = this.#active(
      (partition) => partition.program.tick !== undefined && partition.isReady && partition.nextTickMs <= elapsedMs,
    );
    await this.#each(this.#isStopping ? [] : due, (partition) => partition.tick());
  }

  async #sendAndStore(): Promise<void> {
    await this.#send();
    await this.#store();
  }

  /** Sends what is pending, one append for all partitions, in rounds until nothing is left or what is left must wait. */
  async #send(): Promise<void> {
    for (;;) {
      await this.#each(
        this.#due((partition) => partition.hasPending && partition.unsettled),
        (partition) => partition.readBack(),
      );
      const sending = this.#due((partition) => partition.hasPending);
      if (sending.length === 0) {
        return;
      }
      const rounds = sending.map((partition) => partition.round());
      const outcomes = await this.#append(rounds);
      await this.#each(sending, async (partition) => {
        const at = sending.indexOf(partition);
        const outcome = outcomes[at];
        if (outcome !== undefined && partition.alive) {
          await partition.settle(rounds[at]?.records.length ?? 0, outcome);
        }
      });
    }
  }

  async #append(rounds: readonly ReturnType<StagePartition<Body>['round']>[]): Promise<AppendOutcome[]> {
    try {
      const outcomes = await this.#context.dependencies.log.append(rounds);
      for (const [index, outcome] of outcomes.entries()) {
        if (outcome.status === 'appended') {
          this.#counts.messagesAppended += rounds[index]?.records.length ?? 0;
        } else if (isFatal(outcome.error)) {
          throw outcome.error;
        }
      }
      return outcomes;
    } catch (error) {
      if (isFatal(error)) {
        throw error;
      }
      return rounds.map(() => ({ status: 'unknown', error }));
    }
  }

  /** One store commit for all partitions; then each program is told. */
  async #store(): Promise<void> {
    const { store } = this.#context.dependencies;
    const dirty = this.#due((partition) => partition.isDirty);
    const writing = dirty.filter((partition) => partition.needsStore);
    let outcomes: readonly ('committed' | 'stale')[] = [];
    if (store !== null && writing.length > 0) {
      try {
        outcomes = await store.commit(writing.map((partition) => partition.storeCommit()));
      } catch (error) {
        for (const partition of dirty) {
          this.#fail(partition, error);
        }
        return;
      }
    }
    await this.#each(dirty, async (partition) => {
      const outcome = outcomes[writing.indexOf(partition)];
      if (outcome === 'stale' && !(await partition.isStoreAtTip())) {
        return this.#storeStale(partition);
      }
      await partition.stored();
    });
  }

  #storeStale(partition: StagePartition<Body>): void {
    if (partition.alive && partition.status === 'running') {
      this.#context.observe({ type: 'storeStale', partition: partition.partition });
      this.#foldAgain(partition, false);
    }
  }

  async #monitor(elapsedMs: number): Promise<void> {
    if (elapsedMs < this.#nextMonitorMs) {
      return;
    }
    this.#nextMonitorMs = elapsedMs + this.#context.limits.monitorMs;
    const covered = this.#active(() => true).flatMap((partition) => partition.covered());
    if (covered.length > 0) {
      // Never trusted, so never waited for in vain.
      await this.#membership.commitForMonitoring(covered).catch((error: unknown) => {
        this.#context.observe({ type: 'retrying', partition: null, error });
      });
    }
  }

  /** Partitions side by side; the fault of one is its own. */
  async #each(
    partitions: readonly StagePartition<Body>[],
    work: (partition: StagePartition<Body>) => Promise<void>,
  ): Promise<void> {
    await Promise.all(
      partitions.map(async (partition) => {
        try {
          await work(partition);
        } catch (error) {
          this.#fail(partition, error);
        }
      }),
    );
    this.#throwFatal();
  }

  #fail(partition: StagePartition<Body>, error: unknown): void {
    if (isFatal(error)) {
      this.#fatal = { error };
    } else if (!partition.alive) {
      return;
    } else if (isStale(error)) {
      this.#storeStale(partition);
    } else if (isDamaged(error) && partition.status === 'running') {
      this.#context.observe({ type: 'storeDamaged', partition: partition.partition, error });
      this.#foldAgain(partition, true);
    } else if (isRetriable(error)) {
      this.#context.observe({ type: 'retrying', partition: partition.partition, error });
      partition.retryAtMs = this.#context.clock.elapsedMs() + this.#context.limits.retryMs;
      // The batch that was not decided is read again.
      this.#stopReading(partition);
    } else {
      this.#halt(partition, error);
    }
  }

  #halt(partition: StagePartition<Body>, error: unknown): void {
    this.#stopReading(partition);
    partition.abandon();
    partition.status = 'halted';
    partition.haltError = error;
    this.#context.observe({ type: 'halted', partition: partition.partition, error });
  }

  #active(wanted: (partition: StagePartition<Body>) => boolean): StagePartition<Body>[] {
    return [...this.#partitions.values()].filter(
      (partition) => partition.alive && partition.status === 'running' && wanted(partition),
    );
  }

  #due(wanted: (partition: StagePartition<Body>) => boolean): StagePartition<Body>[] {
    const elapsedMs = this.#context.clock.elapsedMs();
    return this.#stopped.signal.aborted
      ? []
      : this.#active((partition) => partition.isDue(elapsedMs) && wanted(partition));
  }

  #hasUnfinished(): boolean {
    return this.#active((partition) => partition.hasPending || partition.isDirty).length > 0;
  }

  #partitionOfError(error: unknown): StagePartition<Body> | undefined {
    if (!(error instanceof TallyError)) {
      return undefined;
    }
    const { topic, partition } = error.facts;
    return this.#partitions.get(this.#outputOfInput.get(`${topic}/${partition}`) ?? -1);
  }

  #observe(event: StageEvent, next: (event: StageEvent) => void): void {
    if (event.type === 'appendLost') {
      this.#counts.appendsLost += 1;
    } else if (event.type === 'storeStale' || event.type === 'storeDamaged') {
      this.#counts.storeRefolds += 1;
    }
    next(event);
  }

  #throwFatal(): void {
    if (this.#fatal !== null) {
      throw this.#fatal.error;
    }
  }

  #rejectRebuilds(): void {
    for (const rebuild of this.#rebuilds.splice(0)) {
      rebuild.failed(new TallyError('STAGE_STOPPED', `the stage ${this.#context.options.stage} has stopped`));
    }
  }
}
