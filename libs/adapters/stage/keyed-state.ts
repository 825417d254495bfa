import type { StateChange, StateValue, StateView } from '../../core/decisions/decision.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import { stateOfText, stateText } from '../../core/tax/state-forms.ts';
import type { Utf8Text } from '../bytes/utf8-text.ts';
import type { Checkpoint, StateStore, StorePut } from '../state-store/state-store.ts';
import { ZERO_TIP } from './linked-output.ts';

export interface KeyedStateOptions {
  readonly partition: number;
  /** Values kept at hand; those least lately used go, for the store has them. */
  readonly entriesMax?: number;
}

/** How a batch of items is decided on keyed state. */
export interface KeyedDecisions<Item, Result> {
  /** Keys that an item most likely reads, loaded together before anything is decided. A key left out costs one more read. */
  keysOf(item: Item): readonly string[];
  /** Decides one item; runs again from its start where it reads a key that is not at hand. So it catches nothing and changes nothing. */
  decide(item: Item, view: StateView): Result;
  /** What becomes of an item on which `decide` threw; by default the error is let through, and nothing of the batch is decided. */
  failed?(item: Item, error: unknown): Result;
  changesOf(result: Result): readonly StateChange[];
}

const ENTRIES_MAX = 200_000;
const LOAD_KEYS_MAX = 5_000;

/** A key that is at hand, or that the batch under way reads or writes. */
export interface Slot {
  readonly key: string;
  /** What is in the log; null: absent. */
  value: StateValue | null;
  /** As the decisions of the batch under way leave it; undefined: untouched. */
  pending: StateValue | null | undefined;
  /** Last found to be changed for this call of `standing`. */
  standingIn: number;
  /** It stays when the batch is done. */
  isKept: boolean;
}

/**
 * Of some decisions in order, the changes that no later one of them overwrites, and for each decision where its own end. A message is
 * folded as a whole or not at all: what stood in between is nobody's state.
 */
export interface StandingChanges {
  readonly slots: readonly Slot[];
  /** null removes the key. */
  readonly values: readonly (StateValue | null)[];
  readonly ends: readonly number[];
}

/** What is left of a message's changes once it is written: all that folding it needs. */
export interface WrittenChanges {
  readonly puts: readonly StorePut[];
  /** Of the keys at hand. */
  readonly slots: readonly Slot[];
  readonly values: readonly (StateValue | null)[];
}

/**
 * The state of one partition for a stage's program: a bounded write-through cache in front of the store (performance.md, "State").
 * Decisions see their own changes for one batch, so that a lost append leaves nothing behind; only what is folded changes the cache.
 * Values are parsed once when loaded and printed once for a message, its store and its log.
 *
 * At hand is what was read at least once while it was there. Most keys (an event's, by which its repeat is known) are written once and
 * never read again: they would only push out what is used and keep the garbage collector busy.
 */
export class KeyedState {
  readonly #partition: number;
  readonly #store: StateStore;
  readonly #halfMax: number;
  /** Two generations: what is used is in `young`; when that is full it becomes `old` and the former `old` goes. A slot of null: known to be absent. */
  #young = new Map<string, Slot>();
  #old = new Map<string, Slot>();
  /** The batch under way: small, so each key of an item is one look into memory that is near. */
  #batch = new Map<string, Slot>();
  /** What the decisions of the batch changed, in order, and for each decision where its changes end. */
  #changed: Slot[] = [];
  #values: (StateValue | null)[] = [];
  #changesEnd: number[] = [];
  #standings = 0;
  #tip = ZERO_TIP;

  constructor(options: KeyedStateOptions, dependencies: { readonly store: StateStore }) {
    this.#partition = options.partition;
    this.#store = dependencies.store;
    this.#halfMax = Math.max(1, Math.floor((options.entriesMax ?? ENTRIES_MAX) / 2));
  }

