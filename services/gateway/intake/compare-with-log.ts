import { hash as digest } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog } from '../../../libs/adapters/event-log/event-log.ts';
import { readAt } from '../../../libs/adapters/event-log/read-at.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { LogEnd } from '../store/reservation.ts';
import type { ReservationStore } from '../store/reservation-store.ts';

/** How the store and the log stand to one another: `unknown` where the store does not say of which log it is, or was not completed. */
export type StandingToLog = 'unknown' | 'ahead' | 'atOrBehind';

/** An end that is behind may merely be late: a broker that has just begun to lead shows its newest records a moment later. */
const LOOKS_MAX = 10;
const LOOK_MS = 200;

/**
 * Compares the gateway's store with the log before its door opens, by the log's id and by the newest record of each partition that the store
 * knows. `ahead`: the log was restored from an older backup, or lost its tail. Throws LOG_NOT_OF_THIS_STORE where it is another log, or one
 * that went on otherwise since the store was copied.
 */
export async function compareWithLog(dependencies: {
  readonly log: EventLog;
  readonly store: ReservationStore;
  readonly logId: string;
}): Promise<StandingToLog> {
  const { log, store, logId } = dependencies;
  if (store.logId !== null && store.logId !== logId) {
    const facts = { stored: store.logId, found: logId };
    const what = `the gateway's store is of the event log ${store.logId}, and this is the log ${logId}`;
    throw new TallyError('LOG_NOT_OF_THIS_STORE', `${what}: ${WAY_ON}`, facts);
  }
  if (!store.isComplete || store.logId === null) return 'unknown';
  const reaches = await Promise.all(store.ends().map((end) => isReached(end, log)));
  return reaches.every((reached) => reached) ? 'atOrBehind' : 'ahead';
}

const WAY_ON =
  'correct DATA_DIR or KAFKA_BROKERS, or restore log and gateway/ from backups of one history (docs/operations.md, Restore)';

async function isReached(end: LogEnd, log: EventLog): Promise<boolean> {
  const { topic, partition, offset } = end;
  for (let looks = 1; (await log.bounds(end)).high < offset; looks += 1) {
    if (looks === LOOKS_MAX) return false;
    await sleep(LOOK_MS);
  }
  const record = await readAt({ topic, partition, offset: offset - 1 }, log);
  if (record !== null && hashOfValue(record.value) === end.hash) return true;
  const what = `${topic}/${partition} holds another record at offset ${offset - 1} than the one that the gateway appended there`;
  throw new TallyError('LOG_NOT_OF_THIS_STORE', `${what}: ${WAY_ON}`, { topic, partition, offset: offset - 1 });
}

export function hashOfValue(value: Buffer | null): string {
  return digest('sha256', value ?? Buffer.alloc(0), 'hex');
}
