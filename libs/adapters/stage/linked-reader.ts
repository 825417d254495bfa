import { TallyError } from '../../core/errors/tally-error.ts';
import type { EventLog, LogReader, PollOptions, TopicPartition } from '../event-log/event-log.ts';
import { partitionKey } from '../event-log/partition-key.ts';
import { isNextLink, LinkedInput, type LinkedPosition, type LinkRule } from './linked-output.ts';
import type { FoldedMessage, MessageReader } from './program.ts';

/** Valid messages of one partition, in order. `position` is what to store with what was made of them; there may be no messages. */
interface LinkedBatch<Body> extends TopicPartition {
  readonly messages: readonly FoldedMessage<Body>[];
  readonly position: LinkedPosition;
  readonly highOffset: number;
}

export interface LinkedReader<Body> {
  /**
   * Valid messages of whichever partitions have any; [] after waitMs without records. Throws POSITION_GAP, MESSAGE_UNREADABLE
   * or POSITION_OUT_OF_RANGE with facts {topic, partition}: that partition is halted (no longer read), the next poll goes on with the others.
   * After a retriable fault the next poll goes on with all of them.
   */
  poll(options: PollOptions): Promise<LinkedBatch<Body>[]>;
  seek(position: LinkedPosition): void;
  drop(partition: TopicPartition): void;
  close(): Promise<void>;
}

export interface LinkedReaderDependencies<Body> {
  readonly log: EventLog;
  readonly codec: MessageReader<Body>;
  /** Only for the simulation, which plants faults. */
  readonly rule?: LinkRule;
}

/** Reads the output of a stage as every reader must: valid messages only, coverage without holes (design section 3). */
export function openLinkedReader<Body>(
  positions: readonly LinkedPosition[],
  dependencies: LinkedReaderDependencies<Body>,
): LinkedReader<Body> {
  return new ValidMessages(positions, dependencies);
}

class ValidMessages<Body> implements LinkedReader<Body> {
  readonly #codec: MessageReader<Body>;
  readonly #rule: LinkRule;
  readonly #reader: LogReader;
  readonly #inputs = new Map<string, LinkedInput<Body>>();
  /** Found while other partitions' batches were already read: thrown at the next poll, so that those are not lost. */
  #fault: { readonly error: unknown } | null = null;

  constructor(positions: readonly LinkedPosition[], { log, codec, rule = isNextLink }: LinkedReaderDependencies<Body>) {
    this.#codec = codec;
    this.#rule = rule;
    this.#reader = log.reader([]);
    for (const position of positions) {
      this.seek(position);
    }
  }

  async poll(options: PollOptions): Promise<LinkedBatch<Body>[]> {
    if (this.#fault !== null) {
      const { error } = this.#fault;
      this.#fault = null;
      throw error;
    }
    const read = await this.#pollReader(options);
    const batches: LinkedBatch<Body>[] = [];
    for (const { topic, partition, records, fromOffset, nextOffset, highOffset } of read) {
      const input = this.#inputs.get(partitionKey({ topic, partition }));
      if (input === undefined) {
        continue;
      }
      if (fromOffset > input.offset) {
        // A batch that merely does not start at our position is sought again.
        this.#reader.seek(input.position());
        continue;
      }
      const messages: FoldedMessage<Body>[] = [];
      try {
        for (const record of records) {
          const message = input.take(record);
          if (message !== null) {
            messages.push(message);
          }
        }
        input.advanceTo(nextOffset);
      } catch (error) {
        this.drop({ topic, partition });
        this.#fault = { error };
      }
      batches.push({ topic, partition, messages, position: input.position(), highOffset });
    }
    return batches;
  }

  seek(position: LinkedPosition): void {
    this.#inputs.set(partitionKey(position), new LinkedInput(position, this.#codec, this.#rule));
    this.#reader.seek(position);
  }

  drop(partition: TopicPartition): void {
    this.#inputs.delete(partitionKey(partition));
    this.#reader.drop(partition);
  }

  close(): Promise<void> {
    return this.#reader.close();
  }

  async #pollReader(options: PollOptions) {
    try {
      return await this.#reader.poll(options);
    } catch (error) {
      // What passes halts nothing: a partition whose leader moves is named in its fault too.
      const halts = !(error instanceof TallyError && error.retriable);
      for (const input of halts ? [...this.#inputs.values()] : []) {
        const { topic, partition } = input.position();
        if (isAbout(error, { topic, partition })) {
          this.drop({ topic, partition });
        }
      }
      throw error;
    }
  }
}

function isAbout(error: unknown, { topic, partition }: TopicPartition): boolean {
  const facts = error instanceof Error && 'facts' in error ? error.facts : null;
  return (
    typeof facts === 'object' &&
    facts !== null &&
    'topic' in facts &&
    facts.topic === topic &&
    'partition' in facts &&
    facts.partition === partition
  );
}
