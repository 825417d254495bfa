import {
  addDays,
  earlierDate,
  isLocalDate,
  type LocalDate,
  laterDate,
  localDate,
} from '../../../libs/core/calendar/local-date.ts';
import type { VatObligation } from '../../../libs/core/vat/mtd/obligations.ts';
import { periodsBetween } from '../../../libs/core/vat/mtd/obligations.ts';
import { mtdPeriodKey } from '../../../libs/core/vat/mtd/period-key.ts';
import { type PeriodReturn, periodOfDate, returnOfPeriod } from '../../../libs/core/vat/return/return-of-period.ts';
import { traderOf } from '../../../libs/core/vat/state/trader.ts';
import { OwnState } from '../store/own-state.ts';
import { stateKey } from '../store/payer-keys.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { FiledReturn, VatFilings } from './vat-filings.ts';

const DAYS_SHOWN_BEFORE = 25 * 366;
const DAYS_SHOWN_AFTER = 366;

/** A period of a trader with its return as it stands, and the return that was filed for it. */
export interface TraderPeriod {
  readonly periodKey: string;
  readonly return: PeriodReturn;
  readonly filed: FiledReturn | null;
}

/**
 * The VAT periods of one trader from the payer's own recomputed state: nobody else's figures. All periods from the first with an event or
 * registration to the one that `today` is in, or a later one with an event, without gap, oldest first; none where nothing is known of the
 * trader. Dates are the trader's own: what is shown ends where no real business is.
 */
export function periodsOfTrader(
  store: PayerStore,
  filings: VatFilings,
  followed: FollowedAccount,
  today: LocalDate,
): readonly TraderPeriod[] {
  const view = new OwnState(store, followed.number);
  const { account: owner } = followed;
  const { first, last } = knownDays(store, followed, traderOf(owner, view).r[0]?.validFrom ?? null);
  if (first === null || last === null) return [];
  const [oldest, latest] = [addDays(today, -DAYS_SHOWN_BEFORE), addDays(today, DAYS_SHOWN_AFTER)];
  const [from, to] = [laterDate(first, oldest), laterDate(today, earlierDate(last, latest))];
  return periodsBetween(from, to, (day) => periodOfDate(view, owner, day)).map((period) => {
    const periodKey = mtdPeriodKey(period);
    return { periodKey, return: returnOfPeriod(view, owner, period), filed: filings.find(followed.number, periodKey) };
  });
}

export function obligationOf({ periodKey, return: { period, due }, filed }: TraderPeriod): VatObligation {
  return { start: period.start, end: period.end, due, periodKey, received: filed?.receivedOn ?? null };
}

/** First days of the first and last period that has an account, the registration's day among them. */
function knownDays(
  store: PayerStore,
  { number, account: owner }: FollowedAccount,
  registered: LocalDate | null,
): { readonly first: LocalDate | null; readonly last: LocalDate | null } {
  const prefix = `vat|${owner}|`;
  const range = { start: stateKey(number, prefix), end: stateKey(number, `${prefix}~`) };
  const starts: LocalDate[] = registered === null ? [] : [registered];
  const prefixBytes = stateKey(number, prefix).length;
  for (const key of store.state.getKeys(range)) {
    const start = key.toString('utf8', prefixBytes);
    if (isLocalDate(start)) starts.push(localDate(start));
  }
  starts.sort();
  return { first: starts[0] ?? null, last: starts.at(-1) ?? null };
}
