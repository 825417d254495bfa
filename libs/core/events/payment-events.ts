import type { LocalDate } from '../calendar/local-date.ts';
import type { Account } from '../identity/account.ts';
import type { EventId } from '../identity/event-id.ts';
import type { Pence } from '../money/pence.ts';

/** Money that HMRC received from an account, or paid back to it (payments.v1). */
export interface MoneyMoved {
  readonly type: 'MoneyMoved';
  readonly eventId: EventId;
  readonly account: Account;
  readonly receivedAtMs: number;
  readonly direction: 'received' | 'repaid';
  /** Positive in both directions. */
  readonly amountPence: Pence;
  readonly bookedOn: LocalDate;
  /** The payer's or bank's reference. */
  readonly reference: string | null;
}
