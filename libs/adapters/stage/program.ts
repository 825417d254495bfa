import type { EventLog, LogRecord, PartitionPosition, RecordBatch, TopicPartition } from '../event-log/event-log.ts';
import type { Checkpoint, StateStore, StorePut } from '../state-store/state-store.ts';
import type { ElapsedClock } from '../time/clock.ts';

/**
 * The link that every message of a stage's output carries (design section 3): the first fields of its Avro record, so that readers
 * find them at fixed places behind the header (10 bytes of single-object encoding, or 5 of the registry's): id, then previous, 16 bytes each.
 */
export interface Link {
  /** Random 16 bytes, 32 hex. */
  readonly id: string;
  /** The id of the message before it in this output partition; 32 zeros for the first. */
  readonly previous: string;
}

/** Positions [from, next) of one input partition that a message settles. */
export interface InputRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly next: number;
}

/** How far a proposal covers one input. The stage fills in `from` (what was covered before); where a program states it, it is checked. */
export interface InputReach {
  readonly topic: string;
  readonly partition: number;
  readonly from?: number;
  readonly next: number;
}

/** What a program makes of input: the body of one message (at most RECORD_BYTES_MAX once encoded; aim at MESSAGE_BYTES_MAX) and what it covers. */
export interface Proposal<Body> {
  readonly covers: readonly InputReach[];
  readonly body: Body;
}

export interface FoldedMessage<Body> {
  readonly link: Link;
  readonly covers: readonly InputRange[];
  readonly body: Body;
  /** Offset in the output partition. */
  readonly offset: number;
}

/**
 * What a stage does for one output partition. The stage (stage.ts) owns links, read-back, checkpoints and positions; the program owns
 * meaning. All methods are for one partition; one program object serves one partition of one take, and never two calls at a time.
 *
 * Order of calls: reset → fold × n, onFolded → startReading → (decide | tick → [append] → fold × n → [store] → onFolded) …
 * After a lost race: fold of the foreign messages, onFolded, startReading again. After a lost store: reset, and all of it again.
 */
export interface StageProgram<Body> {
  /**
   * `all` (default): the proposals that decide makes of batches cover all of them.
   * `low`: decide may propose nothing yet; its coverage is the low position below which everything is settled, and the stage reads
   * on from the batches. After a take or a lost race the stage reads again from what is covered.
   */
  readonly coverage?: 'all' | 'low';

  /** Where the program keeps its own durable fold (a stage without a store): where that stands, null for nothing. Called after reset. */
  checkpoint?(): Promise<Checkpoint | null>;

  /**
   * Reading begins at these positions (all inputs), now or again: what was read and is not folded is to be dropped.
   * The place to find the tips of inputs that are themselves linked (linkedPositionAt).
   */
  startReading?(positions: readonly PartitionPosition[]): Promise<void>;

  /**
   * Decides a batch of input on top of everything folded so far. Changes nothing but what startReading drops; may be asked again
   * after a lost race. Proposals are appended in order, each linked to the one before. A StoreStale error (KeyedState) is let through.
   */
  decide(batches: readonly RecordBatch[]): Promise<readonly Proposal<Body>[]>;

  /** Time has passed: blocks to close by age, checkpoints to append. Asked when no proposal is under way, at most every tickMs. */
  tick?(): Promise<readonly Proposal<Body>[]>;

  /** Folds a message that is valid in the log, with nothing but what is in it: changes the program's own cache, gives what the store must take. */
  fold(message: FoldedMessage<Body>): readonly StorePut[];

  /** After a group of messages was folded (and committed to the store where there is one): the place to store, sign and serve. Awaited. */
  onFolded?(messages: readonly FoldedMessage<Body>[], checkpoint: Checkpoint): Promise<void>;

  /** Where the program keeps its own durable fold: forgets it (StageHandle.rebuild, or a fold that is not of this log). */
  wipe?(): Promise<void>;

  /** Drops every cached value: the stage starts again from the store's checkpoint or from the log. */
  reset(): void;
}

export interface StageCodec<Body> extends MessageReader<Body> {
  encode(link: Link, covers: readonly InputRange[], body: Body): Buffer;
}

/** What a reader of linked messages needs of their codec. */
export interface MessageReader<Body> {
  /** Throws MESSAGE_UNREADABLE. */
  decode(record: LogRecord): { readonly link: Link; readonly covers: readonly InputRange[]; readonly body: Body };
}

