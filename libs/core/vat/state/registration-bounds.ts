import { addDays, earlierDate, type LocalDate } from '../../calendar/local-date.ts';
import type { TraderState } from './trader.ts';

/** Why a day is in no period of a trader. */
export type OutsideRegistration = 'BEFORE_REGISTRATION' | 'AFTER_REGISTRATION';

/** The effective date of registration, as the newest registration that names one has it; null where none does. */
export function registeredOn(trader: TraderState): LocalDate | null {
  return trader.r.findLast((one) => one.registeredOn !== null)?.registeredOn ?? null;
}

/**
 * Whether a tax point lies outside the trader's registration: nothing is supplied by a taxable person then (VATA 1994, sections 3 and 4). The
 * effective dates of registration and of deregistration are within it. Null where it is within, or no bound is known.
 */
export function outsideRegistration(trader: TraderState, date: LocalDate): OutsideRegistration | null {
  if (trader.e !== undefined && date > trader.e) return 'AFTER_REGISTRATION';
  if (trader.r.length === 0) return null;
  const first = registeredOn(trader);
  return first !== null && date < first ? 'BEFORE_REGISTRATION' : null;
}

/**
 * The first day of which a return can be owed: that of registration, or, where the trader named none, the first day that it stated something
 * of, or the day on which this house first received an event of it. Never a tax point: a till's clock says nothing of the trader. Of a
 * registration that had ended by then the last period is owed. Null where nothing of it is known.
 */
export function firstDayOwed(trader: TraderState): LocalDate | null {
  const first = firstDayKnown(trader);
  return first !== null && trader.e !== undefined ? earlierDate(first, trader.e) : first;
}

function firstDayKnown(trader: TraderState): LocalDate | null {
  const registered = registeredOn(trader);
  if (registered !== null) return registered;
  const [stated, received] = [trader.r[0]?.validFrom ?? null, trader.w ?? null];
  if (stated === null || received === null) return stated ?? received;
  return earlierDate(stated, received);
}

/** The last day of which a return can be owed: that of the registration where it has ended by then, else `today`. */
export function lastDayOwed(trader: TraderState, today: LocalDate): LocalDate {
  return trader.e !== undefined && trader.e < today ? trader.e : today;
}

/** True where no period follows what is closed: the return of the last one is filed. */
export function isClosedForGood({ e, h }: TraderState): boolean {
  return e !== undefined && h !== null && addDays(h, 1) > e;
}
