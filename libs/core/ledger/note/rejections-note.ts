import { sameBytes } from '../../encoding/compare-bytes.ts';
import { hashInput } from '../../encoding/hash-input.ts';
import { fromHex } from '../../encoding/hex.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { Account } from '../../identity/account.ts';
import type { EventId } from '../../identity/event-id.ts';
import { rootOfLeaves } from '../tree/compact-range.ts';
import { type TreeHasher, treeHasher } from '../tree/tree-hash.ts';
import { type BatchNote, type BatchPlace, batchNoteOf, isInBatch, parseBatchNote } from './batch-note.ts';
import type { Ed25519Verify } from './ed25519.ts';
import { openNote } from './signed-note.ts';
import type { VerifierKey } from './verifier-key.ts';

/** An event of a payer that tax rejected, so that it is not taken for a withheld one. */
export interface RejectedEvent {
  readonly account: Account;
  readonly eventId: EventId;
  readonly code: string;
}

/** The text of a rejections note, to be signed with signNote, and each event's place (ledger.md section 7). */
export function rejectionsNoteOf(
  ledgerName: string,
  receivedAtMs: number,
  rejections: readonly RejectedEvent[],
  hasher: TreeHasher<Uint8Array> = treeHasher,
): { readonly text: string; readonly places: readonly BatchPlace[] } {
  return batchNoteOf({ kind: 'rejections', ledgerName, receivedAtMs }, rejections.map(leafOfRejection), hasher);
}

/** `account ‖ event id ‖ code`. */
export function leafOfRejection(rejection: RejectedEvent): Uint8Array {
  return hashInput(rejection.account, fromHex(rejection.eventId, 16), rejection.code);
}

/** A rejections note over exactly these, in this order. Throws NOTE_*, BATCH_NOTE_MALFORMED, REJECTIONS_DIFFER. */
export function openRejections(
  note: string,
  rejections: readonly RejectedEvent[],
  expected: { readonly ledgerName: string; readonly keys: readonly VerifierKey[] },
  verify: Ed25519Verify,
  hasher: TreeHasher<Uint8Array> = treeHasher,
): BatchNote {
  const opened = parseBatchNote(openNote(note, expected.keys, verify).text, 'rejections');
  const root = rootOfLeaves(rejections.map(leafOfRejection), hasher);
  const same = opened.eventCount === rejections.length && sameBytes(opened.eventsRoot, root);
  if (opened.ledgerName !== expected.ledgerName || !same) {
    throw new TallyError('REJECTIONS_DIFFER', 'this note is not over these rejections', { count: rejections.length });
  }
  return opened;
}

/** True where one rejection stands at its place under an opened note: proof by itself. */
export function isRejected(
  note: BatchNote,
  rejection: RejectedEvent,
  place: BatchPlace,
  hasher: TreeHasher<Uint8Array> = treeHasher,
): boolean {
  return note.kind === 'rejections' && isInBatch(note, leafOfRejection(rejection), place, hasher);
}
