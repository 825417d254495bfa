import type { RecordBatch } from '../event-log/event-log.ts';
import type { InputReach } from './program.ts';

/** Where a message is cut, bytes once encoded (design section 4). One item larger than this stands alone. */
export const MESSAGE_BYTES_MAX = 512 * 1024;

interface OfRecord {
  readonly topic: string;
  readonly offset: number;
}

/** What of the decisions stands in one message. */
interface Settled {
  /** Bytes once encoded. */
  readonly bytes: number;
}

export interface DecisionPart<Part extends Settled> {
  readonly covers: readonly InputReach[];
  readonly part: Part;
}

/** Decisions that are tried in one message at first. */
const DECISIONS_MAX = 1_000;

/**
 * Cuts the decisions of a partition's input batches (one per record, in the order of the batches) into messages of at most about
 * maxBytes, in order, an event's results never split. Each part covers its inputs up to its last decision, the last part all that was
 * read: offsets without a record are covered too. No batches give no parts.
 *
 * @param settle how the decisions [from, to) stand in one message of theirs alone: what one takes may depend on those beside it. Asked
 * again with fewer where they are too many for one.
 */
export function splitDecisions<Part extends Settled>(
  batches: readonly RecordBatch[],
  decisions: readonly OfRecord[],
  settle: (from: number, to: number) => Part,
  maxBytes: number = MESSAGE_BYTES_MAX,
): readonly DecisionPart<Part>[] {
  const progressed = batches.filter((batch) => batch.nextOffset > batch.fromOffset);
  if (progressed.length === 0) {
    return [];
  }
  const cuts: Cut<Part>[] = [];
  for (let from = 0; from < decisions.length; from += DECISIONS_MAX) {
    cut(from, Math.min(from + DECISIONS_MAX, decisions.length), settle, maxBytes, cuts);
  }
  if (cuts.length === 0) {
    cuts.push({ from: 0, to: 0, part: settle(0, 0) });
  }
  const partitionOf = new Map(progressed.map((batch) => [batch.topic, batch.partition]));
  return cuts.map(({ from, to, part }, index) => ({
    covers: index === cuts.length - 1 ? progressed.map(wholeBatch) : reachOf(decisions.slice(from, to), partitionOf),
    part,
  }));
}

interface Cut<Part> {
  readonly from: number;
  readonly to: number;
  readonly part: Part;
}

/** In as few parts of the same number as can be: decisions differ little in what they take. */
function cut<Part extends Settled>(
  from: number,
  to: number,
  settle: (from: number, to: number) => Part,
  maxBytes: number,
  cuts: Cut<Part>[],
): void {
  const part = settle(from, to);
  const count = to - from;
  if (part.bytes <= maxBytes || count === 1) {
    cuts.push({ from, to, part });
    return;
  }
  const fitting = Math.max(1, Math.floor((count * maxBytes) / part.bytes));
  const each = Math.ceil(count / Math.ceil(count / fitting));
  for (let start = from; start < to; start += each) {
    cut(start, Math.min(start + each, to), settle, maxBytes, cuts);
  }
}

function wholeBatch(batch: RecordBatch): InputReach {
  return { topic: batch.topic, partition: batch.partition, next: batch.nextOffset };
}

function reachOf(part: readonly OfRecord[], partitionOf: ReadonlyMap<string, number>): InputReach[] {
  const reach = new Map<string, number>();
  for (const { topic, offset } of part) {
    reach.set(topic, offset + 1);
  }
  return [...reach].map(([topic, next]) => ({ topic, partition: partitionOf.get(topic) ?? 0, next }));
}
