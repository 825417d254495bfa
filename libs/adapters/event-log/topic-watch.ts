import { hasCode, TallyError } from '../../core/errors/tally-error.ts';
import type { TopicToMake } from './event-log.ts';
import { type LogRegister, openLogRegister } from './log-register.ts';
import { partitionOf } from './partition-of.ts';
import { compressionDiffers, type InspectableLog, type TopicState } from './topic-state.ts';
import { PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from './topics.ts';

const KEYED_EVENT_TOPICS = [PAYE_EVENTS, VAT_EVENTS, PAYMENTS] as const;
/** Records whose keys are looked at in each partition of a log that does not say how many partitions it was begun with. */
const KEYS_LOOKED_AT_MAX = 1_000;
const POLL = { maxBytes: 4 * 1024 ** 2, maxRecords: KEYS_LOOKED_AT_MAX, waitMs: 1_000 } as const;
const POLLS_MAX = 200;

/**
 * Watches that the topics of record are those that the log was begun with: their partitions (an account's events lie by its key's hash over
 * their number), their identity, their first records, their retention. Partitions and ids are entered in the register of the log, where
 * every service sees them and the first entry stands; a log from before that is held against the keys of its own records.
 */
export class TopicWatch {
  readonly #log: InspectableLog;
  readonly #topics: readonly TopicToMake[];
  readonly #known = new Map<string, string>();

  constructor(options: { readonly topics: readonly TopicToMake[] }, dependencies: { readonly log: InspectableLog }) {
    this.#topics = options.topics;
    this.#log = dependencies.log;
  }

  /**
   * Makes what is missing of a new log, and takes the log for what it is. May be called again until it passes. Throws what `check` throws, and
   * what the log throws.
   */
  async open(): Promise<void> {
    const register = await openLogRegister(this.#log);
    await this.#refuseOthers(register);
    await this.#log.ensureTopics(this.#topics);
    const states = await this.#log.look(this.#topics.map(({ topic }) => topic));
    for (const { topic, partitions } of this.#topics) this.#compare(topic, partitions, states.get(topic));
    if (this.#topics.some(({ topic }) => register.get(entryOf(topic)) === null)) await this.#assertKeysFit();
    for (const { topic } of this.#topics) {
      const state = states.get(topic);
      if (state === undefined) throw deleted(topic);
      const stands = await register.enter(entryOf(topic), enteredFor(state));
      this.#known.set(topic, stands);
      assertEntered(topic, stands, state);
      assertReadable(topic, state);
    }
  }

  /**
   * Throws the first thing in which the topics are no longer what they were: TOPIC_DELETED, TOPIC_PARTITIONS_DIFFER, TOPIC_MADE_ANEW,
   * RECORDS_DELETED, TOPIC_FORGETS, TOPIC_COMPRESSION_DIFFERS; or why the log cannot be asked or written.
   */
  async check(): Promise<void> {
    const states = await this.#log.look(this.#topics.map(({ topic }) => topic));
    for (const { topic, partitions } of this.#topics) {
      const state = this.#compare(topic, partitions, states.get(topic));
      const stands = this.#known.get(topic);
      if (stands !== undefined) assertEntered(topic, stands, state);
      assertReadable(topic, state);
    }
  }

  /** Before anything is made: a topic that the log was begun with and that is gone is not made anew, empty; nor with other partitions. */
  async #refuseOthers(register: LogRegister): Promise<void> {
    const states = await this.#log.look(this.#topics.map(({ topic }) => topic));
    for (const { topic, partitions } of this.#topics) {
      const stands = register.get(entryOf(topic));
      if (stands === null) continue;
      const { partitions: begun } = readValue(stands);
      if (begun !== partitions) throw asksForOthers(topic, begun, partitions);
      this.#compare(topic, partitions, states.get(topic));
    }
  }

  #compare(topic: string, partitions: number, state: TopicState | undefined): TopicState {
    if (state === undefined) throw deleted(topic);
    if (state.partitions !== partitions) throw otherPartitions(topic, state.partitions, partitions);
    const partition = state.lows.findIndex((low) => low > 0);
    if (partition >= 0) throw recordsDeleted(topic, partition, state.lows[partition] ?? 0);
    if (state.forgets !== null) {
      const message = `topic ${topic} would forget records (${state.forgets}): set it to keep everything, and the service goes on by itself`;
      throw new TallyError('TOPIC_FORGETS', message, { topic, settings: state.forgets });
    }
    return state;
  }

  /** Every record lies where its key's hash puts it, for this number of partitions and no other. */
  async #assertKeysFit(): Promise<void> {
    for (const { topic, partitions } of this.#topics) {
      if (!KEYED_EVENT_TOPICS.some((one) => one === topic)) continue;
      const places = Array.from({ length: partitions }, (_, partition) => ({ topic, partition, offset: 0 }));
      const left = new Map<number, number>();
      for (const place of places) {
        const { high } = await this.#log.bounds(place);
        if (high > 0) left.set(place.partition, Math.min(high, KEYS_LOOKED_AT_MAX));
      }
      const reader = this.#log.reader(places);
      try {
        for (let polls = 0; left.size > 0 && polls < POLLS_MAX; polls += 1) {
          for (const batch of await reader.poll(POLL)) {
            for (const { key } of batch.records) {
              if (key !== null && partitionOf(key, partitions) !== batch.partition) {
                throw keysElsewhere(topic, batch.partition, partitions);
              }
            }
            if (batch.nextOffset >= (left.get(batch.partition) ?? 0)) {
              left.delete(batch.partition);
              reader.drop(batch);
            }
          }
        }
        if (left.size > 0) throw unreadNow(topic);
      } finally {
        await reader.close();
      }
    }
  }
}

function unreadNow(topic: string): TallyError {
  const message = `the records of ${topic} can not be read now: whether they lie where their accounts do is looked at again`;
  return new TallyError('LOG_UNAVAILABLE', message, { topic }, { retriable: true });
}

/** True of a fault of the topics that waits for a person: nothing may go on, and a new start would find the same. */
export function isTopicFault(error: unknown): boolean {
  return TOPIC_FAULTS.some((code) => hasCode(error, code));
}

const TOPIC_FAULTS = [
  'TOPIC_DELETED',
  'TOPIC_PARTITIONS_DIFFER',
  'TOPIC_MADE_ANEW',
  'RECORDS_DELETED',
  'TOPIC_FORGETS',
  'TOPIC_COMPRESSION_DIFFERS',
] as const;

/** A topic of an earlier version is given its compression at the start (`ensureTopics`), so this is asked only after that. */
function assertReadable(topic: string, { compression }: TopicState): void {
  if (compression !== null) throw compressionDiffers(topic, compression);
}

function entryOf(topic: string): string {
  return `topic ${topic}`;
}

function enteredFor({ id, partitions }: TopicState): string {
  return `${partitions} ${id}`;
}

function readValue(value: string): { readonly partitions: number; readonly id: string } {
  const [partitions = '', id = ''] = value.split(' ');
  return { partitions: Number(partitions), id };
}

function assertEntered(topic: string, stands: string, state: TopicState): void {
  const { partitions, id } = readValue(stands);
  if (partitions !== state.partitions) throw otherPartitions(topic, state.partitions, partitions);
  if (id !== state.id) {
    const message = `topic ${topic} is not the one that this log was begun with: it was deleted and made anew, and what it held is gone. Restore all topics from one backup (docs/operations.md, "Topics")`;
    throw new TallyError('TOPIC_MADE_ANEW', message, { topic, id: state.id, begunWith: id });
  }
}

function deleted(topic: string): TallyError {
  const message = `topic ${topic} is gone: it was deleted, and is not made anew by itself, for what it held would be missing. Restore all topics from one backup (docs/operations.md, "Topics")`;
  return new TallyError('TOPIC_DELETED', message, { topic });
}

function otherPartitions(topic: string, existing: number, asked: number): TallyError {
  const message = `topic ${topic} has ${existing} partitions, ${asked} are asked for: the count is set when a topic is made, and accounts lie by it. Kafka takes no partition back: restore all topics from one backup (docs/operations.md, "Topics")`;
  return new TallyError('TOPIC_PARTITIONS_DIFFER', message, { topic, existing, asked });
}

function asksForOthers(topic: string, begun: number, asked: number): TallyError {
  const message = `topic ${topic} was begun with ${begun} partitions and TOPIC_PARTITIONS asks for ${asked}: accounts would begin anew. Set TOPIC_PARTITIONS=${begun} and start again`;
  return new TallyError('TOPIC_PARTITIONS_DIFFER', message, { topic, existing: begun, asked });
}

function keysElsewhere(topic: string, partition: number, asked: number): TallyError {
  const message = `records of ${topic}/${partition} do not lie where ${asked} partitions would put their accounts: the topic was begun with another count. Set TOPIC_PARTITIONS to that count; where the topic was grown, restore all topics from one backup (docs/operations.md, "Topics")`;
  return new TallyError('TOPIC_PARTITIONS_DIFFER', message, { topic, partition, asked });
}

function recordsDeleted(topic: string, partition: number, low: number): TallyError {
  const message = `the first records of ${topic}/${partition} were deleted: it begins at ${low}, and what was before can not be folded again. Restore all topics from one backup (docs/operations.md, "Topics")`;
  return new TallyError('RECORDS_DELETED', message, { topic, partition, low });
}
