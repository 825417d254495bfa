import { toHex } from '../../encoding/hex.ts';
import { type Sha256, sha256 } from '../../encoding/sha256.ts';
import type { Account } from '../../identity/account.ts';
import type { PenceSum } from '../../money/pence-sum.ts';
import { decodeEntry } from '../entry/entry-codec.ts';
import type { BlockHeader } from './block-header.ts';
import { blockHashOf, parseBlockHeader, ZERO_HASH_HEX } from './block-header.ts';
import { type BlockTotals, parseBlockTotals } from './block-totals.ts';
import type { SealedBlock } from './blocks-message.ts';

/** Where a chain stands after a block: everything that its next block builds on. Plain JSON. */
export interface ChainHead {
  readonly account: Account;
  /** 32 lower-case hex. */
  readonly chain: string;
  readonly seq: number;
  /** 64 lower-case hex. */
  readonly blockHash: string;
  readonly entriesSince0: number;
  readonly chargesSince0Pence: PenceSum;
  readonly paymentsSince0Pence: PenceSum;
  readonly balancePence: PenceSum;
  /** Number of the account's last decision in the chain; 0 before the first. */
  readonly lastDecision: number;
  readonly closedAtMs: number;
}

/** What the running sums of a block build on: those of the head before it, or nothing before block 0. */
export type RunningSums = Pick<
  ChainHead,
  'entriesSince0' | 'chargesSince0Pence' | 'paymentsSince0Pence' | 'balancePence' | 'lastDecision'
>;

const NOTHING: RunningSums = {
  entriesSince0: 0,
  chargesSince0Pence: 0,
  paymentsSince0Pence: 0,
  balancePence: 0,
  lastDecision: 0,
};

export function sumsOf(head: ChainHead | null): RunningSums {
  return head ?? NOTHING;
}

/** The seq that comes next. */
export function nextSeqOf(head: ChainHead | null): number {
  return head === null ? 0 : head.seq + 1;
}

/** 64 hex of the hash that the next header names as prev. */
export function prevHashOf(head: ChainHead | null): string {
  return head === null ? ZERO_HASH_HEX : head.blockHash;
}

/**
 * The head that a block of one's own valid log leaves, for folding blocks.v1: reads its texts and trusts their sums (verify-block.ts checks
 * everything). Throws HEADER_MALFORMED, TOTALS_MALFORMED, ENTRY_NOT_CANONICAL.
 */
export function headAfterBlock(previous: ChainHead | null, block: SealedBlock, hash: Sha256 = sha256): ChainHead {
  const header = parseBlockHeader(block.header);
  const totals = parseBlockTotals(block.totals);
  const lastDecision = Math.max(sumsOf(previous).lastDecision, totals.decisions?.last ?? lastNumberOf(block));
  return headOf(block.account, header, totals, toHex(blockHashOf(block.header, hash)), lastDecision);
}

/** The head of a header and totals that are known to be right. */
export function headOf(
  account: Account,
  header: BlockHeader,
  totals: BlockTotals,
  blockHash: string,
  lastDecision: number,
): ChainHead {
  return {
    account,
    chain: header.chain,
    seq: header.seq,
    blockHash,
    entriesSince0: totals.entriesSince0,
    chargesSince0Pence: totals.chargesSince0Pence,
    paymentsSince0Pence: totals.paymentsSince0Pence,
    balancePence: totals.balancePence,
    lastDecision,
    closedAtMs: header.closedAtMs,
  };
}

/** The last number in a block whose totals name no decisions: payments of money are numbered too. */
function lastNumberOf(block: SealedBlock): number {
  return block.entries.reduce((last, bytes) => Math.max(last, decodeEntry(bytes).number), 0);
}
