import { fromHex } from '../../encoding/hex.ts';
import type { HmacSha256 } from '../../encoding/sha256.ts';
import type { ChainHead } from '../block/chain-head.ts';
import { logLeafOf, slotTagOf } from '../block/log-leaf.ts';
import type { LedgerHashes } from '../block/seal-block.ts';
import { verifyInclusion } from '../tree/tree-proof.ts';
import type { Divergence } from './divergence.ts';
import { type BlockTexts, type ChainIdentity, examineBlock, type VerifiedBlock } from './verify-block.ts';
import { hashesOnly, type VerifiedCheckpoint } from './verify-checkpoint.ts';

/** What a payer knows of its chain and its ledger. */
export interface FollowedChain extends ChainIdentity {
  /** One of the chain's working keys. */
  readonly tagKey: Uint8Array;
}

/** The newest block's place in the public log, under the page's checkpoint. */
export interface LogIndex {
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

/** What a pull gives for one chain: blocks from the next seq on, the place of the last of them. */
export interface ChainPage {
  readonly blocks: readonly BlockTexts[];
  /** Null only where there are no blocks. */
  readonly place: LogIndex | null;
}

export interface ChainVerdict {
  readonly ok: boolean;
  readonly findings: readonly Divergence[];
  /** The blocks that are good, up to the first that is not. To be stored only where `ok`. */
  readonly blocks: readonly VerifiedBlock[];
  /** The head that `blocks` lead to: the one to countersign where `ok`. */
  readonly head: ChainHead | null;
}

export interface VerifyDependencies<Hash> {
  readonly hashes: LedgerHashes<Hash>;
  readonly hmac: HmacSha256;
}

/**
 * Checks a page of one chain's blocks upon the last verified head, under a checkpoint that is verified already (one for all chains of a
 * pull): each block (verify-block.ts), no event twice in the page, the newest block's leaf in the log. Pure; never throws on hostile input.
 */
export function verifyPage<Hash>(
  followed: FollowedChain,
  previous: ChainHead | null,
  page: ChainPage,
  checkpoint: VerifiedCheckpoint,
  dependencies: VerifyDependencies<Hash>,
): ChainVerdict {
  const blocks: VerifiedBlock[] = [];
  let head = previous;
  for (const block of page.blocks) {
    const verdict = examineBlock(head, block, followed, dependencies.hashes);
    if (!verdict.ok) return { ok: false, findings: verdict.findings, blocks, head };
    blocks.push(verdict.verified);
    head = verdict.verified.head;
  }
  const findings = [...repeatedEvents(followed, blocks)];
  if (head !== null && page.blocks.length > 0 && !isInLog(followed, head, page.place, checkpoint, dependencies)) {
    findings.push(notInLog(followed, head, page.place, checkpoint));
  }
  return { ok: findings.length === 0, findings, blocks, head };
}

/** True where the head's leaf, slot tag and block hash, stands at its place under the checkpoint. */
export function isInLog<Hash>(
  followed: FollowedChain,
  head: ChainHead,
  place: LogIndex | null,
  checkpoint: VerifiedCheckpoint,
  dependencies: VerifyDependencies<Hash>,
): boolean {
  if (place === null || !hashesOnly(place.path)) return false;
  const { tree } = dependencies.hashes;
  const leaf = logLeafOf(slotTagOf(followed.tagKey, head.seq, dependencies.hmac), fromHex(head.blockHash, 32));
  const claim = {
    index: place.index,
    size: checkpoint.size,
    leafHash: tree.leaf(leaf),
    root: tree.fromBytes(checkpoint.root),
  };
  return verifyInclusion(claim, place.path.map(tree.fromBytes), tree);
}

function notInLog(
  followed: FollowedChain,
  head: ChainHead,
  place: LogIndex | null,
  checkpoint: VerifiedCheckpoint,
): Divergence {
  return {
    code: 'BLOCK_NOT_IN_LOG',
    account: followed.account,
    chain: followed.chain,
    seq: head.seq,
    entryIndex: null,
    eventId: null,
    field: 'inclusion',
    expected: `block ${head.blockHash} in the log of ${checkpoint.size}`,
    found: place === null ? 'no proof' : `no proof at index ${place.index}`,
  };
}

/** One event, one entry: an event id stands once. */
function* repeatedEvents(followed: FollowedChain, blocks: readonly VerifiedBlock[]): Generator<Divergence> {
  const seen = new Set<string>();
  for (const { head, entries } of blocks) {
    for (const [entryIndex, { eventId }] of entries.entries()) {
      if (seen.has(eventId)) {
        const { account, chain } = followed;
        const place = { account, chain, seq: head.seq, entryIndex, eventId };
        yield { code: 'EVENT_REPEATED', ...place, field: 'event id', expected: 'once', found: 'again' };
      }
      seen.add(eventId);
    }
  }
}
