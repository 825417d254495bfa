import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { parseCount } from '../../encoding/canonical-decimal.ts';
import { sameBytes } from '../../encoding/compare-bytes.ts';
import { uint64 } from '../../encoding/hash-input.ts';
import { writeHex } from '../../encoding/hex.ts';
import { SHA256_BYTES } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { rootOfLeafHashes } from '../tree/compact-range.ts';
import { type TreeHasher, treeHasher } from '../tree/tree-hash.ts';
import { everyInclusionPath, verifyInclusion } from '../tree/tree-proof.ts';
import type { Ed25519Verify } from './ed25519.ts';
import { linesOfText, type NoteSigner, openNote, signNote } from './signed-note.ts';
import { isKeyName, type VerifierKey } from './verifier-key.ts';

/** A newest block of a chain that the payer's node received, verified and stored. */
export interface HeadToAcknowledge {
  /** 32 lower-case hex. */
  readonly chain: string;
  readonly seq: number;
  /** 64 lower-case hex. */
  readonly blockHash: string;
}

/**
 * A payer's countersignature of all heads of one pull (ledger.md section 3): "received and stored", not "I agree". A signed note of
 *
 *     <ledger name>/ack/v1
 *     checkpoint <size> <base64 root>
 *     heads <count> <base64 root of the tree of chain ‖ seq ‖ block hash, sorted by chain>
 */
export interface Acknowledgement {
  readonly ledgerName: string;
  readonly checkpointSize: number;
  readonly checkpointRoot: Uint8Array;
  readonly headCount: number;
  readonly headsRoot: Uint8Array;
}

