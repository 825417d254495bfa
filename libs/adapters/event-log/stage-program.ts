import type { StorePut } from '../state-store/state-store.ts';
import type { LogRecord, PartitionPosition, RecordBatch } from './event-log.ts';

/**
 * The link that every message of a stage's output carries (design section 3): the first fields of its Avro record, so that readers
 * find them at fixed places behind the 10 bytes of the single-object header: id at 10..26, previous at 26..42.
 */
export interface Link {
  /** Random 16 bytes, 32 hex. */
  readonly id: string;
  /** The id of the message before it in this output partition; 32 zeros for the first. */
  readonly previous: string;
}

/** Positions [from, next) of one input partition that a message settles. */
export interface Coverage {
  readonly topic: string;
  readonly partition: number;
  readonly from: number;
  readonly next: number;
}

/** What a program makes of input: bodies of messages in order, each at most RECORD_BYTES_MAX once encoded; `covers` of the last reach all that was decided. */
export interface Proposal<Body> {
  readonly covers: readonly Coverage[];
  readonly body: Body;
}

export interface FoldedMessage<Body> {
  readonly link: Link;
  readonly covers: readonly Coverage[];
  readonly body: Body;
  /** Offset in the output partition. */
  readonly offset: number;
}

/**
 * What a stage does for one output partition. The stage (libs/adapters/event-log/stage.ts) owns links, read-back, checkpoints and
 * positions; the program owns meaning. All methods are for one partition p; one program object serves one partition of one take.
 */
export interface StageProgram<Body> {
  /** Decides a batch of input on top of everything folded so far. Pure in the state and the batch; may be asked again after a lost race. */
  decide(batches: readonly RecordBatch[]): Promise<readonly Proposal<Body>[]>;
  /** Folds a message that is valid in the log: changes the program's own cache and gives what the store must take. */
  fold(message: FoldedMessage<Body>): readonly StorePut[];
  /** Drops every cached value: the stage starts again from the store's checkpoint or from the log. */
  reset(): void;
}

export interface StageCodec<Body> {
  encode(link: Link, covers: readonly Coverage[], body: Body): Buffer;
  /** Throws MESSAGE_UNREADABLE. */
  decode(record: LogRecord): { readonly link: Link; readonly covers: readonly Coverage[]; readonly body: Body };
}

export type InputsOf = (outputPartition: number) => readonly { readonly topic: string; readonly partition: number }[];
export type { PartitionPosition };
