import type { Decision } from '../../decisions/decision.ts';
import type { PayeEvent } from '../../events/paye-events.ts';

/** The decision that refuses a PAYE event: nothing changes, and the event does not count as seen. */
export function rejectedPayeEvent(event: PayeEvent, code: string, facts: Readonly<Record<string, string>>): Decision {
  const { account, eventId, receivedAtMs } = event;
  return {
    outcome: 'rejected',
    results: [],
    rejections: [{ account, eventId, code, facts, receivedAtMs }],
    changes: [],
  };
}
