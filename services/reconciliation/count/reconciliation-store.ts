import type { Database, RootDatabase } from 'lmdb';
import { lockDataFolder } from '../../../libs/adapters/lmdb/data-folder-lock.ts';
import { RECONCILIATION } from '../../../libs/adapters/lmdb/data-stores.ts';
import { dropTables, type OnDiscarded, openLmdb } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { openSealedText, sealText } from '../../../libs/adapters/lmdb/sealed-text.ts';
import { assertRoom, writeFault } from '../../../libs/adapters/lmdb/write-fault.ts';
import type { LinkedPosition } from '../../../libs/adapters/stage/linked-output.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { StoredFigures } from './figures.ts';
import { TABLE_NAMES, type Table, type Tables } from './tables.ts';

/** Where reading stands: plain offsets of what is not linked, and tips of what is. */
export interface Positions {
  readonly records: Readonly<Record<string, number>>;
  readonly linked: Readonly<Record<string, LinkedPosition>>;
}

/** What is stored in one transaction with the changed rows: so counted once, whatever crashes when. */
export interface StoredBooks {
  readonly figures: StoredFigures;
  readonly positions: Positions;
}

export interface ReconciliationStore {
  readonly tables: Tables;
  /** What the last commit stored; null for an empty store. */
  readonly stored: StoredBooks | null;
  /** Rows changed since the last commit. */
  readonly changes: number;
  /** Makes every change and these books durable together. Throws STORE_FULL (retriable: the changes are kept for the next commit), STORE_BROKEN. */
  commit(books: StoredBooks): void;
  close(): Promise<void>;
}

export interface ReconciliationStoreOptions {
  readonly folder: string;
  /** Forget what is stored: everything is read again from the log. */
  readonly rebuild?: boolean;
  /** Told where the store was damaged and begins anew. */
  readonly onDiscarded?: OnDiscarded;
}

/** Changes with the meaning of a row: a store of another version is forgotten and read again from the log. */
const STORE_VERSION = 2;
const MAP_SIZE_BYTES = 64 * 1024 ** 3;

/**
 * The reconciliation's own store, on LMDB. It is a cache of the log: positions, figures and rows are of one transaction, a crash falls back
 * to the last one, and what came after is read again. A row that comes and goes between two commits never touches the disk.
 * A damaged file is removed, and what is not what was written is thrown as STORE_DAMAGED: all is read again. Throws DATA_FOLDER_IN_USE.
 */
export async function openReconciliationStore(options: ReconciliationStoreOptions): Promise<ReconciliationStore> {
  const lock = await lockDataFolder(options.folder);
  try {
    return openTables(options, () => lock.release());
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function openTables(options: ReconciliationStoreOptions, release: () => Promise<void>): ReconciliationStore {
  const settings = {
    path: options.folder,
    mapSize: MAP_SIZE_BYTES,
    overlappingSync: true,
    maxDbs: 2 * (TABLE_NAMES.length + 1),
  };
  const env = openLmdb(RECONCILIATION, settings, options.onDiscarded);
  // Of version 1: without checksums.
  dropTables(env, ['meta', ...TABLE_NAMES]);
  const meta = new SealedTable(env, 'meta');
  const rows = TABLE_NAMES.map((name) => [name, new LayeredTable(env, name)] as const);
  if (options.rebuild === true || meta.get('version') !== STORE_VERSION) forget(env, meta, rows);
  return {
    tables: Object.fromEntries(rows) as unknown as Tables,
    stored: (meta.get('books') as StoredBooks | undefined) ?? null,
    get changes() {
      return rows.reduce((sum, [, table]) => sum + table.changes, 0);
    },
    commit(books) {
      assertRoom(options.folder);
      try {
        env.transactionSync(() => {
          for (const [, table] of rows) table.write();
          meta.put('books', books);
        });
      } catch (cause) {
        throw writeFault(options.folder, cause);
      }
      for (const [, table] of rows) table.settle();
    },
    async close() {
      await env.close();
      await release();
    },
  };
}

function forget(env: RootDatabase, meta: SealedTable, rows: readonly (readonly [string, LayeredTable])[]): void {
  env.transactionSync(() => {
    for (const [, table] of rows) table.clear();
    meta.clear();
    meta.put('version', STORE_VERSION);
  });
}

/** Rows as JSON, each behind a checksum of key and text. Throws STORE_DAMAGED for a row that is not what was written. */
class SealedTable {
  readonly #name: string;
  readonly #rows: Database<string, string>;

  constructor(env: RootDatabase, name: string) {
    this.#name = name;
    this.#rows = env.openDB(`sealed-${name}`, { encoding: 'string' });
  }

  get(key: string): unknown {
    const sealed = this.#rows.get(key);
    return sealed === undefined ? undefined : this.#read(key, sealed);
  }

  *scan(from: string, until: string): Iterable<readonly [string, unknown]> {
    for (const { key, value } of this.#rows.getRange({ start: from, end: until })) yield [key, this.#read(key, value)];
  }

  put(key: string, value: unknown): void {
    this.#rows.putSync(key, sealText(key, JSON.stringify(value)));
  }

  remove(key: string): void {
    this.#rows.removeSync(key);
  }

  clear(): void {
    this.#rows.clearSync();
  }

  #read(key: string, sealed: string): unknown {
    const text = openSealedText(key, sealed);
    if (text !== null) return JSON.parse(text);
    const message = `a row of the reconciliation's store (table ${this.#name}) is not what was written`;
    throw new TallyError('STORE_DAMAGED', message, { table: this.#name });
  }
}

const GONE = Symbol('gone');

/** What was changed since the last commit, over what is on the disk. */
class LayeredTable implements Table<unknown> {
  readonly #stored: SealedTable;
  readonly #changed = new Map<string, unknown>();
  /** Inserted since the last commit: such a row is not on the disk, and needs no removal there. */
  readonly #fresh = new Set<string>();

  constructor(env: RootDatabase, name: string) {
    this.#stored = new SealedTable(env, name);
  }

  get changes(): number {
    return this.#changed.size;
  }

  get(key: string): unknown {
    const changed = this.#changed.get(key);
    if (changed === undefined) return this.#stored.get(key);
    return changed === GONE ? undefined : changed;
  }

  put(key: string, value: unknown): void {
    this.#changed.set(key, value);
  }

  insert(key: string, value: unknown): void {
    this.#changed.set(key, value);
    this.#fresh.add(key);
  }

  remove(key: string): void {
    if (this.#fresh.delete(key)) this.#changed.delete(key);
    else this.#changed.set(key, GONE);
  }

  scan(from: string, until: string): Iterable<readonly [string, unknown]> {
    return this.#stored.scan(from, until);
  }

  write(): void {
    for (const [key, value] of this.#changed) {
      if (value === GONE) this.#stored.remove(key);
      else this.#stored.put(key, value);
    }
  }

  settle(): void {
    this.#changed.clear();
    this.#fresh.clear();
  }

  clear(): void {
    this.#stored.clear();
  }
}
