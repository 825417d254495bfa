import type { Account } from '../../../libs/core/identity/account.ts';

/** One submission in the JSON of docs/http-api.md, with the door that it goes to. */
export interface FeedEvent {
  /** `payment` goes to the gateway's /v1/payments, as a bank; the others to the payer's outbox. */
  readonly kind: 'paye' | 'vat' | 'payment';
  readonly account: Account;
  readonly json: Readonly<Record<string, unknown>>;
}