type InputsOf = (outputPartition: number) => readonly TopicPartition[];

export type { PartitionPosition };

/** Time as a stage sees it, so that a simulation can drive it. */
export interface StageClock extends ElapsedClock {
  /** Resolves after the time, or at once when the signal aborts. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** What a stage tells of itself: for logs, metrics and tests. `error` is a TallyError wherever the stage itself found the fault. */
export type StageEvent =
  | { readonly type: 'taken'; readonly partition: number; readonly take: number; readonly folded: number }
  | { readonly type: 'released'; readonly partition: number; readonly take: number }
  | { readonly type: 'appendUnsettled'; readonly partition: number; readonly status: string; readonly error: unknown }
  | { readonly type: 'appendLost'; readonly partition: number }
  | { readonly type: 'foreignFolded'; readonly partition: number; readonly messages: number }
  | { readonly type: 'storeStale'; readonly partition: number }
  /** The store held something else than was written: it is wiped and folded again from the log. */
  | { readonly type: 'storeDamaged'; readonly partition: number; readonly error: unknown }
  | { readonly type: 'batchDropped'; readonly partition: number; readonly topic: string }
  | { readonly type: 'retrying'; readonly partition: number | null; readonly error: unknown }
  | { readonly type: 'halted'; readonly partition: number; readonly error: unknown };

export interface StageOptions {
  /** Name in statistics and reports. */
  readonly stage: string;
  readonly group: string;
  /** Output topic; its messages are linked. */
  readonly output: string;
  /**
   * `acknowledged`: own messages are folded from the acknowledgement (no effect outside the log, tax).
   * `readBack`: only what was read back from the log as valid is folded (the ledger).
   */
  readonly foldFrom: 'acknowledged' | 'readBack';
  readonly limits?: Partial<StageLimits>;
}

export interface StageLimits {
  /** Input bytes and records over all partitions in one round. */
  readonly pollMaxBytes: number;
  readonly pollMaxRecords: number;
  /** How long a poll waits for input; also how late a new assignment is noticed. */
  readonly pollWaitMs: number;
  /** How often an idle owner looks at the store's tip and at the end of its output. */
  readonly lookMs: number;
  readonly tickMs: number;
  /** Rounds are at least this far apart where nothing is waiting, so that messages are few and large (performance.md). */
  readonly lingerMs: number;
  /** Pause before a failed append, store or log call is tried again. */
  readonly retryMs: number;
  /** How often positions are committed for lag monitoring. */
  readonly monitorMs: number;
  /** Bytes of output read at a time while folding, and after how many folded the store takes them. */
  readonly foldReadBytes: number;
  readonly foldCommitBytes: number;
}

export interface StageDependencies<Body> {
  readonly log: EventLog;
  /** Null: the program keeps its own durable fold (checkpoint, onFolded). */
  readonly store: StateStore | null;
  readonly programFor: (partition: number) => StageProgram<Body>;
  readonly codec: StageCodec<Body>;
  readonly inputsOf: InputsOf;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly clock?: StageClock;
  readonly observe?: (event: StageEvent) => void;
}

export interface StagePartitionStats {
  readonly partition: number;
  readonly take: number;
  readonly status: 'folding' | 'running' | 'halted';
  /** Code of the error where halted. */
  readonly haltCode: string | null;
  readonly tip: string;
  readonly outputNext: number;
  readonly covered: readonly PartitionPosition[];
  /** Records known in the inputs beyond what was read. */
  readonly lagRecords: number;
}

export interface StageStats {
  readonly stage: string;
  readonly running: boolean;
  readonly partitions: readonly StagePartitionStats[];
  readonly recordsDecided: number;
  readonly messagesAppended: number;
  readonly messagesFolded: number;
  readonly appendsLost: number;
  readonly storeRefolds: number;
}

export interface StageHandle {
  /** Stops reading, finishes what is under way, leaves the group. False where the deadline passed first: nothing more is sent then. */
  stop(deadlineMs: number): Promise<boolean>;
  stats(): StageStats;
  /** Forgets the store of every owned partition (or of one) and folds again from the log; resolves when that is done. */
  rebuild(partition?: number): Promise<void>;
  /** Resolves with the error that ended the stage as a whole; never resolves for a clean stop. */
  readonly failed: Promise<unknown>;
}
