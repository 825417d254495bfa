import type { PayerStore } from '../store/payer-store.ts';
import type { ChainTake } from './take-chain.ts';
import { markRedriven } from './take-rejections.ts';

/** Entries that are written together, about: what is checked need not stay in memory until the last chain of a pull is. */
const ENTRIES_TOGETHER = 1_000;

/**
 * Writes the takes of one pull as they come, several in a transaction. Each is whole in itself: a node that is killed between two holds
 * some chains further than others, and the next pull goes on from each. Nothing is countersigned before `finish` has resolved.
 */
export class TakeWriter {
  readonly #store: PayerStore;
  /** Whether the events that came are wanted once they are on the disk. */
  readonly #keepsSettled: boolean;
  readonly #writes: Promise<void>[] = [];
  readonly #settled: Buffer[] = [];
  #waiting: ChainTake[] = [];
  #waitingEntries = 0;
  #blocks = 0;
  #entries = 0;
  #receivedAtMs: number[] = [];

  constructor(store: PayerStore, options: { readonly keepsSettled: boolean }) {
    this.#store = store;
    this.#keepsSettled = options.keepsSettled;
  }

  get blocks(): number {
    return this.#blocks;
  }

  get entries(): number {
    return this.#entries;
  }

  /** Times of receipt of the events of ours that were taken. */
  get receivedAtMs(): readonly number[] {
    return this.#receivedAtMs;
  }

  /** Events of ours that stand in the blocks taken; empty unless they are wanted. */
  get settled(): readonly Buffer[] {
    return this.#settled;
  }

  /** Takes a chain's blocks to be written: now, or with those that come next. */
  add(take: ChainTake): void {
    this.#waiting.push(take);
    this.#blocks += take.blocks;
    this.#entries += take.entries;
    this.#waitingEntries += take.entries;
    for (const atMs of take.receivedAtMs) this.#receivedAtMs.push(atMs);
    if (this.#keepsSettled) this.#settled.push(...take.settled);
    if (this.#waitingEntries < ENTRIES_TOGETHER) return;
    const write = this.#store.write(this.#saveWaiting());
    // Whoever finishes hears of it; where nobody does, something else has gone wrong before.
    write.catch(() => undefined);
    this.#writes.push(write);
  }

  /** Writes the rest together with what `alongside` writes. Resolves once everything is durable. An error of the disk is fatal. */
  async finish(alongside: () => void): Promise<void> {
    const saveWaiting = this.#saveWaiting();
    const last = this.#store.commit(() => {
      saveWaiting();
      alongside();
    });
    await Promise.all([...this.#writes, last]);
  }

  #saveWaiting(): () => void {
    const takes = this.#waiting;
    this.#waiting = [];
    this.#waitingEntries = 0;
    return () => {
      for (const take of takes) take.save();
      markRedriven(
        this.#store,
        takes.flatMap((take) => take.settled),
      );
    };
  }
}
