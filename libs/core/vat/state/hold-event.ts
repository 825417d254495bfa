import type { Rejection, StateValue, StateView } from '../../decisions/decision.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { TillEvent } from '../../events/vat-events.ts';
import type { Account } from '../../identity/account.ts';
import type { EventId } from '../../identity/event-id.ts';
import { HELD_AGE_MAX_MS, HELD_EVENTS_MAX } from '../rates/limits.ts';
import { heldKey } from './state-keys.ts';

/** A refund or void that waits for its sale, in the list under `held|<account>`. */
export type HeldEntry = readonly [originalEventId: EventId, eventId: EventId, hash: string, receivedAtMs: number];

/** The waiting event itself, under a key of its own: the list is read with every event, the events only when they are let go. */
export interface HeldEvent {
  readonly e: TillEvent;
  /** Hash of the event as appended. */
  readonly h: string;
}

const NOBODY: readonly HeldEntry[] = [];

export function heldEntries(account: Account, view: StateView): readonly HeldEntry[] {
  const value = view.get(heldKey(account));
  return value === undefined ? NOBODY : (value as readonly HeldEntry[]);
}

export function heldEvent(account: Account, eventId: EventId, view: StateView): HeldEvent | null {
  const value = view.get(heldEventKey(account, eventId));
  return value === undefined ? null : (value as unknown as HeldEvent);
}

/** Lets an event wait. False where the account has no room for another. */
export function hold(event: TillEvent, eventHash: string, hash: string, draft: StateDraft): boolean {
  const entries = heldEntries(event.account, draft);
  if (event.originalEventId === null || entries.length >= HELD_EVENTS_MAX) return false;
  const entry: HeldEntry = [event.originalEventId, event.eventId, hash, event.receivedAtMs];
  const value: HeldEvent = { e: event, h: eventHash };
  draft.put(heldKey(event.account), [...entries, entry]);
  draft.put(heldEventKey(event.account, event.eventId), value as unknown as StateValue);
  return true;
}

/** Forgets some of the waiting events. */
export function letGo(account: Account, gone: readonly HeldEntry[], draft: StateDraft): void {
  const ids = new Set(gone.map(([, eventId]) => eventId));
  const left = heldEntries(account, draft).filter(([, eventId]) => !ids.has(eventId));
  draft.put(heldKey(account), left.length === 0 ? null : left);
  for (const [, eventId] of gone) draft.put(heldEventKey(account, eventId), null);
}

/** Lets those go that waited too long, as rejections: counted by the receipt of the account's later events, never by a clock. */
export function expireHeld(account: Account, receivedAtMs: number, draft: StateDraft): readonly Rejection[] {
  const expired = heldEntries(account, draft).filter(([, , , since]) => receivedAtMs - since > HELD_AGE_MAX_MS);
  if (expired.length === 0) return [];
  letGo(account, expired, draft);
  return expired.map(([original, eventId, , since]) => ({
    account,
    eventId,
    code: 'E_ORIGINAL_UNKNOWN',
    facts: { codes: 'E_ORIGINAL_UNKNOWN', original, why: 'the sale did not come while this waited' },
    receivedAtMs: since,
  }));
}

function heldEventKey(account: Account, eventId: EventId): string {
  return `held|${account}|${eventId}`;
}
