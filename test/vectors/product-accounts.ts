import { createHash } from 'node:crypto';
import { decodeEvent, encodeEvent } from '../../libs/adapters/codec/event-codec.ts';
import { loadTaxRules } from '../../libs/adapters/rules/load-rules.ts';
import { type Door, eventOf, readSubmissions } from '../../libs/adapters/submissions/submissions.ts';
import type { Decision, StateValue, StateView } from '../../libs/core/decisions/decision.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';
import { type PersonToken, personToken } from '../../libs/core/identity/event-id.ts';
import { decideEvent, stateKeysOf, type TaxRules } from '../../libs/core/tax/decide-event.ts';

let loaded: TaxRules | undefined;

/** The product's own rules, loaded when the first case is answered: within a test, so that a mutant of how they are made is the test's. */
export function productRules(): TaxRules {
  loaded ??= loadTaxRules();
  return loaded;
}

/** What became of a submission: refused at the door, or decided. */
export interface Submitted {
  /** What was sent. */
  readonly json: unknown;
  /** The codes that the door gave; empty where the event was accepted there. */
  readonly faults: readonly string[];
  readonly event: TaxEvent | null;
  readonly decision: Decision | null;
}

const PERSON = personToken('1'.repeat(32));

/**
 * Accounts that begin with nothing and take events as the product does: read at the gateway's door, made an event, encoded and decoded,
 * decided by tax's function over folded state, each change through JSON as in a store.
 */
export class ProductAccounts {
  readonly #state = new Map<string, string>();
  readonly view: StateView = {
    get: (key) => {
      const text = this.#state.get(key);
      return text === undefined ? undefined : (JSON.parse(text) as StateValue);
    },
  };

  /** Puts JSON to a door of the gateway, received at a time, and decides what it accepts. */
  submit(door: Door, json: unknown, receivedAtMs: number, person: PersonToken = PERSON): Submitted {
    const read = this.read(door, json, receivedAtMs, person);
    return read.event === null ? { ...read, decision: null } : { ...read, decision: this.decide(read.event) };
  }

  /** As `submit`, and decides nothing yet. */
  read(door: Door, json: unknown, receivedAtMs: number, person: PersonToken = PERSON): Omit<Submitted, 'decision'> {
    const { drafts, faults } = readSubmissions(door, json, productRules());
    const [draft] = drafts;
    if (draft === undefined || faults.length > 0) return { json, faults: faults.map(({ code }) => code), event: null };
    return { json, faults: [], event: eventOf(draft, { receivedAtMs, person }) };
  }

  /** Decides an event as it comes from the log, and folds what that changes. */
  decide(sent: TaxEvent): Decision {
    const bytes = encodeEvent(sent);
    const event = decodeEvent(bytes);
    // Tax loads these together before it decides: a key that cannot be made would stop it.
    for (const key of stateKeysOf(event)) this.view.get(key);
    const decision = decideEvent(event, createHash('sha256').update(bytes).digest('hex'), this.view, productRules());
    for (const { key, value } of decision.changes) {
      if (value === null) this.#state.delete(key);
      else this.#state.set(key, JSON.stringify(value));
    }
    return decision;
  }
}

/** Every code with which a submission was refused, at the door or by tax; empty where it was accepted. */
export function refusals({ faults, event, decision }: Submitted): readonly string[] {
  if (faults.length > 0 || decision === null) return faults;
  // An event may let others go that waited and are refused now.
  const own = decision.rejections.filter(({ eventId }) => eventId === event?.eventId);
  return own.flatMap(({ code, facts }) => (facts.codes ?? code).split(' '));
}

/** The submission, which must have been accepted. Throws a TallyError with the code of its first refusal. */
export function accepted(submitted: Submitted): Submitted & { readonly decision: Decision; readonly event: TaxEvent } {
  const [code] = refusals(submitted);
  const { decision, event } = submitted;
  if (code !== undefined || decision === null || event === null) {
    throw new TallyError(code ?? 'NOTHING_SUBMITTED', 'the product refuses what the case sends');
  }
  return { ...submitted, decision, event };
}

let ids = 0;

/** An event id that no other event of this process has. */
export function nextEventId(): string {
  ids += 1;
  return `018f0000-0000-7000-8000-${ids.toString(16).padStart(12, '0')}`;
}
