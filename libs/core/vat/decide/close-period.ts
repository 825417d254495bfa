import { dayNumber, type LocalDate } from '../../calendar/local-date.ts';
import { londonDate } from '../../calendar/london-time.ts';
import type { HeadAmount, StateValue } from '../../decisions/decision.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { VatPeriodClosed } from '../../events/vat-events.ts';
import type { Account } from '../../identity/account.ts';
import { ZERO_PENCE } from '../../money/pence.ts';
import { checkCloseDates } from '../check/check-close.ts';
import { checkVrn } from '../check/check-till.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { dueOf } from '../return/period-boxes.ts';
import { schemeLimitFlags } from '../return/scheme-limits.ts';
import { broughtForwardFrom } from '../schemes/retail-vat.ts';
import { unpaidAfter, withUnpaidBefore } from '../schemes/unpaid-of-period.ts';
import { afterHardClose } from '../state/forget-events.ts';
import { inWholePeriod, type PeriodAccount } from '../state/period-account.ts';
import { periodKey, traderKey } from '../state/state-keys.ts';
import {
  openedAccount,
  poolRateOf,
  type TraderState,
  traderLeaving,
  traderOf,
  traderPeriodAfter,
  traderPeriodOfDay,
  traderValue,
} from '../state/trader.ts';
import { addUnpaid, leavesUnpaid, type Unpaid } from '../state/unpaid-invoices.ts';
import { amountsOf, difference, withPeriod } from './count-in-period.ts';
import { recordAssessment } from './record-assessment.ts';
import type { VatVerdict } from './vat-verdict.ts';

const NO_AMOUNTS: readonly HeadAmount[] = [];

/**
 * Closes a period (vat.md 8.2). Softly, after the grace: it is taken for complete; what comes later still counts in it, flagged, since it
 * is not submitted. Hard, with its submission: later events count in the next period, tagged with theirs; what the retail and margin
 * schemes bring forward, and what cash accounting leaves unpaid at its end, goes into the next period, and what that moves there is the entry; its events begin to be forgotten in time.
 * Periods are closed hard in order of time. Either close is flagged where turnover ends the trader's right to a scheme (scheme-limits.ts).
 */