/** What proves one chain's part in an acknowledgement: each is proof by itself. */
export interface HeadProof {
  readonly head: HeadToAcknowledge;
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

const TITLE = '/ack/v1';
const CHAIN_BYTES = 16;
const SEQ_BYTES = 8;
const HEAD_LEAF_BYTES = CHAIN_BYTES + SEQ_BYTES + SHA256_BYTES;

/** The text to sign, and each chain's path, sorted by chain. Throws ACKNOWLEDGEMENT_INVALID for no head or two of one chain. */
export function acknowledge<Hash>(
  ledgerName: string,
  checkpoint: { readonly size: number; readonly root: Uint8Array },
  heads: readonly HeadToAcknowledge[],
  hasher: TreeHasher<Hash>,
): { readonly text: string; readonly proofs: readonly HeadProof[] } {
  const sorted = sortedHeads(heads);
  const { root, paths } = everyInclusionPath(
    sorted.map((head) => hasher.leaf(leafOfHead(head))),
    hasher,
  );
  const text = printAcknowledgement({
    ledgerName,
    checkpointSize: checkpoint.size,
    checkpointRoot: checkpoint.root,
    headCount: sorted.length,
    headsRoot: root,
  });
  const proofs = sorted.map((head, index) => ({ head, index, path: paths[index] ?? [] }));
  return { text, proofs };
}

export function signAcknowledgement(text: string, signer: NoteSigner): string {
  return signNote(text, [signer]);
}

export function printAcknowledgement(ack: Acknowledgement): string {
  return (
    `${ack.ledgerName}${TITLE}\n` +
    `checkpoint ${ack.checkpointSize} ${toBase64(ack.checkpointRoot)}\n` +
    `heads ${ack.headCount} ${toBase64(ack.headsRoot)}\n`
  );
}

/** Throws ACKNOWLEDGEMENT_MALFORMED for anything that printAcknowledgement would not print. */
export function parseAcknowledgement(text: string): Acknowledgement {
  try {
    const [title = '', ...lines] = linesOfText(text, 3);
    const ledgerName = title.slice(0, -TITLE.length);
    const [checkpoint, size, root, ...none] = (lines[0] ?? '').split(' ');
    const [heads, count, headsRoot, ...nothing] = (lines[1] ?? '').split(' ');
    const labelled = checkpoint === 'checkpoint' && heads === 'heads' && none.length + nothing.length === 0;
    if (labelled && title === ledgerName + TITLE && isKeyName(ledgerName)) {
      return {
        ledgerName,
        checkpointSize: parseCount(size ?? ''),
        checkpointRoot: fromBase64(root ?? '', SHA256_BYTES),
        headCount: parseCount(count ?? ''),
        headsRoot: fromBase64(headsRoot ?? '', SHA256_BYTES),
      };
    }
  } catch (cause) {
    throw malformed(cause);
  }
  throw malformed();
}

/**
 * An acknowledgement that a known key signed over exactly these heads, as the ledger takes it. Throws NOTE_*, ACKNOWLEDGEMENT_MALFORMED,
 * ACKNOWLEDGEMENT_INVALID (another ledger, other heads).
 */
export function openAcknowledgement<Hash>(
  note: string,
  expected: {
    readonly ledgerName: string;
    readonly keys: readonly VerifierKey[];
    readonly heads: readonly HeadToAcknowledge[];
  },
  verify: Ed25519Verify,
  hasher: TreeHasher<Hash>,
): { readonly acknowledgement: Acknowledgement; readonly signedBy: readonly VerifierKey[] } {
  const { text, signedBy } = openNote(note, expected.keys, verify);
  const acknowledgement = parseAcknowledgement(text);
  if (acknowledgement.ledgerName !== expected.ledgerName) throw invalid('it is for another ledger');
  const heads = sortedHeads(expected.heads);
  const root = rootOfHeads(heads, hasher);
  if (acknowledgement.headCount !== heads.length || !sameBytes(acknowledgement.headsRoot, root)) {
    throw invalid('its root is not that of the heads given');
  }
  return { acknowledgement, signedBy };
}

/** True where one chain's head is under an acknowledgement. */
export function isAcknowledged(
  acknowledgement: Acknowledgement,
  proof: HeadProof,
  hasher: TreeHasher<Uint8Array> = treeHasher,
): boolean {
  const claim = {
    index: proof.index,
    size: acknowledgement.headCount,
    leafHash: hasher.leaf(leafOfHead(proof.head)),
    root: acknowledgement.headsRoot,
  };
  return verifyInclusion(claim, proof.path, hasher);
}

/** `chain ‖ seq ‖ block hash`. */
export function leafOfHead(head: HeadToAcknowledge): Uint8Array {
  const leaf = new Uint8Array(HEAD_LEAF_BYTES);
  writeHex(head.chain, leaf, 0, CHAIN_BYTES);
  leaf.set(uint64(head.seq), CHAIN_BYTES);
  writeHex(head.blockHash, leaf, CHAIN_BYTES + SEQ_BYTES, SHA256_BYTES);
  return leaf;
}

function rootOfHeads<Hash>(sorted: readonly HeadToAcknowledge[], hasher: TreeHasher<Hash>): Uint8Array {
  const leafHashes = sorted.map((head) => hasher.leaf(leafOfHead(head)));
  return hasher.toBytes(rootOfLeafHashes(leafHashes, hasher));
}

function sortedHeads(heads: readonly HeadToAcknowledge[]): readonly HeadToAcknowledge[] {
  // Lower-case hex sorts as its bytes do.
  const sorted = [...heads].sort((a, b) => (a.chain < b.chain ? -1 : a.chain > b.chain ? 1 : 0));
  if (sorted.length === 0) throw invalid('it names no head');
  if (sorted.some((head, index) => index > 0 && head.chain === sorted[index - 1]?.chain)) {
    throw invalid('it names a chain twice');
  }
  return sorted;
}

function invalid(why: string): TallyError {
  return new TallyError('ACKNOWLEDGEMENT_INVALID', `not an acknowledgement to take: ${why}`, { why });
}

function malformed(cause?: unknown): TallyError {
  return new TallyError('ACKNOWLEDGEMENT_MALFORMED', 'expected three lines: title, checkpoint, heads', {}, { cause });
}
