import type { LogRecord } from '../event-log.ts';
import { ListCursor, type RecordCursor } from '../record-batch/plain-records.ts';
import type { FetchedMessage, FetchedPartition } from './fetch.ts';

/** What an object of a record takes beside its value, about. */
const RECORD_OVERHEAD_BYTES = 64;

/** The end for a reader of committed records. */
export function highOf({ highWatermark, lastStableOffset }: FetchedPartition): number {
  const stable = Number(lastStableOffset ?? -1);
  return stable >= 0 ? stable : Number(highWatermark);
}

/** The records of a fetch, and about what they take while they wait. */
export function recordsOf(fetched: FetchedPartition): { readonly records: RecordCursor; readonly bytes: number } {
  if (fetched.records !== undefined) {
    const { count, valueBytes } = fetched.records;
    return { records: fetched.records.cursor(), bytes: valueBytes + count * RECORD_OVERHEAD_BYTES };
  }
  const records = readByKafkajs(fetched);
  const valueBytes = records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
  return { records: new ListCursor(records), bytes: valueBytes + records.length * RECORD_OVERHEAD_BYTES };
}

function readByKafkajs({ messages, abortedTransactions }: FetchedPartition): readonly LogRecord[] {
  return withoutAborted(messages, abortedTransactions ?? []).map(recordOf);
}

function recordOf(message: FetchedMessage): LogRecord {
  const { offset, timestamp, key, value } = message;
  return {
    offset: Number(offset),
    timestampMs: Number(timestamp),
    key: key === null || key === undefined ? null : key.toString(),
    value: value ?? null,
    headers: headersOf(message),
  };
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

function headersOf({ headers }: FetchedMessage): Readonly<Record<string, string>> {
  let texts: Record<string, string> | null = null;
  for (const name in headers) {
    const given = headers[name];
    // Twice the same name: the last one counts.
    const value = Array.isArray(given) ? given.at(-1) : given;
    texts ??= {};
    texts[name] = value === undefined || value === null ? '' : value.toString();
  }
  return texts ?? NO_HEADERS;
}

/** Less control records and the records of transactions that were given up (a client's own producer on its ingress topic may have them). */
function withoutAborted(
  messages: readonly FetchedMessage[],
  aborted: readonly { readonly producerId: string; readonly firstOffset: string }[],
): readonly FetchedMessage[] {
  if (aborted.length === 0) {
    return messages.some(({ isControlRecord }) => isControlRecord === true)
      ? messages.filter(({ isControlRecord }) => isControlRecord !== true)
      : messages;
  }
  const waiting = [...aborted].sort((a, b) => Number(a.firstOffset) - Number(b.firstOffset));
  const open = new Set<string>();
  return messages.filter((message) => {
    for (
      let next = waiting[0];
      next !== undefined && Number(next.firstOffset) <= Number(message.offset);
      next = waiting[0]
    ) {
      open.add(next.producerId);
      waiting.shift();
    }
    const { producerId = '', inTransaction = false } = message.batchContext ?? {};
    if (message.isControlRecord === true) {
      open.delete(producerId);
      return false;
    }
    return !(inTransaction && open.has(producerId));
  });
}
