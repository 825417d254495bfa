import { TallyError } from '../../../core/errors/tally-error.ts';
import { systemClock } from '../../time/clock.ts';
import type {
  LogReader,
  LogRecord,
  PartitionPosition,
  PollOptions,
  RecordBatch,
  TopicPartition,
} from '../event-log.ts';
import { FairShare, type Share } from '../fair-share.ts';
import { partitionKey } from '../partition-key.ts';
import type { ChunkReader } from './record-chunk.ts';

export interface EmbeddedReaderSource {
  /** Throws TOPIC_UNKNOWN, LOG_CLOSED. */
  readonly bounds: (partition: TopicPartition) => { readonly low: number; readonly high: number };
  /** A chunk that stands at this offset, which is within the bounds. */
  readonly chunkAt: (partition: TopicPartition, offset: number) => ChunkReader;
  readonly onClose: (reader: EmbeddedReader) => void;
}

interface Reading extends TopicPartition {
  offset: number;
  /** Half-read chunk that stands at offset. */
  chunk: ChunkReader | null;
}

/** Reader of the embedded log: records come straight from LMDB's map, at most a half-read chunk per partition is kept. */
export class EmbeddedReader implements LogReader {
  readonly #source: EmbeddedReaderSource;
  readonly #readings = new Map<string, Reading>();
  readonly #shares = new FairShare();
  #wakeUp: (() => void) | null = null;
  #closed = false;

  constructor(source: EmbeddedReaderSource) {
    this.#source = source;
  }

  async poll(options: PollOptions): Promise<RecordBatch[]> {
    const batches = this.#read(options);
    if (batches.length > 0 || options.waitMs <= 0 || this.#closed) {
      return batches;
    }
    const until = systemClock.elapsedMs() + options.waitMs;
    let leftMs = options.waitMs;
    while (leftMs > 0 && !this.#closed) {
      await this.#waitForWake(leftMs);
      const found = this.#read(options);
      if (found.length > 0) {
        return found;
      }
      leftMs = until - systemClock.elapsedMs();
    }
    return [];
  }

  seek({ topic, partition, offset }: PartitionPosition): void {
    this.#source.bounds({ topic, partition });
    this.#readings.set(partitionKey({ topic, partition }), { topic, partition, offset, chunk: null });
    this.wake();
  }

  drop({ topic, partition }: TopicPartition): void {
    this.#readings.delete(partitionKey({ topic, partition }));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#readings.clear();
    this.wake();
    this.#source.onClose(this);
  }

  /** Something was appended, or a position has changed. */
  wake(): void {
    this.#wakeUp?.();
  }

  #waitForWake(waitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#wakeUp = null;
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      this.#wakeUp = done;
    });
  }

  #read(options: PollOptions): RecordBatch[] {
    return this.#shares.read(this.#withRecords(), options, (reading, share) => this.#readBatch(reading, share));
  }

  #withRecords(): Reading[] {
    const waiting: Reading[] = [];
    for (const reading of this.#readings.values()) {
      const { low, high } = this.#source.bounds(reading);
      if (reading.offset < low || reading.offset > high) {
        throw outOfRange(reading, low, high);
      }
      if (reading.offset < high) {
        waiting.push(reading);
      }
    }
    return waiting;
  }

  #readBatch(reading: Reading, share: Share): { readonly batch: RecordBatch; readonly bytes: number } {
    const { topic, partition, offset: fromOffset } = reading;
    const { high } = this.#source.bounds(reading);
    const records: LogRecord[] = [];
    let bytes = 0;
    while (reading.offset < high && records.length < share.records) {
      const chunk = reading.chunk ?? this.#source.chunkAt(reading, reading.offset);
      while (!chunk.done && records.length < share.records) {
        const valueBytes = chunk.nextValueBytes;
        if (records.length > 0 && bytes + valueBytes > share.bytes) {
          break;
        }
        records.push(chunk.next());
        bytes += valueBytes;
      }
      reading.offset = chunk.offset;
      reading.chunk = chunk.done ? null : chunk;
      if (reading.chunk !== null) {
        break;
      }
    }
    return { batch: { topic, partition, records, fromOffset, nextOffset: reading.offset, highOffset: high }, bytes };
  }
}

function outOfRange(reading: Reading, low: number, high: number): TallyError {
  const { topic, partition, offset } = reading;
  return new TallyError(
    'POSITION_OUT_OF_RANGE',
    `position ${offset} of ${topic}/${partition} is outside the log, which holds ${low} to ${high}`,
    { topic, partition, offset, low, high },
  );
}
