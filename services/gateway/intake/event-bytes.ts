import { encodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import { eventOf } from '../../../libs/adapters/submissions/submissions.ts';
import { hasCode, TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { PreparedEvent } from './prepared-event.ts';

/** Why an event that was read has no form in the log: its place in the request, and the code of what the encoding said. */
export interface UnwritableEvent {
  readonly index: number;
  readonly code: string;
}

/**
 * The bytes of an event as they are appended. Throws EVENT_UNWRITABLE (fact `code`: what the encoding said) where there are none: that is a
 * fault of this event alone, never of the log or the store, and sending it again cannot help.
 */
export function eventBytes({ draft, person }: PreparedEvent, receivedAtMs: number): Buffer {
  try {
    return encodeEvent(eventOf(draft, { receivedAtMs, person }));
  } catch (cause) {
    const code = cause instanceof TallyError ? cause.code : 'EVENT_UNWRITABLE';
    const message = 'the event was read but has no form in the log: correct it and send it under a new id';
    throw new TallyError('EVENT_UNWRITABLE', message, { code }, { cause });
  }
}

/** What is said of the event where the error is that it has no bytes; null for every other error. */
export function unwritable({ draft: { index } }: PreparedEvent, error: unknown): UnwritableEvent | null {
  return hasCode(error, 'EVENT_UNWRITABLE') ? { index, code: String(error.facts['code']) } : null;
}
