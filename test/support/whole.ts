import type { AppendRecord, EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { KEYED_PARTITIONS_DEFAULT } from '../../libs/adapters/event-log/topics.ts';
import type { CheckedLedger } from './check-ledger.ts';
import type { endWhole } from './operate-service.ts';
import type { ServiceProcess } from './service-process.ts';

/** The house as one process on the embedded engines (embedded-whole.ts), or as several on Kafka and Redis (kafka-whole.ts): what scenarios of both need. */
export interface Whole {
  readonly service: ServiceProcess;
  /** SIGKILL to every process of the house, all at once. */
  crash(): Promise<void>;
  /** Everything that was logged so far. */
  logs(): string;
  /** The whole-ledger check; of the embedded log only while nothing runs. */
  checkLedger(options: { readonly complete: boolean }): Promise<CheckedLedger>;
  /** What every test of the whole ends with: both copies settled, verified, equal; the house drained and stopped. */
  end(events?: { readonly paye?: number; readonly vat?: number }): ReturnType<typeof endWhole>;
  /** Gives the event log itself to the test; the embedded house is stopped meanwhile, for one process alone may open it. */
  withLog<T>(work: (log: EventLog) => Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

export type OddRecord = AppendRecord & { readonly partition?: number };

/** Records that no door of ours would append, put into the log; into the partition of their key where they name none. */
export async function appendTo(log: EventLog, topic: string, records: readonly OddRecord[]): Promise<void> {
  for (const { partition, ...record } of records) {
    const place = partition ?? partitionOf(record.key ?? '', KEYED_PARTITIONS_DEFAULT);
    const [outcome] = await log.append([{ topic, partition: place, records: [record] }]);
    if (outcome?.status !== 'appended') throw new Error(`a record was not appended: ${outcome?.status}`);
  }
}
