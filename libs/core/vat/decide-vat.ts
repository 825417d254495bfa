import { dayNumber, localDate } from '../calendar/local-date.ts';
import { epochMsOfRfc3339, londonDayNumber } from '../calendar/london-time.ts';
import type { Fault } from '../errors/fault.ts';
import { accountCounter, accountKey, decisionsOf } from '../events/account-counter.ts';
import type { Assessment, Decision, Rejection, StateValue, StateView } from '../events/decision.ts';
import { StateDraft } from '../events/state-draft.ts';
import type { PurchaseRecorded, TillEvent, VatEvent } from '../events/vat-events.ts';
import { negatePence } from '../money/pence.ts';
import { checkPurchaseFields } from './check-purchase.ts';
import { checkVrn } from './check-till.ts';
import { assessTill } from './decide-till.ts';
import { expireHeld, heldEntries, heldEvent, heldKey, hold, letGo } from './hold-event.ts';
import { eventKey, rememberedEventOf, rememberedHash } from './remembered-sale.ts';
import { addPurchase, periodAccountOf, periodKey } from './takings.ts';
import { tillKey } from './till-chain.ts';
import { DEFAULT_STAGGER, vatPeriodOf, vatPeriodOfDay } from './vat-period.ts';
import type { VatRules } from './vat-rules.ts';

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
  switch (event.type) {
    case 'TillEvent':
    case 'PurchaseRecorded':
      return decideNew(event, eventHash, view, rules);
    case 'VatAdjustmentMade':
    case 'VatPeriodClosed':
      return rejected(event, ['NOT_BUILT'], { type: event.type });
  }
}

/** The keys that a decision on this event most likely reads. */
export function vatStateKeys(event: VatEvent): readonly string[] {
  switch (event.type) {
    case 'TillEvent':
      return tillStateKeys(event);
    case 'PurchaseRecorded':
      return [
        accountKey(event.account),
        heldKey(event.account),
        eventKey(event.account, event.eventId),
        periodKey(event.account, vatPeriodOf(event.taxPoint, DEFAULT_STAGGER).start),
      ];
    case 'VatAdjustmentMade':
    case 'VatPeriodClosed':
      return NOTHING;
  }
}

function tillStateKeys(event: TillEvent): readonly string[] {
  const { account } = event;
  const keys = [
    accountKey(account),
    heldKey(account),
    eventKey(account, event.eventId),
    tillKey(account, event.tillId),
  ];
  const occurredAtMs = epochMsOfRfc3339(event.occurredAt);
  if (!Number.isNaN(occurredAtMs)) {
    keys.push(periodKey(account, vatPeriodOfDay(londonDayNumber(occurredAtMs), DEFAULT_STAGGER).start));
  }
  if (event.originalEventId !== null) keys.push(eventKey(account, event.originalEventId));
  return keys;
}

function decideNew(event: TillEvent | PurchaseRecorded, eventHash: string, view: StateView, rules: VatRules): Decision {
  const draft = new StateDraft(view);
  const hash = rememberedHash(eventHash);
  const known = knownHash(event, draft);
  if (known !== null) return known === hash ? REPEAT : rejected(event, ['EVENT_ID_CONFLICT'], {});
  if (event.type === 'PurchaseRecorded') return decidePurchase(event, hash, draft, rules);
  const verdict = assessTill(event, eventHash, draft, rules);
  switch (verdict.is) {
    case 'refused':
      return refused(event, verdict.faults);
    case 'waiting':
      return wait(event, eventHash, hash, draft);
    case 'assessed':
      return accepted(event, verdict.assessment, draft, rules);
  }
}

/** The remembered hash of an event of this id that was accepted, or that waits. */
function knownHash(event: TillEvent | PurchaseRecorded, draft: StateDraft): string | null {
  const seen = rememberedEventOf(draft.get(eventKey(event.account, event.eventId)));
  if (seen !== null) return seen.h;
  const entries = heldEntries(event.account, draft);
  if (entries.length === 0) return null;
  return entries.find(([, eventId]) => eventId === event.eventId)?.[2] ?? null;
}

/** An accepted event, and after it what it let go: refunds that waited for it, and what waited too long. */
function accepted(
  event: TillEvent | PurchaseRecorded,
  assessment: Assessment,
  draft: StateDraft,
  rules: VatRules,
): Decision {
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
      if (verdict.is === 'assessed') results.push(verdict.assessment);
      else
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

function decidePurchase(event: PurchaseRecorded, hash: string, draft: StateDraft, rules: VatRules): Decision {
  const faults: Fault[] = [];
  checkVrn(event.account.slice('vat:'.length), faults);
  checkPurchaseFields(event as unknown as Readonly<Record<string, unknown>>, faults);
  if (faults.length > 0) return refused(event, faults);
  const period = vatPeriodOfDay(dayNumber(localDate(event.taxPoint)), DEFAULT_STAGGER);
  const number = decisionsOf(event.account, draft) + 1;
  const key = periodKey(event.account, period.start);
  const { netPence, vatPence, recoverableBasisPoints } = event;
  const step = addPurchase(periodAccountOf(draft.get(key)), netPence, vatPence, recoverableBasisPoints);
  if (step === null) {
    return rejected(event, ['E_AMOUNT_RANGE'], {
      detail: 'the purchases of the period would leave what can be counted',
    });
  }
  draft.put(accountKey(event.account), accountCounter(number));
  draft.put(key, step.account as unknown as StateValue);
  draft.put(eventKey(event.account, event.eventId), { h: hash, n: number });
  const assessment: Assessment = {
    account: event.account,
    eventId: event.eventId,
    kind: 'claim',
    number,
    taxPeriod: period.text,
    basePence: event.netPence,
    amounts: step.inputVatPence === 0 ? NOTHING : [{ head: 'inputVat', pence: negatePence(step.inputVatPence) }],
    person: null,
    links: NOTHING,
    flags: NOTHING,
    stated: NOTHING,
    receivedAtMs: event.receivedAtMs,
  };
  return accepted(event, assessment, draft, rules);
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
