import type {
  AppendOutcome,
  EventLog,
  LogReader,
  LogRecord,
  Membership,
  PartitionAppend,
  PartitionPosition,
  RecordBatch,
  TopicPartition,
} from '../../../libs/adapters/event-log/event-log.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Scheduler } from './scheduler.ts';

/** How often a fault strikes, 0 to 1; none while the world heals. */
export interface LogFaults {
  /** The message is in the log, the answer is lost. */
  answerLost: number;
  /** The message is lost. */
  requestLost: number;
  /** No answer; the message arrives later. */
  late: number;
  /** The message arrives a second time later. */
  doubled: number;
  refused: number;
  /** An end of the log, or a batch, as it was a little while ago. */
  lateRead: number;
  /** A batch that was fetched before the last seek. */
  staleBatch: number;
}

const LOG_FAULTS: LogFaults = {
  answerLost: 0.06,
  requestLost: 0.06,
  late: 0.08,
  doubled: 0.08,
  refused: 0.03,
  lateRead: 0.1,
  staleBatch: 0.3,
};

export function noLogFaults(): LogFaults {
  return { answerLost: 0, requestLost: 0, late: 0, doubled: 0, refused: 0, lateRead: 0, staleBatch: 0 };
}

/** The one log of a simulated world. Each owner has its own connection to it. */
export class SimulatedBroker {
  readonly scheduler: Scheduler;
  faults: LogFaults = { ...LOG_FAULTS };
  /** How often each fault has struck: a simulation whose faults do not strike shows nothing. */
  readonly struck = new Map<string, number>();
  readonly #partitions = new Map<string, LogRecord[]>();
  readonly #counts: ReadonlyMap<string, number>;

  constructor(topics: ReadonlyMap<string, number>, scheduler: Scheduler) {
    this.#counts = topics;
    this.scheduler = scheduler;
    for (const [topic, count] of topics) {
      for (let partition = 0; partition < count; partition += 1) {
        this.#partitions.set(`${topic}/${partition}`, []);
      }
    }
  }

  records({ topic, partition }: TopicPartition): LogRecord[] {
    const records = this.#partitions.get(`${topic}/${partition}`);
    if (records === undefined) {
      throw new TallyError('TOPIC_UNKNOWN', 'no such partition', { topic, partition });
    }
    return records;
  }

  partitionCount(topic: string): number {
    return this.#counts.get(topic) ?? 0;
  }

  /** Writes now; gives the offset of the first. */
  write({ topic, partition, records }: PartitionAppend): number {
    const log = this.records({ topic, partition });
    const baseOffset = log.length;
    for (const { key, value } of records) {
      log.push({ offset: log.length, timestampMs: this.scheduler.nowMs, key, value, headers: {} });
    }
    return baseOffset;
  }

  strikes(fault: keyof LogFaults): boolean {
    const isStruck = this.scheduler.chance(this.faults[fault]);
    if (isStruck) {
      this.count(fault);
    }
    return isStruck;
  }

  count(fault: string): void {
    this.struck.set(fault, (this.struck.get(fault) ?? 0) + 1);
  }

  /** The end of a partition, now or as it was a little while ago. */
  seenHigh(partition: TopicPartition): number {
    const high = this.records(partition).length;
    return high > 0 && this.strikes('lateRead') ? high - 1 - this.scheduler.below(Math.min(high, 3)) : high;
  }
}

export interface SimulatedConnection {
  readonly owner: string;
  /** What the group has told this owner: may differ from what it told others. */
  readonly owned: Map<number, number>;
  /** The newest assignment of each partition that it has heard of. */
  readonly told: Map<number, number>;
}

