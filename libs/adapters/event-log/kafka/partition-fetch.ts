import type { TallyError } from '../../../core/errors/tally-error.ts';
import type { LogRecord, PartitionPosition, RecordBatch, TopicPartition } from '../event-log.ts';
import type { Share } from '../fair-share.ts';
import type { RecordCursor } from '../record-batch/plain-records.ts';
import type { FetchedPartition } from './fetch.ts';
import { highOf, recordsOf } from './fetched-records.ts';

/** Records of one answer, less those that were polled. */
interface Chunk {
  readonly records: RecordCursor;
  readonly bytes: number;
  readonly nextOffset: number;
}

/** The reading of one partition from one seek on. A later seek makes another, so an answer to this one is known by the object and dropped. */
export class PartitionFetch implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  /** The partition is at its end as far as known. It is asked again at the next poll, so a reader that is only closed leaves no fetch. */
  isDry = false;
  /** The next message is larger than what is usually asked for. */
  isWide = false;
  /** Some partition of an answer could not be decoded: each is asked alone to find which. */
  isSuspect = false;
  fault: TallyError | null = null;
  #offset: number;
  #fetchOffset: number;
  #highOffset: number;
  #chunks: Chunk[] = [];
  #bufferedBytes = 0;

  constructor({ topic, partition, offset }: PartitionPosition) {
    this.topic = topic;
    this.partition = partition;
    this.#offset = offset;
    this.#fetchOffset = offset;
    this.#highOffset = offset;
  }

  /** Next offset to be fetched. */
  get fetchOffset(): number {
    return this.#fetchOffset;
  }

  /** Bytes that wait to be polled. */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  get hasRecords(): boolean {
    return this.#chunks.length > 0;
  }

  /** Keeps what the broker answered. False where nothing of it is new. */
  receive(fetched: FetchedPartition): boolean {
    this.isSuspect = false;
    this.#highOffset = highOf(fetched);
    const lastOffset = fetched.records?.lastOffset ?? Number(fetched.messages.at(-1)?.offset ?? -1);
    const nextOffset = lastOffset < 0 ? this.#fetchOffset : lastOffset + 1;
    if (nextOffset <= this.#fetchOffset) {
      // Not at the end, and yet nothing came: the next message is larger than what was asked for.
      this.isDry = this.#fetchOffset >= this.#highOffset;
      this.isWide ||= !this.isDry;
      return false;
    }
    const { records, bytes } = recordsOf(fetched);
    // A broker answers whole batches, so the first records may be from before the position.
    for (let first = records.peek(); first !== null && first.offset < this.#fetchOffset; first = records.peek()) {
      records.skip();
    }
    this.#chunks.push({ records, bytes, nextOffset });
    this.#fetchOffset = nextOffset;
    this.isDry = nextOffset >= this.#highOffset;
    this.#bufferedBytes += bytes;
    return true;
  }

  /** The next records, at least one and otherwise within the share, and the bytes of their values. */
  readBatch(share: Share): { readonly batch: RecordBatch; readonly bytes: number } {
    const { topic, partition } = this;
    const fromOffset = this.#offset;
    const records: LogRecord[] = [];
    let bytes = 0;
    for (let chunk = this.#chunks[0]; chunk !== undefined; chunk = this.#chunks[0]) {
      let record = chunk.records.peek();
      for (; record !== null && records.length < share.records; record = chunk.records.peek()) {
        const valueBytes = record.value?.length ?? 0;
        if (records.length > 0 && bytes + valueBytes > share.bytes) break;
        records.push(record);
        chunk.records.skip();
        bytes += valueBytes;
        this.#offset = record.offset + 1;
      }
      if (record !== null) break;
      this.#offset = chunk.nextOffset;
      this.#chunks.shift();
      this.#bufferedBytes -= chunk.bytes;
    }
    const highOffset = Math.max(this.#highOffset, this.#offset);
    return { batch: { topic, partition, records, fromOffset, nextOffset: this.#offset, highOffset }, bytes };
  }
}
