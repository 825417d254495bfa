import { TallyError } from '../errors/tally-error.ts';

/** The 16 bytes of an event's id (a UUID at the doors) as 32 lower-case hex digits. */
export type EventId = string & { readonly __brand: 'EventId' };

/** A keyed 16-byte pseudonym of a person, made at the gateway, as 32 lower-case hex digits. */
export type PersonToken = string & { readonly __brand: 'PersonToken' };

const HEX_32 = /^[0-9a-f]{32}$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Reads a lower-case UUID or 32 lower-case hex digits. Throws EVENT_ID_INVALID. */
export function eventId(text: string): EventId {
  const hex = UUID.test(text) ? text.replaceAll('-', '') : text;
  if (!HEX_32.test(hex)) throw new TallyError('EVENT_ID_INVALID', 'an event id is a lower-case UUID', {});
  return hex as EventId;
}

/** The UUID text of an event id, as the doors show it. */
export function uuidOf(id: EventId): string {
  return `${id.slice(0, 8)}-${id.slice(8, 12)}-${id.slice(12, 16)}-${id.slice(16, 20)}-${id.slice(20)}`;
}

/** Throws PERSON_TOKEN_INVALID unless 32 lower-case hex digits. */
export function personToken(hex: string): PersonToken {
  if (!HEX_32.test(hex)) throw new TallyError('PERSON_TOKEN_INVALID', 'a person token is 32 lower-case hex digits', {});
  return hex as PersonToken;
}
