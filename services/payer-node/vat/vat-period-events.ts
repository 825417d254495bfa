import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import { dayNumber } from '../../../libs/core/calendar/local-date.ts';
import { epochMsOfRfc3339, londonDayNumber } from '../../../libs/core/calendar/london-time.ts';
import type { TaxEvent } from '../../../libs/core/events/tax-event.ts';
import type { TillEvent } from '../../../libs/core/events/vat-events.ts';
import { uuidOf } from '../../../libs/core/identity/event-id.ts';
import type { VatRate } from '../../../libs/core/vat/rates/vat-rate.ts';
import { findVatRate, type VatRules } from '../../../libs/core/vat/rates/vat-rules.ts';
import { type BoxShares, sharesOfEvent } from '../../../libs/core/vat/return/event-in-boxes.ts';
import type { PeriodReturn } from '../../../libs/core/vat/return/return-of-period.ts';
import { entriesFrom, type PlacedEntry } from '../store/entries-of-account.ts';
import { eventKey } from '../store/payer-keys.ts';
import type { EntryPosition, FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

/** An event behind a return: what it is, where its entry stands, and the pence that it brings to each box. */
export interface EventInReturn {
  readonly eventId: string;
  readonly what: string;
  /** When it happened as the till wrote it, or the tax point. */
  readonly at: string;
  readonly number: number;
  readonly seq: number;
  readonly entry: number;
  readonly boxes: BoxShares;
}

export interface EventsPage {
  readonly events: readonly EventInReturn[];
  /** Give it as `after` to go on; null at the end. */
  readonly next: string | null;
}

export const PERIOD_EVENTS_MAX = 1_000;
/** Entries looked at for one page: a rare box is found over several pages, and no request holds the process. */
const ENTRIES_LOOKED_AT_MAX = 20_000;

/** The events behind a period's boxes, in the order of the chain; with `box`, those that bring something to it. */
export function eventsOfPeriod(
  dependencies: { readonly store: PayerStore; readonly rules: VatRules },
  followed: FollowedAccount,
  { period, account }: PeriodReturn,
  page: { readonly box: keyof BoxShares | null; readonly limit: number; readonly from: EntryPosition },
): EventsPage {
  const events: EventInReturn[] = [];
  let lookedAt = 0;
  for (const placed of entriesFrom(dependencies.store, followed, page.from)) {
    if (events.length >= page.limit || lookedAt >= ENTRIES_LOOKED_AT_MAX) {
      return { events, next: `${placed.place.seq}.${placed.place.position}` };
    }
    lookedAt += 1;
    // Entries of before the end of the registration name the period as it was to end then.
    if (!placed.entry.taxPeriod.startsWith(`${period.start}/`)) continue;
    const event = eventBehind(dependencies.store, followed, placed.entry.eventId);
    if (event === null) continue;
    const line = lineOf(event, placed, account.s, (one) => ratesOfTill(one, followed, dependencies));
    if (page.box === null || line.boxes[page.box] !== undefined) events.push(line);
  }
  return { events, next: null };
}

function lineOf(
  event: TaxEvent,
  { place, entry }: PlacedEntry,
  scheme: PeriodReturn['account']['s'],
  ratesOf: (event: TillEvent) => (category: string) => VatRate | null,
): EventInReturn {
  const of = { eventId: uuidOf(entry.eventId), number: entry.number, seq: place.seq, entry: place.position };
  switch (event.type) {
    case 'TillEvent': {
      const boxes = sharesOfEvent(event, entry.amounts, scheme, ratesOf(event));
      return { ...of, what: `${event.tillType} ${event.tillId} ${event.seq}`, at: event.occurredAt, boxes };
    }
    case 'PurchaseRecorded':
    case 'VatAdjustmentMade': {
      const boxes = sharesOfEvent(event, entry.amounts, scheme, () => null);
      return { ...of, what: event.kind, at: event.taxPoint, boxes };
    }
    case 'VatPeriodClosed': {
      const boxes = sharesOfEvent(event, entry.amounts, scheme, () => null);
      return { ...of, what: `close of ${event.periodStart}`, at: event.periodEnd, boxes };
    }
    case 'TraderRegistered': {
      const boxes = sharesOfEvent(event, entry.amounts, scheme, () => null);
      return { ...of, what: `registration from ${event.validFrom}`, at: event.validFrom, boxes };
    }
    case 'TraderDeregistered': {
      const boxes = sharesOfEvent(event, entry.amounts, scheme, () => null);
      return { ...of, what: `end of registration on ${event.deregisteredOn}`, at: event.deregisteredOn, boxes };
    }
    default:
      return { ...of, what: event.type, at: '', boxes: {} };
  }
}

/** Rates by category of a till's event: those of its day, or of the day of the sale that it gives back. */
function ratesOfTill(
  event: TillEvent,
  followed: FollowedAccount,
  { store, rules }: { readonly store: PayerStore; readonly rules: VatRules },
): (category: string) => VatRate | null {
  const original = event.originalEventId === null ? null : eventBehind(store, followed, event.originalEventId);
  const rated = original?.type === 'TillEvent' ? original : event;
  const claimed = event.claimedDate;
  const day = claimed === null ? londonDayNumber(epochMsOfRfc3339(rated.occurredAt)) : dayNumber(claimed);
  return (category) => findVatRate(rules, category, day, rated.region === 'NI' ? 'NI' : 'GB') ?? null;
}

function eventBehind(
  store: PayerStore,
  followed: FollowedAccount,
  eventId: Parameters<typeof uuidOf>[0],
): TaxEvent | null {
  const appended = store.appendedEvent(eventKey(followed.number, eventId));
  return appended === undefined ? null : decodeEvent(appended.bytes);
}