export function assessPeriodClose(
  event: VatPeriodClosed,
  eventHash: string,
  draft: StateDraft,
  rules: VatRules,
): VatVerdict {
  const faults: Fault[] = [];
  checkVrn(event.account.slice('vat:'.length), faults);
  checkCloseDates(event, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  const trader = traderOf(event.account, draft);
  const period = traderPeriodOfDay(trader, dayNumber(event.periodStart));
  checkClose(event, trader, period, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  const closed = event.close === 'soft' ? closeSoftly(event, trader, draft) : closeHard(event, trader, draft, rules);
  const assessed = {
    kind: 'charge' as const,
    basePence: ZERO_PENCE,
    taxPeriod: closed.text ?? period.text,
    amounts: closed.amounts,
    flags: schemeLimitFlags(event.account, trader, period, draft, rules),
  };
  return { is: 'assessed', assessment: recordAssessment(event, eventHash, assessed, undefined, draft) };
}

/** What the close of a period moves, and in which period: null, in none. */
interface Closed {
  readonly text: string | null;
  readonly amounts: readonly HeadAmount[];
}

function checkClose(
  event: VatPeriodClosed,
  trader: TraderState,
  period: { readonly start: LocalDate; readonly end: LocalDate },
  faults: Fault[],
): void {
  const add = (code: string, pointer: string, detail: string) => faults.push({ code, pointer, detail });
  if (period.start !== event.periodStart || period.end !== event.periodEnd) {
    add('E_PERIOD', '/periodStart', `the trader's period is ${period.start} to ${period.end}`);
    return;
  }
  if (londonDate(event.receivedAtMs) <= period.end) add('E_PERIOD_NOT_ENDED', '/periodEnd', 'the period has not ended');
  const open = trader.o.find(([start]) => start === period.start);
  const isClosed = trader.h !== null && period.end <= trader.h;
  if (isClosed || (event.close === 'soft' && open?.[2] === 1)) add('E_PERIOD_CLOSED', '/close', 'the period is closed');
  if (event.close === 'hard' && trader.o.some(([, end]) => end < period.start)) {
    add('E_PERIOD_ORDER', '/periodStart', 'a period before it is not closed');
  }
}

function closeSoftly(event: VatPeriodClosed, trader: TraderState, draft: StateDraft): Closed {
  const o = withPeriod(trader.o, [event.periodStart, event.periodEnd, 1]);
  draft.put(traderKey(event.account), traderValue({ ...trader, o }));
  return { text: null, amounts: NO_AMOUNTS };
}

function closeHard(event: VatPeriodClosed, trader: TraderState, draft: StateDraft, rules: VatRules): Closed {
  const own = accountOf(event.account, event.periodStart, draft);
  const others = trader.o.filter(([start]) => start !== event.periodStart);
  if (trader.e !== undefined && event.periodEnd >= trader.e) {
    // No period follows: nothing is brought forward.
    draft.put(
      traderKey(event.account),
      traderValue(afterHardClose({ ...trader, o: others }, event.periodEnd, own?.e ?? null)),
    );
    return { text: null, amounts: NO_AMOUNTS };
  }
  const next = traderPeriodAfter(trader, event.periodEnd);
  const before = accountOf(event.account, next.start, draft) ?? openedAccount(trader, next, rules);
  const unpaid = unpaidLeft(trader, own);
  // While cash accounting goes on it waits; where it has ended, the next period counts it.
  const waits = unpaid !== null && leavesUnpaid(before.s?.c);
  const left = traderLeaving({ ...trader, o: others }, waits ? unpaid : null);
  const after = afterHardClose(left, event.periodEnd, own?.e ?? null);
  const brought =
    own === null ? before : inWholePeriod(before, (one) => broughtInto(one, own, poolRateOf(next, rules)));
  const forward = unpaid === null || waits ? brought : inWholePeriod(brought, (one) => withUnpaidBefore(one, unpaid));
  if (forward === before) {
    draft.put(traderKey(event.account), traderValue(after));
    return { text: null, amounts: NO_AMOUNTS };
  }
  const soft = trader.o.find(([start]) => start === next.start)?.[2] ?? 0;
  draft.put(periodKey(event.account, next.start), forward as unknown as StateValue);
  draft.put(traderKey(event.account), traderValue({ ...after, o: withPeriod(after.o, [next.start, next.end, soft]) }));
  const amounts = amountsOf(difference(dueOf(before), dueOf(forward)));
  return { text: amounts.length === 0 ? null : next.text, amounts };
}

/** What this period and those before leave unpaid under cash accounting; null: nothing. */
function unpaidLeft({ b }: TraderState, own: PeriodAccount | null): Unpaid | null {
  const unpaid = own === null ? null : unpaidAfter(own);
  if (unpaid === null || b === undefined) return unpaid ?? b ?? null;
  return addUnpaid(unpaid, b);
}

/** The next period with what the one before hands on; the same object where that is nothing. */
function broughtInto(next: PeriodAccount, own: PeriodAccount, poolRate: number): PeriodAccount {
  const isSameScheme = next.s?.k === own.s?.k;
  const retail = isSameScheme ? broughtForwardFrom(own) : null;
  const deficit = own.m === undefined ? 0 : Math.max(0, own.m[1] - own.m[0]);
  if (retail === null && deficit === 0) return next;
  const [sales, purchases] = next.m ?? [0, 0];
  return {
    ...next,
    ...(retail === null ? {} : { y: retail }),
    ...(deficit === 0 ? {} : { m: [sales, purchases + deficit, poolRate] as const }),
  };
}

function accountOf(account: Account, start: LocalDate, draft: StateDraft): PeriodAccount | null {
  const value = draft.get(periodKey(account, start));
  return value === undefined ? null : (value as unknown as PeriodAccount);
}
