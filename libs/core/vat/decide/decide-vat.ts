import { isEventDate, isEventDay } from '../../calendar/event-date.ts';
import { dayNumber } from '../../calendar/local-date.ts';
import { epochMsOfRfc3339, londonDayNumber } from '../../calendar/london-time.ts';
import type { Assessment, Decision, Rejection, StateView } from '../../decisions/decision.ts';
import { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { TillEvent, VatEvent } from '../../events/vat-events.ts';
import type { VatRules } from '../rates/vat-rules.ts';
import { forgetSome } from '../state/forget-events.ts';
import { expireHeld, heldEntries, heldEvent, hold, letGo } from '../state/hold-event.ts';
import { rememberedEventOf, rememberedHash } from '../state/remembered-sale.ts';
import { counterKey, eventKey, heldKey, periodKey, tillKey, traderKey } from '../state/state-keys.ts';
import { DEFAULT_STAGGER, vatPeriodOfDay } from '../state/vat-period.ts';
import { assessPeriodClose } from './close-period.ts';
import { assessAdjustment } from './decide-adjustment.ts';
import { assessDeregistration } from './decide-deregistration.ts';
import { assessPurchase } from './decide-purchase.ts';
import { assessRegistration } from './decide-registration.ts';
import { assessTill } from './decide-till.ts';
import type { VatVerdict } from './vat-verdict.ts';

const NOTHING: readonly never[] = [];
const REPEAT: Decision = { outcome: 'repeat', results: NOTHING, rejections: NOTHING, changes: NOTHING };

/**
 * Decides a VAT event on top of the state of its account (vat.md 4.3, 8, 9): an entry whose amount is by how much the liability of its
 * period moved, a rejection with every refusing code, a repeat, or a wait for the sale that a refund names. Amounts depend on earlier
 * accepted events alone, in the order of their numbers, so that the payer can work them out again.
 *
 * @param eventHash SHA-256 (64 lower-case hex) of the event as appended.
 */
export function decideVat(event: VatEvent, eventHash: string, view: StateView, rules: VatRules): Decision {
  const draft = new StateDraft(view);
  const hash = rememberedHash(eventHash);
  const known = knownHash(event, draft);
  if (known !== null) return known === hash ? REPEAT : rejected(event, ['EVENT_ID_CONFLICT'], {});
  const verdict = verdictOn(event, eventHash, draft, rules);
  switch (verdict.is) {
    case 'refused':
      return refused(event, verdict.faults);
    case 'waiting':
      return event.type === 'TillEvent'
        ? wait(event, eventHash, hash, draft)
        : rejected(event, ['ASSERTION_FAILED'], {});
    case 'assessed':
      return accepted(event, verdict.assessment, draft, rules);
  }
}

/**
 * The keys that a decision on this event most likely reads; of an event with a date that none may name, those that its refusal reads. A trader of other periods than stagger 1 reads another period than the one
 * named here; the stage loads it then.
 */
export function vatStateKeys(event: VatEvent): readonly string[] {
  const { account } = event;
  switch (event.type) {
    case 'TillEvent':
      return tillStateKeys(event);
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade':
      if (!isEventDate(event.taxPoint)) return alwaysRead(event);
      return [...alwaysRead(event), usualPeriodKey(account, dayNumber(event.taxPoint))];
    case 'VatPeriodClosed': {
      if (!isEventDate(event.periodEnd)) return alwaysRead(event);
      const next = usualPeriodKey(account, dayNumber(event.periodEnd) + 1);
      return [...alwaysRead(event), periodKey(account, event.periodStart), next];
    }
    case 'TraderRegistered':
    case 'TraderDeregistered':
      return alwaysRead(event);
  }
}

function alwaysRead({ account, eventId }: VatEvent): readonly string[] {
  return [counterKey(account), traderKey(account), heldKey(account), eventKey(account, eventId)];
}

/** In one list of the size that it nearly always has. */
function tillStateKeys(event: TillEvent): readonly string[] {
  const { account, originalEventId } = event;
  const counter = counterKey(account);
  const trader = traderKey(account);
  const held = heldKey(account);
  const own = eventKey(account, event.eventId);
  const till = tillKey(account, event.tillId);
  const occurredAtMs = epochMsOfRfc3339(event.occurredAt);
  const day = Number.isNaN(occurredAtMs) ? Number.NaN : londonDayNumber(occurredAtMs);
  const keys = isEventDay(day)
    ? [counter, trader, held, own, till, usualPeriodKey(account, day)]
    : [counter, trader, held, own, till];
  return originalEventId === null ? keys : [...keys, eventKey(account, originalEventId)];
}

function usualPeriodKey(account: VatEvent['account'], day: number): string {
  return periodKey(account, vatPeriodOfDay(day, DEFAULT_STAGGER).start);
}

function verdictOn(event: VatEvent, eventHash: string, draft: StateDraft, rules: VatRules): VatVerdict {
  switch (event.type) {
    case 'TillEvent':
      return assessTill(event, eventHash, draft, rules);
    case 'PurchaseRecorded':
      return assessPurchase(event, eventHash, draft, rules);
    case 'VatAdjustmentMade':
      return assessAdjustment(event, eventHash, draft, rules);
    case 'VatPeriodClosed':
      return assessPeriodClose(event, eventHash, draft, rules);
    case 'TraderRegistered':
      return assessRegistration(event, eventHash, draft, rules);
    case 'TraderDeregistered':
      return assessDeregistration(event, eventHash, draft, rules);
  }
}

/** The remembered hash of an event of this id that was accepted, or that waits. */
function knownHash(event: VatEvent, draft: StateDraft): string | null {
  const seen = rememberedEventOf(draft.get(eventKey(event.account, event.eventId)));
  if (seen !== null) return seen.h;
  const entries = heldEntries(event.account, draft);
  if (entries.length === 0) return null;
  return entries.find(([, eventId]) => eventId === event.eventId)?.[2] ?? null;
}

/** An accepted event, and after it what it let go: refunds that waited for it, and what waited too long. */
function accepted(event: VatEvent, assessment: Assessment, draft: StateDraft, rules: VatRules): Decision {
  forgetSome(event.account, draft);
  if (heldEntries(event.account, draft).length === 0) {
    return { outcome: 'accepted', results: [assessment], rejections: NOTHING, changes: draft.changes() };
  }
  const results = [assessment];
  const rejections: Rejection[] = [];
  const released = heldEntries(event.account, draft).filter(([original]) => original === event.eventId);
  if (released.length > 0) {
    const events = released.map(([, eventId]) => heldEvent(event.account, eventId, draft));
    letGo(event.account, released, draft);
    for (const held of events) {
      if (held === null) continue;
      const verdict = assessTill(held.e, held.h, draft, rules);
      if (verdict.is === 'assessed') {
        results.push(verdict.assessment);
        // Once for each accepted event, as the payer does who decides them one by one.
        forgetSome(event.account, draft);
      } else
        rejections.push(
          rejectionOf(held.e, verdict.is === 'refused' ? codesOf(verdict.faults) : ['E_ORIGINAL_UNKNOWN'], {}),
        );
    }
  }
  rejections.push(...expireHeld(event.account, event.receivedAtMs, draft));
  return { outcome: 'accepted', results, rejections, changes: draft.changes() };
}

function wait(event: TillEvent, eventHash: string, hash: string, draft: StateDraft): Decision {
  const rejections = expireHeld(event.account, event.receivedAtMs, draft);
  if (!hold(event, eventHash, hash, draft)) {
    return rejected(event, ['E_ORIGINAL_UNKNOWN'], { why: 'the sale is not known and no more events can wait' });
  }
  return { outcome: 'held', results: NOTHING, rejections, changes: draft.changes() };
}

function refused(event: VatEvent, faults: readonly Fault[]): Decision {
  const facts = { pointer: faults[0]?.pointer ?? '', detail: faults[0]?.detail ?? '' };
  return rejected(event, codesOf(faults), facts);
}

function codesOf(faults: readonly Fault[]): readonly string[] {
  return [...new Set(faults.map((fault) => fault.code))];
}

/** A rejection leaves no trace in the state: a rejected id is not seen. */
function rejected(event: VatEvent, codes: readonly string[], facts: Readonly<Record<string, string>>): Decision {
  const rejections = [rejectionOf(event, codes, facts)];
  return { outcome: 'rejected', results: NOTHING, rejections, changes: NOTHING };
}

function rejectionOf(event: VatEvent, codes: readonly string[], facts: Readonly<Record<string, string>>): Rejection {
  return {
    account: event.account,
    eventId: event.eventId,
    code: codes[0] ?? 'ASSERTION_FAILED',
    facts: { codes: codes.join(' '), ...facts },
    receivedAtMs: event.receivedAtMs,
  };
}
