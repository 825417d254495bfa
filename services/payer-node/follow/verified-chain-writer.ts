import { putFlags } from '../store/event-flags.ts';
import { blockKey } from '../store/payer-keys.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { writeBlock, writePlace } from '../store/payer-values.ts';
import { saveIndex } from './paye-index.ts';
import { markRedriven } from './take-rejections.ts';
import type { VerifiedChain } from './verify-pulled-chain.ts';

/** Entries that are written together, about: what is checked need not stay in memory until the last chain of a pull is. */
const ENTRIES_TOGETHER = 1_000;

/**
 * Writes the verified chains of one pull as they come, several in a transaction. Each is whole in itself: a node that is killed between two holds
 * some chains further than others, and the next pull goes on from each. Nothing is countersigned before `finish` has resolved.
 */
export class VerifiedChainWriter {
  readonly #store: PayerStore;
  /** Whether the events that came are wanted once they are on the disk. */
  readonly #keepsSettled: boolean;
  readonly #writes: Promise<void>[] = [];
  readonly #settled: Buffer[] = [];
  #waiting: VerifiedChain[] = [];
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

  /** Times of receipt of the events of ours that were verified. */
  get receivedAtMs(): readonly number[] {
    return this.#receivedAtMs;
  }

  /** Events of ours that stand in these blocks; empty unless they are wanted. */
  get settled(): readonly Buffer[] {
    return this.#settled;
  }

  /** Writes a chain's blocks now, or with those that come next. */
  add(chain: VerifiedChain): void {
    this.#waiting.push(chain);
    this.#blocks += chain.blocks.length;
    this.#entries += chain.entries;
    this.#waitingEntries += chain.entries;
    for (const atMs of chain.receivedAtMs) this.#receivedAtMs.push(atMs);
    if (this.#keepsSettled) this.#settled.push(...chain.settled);
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
    const chains = this.#waiting;
    this.#waiting = [];
    this.#waitingEntries = 0;
    return () => {
      for (const chain of chains) saveVerifiedChain(this.#store, chain);
      markRedriven(
        this.#store,
        chains.flatMap((chain) => chain.settled),
      );
    };
  }
}

/** Writes blocks, places of entries, state, head and account, inside commit. */
function saveVerifiedChain(store: PayerStore, chain: VerifiedChain): void {
  const { account, blocks, bases, keyOf } = chain;
  blocks.forEach(({ block, head, entries }, index) => {
    void store.blocks.put(blockKey(account.number, head.seq), writeBlock(block));
    entries.forEach(({ eventId }, position) => {
      const basis = bases[index]?.[position];
      if (basis === 'formal') return;
      const table = basis === 'recomputed' ? store.entries : store.bankEntries;
      void table.put(keyOf(eventId), writePlace({ seq: head.seq, position }));
    });
  });
  saveIndex(store, account.number, chain.payeEntries, chain.payeSums);
  for (const { eventId, flags } of chain.flagged) putFlags(store, chain.keyOf(eventId), flags);
  chain.state.save();
  store.putHead(account, chain.proof);
}
