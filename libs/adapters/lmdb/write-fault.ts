import { statfsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { TallyError } from '../../core/errors/tally-error.ts';

/** Free bytes of a disk below which a store is not written: LMDB then never meets the end of the disk in the middle of a commit. */
const RESERVE_BYTES = 1024 ** 2;

/** Throws STORE_FULL (retriable) where the disk of a store has no room: nothing was written, and the same write may come again. */
export function assertRoom(folder: string, reserveBytes: number = RESERVE_BYTES): void {
  if (!hasRoom(folder, reserveBytes)) throw storeFull(folder);
}

/**
 * What a failed commit of LMDB means. Without room on the disk: STORE_FULL (retriable), for the transaction left nothing behind. With room:
 * STORE_BROKEN, which ends the process, for after a failed write or fsync nobody knows what the disk holds, and the same pages are
 * never synced again as if nothing had been.
 */
export function writeFault(folder: string, cause: unknown): TallyError {
  return hasRoom(folder, RESERVE_BYTES) ? storeBroken(folder, cause) : storeFull(folder, cause);
}

/** STORE_BROKEN: the store can no longer be written or read; the sentence says what to do. */
export function storeBroken(folder: string, cause: unknown): TallyError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message =
    `the store in ${folder} failed (${why}): its disk cannot be trusted, and the process ends. ` +
    'What was acknowledged is safe: look at the disk and start again';
  return new TallyError('STORE_BROKEN', message, { folder }, { cause });
}

/** As writeFault, where the failed write cannot come again: a full disk ends the process too, by its own name. */
export function finalWriteFault(folder: string, cause: unknown): TallyError {
  if (hasRoom(folder, RESERVE_BYTES)) return storeBroken(folder, cause);
  const message = `the disk of ${folder} became full in the middle of a write, and the process ends: make room and start again; what was acknowledged is safe`;
  return new TallyError('STORE_FULL', message, { folder }, { cause });
}

function storeFull(folder: string, cause?: unknown): TallyError {
  const message = `the disk of ${folder} is full: the store there waits; make room and it goes on by itself`;
  return new TallyError('STORE_FULL', message, { folder }, { retriable: true, cause });
}

function hasRoom(folder: string, reserveBytes: number): boolean {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= reserveBytes;
}

/** Beyond this a disk has failed, whatever it says: where commits and syncs overlap, lmdb-js tells nobody of an fsync that failed, and waits. */
const COMMIT_MS_MAX = 60_000;
/** A process that was stopped (SIGSTOP) hears of its timers before it hears of its disk. */
const GRACE_MS = 2_000;

/** The outcome of a commit, or STORE_BROKEN where it does not come within the time. */
export async function answeredInTime<Result>(
  folder: string,
  writing: Promise<Result>,
  limitMs: number = COMMIT_MS_MAX,
): Promise<Result> {
  const answered = new AbortController();
  const late = sleep(limitMs, undefined, { signal: answered.signal })
    .then(() => sleep(GRACE_MS, undefined, { signal: answered.signal }))
    .then(() => {
      throw storeBroken(folder, new Error(`the disk did not answer for ${Math.round((limitMs + GRACE_MS) / 1_000)} s`));
    });
  try {
    return await Promise.race([writing, late]);
  } finally {
    late.catch(() => undefined);
    answered.abort();
  }
}
