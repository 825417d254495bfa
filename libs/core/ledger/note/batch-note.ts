import { parseUtc, printUtc } from '../../calendar/utc-time.ts';
import { fromBase64, toBase64 } from '../../encoding/base64.ts';
import { parseCount } from '../../encoding/canonical-decimal.ts';
import { SHA256_BYTES } from '../../encoding/sha256.ts';
import { assert } from '../../errors/assert.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { rootOfLeafHashes } from '../tree/compact-range.ts';
import type { TreeHasher } from '../tree/tree-hash.ts';
import { inclusionPath, nodesOfLeafHashes, verifyInclusion } from '../tree/tree-proof.ts';
import { linesOfText } from './signed-note.ts';
import { isKeyName } from './verifier-key.ts';

/** The two notes over a batch of events (ledger.md section 7): what the gateway received, what tax rejected. */
export type BatchNoteKind = 'receipt' | 'rejections';

/**
 * One signature for a batch, each event with a path of its own:
 *
 *     <ledger name>/receipt/v1            or <ledger name>/rejections/v1
 *     received <RFC 3339 UTC, milliseconds>
 *     events <count> <base64 root>
 */
export interface BatchNote {
  readonly kind: BatchNoteKind;
  readonly ledgerName: string;
  readonly receivedAtMs: number;
  readonly eventCount: number;
  readonly eventsRoot: Uint8Array;
}

/** The position of one event in a batch note's tree, with its inclusion path. */
export interface BatchPlace {
  readonly index: number;
  readonly path: readonly Uint8Array[];
}

/** The text to sign and each event's place. */
export function batchNoteOf(
  head: Pick<BatchNote, 'kind' | 'ledgerName' | 'receivedAtMs'>,
  leaves: readonly Uint8Array[],
  hasher: TreeHasher<Uint8Array>,
): { readonly text: string; readonly places: readonly BatchPlace[] } {
  assert(leaves.length > 0, 'a batch note is over at least one event');
  const leafHashes = leaves.map((leaf) => hasher.leaf(leaf));
  const nodes = nodesOfLeafHashes(leafHashes, hasher);
  const eventsRoot = rootOfLeafHashes(leafHashes, hasher);
  return {
    text: printBatchNote({ ...head, eventCount: leaves.length, eventsRoot }),
    places: leaves.map((_, index) => ({ index, path: inclusionPath(index, leaves.length, nodes, hasher) })),
  };
}

export function printBatchNote(note: BatchNote): string {
  return (
    `${note.ledgerName}/${note.kind}/v1\n` +
    `received ${printUtc(note.receivedAtMs, 'milliseconds')}\n` +
    `events ${note.eventCount} ${toBase64(note.eventsRoot)}\n`
  );
}

/** Throws BATCH_NOTE_MALFORMED for anything that printBatchNote would not print. */
export function parseBatchNote(text: string, kind: BatchNoteKind): BatchNote {
  try {
    const [title = '', received = '', events = ''] = linesOfText(text, 3);
    const ledgerName = title.slice(0, -`/${kind}/v1`.length);
    const [receivedLabel, time = '', ...none] = received.split(' ');
    const [eventsLabel, count = '', root = '', ...nothing] = events.split(' ');
    const labelled = receivedLabel === 'received' && eventsLabel === 'events' && none.length + nothing.length === 0;
    if (labelled && title === `${ledgerName}/${kind}/v1` && isKeyName(ledgerName)) {
      return {
        kind,
        ledgerName,
        receivedAtMs: parseUtc(time, 'milliseconds'),
        eventCount: parseCount(count),
        eventsRoot: fromBase64(root, SHA256_BYTES),
      };
    }
  } catch (cause) {
    throw malformed(kind, cause);
  }
  throw malformed(kind);
}

/** True where a leaf stands at its place under a batch note. */
export function isInBatch(
  note: BatchNote,
  leaf: Uint8Array,
  place: BatchPlace,
  hasher: TreeHasher<Uint8Array>,
): boolean {
  const claim = { index: place.index, size: note.eventCount, leafHash: hasher.leaf(leaf), root: note.eventsRoot };
  return verifyInclusion(claim, place.path, hasher);
}

function malformed(kind: BatchNoteKind, cause?: unknown): TallyError {
  return new TallyError('BATCH_NOTE_MALFORMED', `expected three lines of a ${kind} note`, { kind }, { cause });
}
