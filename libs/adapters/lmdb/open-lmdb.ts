import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb';
import { TallyError } from '../../core/errors/tally-error.ts';
import type { DataStore } from './data-stores.ts';
import { faultOfLmdbFile } from './file.ts';

/** The one file of an LMDB folder that holds anything; `lock.mdb` beside it does not outlive a process. */
export const LMDB_FILE = 'data.mdb';
const LMDB_LOCK_FILE = 'lock.mdb';

/** Told once of a cache that was damaged and is folded again from the log. */
export type OnDiscarded = (error: TallyError) => void;

/**
 * Opens the LMDB environment of a folder that this process holds (data-folder-lock.ts): makes the folder, gives it to its owner alone (700, its
 * files 600), and reads the file before it is mapped, for LMDB follows whatever stands in it. A damaged cache is removed, said to
 * `onDiscarded`, and begun anew, so that its stage folds it again from the log. Anything else that is damaged is refused.
 * Throws STORE_DAMAGED {file, fault}, with what is lost and what to do.
 */
export function openLmdb(
  store: DataStore,
  options: RootDatabaseOptions & { readonly path: string },
  onDiscarded?: OnDiscarded,
): RootDatabase {
  const folder = options.path;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  keepPrivate(folder);
  const damage = damageOf(store, folder);
  if (damage !== null) {
    if (!store.isCache) throw damage;
    for (const file of [LMDB_FILE, LMDB_LOCK_FILE]) rmSync(join(folder, file), { force: true });
    onDiscarded?.(damage);
  }
  const env = open({ ...options, noSubdir: false });
  keepPrivate(folder);
  return env;
}

/** What is wrong with a store that no process has open, as the error that says what to do; null where it is sound or not there. */
export function damageOf(store: DataStore, folder: string): TallyError | null {
  const file = join(folder, LMDB_FILE);
  if (!existsSync(file)) return null;
  const fault = faultOfLmdbFile(file, store.look);
  if (fault === null) return null;
  const message = `${store.what} in ${file} is damaged (${fault}): ${store.lost}; ${store.remedy}`;
  return new TallyError('STORE_DAMAGED', message, { file, fault });
}

/** Removes tables that an earlier version kept, where they are there. */
export function dropTables(env: RootDatabase, names: readonly string[]): void {
  const found = new Set([...env.getKeys()].map(String));
  for (const name of names) if (found.has(name)) env.openDB(name, {}).dropSync();
}

/** A folder and the files in it for their owner alone; others of an earlier version were readable to all. */
export function keepPrivate(folder: string): void {
  restrict(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile()) restrict(join(folder, entry.name), 0o600);
  }
}

function restrict(path: string, mode: number): void {
  if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, mode);
}
