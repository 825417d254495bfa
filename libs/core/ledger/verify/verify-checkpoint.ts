import { toBase64 } from '../../encoding/base64.ts';
import { sameBytes } from '../../encoding/compare-bytes.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.ts';
import type { Ed25519Verify } from '../note/ed25519.ts';
import type { VerifierKey } from '../note/verifier-key.ts';
import type { TreeHasher } from '../tree/tree-hash.ts';
import { verifyConsistency } from '../tree/tree-proof.ts';
import type { Divergence, DivergenceCode } from './divergence.ts';

/** A checkpoint that was signed by the log and consistent with all that was verified before it; the note is kept as evidence. */
export interface VerifiedCheckpoint extends Checkpoint {
  readonly note: string;
}

export type CheckpointVerdict =
  | { readonly ok: true; readonly checkpoint: VerifiedCheckpoint }
  | { readonly ok: false; readonly finding: Divergence };

/**
 * Checks a signed checkpoint against the last verified one: signature, origin, never smaller, one root for one size, consistent.
 * Pure; never throws on hostile input. CHECKPOINT_BEHIND alone is no proof of anything: a server may lag.
 */
export function verifyCheckpoint<Hash>(
  offered: { readonly note: string; readonly consistency: readonly Uint8Array[] },
  previous: VerifiedCheckpoint | null,
  log: { readonly origin: string; readonly keys: readonly VerifierKey[] },
  dependencies: { readonly verify: Ed25519Verify; readonly tree: TreeHasher<Hash> },
): CheckpointVerdict {
  let checkpoint: Checkpoint;
  try {
    checkpoint = openCheckpoint(offered.note, log, dependencies.verify);
  } catch (error) {
    if (!(error instanceof TallyError)) throw error;
    return refused('CHECKPOINT_REFUSED', 'note', `a checkpoint of ${log.origin}`, `${error.code}: ${error.message}`);
  }
  const verified: VerifiedCheckpoint = { ...checkpoint, note: offered.note };
  if (previous === null) return { ok: true, checkpoint: verified };
  const [before, now] = [previous.size, checkpoint.size];
  if (now < before) return refused('CHECKPOINT_BEHIND', 'size', `at least ${before}`, String(now));
  if (now === before) {
    if (sameBytes(previous.root, checkpoint.root)) return { ok: true, checkpoint: verified };
    return refused('CHECKPOINT_SPLIT', `root of ${now}`, toBase64(previous.root), toBase64(checkpoint.root));
  }
  const { tree } = dependencies;
  const claim = {
    from: before,
    to: now,
    fromRoot: tree.fromBytes(previous.root),
    toRoot: tree.fromBytes(checkpoint.root),
  };
  if (hashesOnly(offered.consistency) && verifyConsistency(claim, offered.consistency.map(tree.fromBytes), tree)) {
    return { ok: true, checkpoint: verified };
  }
  const found = `no proof in ${offered.consistency.length} hashes`;
  return refused('CHECKPOINT_NOT_CONSISTENT', 'consistency', `${now} upon ${before}`, found);
}

/** Paths come from outside: only 32-byte hashes may go into a tree. */
export function hashesOnly(path: readonly Uint8Array[]): boolean {
  return path.every((hash) => hash.length === 32);
}

function refused(code: DivergenceCode, field: string, expected: string, found: string): CheckpointVerdict {
  const nowhere = { account: null, chain: null, seq: null, entryIndex: null, eventId: null };
  return { ok: false, finding: { code, ...nowhere, field, expected, found } };
}
