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

/**
 * The state of one partition for a stage's program: a bounded write-through cache in front of the store (performance.md, "State").
 * Decisions see their own changes in an overlay that ends with the call, so that a lost append leaves nothing behind; only `fold`
 * changes the cache. Values are parsed once when loaded and printed once when folded.
 */
export class KeyedState {
  readonly #partition: number;
  readonly #store: StateStore;
  readonly #halfMax: number;
  /** Two generations: what is used is in `young`; when that is full it becomes `old` and the former `old` goes. `null`: known to be absent. */
  #young = new Map<string, StateValue | null>();
  #old = new Map<string, StateValue | null>();
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
    await this.#load(items.flatMap((item) => how.keysOf(item)));
    const overlay = new Map<string, StateValue | null>();
    const view: StateView = { get: (key) => this.#read(key, overlay) };
    const results: Result[] = [];
    let index = 0;
    while (index < items.length) {
      try {
        for (; index < items.length; index += 1) {
          const result = how.decide(items[index] as Item, view);
          for (const { key, value } of how.changesOf(result)) {
            overlay.set(key, value);
          }
          results.push(result);
        }
      } catch (error) {
        if (!(error instanceof KeyMissing)) {
          throw error;
        }
        await this.#load([error.key]);
      }
    }
    return results;
  }

  /** Takes changes that are in the log: gives what the store must take, the last value of each key once. */
  fold(changes: Iterable<StateChange>): StorePut[] {
    const last = new Map<string, StateChange>();
    for (const change of changes) {
      last.set(change.key, change);
    }
    const puts: StorePut[] = [];
    for (const { key, value, text } of last.values()) {
      this.#young.set(key, value);
      puts.push({ key, value: value === null ? null : (text ?? JSON.stringify(value)) });
    }
    return puts;
  }

  /** To be called from the program's onFolded: the store has everything folded so far and stands at this tip. */
  committed(checkpoint: Checkpoint): void {
    this.#tip = checkpoint.tip;
    this.#retire();
  }

  /** To be called from the program's reset. */
  reset(): void {
    this.#young.clear();
    this.#old.clear();
    this.#tip = ZERO_TIP;
  }

  get entries(): number {
    return this.#young.size + this.#old.size;
  }

  #read(key: string, overlay: ReadonlyMap<string, StateValue | null>): StateValue | undefined {
    const pending = overlay.get(key);
    if (pending !== undefined) {
      return pending ?? undefined;
    }
    const young = this.#young.get(key);
    if (young !== undefined) {
      return young ?? undefined;
    }
    const old = this.#old.get(key);
    if (old === undefined) {
      throw new KeyMissing(key);
    }
    this.#young.set(key, old);
    return old ?? undefined;
  }

  async #load(keys: readonly string[]): Promise<void> {
    const missing = new Set<string>();
    for (const key of keys) {
      if (this.#young.has(key)) {
        continue;
      }
      const old = this.#old.get(key);
      if (old === undefined) {
        missing.add(key);
      } else {
        this.#young.set(key, old);
      }
    }
    const wanted = [...missing];
    for (let start = 0; start < wanted.length; start += LOAD_KEYS_MAX) {
      await this.#loadSome(wanted.slice(start, start + LOAD_KEYS_MAX));
    }
  }

  async #loadSome(keys: readonly string[]): Promise<void> {
    const { tip, values } = await this.#get(keys);
    if ((tip ?? ZERO_TIP) !== this.#tip) {
      throw new TallyError(
        'STORE_STALE',
        `the store of partition ${this.#partition} does not stand at the tip of this owner`,
        { partition: this.#partition, storedTip: tip, tip: this.#tip },
        { retriable: true },
      );
    }
    for (const [index, key] of keys.entries()) {
      const text = values[index] ?? null;
      this.#young.set(key, text === null ? null : (JSON.parse(text) as StateValue));
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
