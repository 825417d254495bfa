import { encodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import { EVENTS_PER_REQUEST_MAX } from '../../../libs/adapters/http/limits.ts';
import { type Draft, eventOf, readSubmissions } from '../../../libs/adapters/submissions/submissions.ts';
import type { CivilClock } from '../../../libs/adapters/time/clock.ts';
import { canonicalJson } from '../../../libs/core/encoding/canonical-json.ts';
import type { Fault } from '../../../libs/core/errors/fault.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account, Tax } from '../../../libs/core/identity/account.ts';
import { type EventId, eventId, personToken } from '../../../libs/core/identity/event-id.ts';
import type { TaxRules } from '../../../libs/core/tax/decide-event.ts';

/** An event of a submission that the door's own checks let through. */
export interface ReadableEvent {
  readonly readable: true;
  readonly account: Account;
  readonly eventId: EventId;
  /** JSON, as it goes to the gateway. */
  readonly text: string;
  /** The event's place in its till's chain; null for what no till sent. */
  readonly till: TillPlace | null;
  /** What the rates in force find in it; a repeat of what was taken under others is that all the same. */
  readonly doubts: readonly Fault[];
}

/** Where an event is in the chain of its till. */
export interface TillPlace {
  readonly tillId: string;
  readonly seq: number;
  /** SHA-256 of the RFC 8785 JSON of the event, 64 hex: the `prevHash` of the next. */
  readonly hash: string;
}

export interface UnreadableEvent {
  readonly readable: false;
  readonly eventId: EventId | null;
  readonly faults: readonly Fault[];
}

export type SubmittedEvent = ReadableEvent | UnreadableEvent;

/** How the payer reads and encodes its own events: by the same functions as the gateway, so that both have the same bytes. */
export interface OwnEvents {
  /** In the order of the submission. Pointers of faults begin with the event's place, `/12/lines/0`. */
  read(tax: Tax, events: readonly unknown[]): readonly SubmittedEvent[];
  /** Whether two texts are one event, however each is written: what the gateway would append for either is the same. */
  isSame(tax: Tax, one: string, other: string): boolean;
  /** The bytes that the gateway must have appended. Throws EVENT_UNREADABLE for a text that `read` would not let through now. */
  encode(tax: Tax, text: string, receivedAtMs: number, person: string | null): Buffer;
}

/** @param clock null: dates are not held to the day on which an event is read. */
export function ownEventsOf(rules: TaxRules, clock: CivilClock | null = null): OwnEvents {
  const kept: Readonly<Record<Tax, DraftsByText>> = { paye: new DraftsByText(), vat: new DraftsByText() };
  return {
    read: (tax, events) => readEvents(tax, events, { rules, receivedAtMs: clock?.civilMs() ?? null }, kept[tax]),
    isSame: (tax, one, other) => {
      if (one === other) return true;
      const meaning = meaningOf(tax, one, rules);
      return meaning !== null && meaning === meaningOf(tax, other, rules);
    },
    encode: (tax, text, receivedAtMs, person) => {
      const draft = kept[tax].take(text) ?? readAgain(tax, text, rules);
      return encodeEvent(eventOf(draft, { receivedAtMs, person: person === null ? null : personToken(person) }));
    },
  };
}

/** By what an event is judged: the rules, and when it is received. */
interface JudgedBy {
  readonly rules: TaxRules;
  readonly receivedAtMs: number | null;
}

/** Events that wait for their receipts, at most: what was read at the door need not be read again when the receipt comes. */
const DRAFTS_KEPT_MAX = 10_000;

/** What was read lately, by the very text that it was read from. The oldest go first; without its draft a text is read again. */
class DraftsByText {
  readonly #drafts = new Map<string, Draft>();

  keep(text: string, { event }: Draft): void {
    if (this.#drafts.size >= DRAFTS_KEPT_MAX) {
      const oldest = this.#drafts.keys().next();
      if (!oldest.done) this.#drafts.delete(oldest.value);
    }
    // The NINO is not asked for again: its token comes with the receipt.
    this.#drafts.set(text, { index: 0, event, nino: null });
  }

  take(text: string): Draft | undefined {
    const draft = this.#drafts.get(text);
    if (draft !== undefined) this.#drafts.delete(text);
    return draft;
  }
}

/** All that the gateway makes an event's bytes and its person's token of; null for a text that the doors would not take now. */
function meaningOf(tax: Tax, text: string, rules: TaxRules): string | null {
  const draft = draftOf(tax, text, rules);
  return draft === undefined ? null : canonicalJson({ event: draft.event, nino: draft.nino });
}

/** Reads an event that was let through once; under the rates of today it may be in doubt. Throws EVENT_UNREADABLE. */
function readAgain(tax: Tax, text: string, rules: TaxRules): Draft {
  const draft = draftOf(tax, text, rules);
  if (draft !== undefined) return draft;
  throw new TallyError('EVENT_UNREADABLE', 'an event of the record is not one by the rules in force', {});
}

function draftOf(tax: Tax, text: string, rules: TaxRules): Draft | undefined {
  const { drafts, doubtful } = readSubmissions(tax, JSON.parse(text), rules);
  return drafts[0] ?? doubtful[0]?.draft;
}

function readEvents(
  tax: Tax,
  events: readonly unknown[],
  { rules, receivedAtMs }: JudgedBy,
  kept: DraftsByText,
): readonly SubmittedEvent[] {
  const read: SubmittedEvent[] = [];
  for (let from = 0; from < events.length; from += EVENTS_PER_REQUEST_MAX) {
    const slice = events.slice(from, from + EVENTS_PER_REQUEST_MAX);
    const { drafts, faults, doubtful } = readSubmissions(tax, slice, rules, receivedAtMs);
    const byIndex = new Map<number, Draft>(drafts.map((draft) => [draft.index, draft]));
    const inDoubt = new Map<number, Draft>(doubtful.map(({ draft }) => [draft.index, draft]));
    slice.forEach((json, index) => {
      const draft = byIndex.get(index) ?? inDoubt.get(index);
      const doubts = byIndex.has(index) ? [] : faultsOf(index, from, faults);
      if (draft === undefined) {
        read.push({ readable: false, eventId: idOf(json), faults: doubts });
        return;
      }
      const one = { ...readable(json, draft), doubts };
      if (doubts.length === 0) kept.keep(one.text, draft);
      read.push(one);
    });
  }
  return read;
}

function readable(json: unknown, { event }: Draft): Omit<ReadableEvent, 'doubts'> {
  const till = event.type === 'TillEvent' ? { tillId: event.tillId, seq: event.seq, hash: event.hash } : null;
  return { readable: true, account: event.account, eventId: event.eventId, text: JSON.stringify(json), till };
}

/** Faults of one event of a slice, with its place in the whole submission. */
function faultsOf(index: number, from: number, all: readonly Fault[]): readonly Fault[] {
  const start = `/${index}`;
  return all
    .filter(({ pointer }) => pointer === start || pointer.startsWith(`${start}/`))
    .map((fault) => ({ ...fault, pointer: `/${from + index}${fault.pointer.slice(start.length)}` }));
}

function idOf(json: unknown): EventId | null {
  const text = typeof json === 'object' && json !== null && 'eventId' in json ? json.eventId : null;
  try {
    return typeof text === 'string' ? eventId(text) : null;
  } catch {
    return null;
  }
}
