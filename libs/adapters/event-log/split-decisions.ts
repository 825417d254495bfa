import type { RecordBatch } from './event-log.ts';
import type { CoverTo } from './stage-program.ts';

/** Where a message is cut, bytes once encoded (design section 4). One item larger than this stands alone. */
export const MESSAGE_BYTES_MAX = 512 * 1024;

interface OfRecord {
  readonly topic: string;
  readonly offset: number;
}

export interface DecisionPart<D extends OfRecord> {
  readonly covers: readonly CoverTo[];
  readonly decisions: readonly D[];
}

/** Decisions as they stand in one message, and about what they take once encoded. */
export interface PartOfDecisions<D> {
  readonly decisions: readonly D[];
  readonly bytes: number;
}

/** Decisions that are tried in one message at first. */
const DECISIONS_MAX = 1_000;

/**
 * Cuts the decisions of a partition's input batches (one per record, in the order of the batches) into messages of at most about
 * maxBytes, in order, an event's results never split. Each part covers its inputs up to its last decision, the last part all that was
 * read: offsets without a record are covered too. No batches give no parts.
 *
 * @param settle how decisions stand in one message of theirs alone: what one takes may depend on those beside it. Asked again with
 * fewer where they are too many for one.
 */
export function splitDecisions<D extends OfRecord>(
  batches: readonly RecordBatch[],
  decisions: readonly D[],
  settle: (decisions: readonly D[]) => PartOfDecisions<D>,
  maxBytes: number = MESSAGE_BYTES_MAX,
): readonly DecisionPart<D>[] {
  const progressed = batches.filter((batch) => batch.nextOffset > batch.fromOffset);
  if (progressed.length === 0) {
    return [];
  }
  const parts: (readonly D[])[] = [];
  for (let start = 0; start < decisions.length; start += DECISIONS_MAX) {
    cut(decisions.slice(start, start + DECISIONS_MAX), settle, maxBytes, parts);
  }
  if (parts.length === 0) {
    parts.push([]);
  }
  const partitionOf = new Map(progressed.map((batch) => [batch.topic, batch.partition]));
  return parts.map((part, index) => ({
    covers: index === parts.length - 1 ? progressed.map(wholeBatch) : reachOf(part, partitionOf),
    decisions: part,
  }));
}

function cut<D>(
  decisions: readonly D[],
  settle: (decisions: readonly D[]) => PartOfDecisions<D>,
  maxBytes: number,
  parts: (readonly D[])[],
): void {
  const whole = settle(decisions);
  if (whole.bytes <= maxBytes || decisions.length === 1) {
    parts.push(whole.decisions);
    return;
  }
  const fitting = Math.max(1, Math.floor((decisions.length * maxBytes) / whole.bytes));
  for (let start = 0; start < decisions.length; start += fitting) {
    cut(decisions.slice(start, start + fitting), settle, maxBytes, parts);
  }
}

function wholeBatch(batch: RecordBatch): CoverTo {
  return { topic: batch.topic, partition: batch.partition, next: batch.nextOffset };
}

function reachOf(part: readonly OfRecord[], partitionOf: ReadonlyMap<string, number>): CoverTo[] {
  const reach = new Map<string, number>();
  for (const { topic, offset } of part) {
    reach.set(topic, offset + 1);
  }
  return [...reach].map(([topic, next]) => ({ topic, partition: partitionOf.get(topic) ?? 0, next }));
}
