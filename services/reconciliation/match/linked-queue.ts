import type { LogRecord, RecordBatch } from '../../../libs/adapters/event-log/event-log.ts';
import { LinkedInput, type LinkedPosition } from '../../../libs/adapters/stage/linked-output.ts';
import type { FoldedMessage, StageCodec } from '../../../libs/adapters/stage/program.ts';

export interface QueuedMessage<Body> {
  readonly message: FoldedMessage<Body>;
  readonly timestampMs: number;
}

/**
 * Valid messages of one partition that wait until what they speak of has been read too. `position` stands behind what was settled, never
 * behind what merely was read, so that it may be stored at any time.
 */
export class LinkedQueue<Body> {
  readonly #input: LinkedInput<Body>;
  readonly #records: LogRecord[] = [];
  #first: QueuedMessage<Body> | null = null;
  #nextOffset: number;
  #position: LinkedPosition;
  /** The log's time of what was settled last; it goes back where the log's clock did. */
  #settledMs: number | null = null;

  constructor(position: LinkedPosition, codec: StageCodec<Body>) {
    this.#input = new LinkedInput(position, codec);
    this.#position = position;
    this.#nextOffset = position.offset;
  }

  push(batch: RecordBatch): void {
    this.#records.push(...batch.records);
    this.#nextOffset = batch.nextOffset;
  }

  /** The next valid message, until settle() says that it is done. Throws POSITION_GAP, MESSAGE_UNREADABLE. */
  first(): QueuedMessage<Body> | null {
    for (let record = this.#records[0]; this.#first === null && record !== undefined; record = this.#records[0]) {
      this.#records.shift();
      const message = this.#input.take(record);
      if (message === null) this.#passed(record.timestampMs);
      else this.#first = { message, timestampMs: record.timestampMs };
    }
    if (this.#first === null) this.#drained();
    return this.#first;
  }

  settle(): void {
    if (this.#first === null) return;
    this.#passed(this.#first.timestampMs);
    this.#first = null;
  }

  get empty(): boolean {
    return this.#first === null && this.#records.length === 0;
  }

  get position(): LinkedPosition {
    return this.#position;
  }

  get settledMs(): number | null {
    return this.#settledMs;
  }

  #passed(timestampMs: number): void {
    this.#position = this.#input.position();
    this.#settledMs = timestampMs;
  }

  /** Offsets without a record behind the last one are passed too. */
  #drained(): void {
    if (this.#position.offset >= this.#nextOffset) return;
    this.#input.advanceTo(this.#nextOffset);
    this.#position = this.#input.position();
  }
}
