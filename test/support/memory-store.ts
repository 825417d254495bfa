import type { StateStore, StorePut } from '../../libs/adapters/state-store/state-store.ts';
import type { StateValue } from '../../libs/core/decisions/decision.ts';

/** A state store of one partition that keeps its texts in memory: what a program's test needs of one, tip included. */
export class MemoryStore implements StateStore {
  readonly #texts = new Map<string, string>();
  #tip: string | null = null;

  /** Takes what a message was folded to, and stands for it from now on. */
  take(puts: readonly StorePut[], tip: string): void {
    for (const { key, value } of puts) {
      if (value === null) this.#texts.delete(key);
      else this.#texts.set(key, String(value));
    }
    this.#tip = tip;
  }

  valueOf(key: string): StateValue | undefined {
    const text = this.#texts.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as StateValue);
  }

  async get(_partition: number, keys: readonly string[]) {
    return { tip: this.#tip, values: keys.map((key) => this.#texts.get(key) ?? null) };
  }

  async checkpoint(): Promise<null> {
    return null;
  }

  async commit(): Promise<never> {
    throw new Error('it is given what was folded by take');
  }

  async wipe(): Promise<void> {
    this.#texts.clear();
    this.#tip = null;
  }

  async close(): Promise<void> {}
}
