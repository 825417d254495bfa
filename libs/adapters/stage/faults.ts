import { hasCode, TallyError } from '../../core/errors/tally-error.ts';
import type { RecordBatch, TopicPartition } from '../event-log/event-log.ts';

const FATAL_CODES = ['LOG_BROKEN', 'LOG_CLOSED', 'STORE_BROKEN', 'STORE_CLOSED'] as const;

/** True where a log or store is gone for good, so that the stage ends as a whole. */
export function isFatal(error: unknown): boolean {
  return FATAL_CODES.some((code) => hasCode(error, code));
}

/** True where a store holds what was never written: it is a cache, and is folded again. */
export function isDamaged(error: unknown): boolean {
  return hasCode(error, 'STORE_DAMAGED');
}

/** True where trying again can help. Errors without a code of ours come from a connection, and pass. */
export function isRetriable(error: unknown): boolean {
  return !(error instanceof TallyError) || error.retriable;
}

/** An error of the program is a fault of this partition, unless the program says that trying again can help. */
export async function asProgram<T>(output: TopicPartition, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw programError(output, cause);
  }
}

/** The program's own error where it is typed, PROGRAM_FAILED otherwise. */
export function programError({ topic, partition }: TopicPartition, cause: unknown): unknown {
  if (cause instanceof TallyError) {
    return cause;
  }
  const message = `the program of ${topic}/${partition} failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  return new TallyError('PROGRAM_FAILED', message, { topic, partition }, { cause });
}

/** STORE_STALE: another owner wrote the store. It is folded from where that owner has come to. */
export function staleError({ topic, partition }: TopicPartition): TallyError {
  const facts = { topic, partition };
  return new TallyError('STORE_STALE', `the store of ${topic}/${partition} moved on`, facts, { retriable: true });
}

/** POSITION_OUT_OF_RANGE: the log does not hold a position that it held. */
export function outOfRange(
  { topic, partition }: TopicPartition,
  offset: number,
  low: number,
  high: number,
): TallyError {
  return new TallyError(
    'POSITION_OUT_OF_RANGE',
    `position ${offset} of ${topic}/${partition} is outside the log, which holds ${low} to ${high}`,
    { topic, partition, offset, low, high },
  );
}

/** POSITION_GAP: a reader goes on somewhere else than it was sent to. */
export function gapError(batch: RecordBatch, expected: number): TallyError {
  const { topic, partition, fromOffset } = batch;
  return new TallyError(
    'POSITION_GAP',
    `${topic}/${partition} is read from ${fromOffset} though ${expected} was sought`,
    { topic, partition, from: fromOffset, expected },
  );
}

/** The code of an error in statistics. */
export function codeOf(error: unknown): string {
  return error instanceof TallyError ? error.code : 'UNEXPECTED';
}

/** True for STORE_STALE. */
export function isStale(error: unknown): boolean {
  return hasCode(error, 'STORE_STALE');
}
