import { nodeSha256 } from '../../../libs/adapters/crypto/node-crypto.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import { tillEventHash } from '../../../libs/core/vat/check/till-event-hash.ts';
import { tillKey } from '../../../libs/core/vat/state/state-keys.ts';
import { tillChainOf } from '../../../libs/core/vat/state/till-chain.ts';
import { OwnState } from '../store/own-state.ts';
import { accountKey } from '../store/payer-keys.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import type { ReadableEvent, TillPlace } from './own-events.ts';

/** The newest event of a till: what its next one counts on from. */
export interface TillHead {
  /** Its number; 0 for a till of which nothing was sent. */
  readonly seq: number;
  /** SHA-256 of the RFC 8785 JSON of the event, 64 hex: the `prevHash` of the next; null where `seq` is 0. */
  readonly hash: string | null;
}

/** The head of a till of which nothing was sent. */
export const NO_EVENT: TillHead = { seq: 0, hash: null };

/** Keeps the highest number of each till among events just taken, inside a transaction: one write a till, however many its events. */
export function putTillHeads(store: PayerStore, events: Iterable<ReadableEvent>): void {
  const highest = new Map<string, ReadableEvent>();
  for (const event of events) {
    if (event.till === null) continue;
    const place = `${event.account} ${event.till.tillId}`;
    const known = highest.get(place);
    if ((known?.till?.seq ?? 0) < event.till.seq) highest.set(place, event);
  }
  for (const { account, till } of highest.values()) {
    const followed = store.account(account);
    if (followed === undefined || till === null) continue;
    const { tillId, seq, hash } = till;
    if (tillHeadOf(store, followed, tillId).seq < seq) {
      void store.tillHeads.put(headKey(followed, tillId), JSON.stringify({ seq, hash } satisfies TillHead));
    }
  }
}

/** The newest event of a till that this node sent or found in the ledger: what others sent is known once it is decided. */
export function tillHeadOf(store: PayerStore, followed: FollowedAccount, tillId: string): TillHead {
  const text = store.tillHeads.get(headKey(followed, tillId));
  const sent = text === undefined ? NO_EVENT : (JSON.parse(text) as TillHead);
  const state = new OwnState(store, followed.number);
  const decided = tillChainOf(state.get(tillKey(followed.account, tillId)));
  return decided.s > sent.seq ? { seq: decided.s, hash: decided.h } : sent;
}

function headKey({ number }: FollowedAccount, tillId: string): Buffer {
  return Buffer.concat([accountKey(number), Buffer.from(tillId)]);
}

/** What the next event of a till says of its place. */
export interface NextOfTill {
  readonly vrn: string;
  readonly tillId: string;
  readonly nextSeq: number;
  /** Null where nothing of the till was sent. */
  readonly nextPrevHash: string | null;
}

/** What comes next at each till that the events of an accepted submission name; what others send meanwhile is not known here. */
export function nextOfTills(store: PayerStore, events: readonly unknown[]): readonly NextOfTill[] {
  const tills = new Map<string, NextOfTill>();
  for (const event of events) {
    const { vrn, tillId } = event as { readonly vrn?: unknown; readonly tillId?: unknown };
    if (typeof vrn !== 'string' || typeof tillId !== 'string' || tills.has(`${vrn} ${tillId}`)) continue;
    const followed = store.account(`vat:${vrn}` as Account);
    if (followed === undefined) continue;
    const { seq, hash } = tillHeadOf(store, followed, tillId);
    tills.set(`${vrn} ${tillId}`, { vrn, tillId, nextSeq: seq + 1, nextPrevHash: hash });
  }
  return [...tills.values()];
}

/** The place of an accepted event in its till's chain, with the hash that the next event carries as `prevHash`; null for no till's. */
export function tillLinkOf(json: unknown): TillPlace | null {
  const { tillId, seq } = json as { readonly tillId?: unknown; readonly seq?: unknown };
  if (typeof tillId !== 'string' || typeof seq !== 'number') return null;
  return { tillId, seq, hash: tillEventHash(json, nodeSha256) };
}
