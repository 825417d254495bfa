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

/**
 * Cuts the decisions of a partition's input batches (one per record, in the order of the batches) into messages of about maxBytes, in
 * order, an event's results never split. Each part covers its inputs up to its last decision, the last part all that was read:
 * offsets without a record are covered too. No batches give no parts.
 */
export function splitDecisions<D extends OfRecord>(
  batches: readonly RecordBatch[],
  decisions: readonly D[],
  bytesOf: (decision: D) => number,
  maxBytes: number = MESSAGE_BYTES_MAX,
): readonly DecisionPart<D>[] {
  const progressed = batches.filter((batch) => batch.nextOffset > batch.fromOffset);
  if (progressed.length === 0) {
    return [];
  }
  const parts = cut(decisions, bytesOf, maxBytes);
  if (parts.length === 0) {
    parts.push([]);
  }
  const partitionOf = new Map(progressed.map((batch) => [batch.topic, batch.partition]));
  return parts.map((part, index) => ({
    covers: index === parts.length - 1 ? progressed.map(wholeBatch) : reachOf(part, partitionOf),
    decisions: part,
  }));
}

function cut<D>(items: readonly D[], bytesOf: (item: D) => number, maxBytes: number): D[][] {
  const parts: D[][] = [];
  let current: D[] = [];
  let bytes = 0;
  for (const item of items) {
    const itemBytes = bytesOf(item);
    if (current.length > 0 && bytes + itemBytes > maxBytes) {
      parts.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += itemBytes;
  }
  if (current.length > 0) {
    parts.push(current);
  }
  return parts;
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
