import type { Database } from 'lmdb';

interface Committing {
  readonly committed: Database['committed'];
}

/**
 * Resolves when the writes that `write` queues are committed; rejects with LMDB's own error if they are not. lmdb-js makes one
 * transaction of all writes of one turn of the event loop, so `write` awaits nothing, and should not throw half-way.
 *
 * When a commit fails (a full disk), lmdb-js also rejects promises that it hands to nobody: they are attended to here, for an unhandled
 * rejection would end the process that is to go on reading.
 */
export async function commitTogether(database: Committing, write: () => readonly Promise<unknown>[]): Promise<void> {
  // Most writes of a turn share one promise.
  const written = new Set(write());
  attendTo(database);
  const outcomes = await Promise.allSettled(written);
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') {
      throw await commitError(outcome.reason);
    }
  }
}

/** Attends to the promise of the transaction that is gathered now, which lmdb-js rejects where nobody can catch it. */
export function attendTo(database: Committing): void {
  // After lmdb-js's own immediate, which ends the turn's batch and makes the promise in question.
  setImmediate(() => database.committed.then(ignore, ignore));
}

/** lmdb-js rejects each write with a general error; the one of the commit hangs on it as a promise that rejects. */
export async function commitError(error: unknown): Promise<unknown> {
  if (error instanceof Error && 'commitError' in error && error.commitError instanceof Promise) {
    return await error.commitError.then(
      () => error,
      (cause: unknown) => cause,
    );
  }
  return error;
}

function ignore(): void {
  // Whoever asked for the writes is told by `written`.
}
