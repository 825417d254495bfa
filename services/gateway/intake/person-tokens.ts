import { createHmac } from 'node:crypto';
import type { Draft } from '../../../libs/adapters/submissions/submissions.ts';
import type { PersonToken } from '../../../libs/core/identity/event-id.ts';

const TOKEN_BYTES = 16;

/**
 * The token that stands for a person from here on: HMAC-SHA-256 of the NINO, cut to 16 bytes; of account and works number where the
 * sender has no NINO (a line feed keeps the two apart, and apart from every NINO). Null for an event without a person.
 */
export function personOf(draft: Draft, personTokenKey: Uint8Array): PersonToken | null {
  const { event, nino } = draft;
  if (event.type !== 'PaymentMade') return null;
  return tokenOf(nino ?? `${event.account}\n${event.worksNumber}`, personTokenKey);
}

/** The token of a person whose National Insurance number is known. */
export function tokenOfNino(nino: string, personTokenKey: Uint8Array): PersonToken {
  return tokenOf(nino, personTokenKey);
}

function tokenOf(text: string, key: Uint8Array): PersonToken {
  return createHmac('sha256', key).update(text).digest().toString('hex', 0, TOKEN_BYTES) as PersonToken;
}
