import type { StateChange, StateValue, StateView } from '../../../libs/core/decisions/decision.ts';
import { stateOfStored, storedState } from '../../../libs/core/decisions/state-form.ts';
import { stateFormOf } from '../../../libs/core/tax/state-forms.ts';
import { stateKey } from './payer-keys.ts';
import type { PayerStore } from './payer-store.ts';

/** The payer's own recomputation state of one account: what the store holds, read once, under what has been worked out since. */
export class OwnState implements StateView {
  readonly #store: PayerStore;
  readonly #accountNumber: number;
  /** What the store held; null for nothing. Most decisions of an account ask for the same few keys. */
  readonly #read = new Map<string, StateValue | null>();
  readonly #changed = new Map<string, StateValue | null>();

  constructor(store: PayerStore, accountNumber: number) {
    this.#store = store;
    this.#accountNumber = accountNumber;
  }

  get(name: string): StateValue | undefined {
    let value = this.#changed.get(name);
    if (value === undefined) value = this.#read.get(name);
    if (value === undefined) {
      const stored = this.#store.state.get(stateKey(this.#accountNumber, name));
      value = stored === undefined ? null : stateOfStored(stored, stateFormOf(name));
      this.#read.set(name, value);
    }
    return value ?? undefined;
  }

  apply(changes: readonly StateChange[]): void {
    for (const { key, value } of changes) this.#changed.set(key, value);
  }

  /** Writes what changed, inside commit. */
  save(): void {
    for (const [name, value] of this.#changed) {
      const key = stateKey(this.#accountNumber, name);
      if (value === null) void this.#store.state.remove(key);
      else void this.#store.state.put(key, storedState(value, stateFormOf(name)));
    }
  }
}
