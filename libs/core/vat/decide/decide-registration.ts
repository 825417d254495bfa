import { addDays, dayNumber } from '../../calendar/local-date.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { TraderRegistered } from '../../events/vat-events.ts';
import { ZERO_PENCE } from '../../money/pence.ts';
import { checkRegistrationFields } from '../check/check-registration.ts';
import { checkVrn } from '../check/check-till.ts';
import { REGISTRATIONS_MAX } from '../rates/limits.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { schemeJoinFlags } from '../return/scheme-limits.ts';
import { traderKey } from '../state/state-keys.ts';
import {
  isSameCadence,
  naturalPeriodOfDay,
  type Registration,
  registrationOn,
  type TraderState,
  traderOf,
  traderPeriodOfDay,
  traderValue,
} from '../state/trader.ts';
import { knownSince } from './count-in-period.ts';
import { applyCashChange } from './end-of-cash-accounting.ts';
import { recordAssessment } from './record-assessment.ts';
import { refusedFor, type VatVerdict } from './vat-verdict.ts';

/**
 * Takes what a trader says of its periods and schemes (vat.md sections 5 and 7.2). It holds from a day on, the first of a period unless it
 * is the trader's first or changes the cadence, and changes nothing that was counted: where a period from that day on has events, or is
 * closed, only the rounding to pounds and the interim payments may change.
 */
export function assessRegistration(
  event: TraderRegistered,
  eventHash: string,
  draft: StateDraft,
  rules: VatRules,
): VatVerdict {
  const faults: Fault[] = [];
  checkVrn(event.account.slice('vat:'.length), faults);
  checkRegistrationFields(event as unknown as Readonly<Record<string, unknown>>, rules, faults);
  if (faults.length > 0) return { is: 'refused', faults };
  const known = knownSince(traderOf(event.account, draft), event, rules);
  const registration = registrationOf(event);
  const reinstated = reinstating(known, registration);
  if (reinstated.is === 'refused') return { is: 'refused', faults: [reinstated.fault] };
  const { trader } = reinstated;
  const fault = placeInTime(trader, registration);
  if (fault !== null) return { is: 'refused', faults: [fault] };
  const kept = trader.r.filter(({ validFrom }) => validFrom !== registration.validFrom);
  if (kept.length >= REGISTRATIONS_MAX)
    return refusedFor('TOO_MANY', '/validFrom', `at most ${REGISTRATIONS_MAX} of a trader`);
  const after: TraderState = { ...trader, r: [...kept, registration] };
  draft.put(traderKey(event.account), traderValue(after));
  const flags = schemeJoinFlags(event.account, after, registration, draft, rules);
  const moved = applyCashChange(event.account, after, registration, draft, rules);
  const assessed = { kind: 'charge' as const, basePence: ZERO_PENCE, ...moved, flags };
  return { is: 'assessed', assessment: recordAssessment(event, eventHash, assessed, undefined, draft) };
}

/**
 * The trader to whom a registration is said. After its end one that goes on the day after takes the end back; another is not of this number:
 * who registers anew has a new one.
 */
function reinstating(
  trader: TraderState,
  { validFrom }: Registration,
): { readonly is: 'taken'; readonly trader: TraderState } | { readonly is: 'refused'; readonly fault: Fault } {
  const { e: last, ...goesOn } = trader;
  if (last === undefined || validFrom <= last) return { is: 'taken', trader };
  const fault = (code: string, detail: string) =>
    ({ is: 'refused', fault: { code, pointer: '/validFrom', detail } }) as const;
  if (validFrom !== addDays(last, 1)) {
    return fault(
      'E_VALID_FROM',
      `the registration ended on ${last}: it goes on from the day after, or another number is given`,
    );
  }
  if (trader.h !== null && trader.h >= last && traderPeriodOfDay(goesOn, dayNumber(validFrom)).start !== validFrom) {
    return fault('E_PERIOD_CLOSED', `the return of the period that was cut on ${last} is filed`);
  }
  const o = goesOn.o.map(([start, , soft]) => [start, traderPeriodOfDay(goesOn, dayNumber(start)).end, soft] as const);
  return { is: 'taken', trader: { ...goesOn, o } };
}

function placeInTime(trader: TraderState, registration: Registration): Fault | null {
  const { validFrom } = registration;
  const fault = (code: string, detail: string): Fault => ({ code, pointer: '/validFrom', detail });
  const last = trader.r.at(-1);
  if (last !== undefined && validFrom < last.validFrom) {
    return fault('E_VALID_FROM', `what holds from ${last.validFrom} on is already said`);
  }
  const before = trader.r.findLast((candidate) => candidate.validFrom < validFrom) ?? null;
  if (before !== null && isSameCadence(before, registration)) {
    const { start } = naturalPeriodOfDay(before, dayNumber(validFrom));
    if (start !== validFrom)
      return fault('E_VALID_FROM', `a scheme changes with a period: the one then begins on ${start}`);
  }
  const isCounted = trader.o.some(([, end]) => end >= validFrom) || (trader.h !== null && trader.h >= validFrom);
  const inForce = registrationOn(trader, validFrom);
  if (isCounted && (inForce === null || !isSameTax(inForce, registration))) {
    return fault('E_PERIOD_STARTED', 'a period from that day on has events or is closed');
  }
  return null;
}

/** True where two registrations give the same periods and the same tax. */
function isSameTax(a: Registration, b: Registration): boolean {
  return (
    isSameCadence(a, b) &&
    a.registeredOn === b.registeredOn &&
    a.scheme === b.scheme &&
    a.flatRateSector === b.flatRateSector &&
    a.limitedCostTest === b.limitedCostTest &&
    a.majorityRatePct === b.majorityRatePct &&
    a.cashAccounting === b.cashAccounting &&
    // What was registered before there was this field does not have it.
    (a.unpaidOverSixMonths === true) === (b.unpaidOverSixMonths === true)
  );
}

function registrationOf(event: TraderRegistered): Registration {
  const { type: _type, eventId: _id, account: _account, receivedAtMs: _at, ...registration } = event;
  return registration;
}
