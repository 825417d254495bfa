import type { Account } from '../../identity/account.ts';

/** A block as sealed: the exact texts and entry bytes whose hashes stand in header and chain. */
export interface SealedBlock {
  readonly account: Account;
  /** 32 lower-case hex. */
  readonly chain: string;
  readonly header: string;
  readonly totals: string;
  readonly entries: readonly Uint8Array[];
}

/** A head that a payer countersigned, as the ledger took it from acknowledgements.v1. */
export interface AcknowledgedHead {
  readonly account: Account;
  readonly chain: string;
  readonly seq: number;
  /** 64 lower-case hex. */
  readonly blockHash: string;
}

/** Body of a message of blocks.v1. Its coverage is, for each input partition, the low position below which every decision is in a block. */
export interface BlocksBody {
  readonly blocks: readonly SealedBlock[];
  /** A signed checkpoint (note text) over the log up to and including earlier messages, or null. */
  readonly checkpoint: string | null;
  readonly acknowledged: readonly AcknowledgedHead[];
}
