import { mkdir } from 'node:fs/promises';
import { type Database, open, type RootDatabase } from 'lmdb';
import { lockDataFolder } from '../../libs/adapters/event-log/data-folder-lock.ts';
import type { LinkedPosition } from '../../libs/adapters/event-log/linked-output.ts';
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
  /** Makes every change and these books durable together. */
  commit(books: StoredBooks): void;
  close(): Promise<void>;
}

export interface ReconciliationStoreOptions {
  readonly folder: string;
  /** Forget what is stored: everything is read again from the log. */
  readonly rebuild?: boolean;
}

/** Changes with the meaning of a row: a store of another version is forgotten and read again from the log. */
const STORE_VERSION = 1;
const MAP_SIZE_BYTES = 64 * 1024 ** 3;

/**
 * The reconciliation's own store, on LMDB. It is a cache of the log: positions, figures and rows are of one transaction, a crash falls back
 * to the last one, and what came after is read again. A row that comes and goes between two commits never touches the disk.
 * Throws DATA_FOLDER_IN_USE.
 */
export async function openReconciliationStore(options: ReconciliationStoreOptions): Promise<ReconciliationStore> {
  await mkdir(options.folder, { recursive: true });
  const lock = await lockDataFolder(options.folder);
  const env = open({
    path: options.folder,
    noSubdir: false,
    mapSize: MAP_SIZE_BYTES,
    overlappingSync: true,
    maxDbs: TABLE_NAMES.length + 2,
  });
  const meta: Database<unknown, string> = env.openDB('meta', { encoding: 'json' });
  const rows = TABLE_NAMES.map((name) => [name, new LayeredTable(env, name)] as const);
  if (options.rebuild === true || meta.get('version') !== STORE_VERSION) forget(env, meta, rows);
  return {
    tables: Object.fromEntries(rows) as unknown as Tables,
    stored: (meta.get('books') as StoredBooks | undefined) ?? null,
    get changes() {
      return rows.reduce((sum, [, table]) => sum + table.changes, 0);
    },
    commit(books) {
      env.transactionSync(() => {
        for (const [, table] of rows) table.write();
        meta.putSync('books', books);
      });
      for (const [, table] of rows) table.settle();
    },
    async close() {
      await env.close();
      await lock.release();
    },
  };
}

function forget(
  env: RootDatabase,
  meta: Database<unknown, string>,
  rows: readonly (readonly [string, LayeredTable])[],
): void {
  env.transactionSync(() => {
    for (const [, table] of rows) table.clear();
    meta.clearSync();
    meta.putSync('version', STORE_VERSION);
  });
}

const GONE = Symbol('gone');

/** What was changed since the last commit, over what is on the disk. */
class LayeredTable implements Table<unknown> {
  readonly #stored: Database<unknown, string>;
  readonly #changed = new Map<string, unknown>();
  /** Inserted since the last commit: such a row is not on the disk, and needs no removal there. */
  readonly #fresh = new Set<string>();

  constructor(env: RootDatabase, name: string) {
    this.#stored = env.openDB(name, { encoding: 'msgpack' });
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

  *scan(from: string, until: string): Iterable<readonly [string, unknown]> {
    for (const { key, value } of this.#stored.getRange({ start: from, end: until })) yield [key, value];
  }

  write(): void {
    for (const [key, value] of this.#changed) {
      if (value === GONE) this.#stored.removeSync(key);
      else this.#stored.putSync(key, value);
    }
  }

  settle(): void {
    this.#changed.clear();
    this.#fresh.clear();
  }

  clear(): void {
    this.#stored.clearSync();
  }
}
