import type { Account } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { ChainKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';

/** A chain as folded. `head` moves with each block. */
export interface StoredChain {
  /** In the order in which chains began in blocks.v1. */
  readonly number: number;
  readonly account: Account;
  readonly keys: ChainKeys;
  head: ChainHead;
  /** Log indices of the newest blocks, from seq - seq % 32. */
  page: readonly number[];
}

export interface AcknowledgedSeq {
  readonly seq: number;
  /** 64 lower-case hex. */
  readonly blockHash: string;
}

export interface StoredRejection {
  readonly eventId: string;
  readonly code: string;
  readonly facts: Readonly<Record<string, string>>;
}

/** Where the reading of rejections stands in a partition of liabilities.v1: the next offset, and the id of the valid message before it. */
export interface RejectionsPosition {
  readonly offset: number;
  readonly tip: string;
}
