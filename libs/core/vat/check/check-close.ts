import { EVENT_DATE_EXPECTED, isEventDate } from '../../calendar/event-date.ts';
import type { Fault } from '../../errors/fault.ts';

/** Checks that both ends of a period to be closed are dates that an event may name, from JSON or from the log; faults are added to the list. */
export function checkCloseDates(
  { periodStart, periodEnd }: { readonly periodStart?: unknown; readonly periodEnd?: unknown },
  faults: Fault[],
): void {
  const expected = { code: 'E_DATE', detail: EVENT_DATE_EXPECTED };
  if (!isEventDate(periodStart)) faults.push({ ...expected, pointer: '/periodStart' });
  if (!isEventDate(periodEnd)) faults.push({ ...expected, pointer: '/periodEnd' });
}
