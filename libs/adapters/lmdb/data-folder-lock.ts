import { createHash, randomBytes } from 'node:crypto';
import { link, mkdir, readdir, readFile, rename, statfs, unlink, writeFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import { hasCode, TallyError } from '../../core/errors/tally-error.ts';
import { isListening, listenIn } from './socket-in-folder.ts';

export interface DataFolderLock {
  release(): Promise<void>;
}

interface Holder {
  /** The number that the process has for itself: inside a container another one than outside. */
  readonly pid: number;
  /** When that process started, in clock ticks, and the boot that it belongs to, so that a number that is used again is not taken for its former holder; '' where the system does not tell. */
  readonly started: string;
  readonly token: string;
  /** The name of the machine or container; absent in the lock of an earlier version. */
  readonly host?: string;
  /** True where the holder listens on the socket of its token for as long as it lives; absent in the lock of an earlier version. */
  readonly listens?: boolean;
}

const LOCK_FILE = 'tallystick.lock';
/** Far more than processes that can die one after the other between two starts. */
const WALK_STEPS_MAX = 1_000;
const ATTEMPTS_MAX = 20;
const heldHere = new Set<string>();

/**
 * Takes a folder for this process alone. A living holder is one that listens on a Unix socket in the folder: the kernel answers for it, whatever
 * PID or network namespace it runs in and also while it is stopped (SIGSTOP), and stops answering at the moment of its death. Who holds the
 * folder stands in a file that link(2) makes whole or not at all. The lock of a dead process is succeeded at once: its successor's record
 * is linked under the dead one's token, which one process alone can do, and then moved to the first place.
 *
 * Throws DATA_FOLDER_IN_USE {folder, pid, host} where a living process holds the folder, DATA_FOLDER_HELD_ELSEWHERE where a network volume
 * was locked by another machine that cannot be asked, and DATA_FOLDER_UNLOCKABLE where the folder's filesystem has no sockets.
 */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  const path = join(resolve(folder), LOCK_FILE);
  if (heldHere.has(path)) {
    throw inUse(folder, process.pid, hostname());
  }
  heldHere.add(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const own = await ownRecord();
    const server = await listenIn(resolve(folder), socketName(own.token));
    try {
      await acquire(folder, path, own);
    } catch (error) {
      await stopListening(server, path, own);
      throw error;
    }
    return { release: () => release(path, own, server) };
  } catch (error) {
    heldHere.delete(path);
    throw error;
  }
}

/** The process that holds a folder now, or null where none does. The folder is left as it is. */
export async function holderOf(folder: string): Promise<{ readonly pid: number; readonly host: string } | null> {
  try {
    await freePlace(folder, join(resolve(folder), LOCK_FILE));
    return null;
  } catch (error) {
    if (!hasCode(error, 'DATA_FOLDER_IN_USE')) throw error;
    return { pid: Number(error.facts['pid']), host: String(error.facts['host']) };
  }
}

async function ownRecord(): Promise<Holder> {
  return {
    pid: process.pid,
    started: await processStart(process.pid),
    token: randomBytes(8).toString('hex'),
    host: hostname(),
    listens: true,
  };
}

/** Whoever shows up later finds a record that is reachable from the first place: only then the folder is held. */
async function acquire(folder: string, path: string, own: Holder): Promise<void> {
  const mine = `${path}.new.${own.token}`;
  await writeFile(mine, JSON.stringify(own), { flag: 'wx', mode: 0o600 });
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const { place, dead } = await freePlace(folder, path);
      if (!(await linkNew(mine, place))) continue;
      if (place === path) return;
      if ((await lastToken(path)) === own.token) {
        // The successor's record replaces the dead ones: nobody else may do that while this process lives.
        await rename(place, path);
        await removeDead(path, dead);
        return;
      }
      await unlink(place).catch(ignoreMissing);
    }
    const holder = await readHolder(path);
    throw inUse(folder, holder?.pid ?? 0, holder?.host ?? '');
  } finally {
    await unlink(mine).catch(ignoreMissing);
  }
}

/** The place of the next record: behind the last of the dead ones. Throws DATA_FOLDER_IN_USE where a record on the way is of a living holder. */
async function freePlace(
  folder: string,
  path: string,
): Promise<{ readonly place: string; readonly dead: readonly string[] }> {
  const dead: string[] = [];
  for (let place = path; ; place = successorPlace(path, dead.at(-1) ?? '')) {
    const holder = await readHolder(place);
    if (holder === null) return { place, dead };
    if (await isAlive(folder, holder)) throw inUse(folder, holder.pid, holder.host ?? '');
    dead.push(holder.token);
    if (dead.length > WALK_STEPS_MAX) throw inUse(folder, holder.pid, holder.host ?? '');
  }
}

