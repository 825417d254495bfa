import type { Head } from '../../../libs/core/decisions/heads.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';

/** Where an event of the payer stands: queued, receipted by the gateway, refused by it, in a block, or rejected by tax. */
export type EventStatus = 'unsent' | 'receipted' | 'refused' | 'decided' | 'rejected';

export interface FollowedAccount {
  /** Of this store: the key range of the account. */
  readonly number: number;
  readonly account: Account;
  /** 32 lower-case hex; null until registered with the ledger. */
  readonly chain: string | null;
  /** Base64. */
  readonly chainKey: string | null;
  /** The newest block that passed every check and is stored; the proof that it is in the public log: PayerStore.headProof. */
  readonly head: ChainHead | null;
  /** Sum of all entries of the chain by head, pence; heads that are zero may be left out. */
  readonly penceByHead: Readonly<Partial<Record<Head, PenceSum>>>;
  /** Pence of payments that stand in the chain without an event of ours behind them. */
  readonly unconfirmedPence: PenceSum;
  /** The cursor of the ledger's rejections of this account up to which they are taken. */
  readonly rejectionsNext: number;
  /** Whether a verified block holds our key: the ledger takes countersignatures from then on. */
  readonly keyRegistered: boolean;
  /** The head that we countersigned last, and the ledger took it: PayerStore.acknowledgement. */
  readonly acknowledgedSeq: number | null;
  /** Number of the divergence that stopped this chain; null while it is followed. */
  readonly haltedBy: number | null;
}

export interface LedgerIdentity {
  readonly name: string;
  /** Verifier key string `<name>+<8 hex>+<base64>`. */
  readonly verifierKey: string;
  readonly origin: string;
}

/** What the node keeps beside its accounts. */
export interface NodeState {
  /** The ledger as first met; another one is refused. */
  readonly ledger: LedgerIdentity;
  /** The last checkpoint that passed. */
  readonly checkpoint: { readonly size: number; readonly note: string };
  /** Verifier key of the one that countersigns, as `<name>+<8 hex>+<base64>`. */
  readonly signer: string;
  /** The last time that this node ran with a clock that it believed, milliseconds since 1970. */
  readonly ran: { readonly civilMs: number };
}

/** An event as the gateway appended it, by our own encoding. */
export interface AppendedEvent {
  /** SHA-256 of the bytes. */
  readonly hash: Buffer;
  readonly receiptKey: Buffer;
  readonly index: number;
  readonly bytes: Buffer;
}

export interface StoredReceipt {
  readonly note: string;
  /** Hash of each leaf in order; empty where other senders' events stand under the same receipt. */
  readonly leafHashes: readonly Buffer[];
}

export interface EntryPosition {
  readonly seq: number;
  readonly position: number;
}

export interface RefusedEvent {
  readonly atMs: number;
  readonly faults: readonly { readonly code: string; readonly pointer: string; readonly detail: string }[];
}

export interface RejectedEvent {
  readonly code: string;
  readonly atMs: number;
  /** The ledger's signed note, with the path from this rejection to its root. */
  readonly note: string;
  readonly index: number;
  readonly path: readonly string[];
}

/** A difference as it was found, with both versions: enough for a third party to check. */
export interface StoredDivergence {
  readonly number: number;
  /** The first is what stopped the check. */
  readonly findings: readonly Divergence[];
  /** Null where the public log as a whole is at fault. */
  readonly account: Account | null;
  readonly raisedAtMs: number;
  /** Set once what was missing came, or a person asked to go on. */
  readonly settledAtMs: number | null;
  /** `tallystick/divergence/v1`: what was held and what came, with their proofs, for check-divergence.ts; null where no block or checkpoint is at fault. */
  readonly report: unknown;
  /** The payer's own side: its event as appended, the receipt for it. Bytes are base64. */
  readonly own: Readonly<Record<string, unknown>>;
}
