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
import { firstDayOwed, lastDayOwed } from '../../../libs/core/vat/state/registration-bounds.ts';
import { type TraderState, traderOf } from '../../../libs/core/vat/state/trader.ts';
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
  /** False for days of which no return is owed, though events of them count: those before anything of the trader was known here. */
  readonly isOwed: boolean;
}

/**
 * The VAT periods of one trader from the payer's own recomputed state, oldest first: nobody else's figures. Each of which a return is owed,
 * from registration, or from when something of the trader was known here, to the period of `today` or the end of the registration, without
 * gap; and each other in which events count. A tax point makes no obligation (registration-bounds.ts).
 */
export function periodsOfTrader(
  store: PayerStore,
  filings: VatFilings,
  followed: FollowedAccount,
  today: LocalDate,
): readonly TraderPeriod[] {
  const view = new OwnState(store, followed.number);
  const { account: owner } = followed;
  const trader = traderOf(owner, view);
  const counted = startsWithEvents(store, followed);
  const first = firstDayOwed(trader) ?? counted[0] ?? null;
  const periodOf = (day: LocalDate) => periodOfDate(view, owner, day);
  const owed = first === null ? [] : periodsBetween(shown(first, today), lastOf(trader, first, today), periodOf);
  const known = new Set(owed.map(({ start }) => start));
  const others = counted.filter((start) => !known.has(start)).map(periodOf);
  return [...owed, ...others]
    .sort((a, b) => (a.start < b.start ? -1 : 1))
    .map((period) => {
      const periodKey = mtdPeriodKey(period);
      const filed = filings.find(followed.number, periodKey);
      const isOwed = known.has(period.start);
      return { periodKey, return: returnOfPeriod(view, owner, period), filed, isOwed };
    });
}

/** Dates are the trader's own: what is owed is shown as far back as a real business may be. */
function shown(first: LocalDate, today: LocalDate): LocalDate {
  return laterDate(first, addDays(today, -DAYS_SHOWN_BEFORE));
}

/** The last day of what is owed; of a trader that begins within a year, its first. */
function lastOf(trader: TraderState, first: LocalDate, today: LocalDate): LocalDate {
  return laterDate(lastDayOwed(trader, today), earlierDate(first, addDays(today, DAYS_SHOWN_AFTER)));
}

export function obligationOf({ periodKey, return: { period, due }, filed }: TraderPeriod): VatObligation {
  return { start: period.start, end: period.end, due, periodKey, received: filed?.receivedOn ?? null };
}

/** First days of the periods that have an account, in order. */
function startsWithEvents(store: PayerStore, { number, account: owner }: FollowedAccount): readonly LocalDate[] {
  const prefix = `vat|${owner}|`;
  const range = { start: stateKey(number, prefix), end: stateKey(number, `${prefix}~`) };
  const starts: LocalDate[] = [];
  const prefixBytes = stateKey(number, prefix).length;
  for (const key of store.state.getKeys(range)) {
    const start = key.toString('utf8', prefixBytes);
    if (isLocalDate(start)) starts.push(localDate(start));
  }
  return starts.sort();
}
