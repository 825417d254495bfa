import { addDays, addMonths, dayNumber, type LocalDate } from '../../calendar/local-date.ts';
import { londonDate } from '../../calendar/london-time.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { TraderDeregistered } from '../../events/vat-events.ts';
import { ZERO_PENCE } from '../../money/pence.ts';
import { checkDeregistrationFields } from '../check/check-registration.ts';
import { checkVrn } from '../check/check-till.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { dueOf } from '../return/period-boxes.ts';
import { periodAccountAt } from '../return/period-turnover.ts';
import { registeredOn } from '../state/registration-bounds.ts';
import { periodKey, traderKey } from '../state/state-keys.ts';
import { type TraderState, traderOf, traderPeriodOfDay, traderValue } from '../state/trader.ts';
import { knownSince } from './count-in-period.ts';
import { applyCashChange } from './end-of-cash-accounting.ts';
import { recordAssessment } from './record-assessment.ts';
import type { VatVerdict } from './vat-verdict.ts';

/** How far ahead an end may be said, months. */
const AHEAD_MONTHS_MAX = 12;

/**
 * Ends a trader's registration (VATA 1994, Schedule 1, paragraph 13; Notice 700/11): the last period is cut at its day, no period opens after
 * it, and what cash accounting leaves unpaid is due with the last return (VAT Regulations 1995, regulation 63). Said again, it moves the end,
 * as far as nothing was counted or filed that would lie beyond it.
 */
export function assessDeregistration(
  event: TraderDeregistered,
  eventHash: string,
  draft: StateDraft,
  rules: VatRules,
): VatVerdict {
  const faults: Fault[] = [];
  checkVrn(event.account.slice('vat:'.length), faults);
  checkDeregistrationFields(event as unknown as Readonly<Record<string, unknown>>, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  const trader = knownSince(traderOf(event.account, draft), event, rules);
  const fault = endFault(event, trader, draft);
  if (fault !== null) return { is: 'refused', faults: [fault] };
  const last = event.deregisteredOn;
  for (const [start] of trader.o) if (start > last) draft.put(periodKey(event.account, start), null);
  const after = endingOn(trader, last);
  draft.put(traderKey(event.account), traderValue(after));
  // A period that is filed has counted what was unpaid as it stood.
  const isFiled = trader.h !== null && trader.h >= last;
  const moved = isFiled
    ? { taxPeriod: '', amounts: [] }
    : applyCashChange(event.account, after, { validFrom: addDays(last, 1) }, draft, rules);
  const assessed = { kind: 'charge' as const, basePence: ZERO_PENCE, ...moved };
  return { is: 'assessed', assessment: recordAssessment(event, eventHash, assessed, undefined, draft) };
}

/** The trader whose registration ends on a day: its open periods are cut, and those after it are gone. */
function endingOn(trader: TraderState, last: LocalDate): TraderState {
  const ended = { ...trader, e: last };
  const o = trader.o
    .filter(([start]) => start <= last)
    .map(([start, , soft]) => [start, traderPeriodOfDay(ended, dayNumber(start)).end, soft] as const);
  return { ...ended, o };
}

function endFault(event: TraderDeregistered, trader: TraderState, draft: StateDraft): Fault | null {
  const last = event.deregisteredOn;
  const fault = (code: string, detail: string): Fault => ({ code, pointer: '/deregisteredOn', detail });
  const begun = registeredOn(trader) ?? trader.r[0]?.validFrom ?? null;
  if (begun !== null && last < begun) return fault('E_DATE', `not before the registration, ${begun}`);
  const furthest = addMonths(londonDate(event.receivedAtMs), AHEAD_MONTHS_MAX);
  if (last > furthest)
    return fault('E_DATE_FUTURE', `not after ${furthest}, ${AHEAD_MONTHS_MAX} months from the receipt`);
  if (trader.h !== null && trader.h > last) {
    return fault('E_PERIOD_CLOSED', `the return of a period that ends on ${trader.h} is filed`);
  }
  const beyond = trader.o.find(([start]) => start > last && !isNothing(event, start, draft));
  if (beyond === undefined) return null;
  return fault('E_PERIOD_STARTED', `the period from ${beyond[0]} has VAT: take back what was entered in it by mistake`);
}

function isNothing({ account }: TraderDeregistered, start: LocalDate, draft: StateDraft): boolean {
  const { outputVatPence, inputVatPence } = dueOf(periodAccountAt(account, start, draft));
  return outputVatPence === 0 && inputVatPence === 0;
}
