import { TimeSlice } from '../../../libs/adapters/time/time-slice.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import type { MoneyOfTrader } from '../../../libs/core/vat/standing/settle-charges.ts';
import { entriesFrom } from '../store/entries-of-account.ts';
import type { EntryPosition, FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

/** What of an account's copy was looked through, and the money in it. */
interface LookedThrough {
  readonly money: MoneyOfTrader[];
  next: EntryPosition;
}

const NOTHING: readonly MoneyOfTrader[] = [];

/**
 * Money between traders and HMRC as the verified copy has it, oldest first. An entry does not say on which day the bank booked it: the day
 * on which its block was closed stands for it. A copy only grows: each entry is looked at once, and long copies by turns with other work.
 */
export class TraderMoney {
  readonly #store: PayerStore;
  readonly #seen = new Map<number, LookedThrough>();
  /** The newest look at each account: the next one goes on after it. */
  readonly #looks = new Map<number, Promise<unknown>>();

  constructor(store: PayerStore) {
    this.#store = store;
  }

  async of(followed: FollowedAccount | null): Promise<readonly MoneyOfTrader[]> {
    // Nothing was ever paid: no need to look through the copy.
    if (followed === null || !wasPaid(followed)) return NOTHING;
    const before = this.#looks.get(followed.number) ?? Promise.resolve();
    const look = before.then(() => this.#lookOn(followed));
    this.#looks.set(
      followed.number,
      look.catch(() => undefined),
    );
    return look;
  }

  async #lookOn(followed: FollowedAccount): Promise<readonly MoneyOfTrader[]> {
    const known = this.#seen.get(followed.number) ?? { money: [], next: { seq: 0, position: 0 } };
    this.#seen.set(followed.number, known);
    const slice = new TimeSlice();
    for (const { place, entry, closedAtMs } of entriesFrom(this.#store, followed, known.next)) {
      const amountPence = entry.amounts.find(({ head }) => head === 'payment')?.pence ?? 0;
      if (amountPence !== 0) known.money.push({ amountPence, received: londonDate(closedAtMs) });
      known.next = { seq: place.seq, position: place.position + 1 };
      await slice.giveWay();
    }
    return [...known.money];
  }
}

function wasPaid({ penceByHead, head }: FollowedAccount): boolean {
  return (penceByHead.payment ?? 0) !== 0 || head?.paymentsSince0Pence !== 0;
}
