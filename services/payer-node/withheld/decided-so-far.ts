import { decodeEvent, topicOfType } from '../../../libs/adapters/codec/event-codec.ts';
import { decodeEntry } from '../../../libs/core/ledger/entry/entry-codec.ts';
import { blockKey, eventKey } from '../store/payer-keys.ts';
import type { AppendedEvent, FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readBlock } from '../store/payer-values.ts';

/** Where an event of ours stands in its topic, as far as its receipt tells: later receipts are later in the log. */
interface PlaceInLog {
  readonly topic: string;
  readonly receivedAtMs: number;
  readonly receiptKey: string;
  readonly index: number;
}

/** Blocks looked back through for the newest decided event of each topic. */
const BLOCKS_LOOKED_AT_MAX = 16;
const ACCOUNTS_KEPT_MAX = 10_000;

/**
 * How far HMRC's services have decided what an account sent, by the payer's own verified copy. The gateway appends what it receives in the
 * order of receipt, and tax decides an account's events of one topic in the order of the log: where a later one stands in a block, every
 * earlier one has been decided too. Nothing else that a payer sees proves that one of its events was passed over.
 */
export class DecidedSoFar {
  readonly #store: PayerStore;
  readonly #latest = new Map<number, { readonly seq: number; readonly places: ReadonlyMap<string, PlaceInLog> }>();

  constructor(store: PayerStore) {
    this.#store = store;
  }

  /** Whether an event of the same account and topic that is later in the log stands in a verified block. */
  hasPassed(followed: FollowedAccount, event: AppendedEvent): boolean {
    const own = placeOf(event);
    const latest = this.#latestOf(followed).get(own.topic);
    return latest !== undefined && isLater(latest, own);
  }

  #latestOf(followed: FollowedAccount): ReadonlyMap<string, PlaceInLog> {
    const seq = followed.head?.seq ?? -1;
    const known = this.#latest.get(followed.number);
    if (known?.seq === seq) return known.places;
    if (this.#latest.size >= ACCOUNTS_KEPT_MAX) this.#latest.clear();
    const places = new Map(known?.places);
    const from = Math.max(known === undefined ? 0 : known.seq + 1, seq - BLOCKS_LOOKED_AT_MAX + 1);
    for (let at = seq; at >= from; at -= 1) this.#readBlock(followed.number, at, places);
    this.#latest.set(followed.number, { seq, places });
    return places;
  }

  #readBlock(number: number, seq: number, places: Map<string, PlaceInLog>): void {
    const bytes = this.#store.blocks.get(blockKey(number, seq));
    if (bytes === undefined) return;
    for (const entry of readBlock(bytes).entries) {
      const { eventId } = decodeEntry(entry);
      const event = this.#store.appendedEvent(eventKey(number, eventId));
      if (event === undefined) continue;
      const place = placeOf(event);
      const latest = places.get(place.topic);
      if (latest === undefined || isLater(place, latest)) places.set(place.topic, place);
    }
  }
}

function placeOf({ bytes, receiptKey, index }: AppendedEvent): PlaceInLog {
  const { type, receivedAtMs } = decodeEvent(bytes);
  return { topic: topicOfType(type), receivedAtMs, receiptKey: receiptKey.toString('latin1'), index };
}

/** Within one receipt the order is that of the request; two receipts of one millisecond tell nothing. */
function isLater(one: PlaceInLog, other: PlaceInLog): boolean {
  if (one.receiptKey === other.receiptKey) return one.index > other.index;
  return one.receivedAtMs > other.receivedAtMs;
}
