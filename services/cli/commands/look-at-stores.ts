import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { holderOf } from '../../../libs/adapters/lmdb/data-folder-lock.ts';
import { DATA_STORES, type DataStore } from '../../../libs/adapters/lmdb/data-stores.ts';
import { damageOf, LMDB_FILE } from '../../../libs/adapters/lmdb/open-lmdb.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';

/** What was found of one store. */
export interface StoreFinding {
  readonly store: string;
  readonly ok: boolean;
  readonly detail: string;
}

/**
 * Looks at every store of a data folder that is there: reads its file whole where no process has it, says who has it otherwise. Nothing is
 * changed, and a damaged file harms nobody (libs/adapters/lmdb/tree.ts).
 */
export async function lookAtStores(dataDir: string): Promise<readonly StoreFinding[]> {
  const present = DATA_STORES.filter(({ path }) => existsSync(join(dataDir, path, LMDB_FILE)));
  const findings: StoreFinding[] = [];
  for (const store of present) findings.push({ store: store.path, ...(await lookAt(dataDir, store)) });
  return findings;
}

async function lookAt(dataDir: string, store: DataStore): Promise<Omit<StoreFinding, 'store'>> {
  const folder = join(dataDir, store.path);
  try {
    const holder = await holderOf(join(dataDir, store.lockedAt ?? store.path));
    if (holder !== null) {
      return {
        ok: true,
        detail: `process ${holder.pid} of ${holder.host} has it: stop that to have its file looked at`,
      };
    }
    const damage = damageOf(store, folder);
    if (damage !== null) return { ok: false, detail: damage.message };
    const bytes = statSync(join(folder, LMDB_FILE)).size;
    return { ok: true, detail: `${store.what} is sound (${Math.ceil(bytes / 1024 ** 2)} MiB read)` };
  } catch (error) {
    if (error instanceof TallyError) return { ok: false, detail: error.message };
    return { ok: false, detail: `${join(folder, LMDB_FILE)} cannot be read (${(error as Error).message})` };
  }
}
