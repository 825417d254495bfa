import type { StateChange, StateValue, StateView } from '../../libs/core/events/decision.ts';
import { type PayerStore, stateKey } from './payer-store.ts';

/** The payer's own recomputation state of one account: what the store holds, under what has been worked out since. */
export class OwnState implements StateView {
  readonly #store: PayerStore;
  readonly #accountNumber: number;
  readonly #changed = new Map<string, StateValue | null>();

  constructor(store: PayerStore, accountNumber: number) {
    this.#store = store;
    this.#accountNumber = accountNumber;
  }

  get(name: string): StateValue | undefined {
    const changed = this.#changed.get(name);
    if (changed !== undefined) return changed ?? undefined;
    return this.#store.state.get(stateKey(this.#accountNumber, name));
  }

  apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) this.#changed.set(key, value);
  }

  /** Writes what changed, inside commit. */
  save(): void {
    for (const [name, value] of this.#changed) {
      const key = stateKey(this.#accountNumber, name);
      if (value === null) void this.#store.state.remove(key);
      else void this.#store.state.put(key, value);
    }
  }
}
