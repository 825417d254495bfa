import type { PartitionPosition, RecordBatch, TopicPartition } from '../event-log/event-log.ts';
import { partitionKey } from '../event-log/partition-key.ts';
import { gapError } from './faults.ts';

/** How far the inputs of an output partition were read, and how far the log was seen to reach. */
export class InputPositions {
  readonly #next = new Map<string, number>();
  readonly #high = new Map<string, number>();
  readonly #strayBatchesMax: number;
  #strayBatches = 0;

  /** @param strayBatchesMax batches from elsewhere in a row that may merely be late. */
  constructor(strayBatchesMax: number) {
    this.#strayBatchesMax = strayBatchesMax;
  }

  /** The offset of the record to be decided next. */
  nextOf(input: TopicPartition): number {
    return this.#next.get(partitionKey(input)) ?? 0;
  }

  /** Records of an input that were seen in the log and not decided. */
  lagOf(input: TopicPartition): number {
    const next = this.nextOf(input);
    return Math.max((this.#high.get(partitionKey(input)) ?? next) - next, 0);
  }

  /** Notes the end of an input as the log has it. */
  setHigh(input: TopicPartition, high: number): void {
    this.#high.set(partitionKey(input), high);
  }

  /** Goes on reading at a position. */
  seek(position: PartitionPosition): void {
    this.#next.set(partitionKey(position), position.offset);
    this.#strayBatches = 0;
  }

  /** Notes a batch that is to be decided. */
  keep(batch: RecordBatch): void {
    this.#strayBatches = 0;
    this.setHigh(batch, batch.highOffset);
  }

  /** Notes a batch that was decided. */
  pass(batch: RecordBatch): void {
    this.#next.set(partitionKey(batch), batch.nextOffset);
  }

  /** Notes a batch that is from elsewhere. Throws POSITION_GAP where the reader keeps skipping records. */
  drop(batch: RecordBatch): void {
    this.#strayBatches += 1;
    const next = this.nextOf(batch);
    if (this.#strayBatches > this.#strayBatchesMax && batch.fromOffset > next) {
      throw gapError(batch, next);
    }
  }
}
