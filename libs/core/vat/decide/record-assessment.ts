import { accountCounter, decisionsIn } from '../../decisions/account-counter.ts';
import type { Assessment, HeadAmount, StateValue } from '../../decisions/decision.ts';
import type { EntryKind } from '../../decisions/entry-kinds.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { VatEvent } from '../../events/vat-events.ts';
import type { EventId } from '../../identity/event-id.ts';
import type { Pence } from '../../money/pence.ts';
import { type RememberedEvent, rememberedHash } from '../state/remembered-sale.ts';
import { counterKey, eventKey } from '../state/state-keys.ts';

const NOTHING: readonly never[] = [];

/** What an accepted event comes to, beside what the event itself says. */
export interface Assessed {
  readonly kind: EntryKind;
  readonly taxPeriod: string;
  readonly basePence: Pence;
  readonly amounts: readonly HeadAmount[];
  readonly links?: readonly EventId[];
  readonly flags?: readonly string[];
}

/** Number of the account's next decision. */
export function nextNumber(event: VatEvent, draft: StateDraft): number {
  return decisionsIn(draft.get(counterKey(event.account))) + 1;
}

/** Remembers an accepted event and its number, and gives its assessment. `remembered` is what is kept of it beside hash and number. */
export function recordAssessment(
  event: VatEvent,
  eventHash: string,
  assessed: Assessed,
  before: string | undefined,
  draft: StateDraft,
): Assessment {
  const number = nextNumber(event, draft);
  const seen: RememberedEvent = {
    h: rememberedHash(eventHash),
    n: number,
    ...(before === undefined ? {} : { p: before }),
  };
  draft.put(eventKey(event.account, event.eventId), seen as unknown as StateValue);
  return countAssessment(event, number, assessed, draft);
}

/** As recordAssessment, of an event that is remembered by other means. */
export function countAssessment(event: VatEvent, number: number, assessed: Assessed, draft: StateDraft): Assessment {
  draft.put(counterKey(event.account), accountCounter(number));
  return {
    account: event.account,
    eventId: event.eventId,
    kind: assessed.kind,
    number,
    taxPeriod: assessed.taxPeriod,
    basePence: assessed.basePence,
    amounts: assessed.amounts,
    person: null,
    links: assessed.links ?? NOTHING,
    flags: assessed.flags ?? NOTHING,
    stated: NOTHING,
    receivedAtMs: event.receivedAtMs,
  };
}
