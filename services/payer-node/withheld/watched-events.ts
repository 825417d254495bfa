import { EVENT_KEY_BYTES } from '../store/payer-keys.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readUint64, writeUint64 } from '../store/uint64-bytes.ts';

/** Events of ours under one receipt, of which some may not be decided yet: one record for all, so that an event costs no write of its own. */
export interface WatchedReceipt {
  readonly key: Buffer;
  readonly receiptedAtMs: number;
  readonly events: readonly Buffer[];
}

/** Times by the steady time of this process. */
export interface WatchSpan {
  /** Receipts that came after it are too young. */
  readonly untilMs: number;
  readonly steadyNowMs: number;
  /** When this process began. */
  readonly begunMs: number;
}

const TIME_BYTES = 8;

/** Watches events whose receipts are in hand now, inside commit. */
export function watchEvents(
  store: PayerStore,
  events: readonly { readonly eventKey: Buffer; readonly receiptKey: Buffer }[],
  steadyMs: number,
): void {
  const byReceipt = new Map<string, Buffer[]>();
  for (const { eventKey, receiptKey } of events) {
    const name = receiptKey.toString('latin1');
    const before = byReceipt.get(name);
    if (before === undefined) byReceipt.set(name, [eventKey]);
    else before.push(eventKey);
  }
  for (const [name, keys] of byReceipt) {
    void store.watched.put(watchedKey(steadyMs, Buffer.from(name, 'latin1')), Buffer.concat(keys));
  }
}

/**
 * Receipts that came at or before `untilMs`, the oldest first, until they hold `eventsMax` events. A receipt whose time lies after `steadyNowMs` was
 * written by an earlier process whose clock was ahead: it is among them, as one that came when this process began.
 */
export function watchedUntil(
  store: PayerStore,
  { untilMs, steadyNowMs, begunMs }: WatchSpan,
  eventsMax: number,
): readonly WatchedReceipt[] {
  const found: WatchedReceipt[] = [];
  const none = Buffer.alloc(0);
  let count = 0;
  for (const range of [{ end: watchedKey(untilMs + 1, none) }, { start: watchedKey(steadyNowMs + 1, none) }]) {
    for (const { key, value } of store.watched.getRange(range)) {
      if (count >= eventsMax) break;
      const events = eventKeysOf(value);
      const writtenMs = readUint64(key, 0);
      found.push({ key, receiptedAtMs: writtenMs > steadyNowMs ? begunMs : writtenMs, events });
      count += events.length;
    }
  }
  return found;
}

/** Receipts that came at or after a time, by the clock of the process that took them, the oldest first. */
export function watchedSince(
  store: PayerStore,
  sinceMs: number,
): readonly { readonly receipt: Buffer; readonly events: readonly Buffer[] }[] {
  const range = { start: watchedKey(sinceMs, Buffer.alloc(0)) };
  return [...store.watched.getRange(range)].map(({ key, value }) => ({ receipt: key, events: eventKeysOf(value) }));
}

function eventKeysOf(value: Buffer): Buffer[] {
  const events: Buffer[] = [];
  for (let at = 0; at < value.length; at += EVENT_KEY_BYTES) events.push(value.subarray(at, at + EVENT_KEY_BYTES));
  return events;
}

/** Leaves only those events under watch that are still undecided, inside commit. */
export function watchOnly(store: PayerStore, { key }: Pick<WatchedReceipt, 'key'>, undecided: readonly Buffer[]): void {
  if (undecided.length === 0) void store.watched.remove(key);
  else void store.watched.put(key, Buffer.concat(undecided));
}

function watchedKey(atMs: number, receiptKey: Buffer): Buffer {
  const key = Buffer.allocUnsafe(TIME_BYTES + receiptKey.length);
  writeUint64(key, atMs, 0);
  key.set(receiptKey, TIME_BYTES);
  return key;
}
