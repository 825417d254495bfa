import { daysBetween, type LocalDate } from '../../calendar/local-date.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Account } from '../../identity/account.ts';
import { FORGOTTEN_WITH_EVENT, REMEMBERED_AFTER_CLOSE_DAYS } from '../rates/limits.ts';
import { rememberedEventOf } from './remembered-sale.ts';
import { eventKey, traderKey } from './state-keys.ts';
import { type TraderState, traderOf, traderValue } from './trader.ts';

/**
 * The trader once a period is closed hard: its events stay remembered while refunds may name them; periods that are old enough by now
 * begin to be forgotten. What is remembered of a trader is bounded so, and no decision is large: ids go a few with each later event.
 *
 * @param lastEventId the event that was counted last in the period: each remembered event names the one before it.
 */
export function afterHardClose(trader: TraderState, end: LocalDate, lastEventId: string | null): TraderState {
  const lists = lastEventId === null ? trader.d : [...trader.d, [end, lastEventId] as const];
  const old = lists.filter(([listEnd]) => daysBetween(listEnd, end) > REMEMBERED_AFTER_CLOSE_DAYS);
  const [oldestKept] = lists.slice(old.length);
  const horizon = old.at(-1)?.[0] ?? trader.k;
  return {
    ...trader,
    h: end,
    d: oldestKept === undefined ? [] : lists.slice(old.length),
    x: [...trader.x, ...old.map(([, eventId]) => eventId)],
    k: horizon,
  };
}

/** Forgets a few events of periods closed long ago. */
export function forgetSome(account: Account, draft: StateDraft): void {
  const trader = traderOf(account, draft);
  if (trader.x.length === 0) return;
  let lists = trader.x;
  for (let count = 0; count < FORGOTTEN_WITH_EVENT && lists.length > 0; count += 1) {
    const [eventId, ...others] = lists;
    if (eventId === undefined) break;
    const key = eventKey(account, eventId);
    const before = rememberedEventOf(draft.get(key))?.p;
    draft.put(key, null);
    lists = before === undefined ? others : [before, ...others];
  }
  draft.put(traderKey(account), traderValue({ ...trader, x: lists }));
}

/** True where events of this day are forgotten: a repeat of one could not be told from a new event. */
export function isForgotten(trader: TraderState, date: LocalDate): boolean {
  return trader.k !== null && date <= trader.k;
}
