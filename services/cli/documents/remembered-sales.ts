import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Database, RootDatabase } from 'lmdb';
import { IMPORT_MEMORY } from '../../../libs/adapters/lmdb/data-stores.ts';
import { openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import type { CustomersLines, EarlierSales, SoldLine } from './match-credit-notes.ts';

type StoredLine = readonly [
  eventId: string,
  lineId: string,
  category: string,
  remainingQuantity: number,
  remainingPence: number,
  pricedPence: number,
  soldAt: string,
  givenBy: readonly string[],
];

/**
 * The lines sold in earlier files, in the data folder of the one who imports: events name no customer. Customers and items are there as
 * hashes alone.
 */
export class RememberedSales implements EarlierSales {
  readonly #root: RootDatabase;
  readonly #lines: Database<readonly StoredLine[], string>;
  readonly #till: string;

  /** Throws STORE_DAMAGED. */
  constructor(dataDir: string, vrn: string, tillId: string) {
    this.#root = openLmdb(IMPORT_MEMORY, { path: join(dataDir, IMPORT_MEMORY.path), maxDbs: 2 });
    this.#lines = this.#root.openDB({ name: 'soldLines', encoding: 'json' });
    this.#till = `${vrn}|${tillId}`;
  }

  /** Whether there is anything to remember by in a data folder. */
  static existIn(dataDir: string): boolean {
    return existsSync(join(dataDir, IMPORT_MEMORY.path));
  }

  linesOf(customer: string, code: string): SoldLine[] {
    return (this.#lines.get(this.#keyOf(customer, code)) ?? []).map(
      ([eventId, lineId, category, remainingQuantity, remainingPence, pricedPence, soldAt, givenBy]) => ({
        eventId,
        lineId,
        category,
        remainingQuantity,
        remainingPence,
        pricedPence,
        soldAt,
        givenBy,
      }),
    );
  }

  /** Resolves once they are on the disk. */
  async keep(changed: readonly CustomersLines[]): Promise<void> {
    await this.#root.batch(() => {
      for (const { customer, code, lines } of changed) {
        void this.#lines.put(this.#keyOf(customer, code), lines.map(storedLine));
      }
    });
    await this.#root.flushed;
  }

  async close(): Promise<void> {
    await this.#root.close();
  }

  #keyOf(customer: string, code: string): string {
    return createHash('sha256')
      .update(JSON.stringify([this.#till, customer, code]))
      .digest('base64url');
  }
}

function storedLine(line: SoldLine): StoredLine {
  const { eventId, lineId, category, remainingQuantity, remainingPence, pricedPence, soldAt, givenBy } = line;
  return [eventId, lineId, category, remainingQuantity, remainingPence, pricedPence, soldAt, givenBy];
}
