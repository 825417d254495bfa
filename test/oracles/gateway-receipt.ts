import { TallyError } from '../../libs/core/errors/tally-error.ts';
import {
  type BatchNote,
  type BatchPlace,
  batchNoteOf,
  isInBatch,
  parseBatchNote,
} from '../../libs/core/ledger/note/batch-note.ts';
import type { Ed25519Verify } from '../../libs/core/ledger/note/ed25519.ts';
import { leafOfReceipt, type ReceiptedEvent } from '../../libs/core/ledger/note/gateway-receipt.ts';
import { openNote } from '../../libs/core/ledger/note/signed-note.ts';
import type { VerifierKey } from '../../libs/core/ledger/note/verifier-key.ts';
import { type TreeHasher, treeHasher } from '../../libs/core/ledger/tree/tree-hash.ts';

/** The text of a receipt, to be signed with signNote, and each event's place (ledger.md section 7). */
export function receiptOf(
  ledgerName: string,
  receivedAtMs: number,
  events: readonly ReceiptedEvent[],
  hasher: TreeHasher<Uint8Array> = treeHasher,
): { readonly text: string; readonly places: readonly BatchPlace[] } {
  return batchNoteOf({ kind: 'receipt', ledgerName, receivedAtMs }, events.map(leafOfReceipt), hasher);
}

/** The receipt of an event, proven. Throws NOTE_*, BATCH_NOTE_MALFORMED, RECEIPT_DIFFERS (another ledger, or the event is not under it). */
export function openReceipt(
  note: string,
  event: ReceiptedEvent,
  place: BatchPlace,
  expected: { readonly ledgerName: string; readonly keys: readonly VerifierKey[] },
  verify: Ed25519Verify,
  hasher: TreeHasher<Uint8Array> = treeHasher,
): BatchNote {
  const receipt = parseBatchNote(openNote(note, expected.keys, verify).text, 'receipt');
  if (receipt.ledgerName !== expected.ledgerName || !isInBatch(receipt, leafOfReceipt(event), place, hasher)) {
    throw new TallyError('RECEIPT_DIFFERS', 'this receipt is not for this event', { eventId: event.eventId });
  }
  return receipt;
}
