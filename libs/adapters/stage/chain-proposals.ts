import { assert } from '../../core/errors/assert.ts';
import { TallyError } from '../../core/errors/tally-error.ts';
import {
  type PartitionPosition,
  RECORD_BYTES_MAX,
  type RecordBatch,
  type TopicPartition,
} from '../event-log/event-log.ts';
import { partitionKey } from '../event-log/partition-key.ts';
import type { EncodedMessage } from './linked-output.ts';
import type { InputRange, InputReach, Link, Proposal, StageDependencies } from './program.ts';

const LINK_ID_BYTES = 16;

/** What a chain of proposals begins with. */
interface ChainStart<Body> {
  readonly output: TopicPartition;
  /** The id of the newest valid message. */
  readonly tip: string;
  /** How far each input is covered by the messages up to the tip. */
  readonly covered: readonly PartitionPosition[];
  /** How far an input was read. */
  readonly readNextOf: (input: TopicPartition) => number;
  readonly dependencies: StageDependencies<Body>;
}

/**
 * Links proposals to the tip and to one another, states what each covers, and encodes them once.
 * Throws MESSAGE_TOO_LARGE for a proposal that no record holds.
 *
 * @param mustCover the batches that the proposals have to cover whole.
 */
export function chainProposals<Body>(
  start: ChainStart<Body>,
  proposals: readonly Proposal<Body>[],
  mustCover: readonly RecordBatch[],
): EncodedMessage<Body>[] {
  const { randomBytes } = start.dependencies;
  const ids = Buffer.from(randomBytes(LINK_ID_BYTES * proposals.length)).toString('hex');
  const reached = new Map(start.covered.map((position) => [partitionKey(position), position.offset]));
  let previous = start.tip;
  const chain = proposals.map(({ covers, body }, index) => {
    const link = { id: ids.slice(2 * LINK_ID_BYTES * index, 2 * LINK_ID_BYTES * (index + 1)), previous };
    previous = link.id;
    const stated = covers.map((cover) => stateCover(start, cover, reached));
    return { link, covers: stated, body, bytes: encode(start, link, stated, body) };
  });
  for (const batch of mustCover) {
    const next = reached.get(partitionKey(batch));
    assert(next === batch.nextOffset, 'proposals cover all that was decided', {
      topic: batch.topic,
      partition: batch.partition,
      next,
      nextOffset: batch.nextOffset,
    });
  }
  return chain;
}

function stateCover<Body>(
  { readNextOf }: ChainStart<Body>,
  { topic, partition, from, next }: InputReach,
  reached: Map<string, number>,
): InputRange {
  const covered = reached.get(partitionKey({ topic, partition }));
  const facts = { topic, partition, from, next, covered };
  assert(covered !== undefined, 'a proposal covers inputs of its own partition', facts);
  assert(from === undefined || from === covered, 'a proposal covers from where the one before ended', facts);
  assert(next >= covered && next <= readNextOf({ topic, partition }), 'a proposal covers only what was read', facts);
  reached.set(partitionKey({ topic, partition }), next);
  return { topic, partition, from: covered, next };
}

function encode<Body>(
  { output, dependencies }: ChainStart<Body>,
  link: Link,
  covers: readonly InputRange[],
  body: Body,
): Buffer {
  const bytes = dependencies.codec.encode(link, covers, body);
  if (bytes.length > RECORD_BYTES_MAX) {
    const facts = { ...output, bytes: bytes.length, maxBytes: RECORD_BYTES_MAX };
    throw new TallyError('MESSAGE_TOO_LARGE', 'a proposal does not fit into one message', facts);
  }
  return bytes;
}
