import { londonDate } from '../../libs/core/calendar/london-time.ts';
import { paymentsOf } from '../../libs/core/ledger/ledger-entry.ts';
import type { MoneyOfTrader } from '../../libs/core/vat/settle-charges.ts';
import { entriesFrom } from './entries-of-account.ts';
import type { FollowedAccount } from './payer-records.ts';
import type { PayerStore } from './payer-store.ts';

/**
 * Money between the trader and HMRC as the verified copy has it, oldest first. An entry does not say on which day the bank booked it: the
 * day on which its block was closed stands for it.
 */
export function moneyOfAccount(store: PayerStore, followed: FollowedAccount): readonly MoneyOfTrader[] {
  const money: MoneyOfTrader[] = [];
  // Nothing was ever paid: no need to look through the copy.
  if ((followed.penceByHead.payment ?? 0) === 0 && followed.head?.paymentsSince0Pence === 0) return money;
  for (const { entry, closedAtMs } of entriesFrom(store, followed, { seq: 0, position: 0 })) {
    const amountPence = paymentsOf(entry);
    if (amountPence !== 0) money.push({ amountPence, received: londonDate(closedAtMs) });
  }
  return money;
}
