import type { Utf8Text } from '../bytes/utf8-text.ts';
import type { PartitionPosition } from '../event-log/event-log.ts';

/** Where a partition's fold stands: the id of the last valid message of the output partition (32 hex, 32 zeros before the first) and positions. */
export interface Checkpoint {
  readonly tip: string;
  /** Offset of that message in the output partition, -1 before the first: a take reads it and compares, so a store of another log is found out. */
  readonly tipOffset: number;
  /** Next offset of the output partition to fold. */
  readonly outputNext: number;
  /** Next offset of each input partition that the folded messages cover. */
  readonly inputs: readonly PartitionPosition[];
}

export interface StorePut {
  readonly key: string;
  /** JSON text; null removes the key. */
  readonly value: string | Utf8Text | null;
}

export interface StoreCommit {
  readonly partition: number;
  /** Refused as `stale` unless the stored tip is this one (null: nothing is stored yet). */
  readonly expectedTip: string | null;
  readonly checkpoint: Checkpoint;
  readonly puts: readonly StorePut[];
}

/**
 * The state store port: per stage, per partition a key-value map with a tip. It is a cache of the log: it may be wiped, restored or
 * failed over at any time; every read returns the tip that it stands for and every commit is compare-and-set on the tip.
 * Two adapters pass one contract suite: `embedded` (LMDB) and `redis`. What may pass (no answer, no room) is thrown as a retriable TallyError
 * or as the connection's own error; after a commit whose answer was lost the stage asks for the checkpoint.
 */
export interface StateStore {
  /** The checkpoint of a partition, or null where nothing is stored. */
  checkpoint(partition: number): Promise<Checkpoint | null>;
  /** Values (JSON texts, null where absent) in the order of the keys, and the tip (null: nothing stored) they stand for, read together. */
  get(
    partition: number,
    keys: readonly string[],
  ): Promise<{ readonly tip: string | null; readonly values: readonly (string | null)[] }>;
  /** All commits in one go (one sync, or one script per partition). Outcomes in order. */
  commit(commits: readonly StoreCommit[]): Promise<('committed' | 'stale')[]>;
  /** Forgets a partition. */
  wipe(partition: number): Promise<void>;
  close(): Promise<void>;
}

/** A store that says whether it can be worked with now. */
export interface InspectableStore extends StateStore {
  /** Throws why nothing can be read or stored: STORE_UNAVAILABLE, STORE_FULL (both retriable), STORE_CLOSED. */
  check(): Promise<void>;
}