  /**
   * Decides items in order, each on top of those before it. Throws STORE_STALE where the store no longer stands for this partition's
   * tip (wiped, restored, another owner): the stage then folds again.
   */
  async decideAll<Item, Result>(items: readonly Item[], how: KeyedDecisions<Item, Result>): Promise<Result[]> {
    this.#retire();
    this.endBatch();
    const missing: Slot[] = [];
    const named: Slot[] = [];
    const namedEnds: number[] = [];
    for (let at = 0; at < items.length; at += 1) {
      const keys = how.keysOf(items[at] as Item);
      for (let of = 0; of < keys.length; of += 1) named.push(this.#namedSlot(keys[of] as string, missing));
      namedEnds.push(named.length);
    }
    await this.#load(missing);
    const view = new ItemView(named, (key) => this.#read(key));
    const results: Result[] = [];
    let index = 0;
    while (index < items.length) {
      try {
        for (; index < items.length; index += 1) {
          view.look(index === 0 ? 0 : (namedEnds[index - 1] ?? 0), namedEnds[index] ?? 0);
          const result = how.decide(items[index] as Item, view);
          this.#take(how.changesOf(result), view);
          results.push(result);
        }
      } catch (error) {
        if (!(error instanceof KeyMissing)) {
          if (how.failed === undefined) throw error;
          const result = how.failed(items[index] as Item, error);
          this.#take(how.changesOf(result), view);
          results.push(result);
          index += 1;
          continue;
        }
        const slot = this.#slotOf(error.key);
        await this.#load([slot]);
        missing.push(slot);
      }
    }
    this.#keep(missing);
    return results;
  }

  /** Of the decisions [from, to) of the batch under way: what is written into one message. */
  standing(from: number, to: number): StandingChanges {
    this.#standings += 1;
    const begin = from === 0 ? 0 : (this.#changesEnd[from - 1] ?? 0);
    const end = to === 0 ? 0 : (this.#changesEnd[to - 1] ?? 0);
    const stands = new Uint8Array(end - begin);
    for (let at = end - 1; at >= begin; at -= 1) {
      const slot = this.#changed[at];
      if (slot === undefined || slot.standingIn === this.#standings) continue;
      slot.standingIn = this.#standings;
      stands[at - begin] = 1;
    }
    const slots: Slot[] = [];
    const values: (StateValue | null)[] = [];
    const ends: number[] = [];
    let at = begin;
    for (let decision = from; decision < to; decision += 1) {
      for (; at < (this.#changesEnd[decision] ?? 0); at += 1) {
        if (stands[at - begin] === 0) continue;
        slots.push(this.#changed[at] as Slot);
        values.push(this.#values[at] ?? null);
      }
      ends.push(slots.length);
    }
    return { slots, values, ends };
  }

  /** Takes changes that are in the log: gives what the store must take, in order; of a key that comes twice the later value counts. */
  fold(changes: Iterable<StateChange>): StorePut[] {
    const puts: StorePut[] = [];
    for (const { key, value, text } of changes) {
      const slot = this.#atHand(key);
      if (slot !== undefined) slot.value = value;
      puts.push({ key, value: value === null ? null : (text ?? stateText(key, value)) });
    }
    return puts;
  }

  /**
   * What folding them will need, now that they are printed: nothing but their texts and, of keys that are at hand, their values. To be
   * asked before the batch is ended.
   */
  written({ slots, values }: StandingChanges, texts: readonly (Utf8Text | null)[]): WrittenChanges {
    const puts = slots.map(({ key }, index): StorePut => ({ key, value: texts[index] ?? null }));
    const isKept = (_: unknown, index: number): boolean => slots[index]?.isKept === true;
    return { puts, slots: slots.filter(isKept), values: values.filter(isKept) };
  }

  /** As fold, of what this state wrote. */
  foldWritten({ puts, slots, values }: WrittenChanges): readonly StorePut[] {
    for (let index = 0; index < slots.length; index += 1) (slots[index] as Slot).value = values[index] ?? null;
    return puts;
  }

  /** The batch is decided and written: nothing of it is kept any longer. */
  endBatch(): void {
    this.#batch = new Map();
    this.#changed = [];
    this.#values = [];
    this.#changesEnd = [];
  }

  /** To be called from the program's onFolded: the store has everything folded so far and stands at this tip. */
  committed(checkpoint: Checkpoint): void {
    this.#tip = checkpoint.tip;
    this.endBatch();
    this.#retire();
  }

  /** To be called from the program's reset. */
  reset(): void {
    this.#young.clear();
    this.#old.clear();
    this.endBatch();
    this.#tip = ZERO_TIP;
  }

  get entries(): number {
    return this.#young.size + this.#old.size;
  }

  /** Of a key that the item did not name. */
  #read(key: string): StateValue | undefined {
    let slot = this.#batch.get(key);
    if (slot === undefined) {
      slot = this.#atHand(key);
      if (slot === undefined) {
        throw new KeyMissing(key);
      }
      this.#join(slot);
    }
    return currentValue(slot);
  }

  #take(changes: readonly StateChange[], view: ItemView): void {
    for (let at = 0; at < changes.length; at += 1) {
      const { key, value } = changes[at] as StateChange;
      const slot = view.slotOf(key) ?? this.#slotOf(key);
      slot.pending = value;
      this.#changed.push(slot);
      this.#values.push(value);
    }
    this.#changesEnd.push(this.#changed.length);
  }

  /** The slot of a key in this batch. One that nobody has is of a key that is absent as far as known. */
  #slotOf(key: string): Slot {
    let slot = this.#batch.get(key);
    if (slot === undefined) {
      slot = this.#atHand(key) ?? { key, value: null, pending: undefined, standingIn: 0, isKept: false };
      this.#join(slot);
    }
    return slot;
  }

  #join(slot: Slot): void {
    slot.pending = undefined;
    this.#batch.set(slot.key, slot);
  }

  #atHand(key: string): Slot | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) {
      return young;
    }
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#young.set(key, old);
    }
    return old;
  }

  /** The slot of a key that an item names; one that is not at hand is `missing`, once. */
  #namedSlot(key: string, missing: Slot[]): Slot {
    const known = this.#batch.get(key);
    if (known !== undefined) {
      return known;
    }
    const slot = this.#slotOf(key);
    if (!slot.isKept) missing.push(slot);
    return slot;
  }

