import type { ChainHead } from '../../libs/core/ledger/block/chain-head.ts';
import type { Ed25519Verify } from '../../libs/core/ledger/note/ed25519.ts';
import type { VerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import {
  type ChainPage,
  type ChainVerdict,
  type FollowedChain,
  type VerifyDependencies,
  verifyPage,
} from '../../libs/core/ledger/verify/verify-chain.ts';
import { type VerifiedCheckpoint, verifyCheckpoint } from '../../libs/core/ledger/verify/verify-checkpoint.ts';

/** Where following a chain stands: the newest block and checkpoint that were verified; both null at the start. */
interface FollowState {
  readonly head: ChainHead | null;
  readonly checkpoint: VerifiedCheckpoint | null;
}

/** A chain from what was verified before, or a whole copy from block 0. */
export interface CopyToVerify {
  readonly followed: FollowedChain;
  readonly state: FollowState;
  readonly page: ChainPage;
  /** Signed checkpoint (note text), and its consistency proof from the state's checkpoint (empty where there is none). */
  readonly checkpoint: { readonly note: string; readonly consistency: readonly Uint8Array[] };
  /** The log's: `<ledger name>/<year>` and its keys. */
  readonly log: { readonly origin: string; readonly keys: readonly VerifierKey[] };
}

export interface CopyVerdict extends ChainVerdict {
  /** Null where the checkpoint was refused. */
  readonly checkpoint: VerifiedCheckpoint | null;
}

/** Checks one chain as a payer's node does before it stores and countersigns: the checkpoint first, and under it the page. */
export function verifyChain<Hash>(
  copy: CopyToVerify,
  dependencies: VerifyDependencies<Hash> & { readonly verify: Ed25519Verify },
): CopyVerdict {
  const { hashes, verify } = dependencies;
  const verdict = verifyCheckpoint(copy.checkpoint, copy.state.checkpoint, copy.log, { verify, tree: hashes.tree });
  if (!verdict.ok) {
    return { ok: false, findings: [verdict.finding], blocks: [], head: copy.state.head, checkpoint: null };
  }
  const { checkpoint } = verdict;
  return { ...verifyPage(copy.followed, copy.state.head, copy.page, checkpoint, dependencies), checkpoint };
}
