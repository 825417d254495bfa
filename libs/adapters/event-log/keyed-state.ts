import { TallyError } from '../../core/errors/tally-error.ts';
import type { StateChange, StateValue, StateView } from '../../core/events/decision.ts';
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
  changesOf(result: Result): readonly StateChange[];
}

const ENTRIES_MAX = 200_000;
const LOAD_KEYS_MAX = 5_000;

/** A key that the batch under way has read or written. */
interface Slot {
  readonly key: string;
  /** What is in the log; null: absent. */
  value: StateValue | null;
  /** As the decisions of this batch leave it; undefined: untouched. */
  pending: StateValue | null | undefined;
}

/**
 * The state of one partition for a stage's program: a bounded write-through cache in front of the store (performance.md, "State").
 * Decisions see their own changes for one batch, so that a lost append leaves nothing behind; only `fold` changes the cache.
 * Values are parsed once when loaded and printed once when folded.
 *
 * At hand is what was read at least once while it was there. Most keys (an event's, by which its repeat is known) are written once and
 * never read again: they would only push out what is used and keep the garbage collector busy.
 */
export class KeyedState {
  readonly #partition: number;
  readonly #store: StateStore;
  readonly #halfMax: number;
  /** Two generations: what is used is in `young`; when that is full it becomes `old` and the former `old` goes. `null`: known to be absent. */
  #young = new Map<string, StateValue | null>();
  #old = new Map<string, StateValue | null>();
  /** The batch under way: small, so each read and write of a decision is one look into memory that is near. */
  #batch = new Map<string, Slot>();
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
    this.#batch = new Map();
    const loaded = this.#missingOf(items, how);
    await this.#load(loaded);
    const view: StateView = { get: (key) => this.#read(key) };
    const results: Result[] = [];
    let index = 0;
    while (index < items.length) {
      try {
        for (; index < items.length; index += 1) {
          const result = how.decide(items[index] as Item, view);
          for (const { key, value } of how.changesOf(result)) {
            this.#slot(key).pending = value;
          }
          results.push(result);
        }
      } catch (error) {
        if (!(error instanceof KeyMissing)) {
          throw error;
        }
        const slot = this.#slot(error.key);
        await this.#load([slot]);
        loaded.push(slot);
      }
    }
    this.#keep(loaded);
    return results;
  }

  /** Takes changes that are in the log: gives what the store must take, in order; of a key that comes twice the later value counts. */
  fold(changes: Iterable<StateChange>): StorePut[] {
    const puts: StorePut[] = [];
    for (const { key, value, text } of changes) {
      if (this.#atHand(key) !== undefined) {
        this.#young.set(key, value);
      }
      puts.push({ key, value: value === null ? null : (text ?? JSON.stringify(value)) });
    }
    return puts;
  }

  /** To be called from the program's onFolded: the store has everything folded so far and stands at this tip. */
  committed(checkpoint: Checkpoint): void {
    this.#tip = checkpoint.tip;
    this.#batch = new Map();
    this.#retire();
  }

  /** To be called from the program's reset. */
  reset(): void {
    this.#young.clear();
    this.#old.clear();
    this.#batch = new Map();
    this.#tip = ZERO_TIP;
  }

  get entries(): number {
    return this.#young.size + this.#old.size;
  }

  #read(key: string): StateValue | undefined {
    let slot = this.#batch.get(key);
    if (slot === undefined) {
      const value = this.#atHand(key);
      if (value === undefined) {
        throw new KeyMissing(key);
      }
      slot = this.#slot(key);
      slot.value = value;
    }
    return (slot.pending === undefined ? slot.value : slot.pending) ?? undefined;
  }

  #slot(key: string): Slot {
    let slot = this.#batch.get(key);
    if (slot === undefined) {
      slot = { key, value: null, pending: undefined };
      this.#batch.set(key, slot);
    }
    return slot;
  }

  #atHand(key: string): StateValue | null | undefined {
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

  /** Slots for all keys that the items name; gives those that are not at hand. */
  #missingOf<Item, Result>(items: readonly Item[], how: KeyedDecisions<Item, Result>): Slot[] {
    const missing: Slot[] = [];
    for (const item of items) {
      for (const key of how.keysOf(item)) {
        if (this.#batch.has(key)) {
          continue;
        }
        const value = this.#atHand(key);
        const slot = this.#slot(key);
        if (value === undefined) {
          missing.push(slot);
        } else {
          slot.value = value;
        }
      }
    }
    return missing;
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
    for (const [index, slot] of slots.entries()) {
      const text = values[index] ?? null;
      slot.value = text === null ? null : (JSON.parse(text) as StateValue);
    }
  }

  /** Keeps at hand what was loaded, but for what begins with this batch. */
  #keep(loaded: readonly Slot[]): void {
    for (const { key, value, pending } of loaded) {
      if (value !== null || pending === undefined) {
        this.#young.set(key, value);
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
      this.#old = this.#young;
      this.#young = new Map();
    }
  }
}

/** The signal of StateView.get for a key that is not at hand. */
class KeyMissing extends Error {
  readonly key: string;

  constructor(key: string) {
    super('a key of state is not at hand');
    this.key = key;
  }
}
