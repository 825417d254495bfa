import { hash, randomBytes } from 'node:crypto';
import { hasCode, TallyError } from '../../core/errors/tally-error.ts';
import type { EventLog } from './event-log.ts';
import { readAt } from './read-at.ts';
import { BLOCKS, REGISTER } from './topics.ts';

const PLACE = { topic: REGISTER, partition: 0 } as const;
const POLL = { maxBytes: 256 * 1024, maxRecords: 1_000, waitMs: 1_000 } as const;
const VALUE_HEADER = 'value';
const LOG_ID = 'log';
const ID_BYTES = 16;
/** Looks at the register after an entry was sent, before the log counts as out of reach. */
const LOOKS_MAX = 20;

/**
 * What an event log knows of itself, as records of `register.v1`: the record's key is the name of an entry, its header `value` what is
 * entered, and it has no value. Of several records of one name the first stands, so that processes that start at once agree.
 */
export interface LogRegister {
  /** The random id of this log, 32 hex digits: it stays with the log through every backup and restore. */
  readonly logId: string;
  /** What is entered under a name, or null where nothing is. */
  get(name: string): string | null;
  /** Enters a value where the name has none yet, and gives the one that stands. Throws LOG_UNAVAILABLE (retriable). */
  enter(name: string, value: string): Promise<string>;
}

/**
 * Reads the register of a log and makes it where it is missing, its topic too. A log from before the register, which holds blocks, gets an id
 * that follows from its first one: so an older backup of the same log gets the same id. Throws LOG_UNAVAILABLE (retriable).
 */
export async function openLogRegister(log: EventLog): Promise<LogRegister> {
  await log.ensureTopics([{ topic: REGISTER, partitions: 1 }]);
  const entries = new Map<string, string>();
  const enter = async (name: string, value: string): Promise<string> => {
    if (!entries.has(name)) await append(log, name, value, entries);
    const stands = entries.get(name);
    if (stands === undefined) throw unavailable();
    return stands;
  };
  await readInto(entries, log);
  const newId = async () => (await idOfFirstBlock(log)) ?? randomBytes(ID_BYTES).toString('hex');
  const logId = entries.get(LOG_ID) ?? (await enter(LOG_ID, await newId()));
  return { logId, get: (name) => entries.get(name) ?? null, enter };
}

async function append(log: EventLog, name: string, value: string, entries: Map<string, string>): Promise<void> {
  const records = [{ key: name, value: null, headers: { [VALUE_HEADER]: value } }];
  const [outcome] = await log.append([{ ...PLACE, records }]);
  // Whatever the answer was: what counts is what stands in the log, and who came first.
  for (let looks = 0; looks < LOOKS_MAX && !entries.has(name); looks += 1) {
    await readInto(entries, log);
    if (outcome?.status === 'failed' && !entries.has(name)) throw outcome.error;
  }
}

/** Reads all of the register: it holds some lines. */
async function readInto(entries: Map<string, string>, log: EventLog): Promise<void> {
  const { low, high } = await log.bounds(PLACE);
  if (high <= low) return;
  const reader = log.reader([{ ...PLACE, offset: low }]);
  try {
    for (let next = low, idle = 0; next < high && idle < LOOKS_MAX; idle += 1) {
      for (const { records, nextOffset } of await reader.poll(POLL)) {
        for (const { key, headers } of records) {
          const value = headers[VALUE_HEADER];
          if (key !== null && value !== undefined && !entries.has(key)) entries.set(key, value);
        }
        next = nextOffset;
        idle = 0;
      }
      if (next < high && idle === LOOKS_MAX - 1) throw unavailable();
    }
  } finally {
    await reader.close();
  }
}

/** Null where the log has no block yet, or no topic for them. */
async function idOfFirstBlock(log: EventLog): Promise<string | null> {
  try {
    const place = { topic: BLOCKS, partition: 0 };
    const { low } = await log.bounds(place);
    const first = await readAt({ ...place, offset: low }, log);
    const value = first?.value ?? null;
    return value === null ? null : hash('sha256', value, 'hex').slice(0, 2 * ID_BYTES);
  } catch (error) {
    if (hasCode(error, 'TOPIC_UNKNOWN')) return null;
    throw error;
  }
}

function unavailable(): TallyError {
  const message = `the register of the event log (${REGISTER}) can not be read or written now: look at the brokers or the disk`;
  return new TallyError('LOG_UNAVAILABLE', message, { topic: REGISTER }, { retriable: true });
}
