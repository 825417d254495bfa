import type { StateChange, StateValue, StateView } from './decision.ts';

const ROOM = 5;

/** State as a decision would leave it: reads see its own writes, and nothing outside changes. */
export class StateDraft implements StateView {
  readonly #view: StateView;
  /** Room for what nearly every decision writes: a list that grows from nothing takes more than all of them. */
  readonly #changes = new Array<StateChange>(ROOM);
  #count = 0;

  constructor(view: StateView) {
    this.#view = view;
  }

  get(key: string): StateValue | undefined {
    const at = this.#find(key);
    if (at < 0) return this.#view.get(key);
    return this.#changes[at]?.value ?? undefined;
  }

  put(key: string, value: StateValue | null): void {
    const at = this.#find(key);
    if (at >= 0) {
      this.#changes[at] = { key, value };
      return;
    }
    this.#changes[this.#count] = { key, value };
    this.#count += 1;
  }

  /** What was written, each key once. */
  changes(): readonly StateChange[] {
    return this.#changes.slice(0, this.#count);
  }

  /** A handful of keys a decision: a search is cheaper than a map. */
  #find(key: string): number {
    for (let index = 0; index < this.#count; index += 1) {
      if (this.#changes[index]?.key === key) return index;
    }
    return -1;
  }
}
