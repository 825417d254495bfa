import { addMonths, dateOfDayNumber, type LocalDate } from '../../calendar/local-date.ts';
import { londonDate, londonDayNumber } from '../../calendar/london-time.ts';
import type { Fault } from '../../errors/fault.ts';
import { CLOCK_AHEAD_MAX_MS } from '../rates/limits.ts';
import { BOUNDED_REVISION, findVatParameter, type VatRules } from '../rates/vat-rules.ts';
import type { TillFields, TillTime } from './check-till.ts';

/** A till's time as it counts, and what is odd about the one that it sent. */
export interface HeldTime {
  readonly time: TillTime;
  readonly flag: 'E_TIME_FUTURE' | 'E_TIME_PAST' | null;
}

const UNREADABLE: TillTime = { occurredAtMs: Number.NaN, day: Number.NaN };

/**
 * Refuses takings from before there was VAT: a clock without its battery shows 1970, which has no rates. A refund that names its sale has
 * the rates of that sale. Gives the time, unreadable where it is refused.
 */
export function checkTillTime(
  { type, originalEventId }: Pick<TillFields, 'type' | 'originalEventId'>,
  time: TillTime,
  rules: VatRules,
  faults: Fault[],
): TillTime {
  if (rules.revision < BOUNDED_REVISION || !(time.day < rules.firstDay)) return time;
  const isLinked = originalEventId !== undefined && originalEventId !== null;
  if (type !== 'SALE' && (type !== 'REFUND' || isLinked)) return time;
  const detail =
    'a time before there was VAT (1 April 1973): set the clock of the till, and send the event with its own time';
  faults.push({ code: 'E_RATE_NOT_IN_FORCE', pointer: '/occurredAt', detail });
  return UNREADABLE;
}

/**
 * Holds a till's time to what is plausible on the day of receipt (vat.md section 3): where the clock must be wrong, the event counts with
 * its receipt, under a flag. Before registration four years are as far back as is plausible.
 *
 * @param registeredOf gives the effective date of registration, null where it is not known; it is asked for old times alone.
 */
export function plausibleTime(
  time: TillTime,
  receivedAtMs: number,
  registeredOf: () => LocalDate | null,
  rules: VatRules,
): HeldTime {
  const isAhead = time.occurredAtMs > receivedAtMs + CLOCK_AHEAD_MAX_MS;
  if (rules.revision < BOUNDED_REVISION) return { time, flag: isAhead ? 'E_TIME_FUTURE' : null };
  if (isAhead)
    return { time: { occurredAtMs: receivedAtMs, day: londonDayNumber(receivedAtMs) }, flag: 'E_TIME_FUTURE' };
  // Nearly every event is of these days.
  if (receivedAtMs - time.occurredAtMs < YEAR_MS) return { time, flag: null };
  const [date, received] = [dateOfDayNumber(time.day), londonDate(receivedAtMs)];
  const registered = registeredOf();
  const isBefore = registered !== null && date < registered;
  const years = findVatParameter(rules, isBefore ? 'claim.yearsMax' : 'tillTime.yearsBackMax', received);
  if (years === null || date >= addMonths(received, -12 * years)) return { time, flag: null };
  return { time: { occurredAtMs: receivedAtMs, day: londonDayNumber(receivedAtMs) }, flag: 'E_TIME_PAST' };
}

const YEAR_MS = 365 * 86_400_000;
