import { TallyError } from '../errors/tally-error.ts';
import type { Account } from '../identity/account.ts';
import type { EventId } from '../identity/event-id.ts';
import { type BatchNote, type BatchPlace, batchNoteOf, isInBatch, parseBatchNote } from './batch-note.ts';
import type { Ed25519Verify } from './ed25519.ts';
import { hashInput } from './hash-input.ts';
import { fromHex } from './hex.ts';
import { openNote } from './signed-note.ts';
import { type TreeHasher, treeHasher } from './tree-hash.ts';
import type { VerifierKey } from './verifier-key.ts';

/** An event that the gateway made durable in the log. */
export interface ReceiptedEvent {
  readonly account: Account;
  readonly eventId: EventId;
  /** SHA-256 of the event's bytes as appended, 32 bytes. */
  readonly hash: Uint8Array;
}

/** The text of a receipt, to be signed with signNote, and each event's place (ledger.md section 7). */
export function receiptOf(
  ledgerName: string,
  receivedAtMs: number,
  events: readonly ReceiptedEvent[],
  hasher: TreeHasher<Uint8Array> = treeHasher,
): { readonly text: string; readonly places: readonly BatchPlace[] } {
  return batchNoteOf({ kind: 'receipt', ledgerName, receivedAtMs }, events.map(leafOfReceipt), hasher);
}

/** `account ‖ event id ‖ hash of the event as appended`. */
export function leafOfReceipt(event: ReceiptedEvent): Uint8Array {
  return hashInput(event.account, fromHex(event.eventId, 16), event.hash);
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
