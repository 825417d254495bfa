import type { StateChange, StateValue, StateView } from './decision.ts';

/** State as a decision would leave it: reads see its own writes, and nothing outside changes. */
export class StateDraft implements StateView {
  readonly #view: StateView;
  readonly #changes: StateChange[] = [];

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
    if (at < 0) this.#changes.push({ key, value });
    else this.#changes[at] = { key, value };
  }

  /** What was written, each key once. */
  changes(): readonly StateChange[] {
    return this.#changes;
  }

  /** A handful of keys a decision: a search is cheaper than a map. */
  #find(key: string): number {
    for (let index = 0; index < this.#changes.length; index += 1) {
      if (this.#changes[index]?.key === key) return index;
    }
    return -1;
  }
}
