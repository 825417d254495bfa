import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { TallyError } from '../../core/errors/tally-error.ts';

export interface DataFolderLock {
  release(): Promise<void>;
}

interface Holder {
  readonly pid: number;
  /** Start of that process in clock ticks and the boot it belongs to, so that a number used again is not taken for its former holder; '' where the system does not tell. */
  readonly started: string;
  readonly token: string;
}

const LOCK_FILE = 'tallystick.lock';
const heldHere = new Set<string>();

/**
 * Takes a folder for this process alone. Throws DATA_FOLDER_IN_USE {folder, pid} where a living process holds it; the lock of a dead
 * process (SIGKILL, power cut) is taken over. Node has no kernel lock without a native package, so this is a file made by link(2),
 * which never shows a half-written holder and never overwrites one.
 */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  const path = join(resolve(folder), LOCK_FILE);
  if (heldHere.has(path)) {
    throw inUse(folder, process.pid);
  }
  heldHere.add(path);
  try {
    await mkdir(folder, { recursive: true });
    const own: Holder = {
      pid: process.pid,
      started: await processStart(process.pid),
      token: randomBytes(8).toString('hex'),
    };
    await acquire(folder, path, own);
    return { release: () => release(path, own) };
  } catch (error) {
    heldHere.delete(path);
    throw error;
  }
}

async function acquire(folder: string, path: string, own: Holder): Promise<void> {
  const mine = `${path}.${own.token}`;
  await writeFile(mine, JSON.stringify(own), { flag: 'wx' });
  try {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (await linkNew(mine, path)) {
        return;
      }
      const held = await readHolder(path);
      if (held !== null && (await isAlive(held))) {
        throw inUse(folder, held.pid);
      }
      await removeStale(path, held, own.token);
    }
    throw inUse(folder, (await readHolder(path))?.pid ?? 0);
  } finally {
    await unlink(mine).catch(ignoreMissing);
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) {
      return false;
    }
    throw error;
  }
}

/** Moves the stale lock aside and looks at what was moved: where another process was quicker, its living lock is put back. */
async function removeStale(path: string, stale: Holder | null, token: string): Promise<void> {
  const aside = `${path}.stale.${token}`;
  try {
    await rename(path, aside);
  } catch (error) {
    ignoreMissing(error);
    return;
  }
  const moved = await readHolder(aside);
  if (moved !== null && moved.token !== stale?.token) {
    await linkNew(aside, path);
  }
  await unlink(aside).catch(ignoreMissing);
}

async function release(path: string, own: Holder): Promise<void> {
  const held = await readHolder(path);
  if (held?.token === own.token) {
    await unlink(path).catch(ignoreMissing);
  }
  heldHere.delete(path);
}

async function readHolder(path: string): Promise<Holder | null> {
  try {
    const parsed: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isHolder(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    Number.isSafeInteger(value.pid) &&
    'started' in value &&
    typeof value.started === 'string' &&
    'token' in value &&
    typeof value.token === 'string'
  );
}

async function isAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return isSystemError(error, 'EPERM');
  }
  const started = await processStart(holder.pid);
  return started === '' || holder.started === '' || started === holder.started;
}

async function processStart(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'latin1'),
      readFile('/proc/sys/kernel/random/boot_id', 'latin1'),
    ]);
    // Field 22, counted behind the command's name, which stands in parentheses and may hold blanks.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${boot.trim()}:${fields[19] ?? ''}`;
  } catch {
    return '';
  }
}

function inUse(folder: string, pid: number): TallyError {
  return new TallyError(
    'DATA_FOLDER_IN_USE',
    `the data folder ${folder} is in use by process ${pid}: stop that process or choose another folder`,
    { folder, pid },
  );
}

function ignoreMissing(error: unknown): void {
  if (!isSystemError(error, 'ENOENT')) {
    throw error;
  }
}

function isSystemError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
