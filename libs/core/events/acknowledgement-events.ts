import type { Account } from '../identity/account.ts';
import type { EventId } from '../identity/event-id.ts';
import type { AcknowledgedHead } from '../ledger/blocks-message.ts';

/** A payer's verifier key was registered for its chain (acknowledgements.v1). */
export interface KeyRegistered {
  readonly type: 'KeyRegistered';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  /** 32 lower-case hex. */
  readonly chain: string;
  /** `<name>+<key id>+<base64>` (ledger.md section 3). */
  readonly verifierKey: string;
  /** Signed note of key-registration.ts; null in records from before there were proofs. */
  readonly proof: string | null;
}

/** A payer stored and countersigned heads of its chains: one signature for all of them, checked at the door. */
export interface HeadsAcknowledged {
  readonly type: 'HeadsAcknowledged';
  readonly eventId: EventId;
  readonly receivedAtMs: number;
  /** The signed note `<ledger name>/ack/v1`. */
  readonly note: string;
  readonly heads: readonly AcknowledgedHead[];
}

/** A payer disagrees with a block, or with one entry of it. */
export interface DisputeRaised {
  readonly type: 'DisputeRaised';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  /** 32 lower-case hex. */
  readonly chain: string;
  readonly seq: number;
  /** Null where the block itself is disputed. */
  readonly entryIndex: number | null;
  readonly code: string;
  /** For people; never personal data. */
  readonly detail: string;
}

/** What payers send the ledger. */
export type AcknowledgementEvent = KeyRegistered | HeadsAcknowledged | DisputeRaised;
