import { TallyError } from '../../core/errors/tally-error.ts';
import type { EventLog, LogRecord, PartitionPosition, TopicPartition } from '../event-log/event-log.ts';
import { partitionKey } from '../event-log/partition-key.ts';
import { readAt } from '../event-log/read-at.ts';
import type { FoldedMessage, InputRange, Link, MessageReader } from './program.ts';

/** The tip of an output partition that holds no valid message yet: 32 zeros. */
export const ZERO_TIP = '0'.repeat(32);

/** Where a reader of linked messages stands. `covered` are the input positions that the valid messages before it reach, as far as known. */
export interface LinkedPosition extends PartitionPosition {
  readonly tip: string;
  readonly covered: readonly PartitionPosition[];
}

/** The start of an output partition. */
export function linkedStart(partition: TopicPartition): LinkedPosition {
  return { ...partition, offset: 0, tip: ZERO_TIP, covered: [] };
}

/**
 * The rule of design section 3, the fence of every stage: valid, in offset order, is the message whose predecessor is the tip.
 * Late, doubled and competing messages name another predecessor and are ignored by every reader alike.
 */
export function isNextLink(tip: string, link: Link): boolean {
  return link.previous === tip && link.id !== ZERO_TIP;
}

const SINGLE_OBJECT_HEADER_BYTES = 10;
const REGISTRY_HEADER_BYTES = 5;
const LINK_BYTES = 32;

/**
 * The link of a message, read at its fixed place without decoding the rest; null for what is no message (too short, another header).
 * So a message with an unknown body still has its place in the chain: it is never skipped by some readers and folded by others.
 */
export function readLink(value: Buffer | null): Link | null {
  if (value === null || value.length === 0) {
    return null;
  }
  const start = headerBytes(value);
  if (start === null || value.length < start + LINK_BYTES) {
    return null;
  }
  return {
    id: value.toString('hex', start, start + 16),
    previous: value.toString('hex', start + 16, start + 32),
  };
}

function headerBytes(value: Buffer): number | null {
  if (value[0] === 0xc3 && value[1] === 0x01) {
    return SINGLE_OBJECT_HEADER_BYTES;
  }
  return value[0] === 0x00 ? REGISTRY_HEADER_BYTES : null;
}

/** What a reader of linked messages may replace: only the simulation does, to plant a fault. */
export type LinkRule = (tip: string, link: Link) => boolean;

/** A message with the bytes that its codec made of it. */
export interface EncodedMessage<Body> {
  readonly link: Link;
  readonly covers: readonly InputRange[];
  readonly body: Body;
  readonly bytes: Buffer;
}

/**
 * The valid messages of one output partition, record by record: keeps tip and coverage. `take` gives null for what is to be ignored and
 * throws POSITION_GAP where the coverage of a valid message does not begin where the last one ended, MESSAGE_UNREADABLE where a
 * valid link has a body that this reader does not know.
 */
export class LinkedInput<Body> {
  readonly #partition: TopicPartition;
  readonly #codec: MessageReader<Body>;
  readonly #rule: LinkRule;
  readonly #covered = new Map<string, PartitionPosition>();
  /** From the very start all inputs begin at 0; from the middle, an input not yet seen begins where it is first stated. */
  readonly #fromStart: boolean;
  #offset: number;
  #tip: string;
  #tipOffset = -1;

  constructor(position: LinkedPosition, codec: MessageReader<Body>, rule: LinkRule = isNextLink) {
    this.#partition = { topic: position.topic, partition: position.partition };
    this.#codec = codec;
    this.#rule = rule;
    this.#offset = position.offset;
    this.#tip = position.tip;
    this.#fromStart = position.tip === ZERO_TIP;
    for (const covered of position.covered) {
      this.#covered.set(partitionKey(covered), covered);
    }
  }

