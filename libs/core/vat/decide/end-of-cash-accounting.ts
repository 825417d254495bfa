import { addDays, dayNumber } from '../../calendar/local-date.ts';
import type { HeadAmount, StateValue } from '../../decisions/decision.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Account } from '../../identity/account.ts';
import { OPEN_PERIODS_MAX } from '../rates/limits.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { dueOf } from '../return/period-boxes.ts';
import { withUnpaidBefore } from '../schemes/unpaid-of-period.ts';
import { inWholePeriod, type PeriodAccount } from '../state/period-account.ts';
import { periodKey, traderKey } from '../state/state-keys.ts';
import {
  cashOf,
  openedAccount,
  type Registration,
  type TraderState,
  traderLeaving,
  traderPeriodAfter,
  traderPeriodOfDay,
  traderValue,
} from '../state/trader.ts';
import { leavesUnpaid } from '../state/unpaid-invoices.ts';
import type { VatPeriod } from '../state/vat-period.ts';
import { amountsOf, difference, withPeriod } from './count-in-period.ts';

/** What a registration moved, and in which period: '' where nothing. */
export interface CashChange {
  readonly taxPeriod: string;
  readonly amounts: readonly HeadAmount[];
}

const NOTHING: CashChange = { taxPeriod: '', amounts: [] };

/**
 * Where a registration ends cash accounting, everything invoiced and not paid while it ran is due with the last period of the scheme (VAT
 * Regulations 1995, regulation 61; Notice 731, section 6): that period begins to count it, with what earlier periods left. Where its return
 * is in already, the next period does. A trader may take six months more instead: then it goes on to wait (CashStage). A registration that takes such an end back gives it back. Writes period and trader.
 *
 * @param trader with the registration among its own.
 */
export function applyCashChange(
  account: Account,
  trader: TraderState,
  { validFrom }: Pick<Registration, 'validFrom'>,
  draft: StateDraft,
  rules: VatRules,
): CashChange {
  const last = traderPeriodOfDay(trader, dayNumber(addDays(validFrom, -1)));
  const isFiled = trader.h !== null && last.end <= trader.h;
  const period = isFiled && trader.h !== null ? traderPeriodAfter(trader, trader.h) : last;
  const value = draft.get(periodKey(account, period.start));
  const known = value === undefined ? null : (value as unknown as PeriodAccount);
  const c = cashOf(trader, period);
  if (leavesUnpaid(c)) return known?.s?.c === 2 ? takeEndBack({ account, trader, period }, known, draft) : NOTHING;
  const isDue = isFiled ? trader.b !== undefined : c === 2 && known?.s?.c !== 2;
  if (!isDue || (known === null && trader.o.length >= OPEN_PERIODS_MAX)) return NOTHING;
  const before = known ?? openedAccount(trader, period, rules);
  const { b } = trader;
  const ended = c === undefined ? before : inWholePeriod(before, (one) => ({ ...one, s: { ...one.s, c } }));
  const after = b === undefined ? ended : inWholePeriod(ended, (one) => withUnpaidBefore(one, b));
  return write({ account, trader: traderLeaving(trader, null), period }, before, after, draft);
}

interface Place {
  readonly account: Account;
  readonly trader: TraderState;
  readonly period: VatPeriod;
}

/** The scheme goes on after the period: what it had taken over waits again. */
function takeEndBack(place: Place, { b, ...known }: PeriodAccount, draft: StateDraft): CashChange {
  const before = b === undefined ? known : { ...known, b };
  const trader = b === undefined ? place.trader : traderLeaving(place.trader, b);
  return write({ ...place, trader }, before, { ...known, s: { ...known.s, c: 1 } }, draft);
}

function write(
  { account, trader, period }: Place,
  before: PeriodAccount,
  after: PeriodAccount,
  draft: StateDraft,
): CashChange {
  const soft = trader.o.find(([start]) => start === period.start)?.[2] ?? 0;
  const o = withPeriod(trader.o, [period.start, period.end, soft]);
  draft.put(periodKey(account, period.start), after as unknown as StateValue);
  draft.put(traderKey(account), traderValue({ ...trader, o }));
  const amounts = amountsOf(difference(dueOf(before), dueOf(after)));
  return amounts.length === 0 ? NOTHING : { taxPeriod: period.text, amounts };
}
