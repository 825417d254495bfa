import type { InputReach } from '../../../libs/adapters/stage/program.ts';

/** A message of an input that was read; pinned while a decision of it waits in an open block. */
export interface ReadMessage {
  readonly track: InputProgress;
  readonly offset: number;
  pins: number;
}

/**
 * How far one input partition is settled: the low position, right behind the last message before the first that is pinned. For
 * liabilities.v1 only valid messages are counted, so the record before a low position is always a valid one (linkedPositionAt).
 */
export class InputProgress {
  readonly topic: string;
  readonly partition: number;
  /** Messages behind the low position, the oldest first; taken from `#first` on. */
  #waiting: ReadMessage[] = [];
  #first = 0;
  #low: number;
  #proposed: number;

  constructor(topic: string, partition: number, startOffset: number) {
    this.topic = topic;
    this.partition = partition;
    this.#low = startOffset;
    this.#proposed = startOffset;
  }

  /** A message was read; pin it for each open block whose oldest entry of this input it holds. */
  read(offset: number): ReadMessage {
    const message = { track: this, offset, pins: 0 };
    this.#waiting.push(message);
    return message;
  }

  /** The position to cover where it moved since it was proposed last, else null. */
  advance(): InputReach | null {
    this.#settle();
    if (this.#low === this.#proposed) return null;
    this.#proposed = this.#low;
    return { topic: this.topic, partition: this.partition, next: this.#low };
  }

  /** Whether `advance` would give a position. */
  get hasAdvanced(): boolean {
    this.#settle();
    return this.#low > this.#proposed;
  }

  #settle(): void {
    let message = this.#waiting[this.#first];
    while (message !== undefined && message.pins === 0) {
      this.#low = message.offset + 1;
      this.#first += 1;
      message = this.#waiting[this.#first];
    }
    if (this.#first > 1000) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
  }
}