  async #load(slots: readonly Slot[]): Promise<void> {
    for (let start = 0; start < slots.length; start += LOAD_KEYS_MAX) {
      await this.#loadSome(slots.slice(start, start + LOAD_KEYS_MAX));
    }
  }

  async #loadSome(slots: readonly Slot[]): Promise<void> {
    const { tip, values } = await this.#get(slots.map(({ key }) => key));
    if ((tip ?? ZERO_TIP) !== this.#tip) {
      throw new TallyError(
        'STORE_STALE',
        `the store of partition ${this.#partition} does not stand at the tip of this owner`,
        { partition: this.#partition, storedTip: tip, tip: this.#tip },
        { retriable: true },
      );
    }
    for (let index = 0; index < slots.length; index += 1) {
      const text = values[index] ?? null;
      const slot = slots[index] as Slot;
      slot.value = text === null ? null : stateOfText(slot.key, text);
    }
  }

  /** Keeps at hand what was loaded, but for what begins with this batch. */
  #keep(loaded: readonly Slot[]): void {
    for (const slot of loaded) {
      if (slot.value !== null || slot.pending === undefined) {
        slot.isKept = true;
        this.#young.set(slot.key, slot);
      }
    }
  }

  async #get(keys: readonly string[]) {
    try {
      return await this.#store.get(this.#partition, keys);
    } catch (cause) {
      if (cause instanceof TallyError) {
        throw cause;
      }
      const message = `the state store of partition ${this.#partition} does not answer`;
      throw new TallyError('STORE_UNAVAILABLE', message, { partition: this.#partition }, { retriable: true, cause });
    }
  }

  /** Never in the middle of a batch: what was loaded for it stays until it is decided, and what is folded until it is stored. */
  #retire(): void {
    if (this.#young.size > this.#halfMax) {
      for (const slot of this.#old.values()) if (!this.#young.has(slot.key)) slot.isKept = false;
      this.#old = this.#young;
      this.#young = new Map();
    }
  }
}

/** What one item reads: the slots of the keys that it named are looked through, which is quicker than a map. */
class ItemView implements StateView {
  readonly #named: readonly Slot[];
  readonly #other: (key: string) => StateValue | undefined;
  #from = 0;
  #to = 0;

  constructor(named: readonly Slot[], other: (key: string) => StateValue | undefined) {
    this.#named = named;
    this.#other = other;
  }

  /** From now on it is the view of the item that named these slots. */
  look(from: number, to: number): void {
    this.#from = from;
    this.#to = to;
  }

  get(key: string): StateValue | undefined {
    const slot = this.slotOf(key);
    return slot === undefined ? this.#other(key) : currentValue(slot);
  }

  slotOf(key: string): Slot | undefined {
    for (let index = this.#from; index < this.#to; index += 1) {
      const slot = this.#named[index];
      if (slot !== undefined && slot.key === key) return slot;
    }
    return undefined;
  }
}

function currentValue({ value, pending }: Slot): StateValue | undefined {
  return (pending === undefined ? value : pending) ?? undefined;
}

/** The signal of StateView.get for a key that is not at hand. */
class KeyMissing extends Error {
  readonly key: string;

  constructor(key: string) {
    super('a key of state is not at hand');
    this.key = key;
  }
}
