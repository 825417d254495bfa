import { sameBytes } from '../../encoding/compare-bytes.ts';
import { SHA256_BYTES } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { Account } from '../../identity/account.ts';
import { type BlockHeader, blockHashOf, parseBlockHeader } from '../block/block-header.ts';
import { totalsHashOf } from '../block/block-totals.ts';
import { type ChainHead, headAfterBlock } from '../block/chain-head.ts';
import { logLeafOf } from '../block/log-leaf.ts';
import type { LedgerHashes } from '../block/seal-block.ts';
import { type Checkpoint, openCheckpoint } from '../note/checkpoint.ts';
import type { Ed25519Verify } from '../note/ed25519.ts';
import { parseTlogProof } from '../note/tlog-proof.ts';
import { parseVerifierKey, type VerifierKey } from '../note/verifier-key.ts';
import { rootOfLeaves } from '../tree/compact-range.ts';
import { verifyConsistency, verifyInclusion } from '../tree/tree-proof.ts';
import { describeDivergence } from './divergence.ts';
import type { BlockEvidence, DivergenceReport } from './divergence-report.ts';
import { examineBlock } from './verify-block.ts';
import { hashesOnly } from './verify-checkpoint.ts';

/**
 * What a divergence report shows to somebody who trusts neither party (the table of ledger.md section 5).
 * `proven`: the ledger's own signatures contradict one another or what they seal. `unanswered`: signed by the ledger, and it is for the
 * ledger to answer (a consistency proof). `claimed`: nothing in the report is sealed by the ledger against the ledger.
 */
export interface ReportVerdict {
  readonly verdict: 'proven' | 'unanswered' | 'claimed';
  readonly case: 'split log' | 'not consistent' | 'two blocks' | 'false block' | 'claim';
  readonly why: string;
}

export interface CheckDependencies<Hash> {
  readonly verify: Ed25519Verify;
  readonly hashes: LedgerHashes<Hash>;
}

/**
 * Judges a report offline, with the ledger's key that the judge knows, not the one in the report. Pure; evidence that does not hold is
 * left out, never an error. Throws VERIFIER_KEY_INVALID for the judge's own key.
 */
export function checkDivergence<Hash>(
  report: DivergenceReport,
  trustedLedgerKey: string,
  dependencies: CheckDependencies<Hash>,
): ReportVerdict {
  const judge: Judge<Hash> = { ...dependencies, origin: report.origin, key: parseVerifierKey(trustedLedgerKey) };
  return (
    twoBlocks(report, judge) ??
    falseBlock(report, judge) ??
    twoCheckpoints(report, judge) ?? {
      verdict: 'claimed',
      case: 'claim',
      why: 'nothing that the ledger sealed contradicts what it sealed elsewhere',
    }
  );
}

interface Judge<Hash> extends CheckDependencies<Hash> {
  readonly origin: string;
  readonly key: VerifierKey;
}

interface SealedEvidence {
  readonly evidence: BlockEvidence;
  readonly header: BlockHeader;
  readonly hash: Uint8Array;
  readonly slotTag: Uint8Array;
}

/** Two blocks, one chain and seq: two headers, each with its proof under a signed checkpoint. */
function twoBlocks<Hash>(report: DivergenceReport, judge: Judge<Hash>): ReportVerdict | null {
  const held = report.held.blocks.map((block) => sealedBy(block, judge)).filter((one) => one !== null);
  const came = report.came.blocks.map((block) => sealedBy(block, judge)).filter((one) => one !== null);
  for (const mine of held) {
    const other = came.find(({ header }) => header.chain === mine.header.chain && header.seq === mine.header.seq);
    if (other === undefined || sameBytes(other.hash, mine.hash)) continue;
    const tag = sameBytes(other.slotTag, mine.slotTag) ? 'under one slot tag' : 'under two slot tags';
    const why = `the ledger sealed two blocks ${mine.header.seq} of chain ${mine.header.chain}, ${tag}`;
    return { verdict: 'proven', case: 'two blocks', why };
  }
  return null;
}