  /**
   * @param own a message that this process made and waits for: where the record is the same to the byte, it is taken as it was made
   * instead of being decoded.
   */
  take(record: LogRecord, own?: EncodedMessage<Body>): FoldedMessage<Body> | null {
    if (record.offset < this.#offset) {
      return null;
    }
    const link = readLink(record.value);
    if (link === null || !this.#rule(this.#tip, link)) {
      this.#offset = record.offset + 1;
      return null;
    }
    const isOwn = own !== undefined && record.value !== null && own.bytes.equals(record.value);
    const { covers, body } = isOwn ? own : this.#decode(record);
    const message = { link, covers, body, offset: record.offset };
    this.accept(message);
    return message;
  }

  /** Moves on over a message that is known to be valid: one's own, acknowledged at the offset expected. Throws POSITION_GAP. */
  accept({ link, covers, offset }: FoldedMessage<Body>): void {
    this.#checkCoverage(covers, offset);
    for (const { topic, partition, next } of covers) {
      this.#covered.set(partitionKey({ topic, partition }), { topic, partition, offset: next });
    }
    this.#tip = link.id;
    this.#tipOffset = offset;
    this.#offset = offset + 1;
  }

  /** Moves on over offsets that hold no record. */
  advanceTo(offset: number): void {
    this.#offset = Math.max(this.#offset, offset);
  }

  get tip(): string {
    return this.#tip;
  }

  /** Offset of the tip where it was seen by this reader, else -1. */
  get tipOffset(): number {
    return this.#tipOffset;
  }

  get offset(): number {
    return this.#offset;
  }

  coveredOf(input: TopicPartition): number {
    return this.#covered.get(partitionKey(input))?.offset ?? 0;
  }

  /** Where the reader stands now: what to store with whatever was made of the messages so far. */
  position(): LinkedPosition {
    return { ...this.#partition, offset: this.#offset, tip: this.#tip, covered: [...this.#covered.values()] };
  }

  #decode(record: LogRecord): Omit<FoldedMessage<Body>, 'offset'> {
    try {
      return this.#codec.decode(record);
    } catch (cause) {
      throw this.#unreadable(record, 'is this version older than the one that wrote it?', cause);
    }
  }

  #unreadable({ offset }: LogRecord, why: string, cause?: unknown): TallyError {
    const place = { ...this.#partition, offset };
    const message = `the message at ${place.topic}/${place.partition} offset ${offset} has its place in the chain but can not be read: ${why}`;
    return new TallyError('MESSAGE_UNREADABLE', message, place, { cause });
  }

  #checkCoverage(covers: readonly InputRange[], offset: number): void {
    for (const { topic, partition, from, next } of covers) {
      const covered = this.#covered.get(partitionKey({ topic, partition }))?.offset ?? (this.#fromStart ? 0 : from);
      if (from !== covered || next < from) {
        throw new TallyError(
          'POSITION_GAP',
          `the message at ${this.#partition.topic}/${this.#partition.partition} offset ${offset} covers ${topic}/${partition} from ${from} to ${next}, expected from ${covered}`,
          { ...this.#partition, offset, inputTopic: topic, inputPartition: partition, from, next, expected: covered },
        );
      }
    }
  }
}

/**
 * The position of a reader that knows an offset only: one that stands right behind a valid message (the ledger's low positions do),
 * whose id is then the tip. Offset 0 is the start. Throws POSITION_OUT_OF_RANGE, MESSAGE_UNREADABLE.
 */
export async function linkedPositionAt<Body>(
  position: PartitionPosition,
  dependencies: { readonly log: EventLog; readonly codec: MessageReader<Body> },
): Promise<LinkedPosition> {
  const { topic, partition, offset } = position;
  if (offset === 0) {
    return linkedStart({ topic, partition });
  }
  const record = await readAt({ topic, partition, offset: offset - 1 }, dependencies.log);
  if (record === null) {
    throw new TallyError('POSITION_OUT_OF_RANGE', `there is no record before ${topic}/${partition} offset ${offset}`, {
      topic,
      partition,
      offset,
    });
  }
  const { link, covers } = dependencies.codec.decode(record);
  return {
    topic,
    partition,
    offset,
    tip: link.id,
    covered: covers.map((cover) => ({ topic: cover.topic, partition: cover.partition, offset: cover.next })),
  };
}
