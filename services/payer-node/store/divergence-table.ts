import type { Database } from 'lmdb';
import { numberKey } from './payer-keys.ts';
import type { StoredDivergence } from './payer-records.ts';

/** Every divergence that this node found, by its number, from 1. */
export class DivergenceTable {
  readonly #table: Database<string, Buffer>;
  #count: number;

  /** @param count the divergences that the table holds. */
  constructor(table: Database<string, Buffer>, count: number) {
    this.#table = table;
    this.#count = count;
  }

  /** Numbers a new divergence, inside commit. */
  add(report: Omit<StoredDivergence, 'number'>): StoredDivergence {
    this.#count += 1;
    const numbered: StoredDivergence = { number: this.#count, ...report };
    this.put(numbered);
    return numbered;
  }

  /** Writes a divergence that changed, inside commit. */
  put(changed: StoredDivergence): void {
    void this.#table.put(numberKey(changed.number), JSON.stringify(changed));
  }

  get(number: number): StoredDivergence | undefined {
    const text = this.#table.get(numberKey(number));
    return text === undefined ? undefined : (JSON.parse(text) as StoredDivergence);
  }

  /** Oldest first. */
  *all(): IterableIterator<StoredDivergence> {
    for (const { value } of this.#table.getRange()) yield JSON.parse(value) as StoredDivergence;
  }
}