/** The token of the last record that is reachable from the first place; '' where there is none. */
async function lastToken(path: string): Promise<string> {
  let token = '';
  let place = path;
  for (let step = 0; step <= WALK_STEPS_MAX; step += 1) {
    const holder = await readHolder(place);
    if (holder === null) return token;
    token = holder.token;
    place = successorPlace(path, token);
  }
  return '';
}

function successorPlace(path: string, deadToken: string): string {
  return `${path}.after.${deadToken}`;
}

function socketName(token: string): string {
  return `${LOCK_FILE}.${token}.sock`;
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

/** What the dead left behind; also records of successors that died before they reached the first place. */
async function removeDead(path: string, dead: readonly string[]): Promise<void> {
  for (const token of dead) {
    await unlink(join(path, '..', socketName(token))).catch(ignoreMissing);
    await unlink(`${path}.new.${token}`).catch(ignoreMissing);
  }
  const prefix = `${LOCK_FILE}.after.`;
  for (const name of await readdir(join(path, '..'))) {
    if (name.startsWith(prefix)) await unlink(join(path, '..', name)).catch(ignoreMissing);
  }
}

async function release(path: string, own: Holder, server: Server): Promise<void> {
  const held = await readHolder(path);
  if (held?.token === own.token) {
    await unlink(path).catch(ignoreMissing);
  }
  // Only now: whoever finds the socket dead must find the record gone.
  await stopListening(server, path, own);
  heldHere.delete(path);
}

async function stopListening(server: Server, path: string, own: Holder): Promise<void> {
  await new Promise<void>((done) => server.close(() => done()));
  await unlink(join(path, '..', socketName(own.token))).catch(ignoreMissing);
}

/** Null where there is no record. An unreadable one stands for a dead holder, under a token made of its bytes. */
async function readHolder(path: string): Promise<Holder | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (isHolder(parsed)) return parsed;
  } catch {
    // Fall through: the same as a record that is JSON and no holder.
  }
  return { pid: 0, started: '', token: createHash('sha256').update(text).digest('hex').slice(0, 16) };
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
    typeof value.token === 'string' &&
    /^[0-9a-f]{1,64}$/.test(value.token)
  );
}

async function isAlive(folder: string, holder: Holder): Promise<boolean> {
  if (holder.pid === 0) return false;
  if (holder.listens !== true) return isProcessAlive(holder);
  const answer = await isListening(resolve(folder), socketName(holder.token));
  if (answer === 'listens') return true;
  if (await mayBeElsewhere(folder, holder)) throw heldElsewhere(folder, holder);
  // A socket file that somebody removed by hand says nothing about its process.
  return answer === 'gone' && holder.host === hostname() && (await isSameProcess(holder));
}

/** As an earlier version saw it: by the number of the process. */
async function isProcessAlive(holder: Holder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return isSystemError(error, 'EPERM');
  }
  const started = await processStart(holder.pid);
  return started === '' || holder.started === '' || started === holder.started;
}

async function isSameProcess(holder: Holder): Promise<boolean> {
  return holder.started !== '' && (await processStart(holder.pid)) === holder.started;
}

/** Types of filesystem, as statfs tells them, that one machine alone mounts: a socket there is never another machine's. */
const LOCAL_FILESYSTEMS: ReadonlySet<number> = new Set([
  0xef53 /* ext2 to ext4 */, 0x58465342 /* XFS */, 0x9123683e /* Btrfs */, 0x01021994 /* tmpfs */,
  0x858458f6 /* ramfs */, 0x794c7630 /* overlay */, 0x2fc12fc1 /* ZFS */, 0xf2f52010 /* F2FS */, 0x1a /* APFS */,
  0x11 /* HFS+ */, 0xca451a4e /* bcachefs */,
]);

/** The socket of a process on another machine does not answer here, alive or not: on a network volume only the same boot can tell. */
async function mayBeElsewhere(folder: string, holder: Holder): Promise<boolean> {
  if (LOCAL_FILESYSTEMS.has((await statfs(folder)).type >>> 0)) return false;
  const [boot = ''] = (await processStart(process.pid)).split(':');
  return boot === '' || !holder.started.startsWith(`${boot}:`);
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

function inUse(folder: string, pid: number, host: string): TallyError {
  const where = host === '' ? '' : ` on ${host}`;
  return new TallyError(
    'DATA_FOLDER_IN_USE',
    `the data folder ${folder} is in use by process ${pid}${where} (as that process numbers itself): stop it or choose another folder`,
    { folder, pid, host },
  );
}

function heldElsewhere(folder: string, { pid, host = '' }: Holder): TallyError {
  return new TallyError(
    'DATA_FOLDER_HELD_ELSEWHERE',
    `the data folder ${folder} is on a network volume and was locked by process ${pid} of ${host}, which cannot be asked from here: ` +
      `make sure that it has ended, then remove ${join(folder, LOCK_FILE)} and start again`,
    { folder, pid, host },
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
