import type { Account } from '../../../libs/core/identity/account.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import type { Divergence } from '../../../libs/core/ledger/verify/divergence.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';

export interface CopyTotals {
  readonly entries: number;
  /** Pence by head. */
  readonly heads: Readonly<Record<string, PenceSum>>;
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
  readonly balancePence: PenceSum;
}

export interface CopyReport {
  readonly ok: boolean;
  readonly account: Account | null;
  readonly ledger: { readonly name: string; readonly verifierKey: string } | null;
  /** Everything in which the copy is not what it should be; the first names the block and entry. */
  readonly findings: readonly Divergence[];
  readonly checked: {
    readonly events: number;
    readonly receipts: number;
    readonly rejections: number;
    readonly blocks: number;
    readonly entries: number;
    /** Entries worked out again from the payer's own events. */
    readonly recomputed: number;
    /** Money at HMRC's bank, of which the payer has no record. */
    readonly unconfirmed: number;
    /** Receipted events that are neither in a block nor rejected. */
    readonly awaiting: number;
    readonly acknowledgedSeq: number | null;
  };
  readonly head: ChainHead | null;
  readonly checkpoint: { readonly size: number; readonly root: string } | null;
  readonly totals: CopyTotals;
  /** Hashes of rule sets that only the copy itself carries: this release does not know them. */
  readonly rulesOfCopyAlone: readonly string[];
}