/** One owner's connection to the simulated log: an EventLog. */
export function connect(connection: SimulatedConnection, broker: SimulatedBroker): EventLog {
  const { scheduler } = broker;
  const { owner } = connection;
  const membership: Membership = {
    owned: () => connection.owned,
    commitForMonitoring: async () => undefined,
    leave: async () => undefined,
  };
  return {
    ensureTopics: async () => undefined,
    partitionCount: async (topic) => broker.partitionCount(topic),
    append: (appends) => send(owner, appends, broker),
    bounds: (partition) => scheduler.call(owner, () => ({ low: 0, high: broker.seenHigh(partition) })),
    reader: (positions) => new SimulatedReader(owner, positions, broker),
    join: async () => membership,
    deleteBefore: async () => undefined,
    close: async () => undefined,
  };
}

async function send(
  owner: string,
  appends: readonly PartitionAppend[],
  broker: SimulatedBroker,
): Promise<AppendOutcome[]> {
  const arrived = await Promise.all(appends.map((append) => sendOne(append, broker)));
  return broker.scheduler.call(owner, () => arrived);
}

function sendOne(append: PartitionAppend, broker: SimulatedBroker): Promise<AppendOutcome> {
  const { scheduler } = broker;
  return new Promise((resolve) => {
    // The arrival belongs to the network: it happens though its sender is frozen or dead.
    scheduler.later(() => {
      const error = new Error('the connection was cut');
      if (broker.strikes('refused')) {
        resolve({ status: 'failed', error });
      } else if (broker.strikes('requestLost')) {
        resolve({ status: 'unknown', error });
      } else if (broker.strikes('late')) {
        scheduler.later(() => broker.write(append), 1 + scheduler.below(2_000));
        resolve({ status: 'unknown', error });
      } else {
        const baseOffset = broker.write(append);
        if (broker.strikes('doubled')) {
          scheduler.later(() => broker.write(append), scheduler.below(500));
        }
        resolve(broker.strikes('answerLost') ? { status: 'unknown', error } : { status: 'appended', baseOffset });
      }
    });
  });
}

class SimulatedReader implements LogReader {
  readonly #owner: string;
  readonly #broker: SimulatedBroker;
  readonly #positions = new Map<string, PartitionPosition>();
  /** Fetched ahead; a seek does not take it back. */
  #fetched: RecordBatch[] = [];

  constructor(owner: string, positions: readonly PartitionPosition[], broker: SimulatedBroker) {
    this.#owner = owner;
    this.#broker = broker;
    for (const position of positions) {
      this.seek(position);
    }
  }

  async poll(options: { readonly maxRecords: number; readonly waitMs: number }): Promise<RecordBatch[]> {
    const { scheduler } = this.#broker;
    const found = await scheduler.call(this.#owner, () => this.#read());
    if (found.length > 0 || options.waitMs === 0) {
      return found;
    }
    await scheduler.clockOf(this.#owner).sleep(options.waitMs);
    return this.#read();
  }

  seek(position: PartitionPosition): void {
    this.#positions.set(`${position.topic}/${position.partition}`, position);
  }

  drop({ topic, partition }: TopicPartition): void {
    this.#positions.delete(`${topic}/${partition}`);
  }

  async close(): Promise<void> {
    this.#positions.clear();
  }

  #read(): RecordBatch[] {
    if (this.#fetched.length > 0 && this.#broker.strikes('staleBatch')) {
      return this.#fetched.splice(0);
    }
    const batches: RecordBatch[] = [];
    for (const position of [...this.#positions.values()]) {
      const batch = this.#batchAt(position);
      if (batch.nextOffset > batch.fromOffset) {
        batches.push(batch);
        this.seek({ ...position, offset: batch.nextOffset });
      }
    }
    this.#fetched = batches;
    return batches;
  }

  #batchAt({ topic, partition, offset }: PartitionPosition): RecordBatch {
    const high = this.#broker.seenHigh({ topic, partition });
    const nextOffset = Math.max(offset, Math.min(high, offset + 1 + this.#broker.scheduler.below(4)));
    const records = this.#broker.records({ topic, partition }).slice(offset, nextOffset);
    return { topic, partition, records, fromOffset: offset, nextOffset, highOffset: high };
  }
}
