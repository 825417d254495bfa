import type { PollOptions, RecordBatch } from './event-log.ts';

/** What one partition may give of a poll. */
export interface Share {
  readonly bytes: number;
  readonly records: number;
}

/**
 * Divides a poll among partitions: an equal share of what is left for each, beginning with another one each time. So none starves, and one
 * alone gets all.
 */
export class FairShare {
  #turn = 0;

  read<Source>(
    waiting: readonly Source[],
    options: PollOptions,
    readBatch: (source: Source, share: Share) => { readonly batch: RecordBatch; readonly bytes: number },
  ): RecordBatch[] {
    const left = { bytes: options.maxBytes, records: options.maxRecords };
    const batches: RecordBatch[] = [];
    this.#turn = waiting.length === 0 ? 0 : (this.#turn + 1) % waiting.length;
    for (let index = 0; index < waiting.length && left.records > 0; index += 1) {
      const source = waiting[(index + this.#turn) % waiting.length] as Source;
      const sharers = waiting.length - index;
      const share = { bytes: left.bytes / sharers, records: Math.ceil(left.records / sharers) };
      const { batch, bytes } = readBatch(source, share);
      left.bytes = Math.max(left.bytes - bytes, 0);
      left.records -= batch.records.length;
      batches.push(batch);
    }
    return batches;
  }
}
