import { hashInput } from '../../encoding/hash-input.ts';
import { fromHex } from '../../encoding/hex.ts';
import type { Account } from '../../identity/account.ts';
import type { EventId } from '../../identity/event-id.ts';

/** An event that the gateway made durable in the log. */
export interface ReceiptedEvent {
  readonly account: Account;
  readonly eventId: EventId;
  /** SHA-256 of the event's bytes as appended, 32 bytes. */
  readonly hash: Uint8Array;
}

/** `account ‖ event id ‖ hash of the event as appended`. */
export function leafOfReceipt(event: ReceiptedEvent): Uint8Array {
  return hashInput(event.account, fromHex(event.eventId, 16), event.hash);
}
