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

interface Budget {
  bytes: number;
  records: number;
}

/** Reader of the embedded log: records come straight from LMDB's map, at most a half-read chunk per partition is kept. */
export class EmbeddedReader implements LogReader {
  readonly #source: EmbeddedReaderSource;
  readonly #readings = new Map<string, Reading>();
  #wakeUp: (() => void) | null = null;
  #turn = 0;
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
    this.#readings.set(`${topic}/${partition}`, { topic, partition, offset, chunk: null });
    this.wake();
  }

  drop({ topic, partition }: TopicPartition): void {
    this.#readings.delete(`${topic}/${partition}`);
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

  /** Every partition gets an equal share of what is left, another one first each time: none starves, and one alone gets all. */
  #read(options: PollOptions): RecordBatch[] {
    const waiting = this.#withRecords();
    const left: Budget = { bytes: options.maxBytes, records: options.maxRecords };
    const batches: RecordBatch[] = [];
    this.#turn = waiting.length === 0 ? 0 : (this.#turn + 1) % waiting.length;
    for (let index = 0; index < waiting.length && left.records > 0; index += 1) {
      const reading = waiting[(index + this.#turn) % waiting.length];
      if (reading !== undefined) {
        const sharers = waiting.length - index;
        const share = { bytes: left.bytes / sharers, records: Math.ceil(left.records / sharers) };
        batches.push(this.#readBatch(reading, share, left));
      }
    }
    return batches;
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

  #readBatch(reading: Reading, share: Budget, left: Budget): RecordBatch {
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
    left.bytes = Math.max(left.bytes - bytes, 0);
    left.records -= records.length;
    return { topic, partition, records, fromOffset, nextOffset: reading.offset, highOffset: high };
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
