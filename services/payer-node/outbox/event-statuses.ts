import { z } from 'zod';
import { type Client, mayActFor } from '../../../libs/adapters/access/clients.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import { isAccount } from '../../../libs/core/identity/account.ts';
import { eventId, isUuid } from '../../../libs/core/identity/event-id.ts';
import { flagsOf } from '../store/event-flags.ts';
import { eventKey } from '../store/payer-keys.ts';
import type { EventStatus, RefusedEvent, RejectedEvent } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';

/** Events that one request may ask for. */
const STATUSES_MAX = 1_000;

const statusesBody = z.strictObject({
  account: z.string().refine(isAccount, 'expected paye:123/AB456 or vat:123456789'),
  eventIds: z.array(z.string().refine(isUuid, 'expected a lower-case UUID')).min(1).max(STATUSES_MAX),
  bodies: z.boolean().optional(),
});

export interface EventStatusLine {
  readonly status: EventStatus;
  /** Why, where the event was refused at the gateway or rejected by tax. */
  readonly code?: string;
  readonly detail?: string;
  /** What was odd about an event that was accepted all the same; absent where nothing was. */
  readonly flags?: readonly string[];
  /** The event as it was sent, where the request says `bodies`. */
  readonly event?: unknown;
}

/**
 * `POST /payer/v1/events/status`: where each of an account's events stands, by its id; an id that the record does not have is left out.
 * Throws INPUT_INVALID, ACCOUNT_NOT_YOURS.
 */
export function eventStatuses(store: PayerStore, client: Client, body: unknown): Record<string, EventStatusLine> {
  const parsed = statusesBody.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new HttpProblem(
      422,
      'INPUT_INVALID',
      `/${issue?.path.join('/') ?? ''}: ${issue?.message ?? 'not as described'}`,
    );
  }
  const { account: owner, eventIds, bodies } = parsed.data;
  if (!isAccount(owner) || !mayActFor(client, owner)) {
    throw new HttpProblem(403, 'ACCOUNT_NOT_YOURS', 'the account is not bound to this client');
  }
  const followed = store.account(owner);
  const statuses: Record<string, EventStatusLine> = {};
  if (followed === undefined) return statuses;
  for (const uuid of eventIds) {
    const key = eventKey(followed.number, eventId(uuid));
    const text = bodies === true ? store.submitted.get(key) : undefined;
    // An import asks for what it may have sent before: nearly always for what is not there.
    if (bodies === true && text === undefined) continue;
    const line = lineOf(store, key);
    if (line !== null) statuses[uuid] = text === undefined ? line : { ...line, event: JSON.parse(text) as unknown };
  }
  return statuses;
}

/** Null where the record has no such event. What is asked for by the thousand is looked for, not read. */
function lineOf(store: PayerStore, key: Buffer): EventStatusLine | null {
  if (store.entries.doesExist(key)) {
    const flags = flagsOf(store, key);
    return flags.length === 0 ? { status: 'decided' } : { status: 'decided', flags };
  }
  const rejected = store.rejected.get(key);
  if (rejected !== undefined) {
    const { code } = JSON.parse(rejected) as RejectedEvent;
    return { status: 'rejected', code, detail: 'tax rejected it: "tally rejections list" shows the facts' };
  }
  const refused = store.refused.get(key);
  if (refused !== undefined) {
    const { faults } = JSON.parse(refused) as RefusedEvent;
    const detail = faults.map((fault) => `${fault.pointer} ${fault.code}: ${fault.detail}`).join('; ');
    return { status: 'refused', code: faults[0]?.code ?? 'REFUSED', detail };
  }
  if (store.appended.doesExist(key)) return { status: 'receipted' };
  return store.submitted.doesExist(key) ? { status: 'unsent' } : null;
}
