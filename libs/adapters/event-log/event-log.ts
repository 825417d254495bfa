import type { TopicRetention } from './topics.ts';

/**
 * The event log port. Two adapters pass one contract suite (test/contract/event-log.ts): `embedded` (LMDB, in-process) and `kafka`.
 * Offsets are safe integers. Records of one partition are totally ordered. An append that is acknowledged is durable.
 */
export interface LogRecord {
  readonly offset: number;
  /** When the log took it, milliseconds since 1970. */
  readonly timestampMs: number;
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

export interface AppendRecord {
  readonly key: string | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface PartitionAppend extends TopicPartition {
  readonly records: readonly AppendRecord[];
}

/** Fate of one PartitionAppend: where its first record stands, or the error. `unknown`: it may or may not be in the log; read back to know. */
export type AppendOutcome =
  | { readonly status: 'appended'; readonly baseOffset: number }
  | { readonly status: 'failed' | 'unknown'; readonly error: unknown };

export interface RecordBatch extends TopicPartition {
  readonly records: readonly LogRecord[];
  /** The position this batch was read from; offsets without a record in [fromOffset, nextOffset) are covered by it. */
  readonly fromOffset: number;
  readonly nextOffset: number;
  /** The partition's end (next offset to be written) when this was read. */
  readonly highOffset: number;
}

export interface PartitionPosition extends TopicPartition {
  readonly offset: number;
}

export interface PollOptions {
  /** Bytes of values over all partitions together, roughly: one record larger than this still comes. */
  readonly maxBytes: number;
  /** At most this many records over all partitions. */
  readonly maxRecords: number;
  /** How long to wait where nothing is there. 0 answers at once. */
  readonly waitMs: number;
}

/**
 * Reads chosen partitions from chosen positions, outside any group. One poll at a time; seek and drop may come while a poll waits, and
 * what it then still answers may be of the position before. Cheap to make: a stage opens one for each read-back, so adapters
 * with costly connections share them.
 */
export interface LogReader {
  /** Batches of whichever partitions have records, fairly; [] after waitMs without any. Throws POSITION_OUT_OF_RANGE for a position outside [low, high]. */
  poll(options: PollOptions): Promise<RecordBatch[]>;
  /** Replaces the position of one partition (adds it where it is new). */
  seek(position: PartitionPosition): void;
  /** Stops reading one partition. */
  drop(partition: TopicPartition): void;
  close(): Promise<void>;
}

export interface MembershipOptions {
  readonly group: string;
  /** What is shared out: numbers 0..partitions-1 of this output topic; the owner of p reads the inputs that belong to p. */
  readonly output: string;
}

/**
 * Share of a group in the partitions of one output topic. Advice, never a lock: two owners of one partition are possible, and the
 * link between messages is the fence. Its number grows at each assignment; what was queued under an older one is dropped.
 */
export interface Membership {
  /** The partitions that this member owns now, with the number of their assignment. */
  owned(): ReadonlyMap<number, number>;
  /** For lag monitoring only; never trusted. */
  commitForMonitoring(positions: readonly PartitionPosition[]): Promise<void>;
  leave(): Promise<void>;
}

export interface TopicToMake {
  readonly topic: string;
  readonly partitions: number;
  /** 'forever' where it is not said (topics.ts). */
  readonly retention?: TopicRetention;
}

export interface EventLog {
  /** Makes topics that are missing with these partition counts; throws TOPIC_PARTITIONS_DIFFER where one exists with another count. */
  ensureTopics(topics: readonly TopicToMake[]): Promise<void>;
  /** Throws TOPIC_UNKNOWN. */
  partitionCount(topic: string): Promise<number>;
  /**
   * Appends to several partitions at once: one sync for all. Records of one PartitionAppend stand next to one another in order.
   * Outcomes in the order of the argument. Throws only for misuse (RECORD_TOO_LARGE, TOPIC_UNKNOWN).
   */
  append(appends: readonly PartitionAppend[]): Promise<AppendOutcome[]>;
  /** First offset kept, and the next to be written. */
  bounds(partition: TopicPartition): Promise<{ readonly low: number; readonly high: number }>;
  reader(positions: readonly PartitionPosition[]): LogReader;
  join(options: MembershipOptions): Promise<Membership>;
  /** Deletes records below an offset (ingress topics only). */
  deleteBefore(position: PartitionPosition): Promise<void>;
  close(): Promise<void>;
}

/** The largest value a record may have in either adapter, bytes (Kafka's message.max.bytes of 1 MiB less its envelope). */
export const RECORD_BYTES_MAX = 900 * 1024;