/** A block that the ledger sealed and whose own bytes, those that its header names, contradict it. */
function falseBlock<Hash>(report: DivergenceReport, judge: Judge<Hash>): ReportVerdict | null {
  const { account } = report;
  if (account === null) return null;
  for (const evidence of report.came.blocks) {
    const sealed = sealedBy(evidence, judge);
    const previous = sealed === null ? undefined : blockBefore(sealed, account, report, judge);
    if (sealed === null || previous === undefined) continue;
    // Names are taken from what is sealed, never from the report: its maker must not be able to make a good block look false.
    const identity = { account, chain: sealed.header.chain, ledgerName: sealed.header.ledgerName };
    const verdict = examineBlock(previous, evidence.block, identity, judge.hashes);
    // Bytes that the header does not name prove nothing: whoever made the report may have changed them.
    if (verdict.ok || verdict.findings.some(({ code }) => UNSEALED.has(code))) continue;
    const why = `the ledger sealed a false block: ${verdict.findings.map(describeDivergence).join('; ')}`;
    return { verdict: 'proven', case: 'false block', why };
  }
  return null;
}

const UNSEALED: ReadonlySet<string> = new Set(['ENTRIES_ROOT_DIFFERS', 'TOTALS_HASH_DIFFERS']);

/**
 * The head before a sealed block: null for block 0; undefined where the report does not hold, with the very bytes that it seals, the block
 * that its header names as prev, or where that block does not tell the number of the last decision.
 */
function blockBefore<Hash>(
  sealed: SealedEvidence,
  account: Account,
  report: DivergenceReport,
  judge: Judge<Hash>,
): ChainHead | null | undefined {
  if (sealed.header.seq === 0) return null;
  const { sha256, tree } = judge.hashes;
  for (const { block } of [...report.held.blocks, ...report.came.blocks]) {
    if (!sameBytes(blockHashOf(block.header, sha256), sealed.header.prev)) continue;
    const head = attempt(() => {
      const header = parseBlockHeader(block.header);
      const bound =
        sameBytes(header.totalsHash, totalsHashOf(block.totals, sha256)) &&
        sameBytes(header.entriesRoot, tree.toBytes(rootOfLeaves(block.entries, tree)));
      return bound ? headAfterBlock(null, { ...block, account, chain: header.chain }, sha256) : null;
    });
    if (head !== null && (head.seq === 0 || head.lastDecision > 0)) return head;
  }
  return undefined;
}

/** Two roots for one size, or no consistency between sizes: the two signed checkpoints. */
function twoCheckpoints<Hash>(report: DivergenceReport, judge: Judge<Hash>): ReportVerdict | null {
  const held = signedCheckpoint(report.held.checkpoint, judge);
  const came = signedCheckpoint(report.came.checkpoint, judge);
  if (held === null || came === null) return null;
  if (held.size === came.size) {
    if (sameBytes(held.root, came.root)) return null;
    const why = `the ledger signed two roots of its log of ${held.size}`;
    return { verdict: 'proven', case: 'split log', why };
  }
  const [smaller, larger] = held.size < came.size ? [held, came] : [came, held];
  const { tree } = judge.hashes;
  const claim = {
    from: smaller.size,
    to: larger.size,
    fromRoot: tree.fromBytes(smaller.root),
    toRoot: tree.fromBytes(larger.root),
  };
  const path = report.consistency;
  if (hashesOnly(path) && verifyConsistency(claim, path.map(tree.fromBytes), tree)) return null;
  const why = `the ledger signed ${smaller.size} and ${larger.size}: it has to show a consistency proof between them`;
  return { verdict: 'unanswered', case: 'not consistent', why };
}

/** The block of a proof file that holds: its leaf is in a checkpoint that the ledger signed. */
function sealedBy<Hash>(evidence: BlockEvidence, judge: Judge<Hash>): SealedEvidence | null {
  return attempt(() => {
    const proof = parseTlogProof(evidence.proof ?? '');
    const checkpoint = signedCheckpoint(proof.checkpoint, judge);
    if (checkpoint === null || proof.extra?.length !== SHA256_BYTES) return null;
    const header = parseBlockHeader(evidence.block.header);
    const hash = blockHashOf(evidence.block.header, judge.hashes.sha256);
    const { tree } = judge.hashes;
    const claim = {
      index: proof.index,
      size: checkpoint.size,
      leafHash: tree.leaf(logLeafOf(proof.extra, hash)),
      root: tree.fromBytes(checkpoint.root),
    };
    const included = verifyInclusion(claim, proof.path.map(tree.fromBytes), tree);
    return included ? { evidence, header, hash, slotTag: proof.extra } : null;
  });
}

function signedCheckpoint<Hash>(note: string | null, judge: Judge<Hash>): Checkpoint | null {
  if (note === null) return null;
  return attempt(() => openCheckpoint(note, { origin: judge.origin, keys: [judge.key] }, judge.verify));
}

/** Null where evidence is not what it claims to be; every other error passes. */
function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof TallyError && error.code !== 'ASSERTION_FAILED') return null;
    throw error;
  }
}
