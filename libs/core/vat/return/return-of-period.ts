import { dayNumber, type LocalDate } from '../../calendar/local-date.ts';
import type { StateView } from '../../decisions/decision.ts';
import type { Account } from '../../identity/account.ts';
import { type PeriodAccount, periodAccountOf } from '../state/period-account.ts';
import { periodKey } from '../state/state-keys.ts';
import { registrationOn, type TraderState, traderOf, traderPeriodOfDay } from '../state/trader.ts';
import { type Accounting, type VatPeriod, vatDueDate } from '../state/vat-period.ts';
import { type ErrorsFound, errorsFoundIn } from './error-limit.ts';
import { boxesOf } from './period-boxes.ts';
import type { PoundsRule, VatReturn } from './vat-return.ts';

/** The return of a period as its events stand: ready for a person's approval at any moment, filed by nobody but a person. */
export interface PeriodReturn extends VatReturn {
  readonly period: VatPeriod;
  /** When return and payment are due, nominally. */
  readonly due: LocalDate;
  readonly poundsRule: PoundsRule;
  /** `hard`: no event can change it any more. `soft`: late events still count in it, and are flagged. */
  readonly closed: 'open' | 'soft' | 'hard';
  /** Errors of returns filed before that were found in the period, and whether this return carries them. */
  readonly errors: ErrorsFound;
  /** True until the period is closed hard. */
  readonly provisional: boolean;
  readonly account: PeriodAccount;
}

/**
 * The nine boxes of a period from the state of its account (vat.md sections 6 and 8.1): a pure fold of exact sums, so that any order,
 * batching or repetition of the same events gives the same boxes, and box 3 less box 4 is the sum of the period's ledger entries.
 */
export function returnOfPeriod(view: StateView, owner: Account, period: VatPeriod): PeriodReturn {
  const trader = traderOf(owner, view);
  const registration = registrationOn(trader, period.start);
  const poundsRule = registration?.poundsRule ?? 'truncate';
  const account = periodAccountOf(view.get(periodKey(owner, period.start)));
  const closed = closeOf(trader, period);
  return {
    ...boxesOf(account, poundsRule),
    period,
    due: dueDateOf(trader, period),
    poundsRule,
    errors: errorsFoundIn(account),
    closed,
    provisional: closed !== 'hard',
    account,
  };
}

/** When return and payment of a trader's period are due, nominally. */
export function dueDateOf(trader: TraderState, period: VatPeriod): LocalDate {
  const accounting: Accounting = registrationOn(trader, period.start)?.cadence === 'annual' ? 'annual' : 'standard';
  return vatDueDate(period.end, accounting);
}

/** The trader's period that a day is in. */
export function periodOfDate(view: StateView, owner: Account, date: LocalDate): VatPeriod {
  return traderPeriodOfDay(traderOf(owner, view), dayNumber(date));
}

function closeOf(trader: TraderState, period: VatPeriod): PeriodReturn['closed'] {
  if (trader.h !== null && period.end <= trader.h) return 'hard';
  return trader.o.some(([start, , soft]) => start === period.start && soft === 1) ? 'soft' : 'open';
}
