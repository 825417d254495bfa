import type { TillEvent } from '../../../libs/core/events/vat-events.ts';
import { tillKey } from '../count/keys.ts';
import type { ReconciliationState } from '../count/reconciliation-state.ts';
import type { TillItem } from '../count/tables.ts';

type Range = readonly [from: number, to: number];

/** Ranges remembered for one till; the oldest beyond them are given up for lost and stay counted. */
const RANGES_MAX = 256;

/**
 * Follows the numbers of a till: a number that is skipped opens a gap, the event that comes late closes it. A till that was followed from
 * the middle begins where it was first seen only if that is 1: numbers count from 1 (vat.md section 9).
 */
export function takeTillNumber(books: ReconciliationState, event: TillEvent): void {
  const key = tillKey(event.account, event.tillId);
  const before = books.tables.tills.get(key) ?? [1, []];
  const after = afterNumber(before, event.seq);
  if (after === before) return;
  books.tables.tills.put(key, after);
  books.figures.tillGaps += after[1].length - before[1].length;
}

function afterNumber(till: TillItem, seq: number): TillItem {
  const [next, missing] = till;
  if (seq === next) return [next + 1, missing];
  if (seq > next) return [seq + 1, [...missing, [next, seq - 1] as const].slice(-RANGES_MAX)];
  const inside = missing.findIndex(([from, to]) => seq >= from && seq <= to);
  const range = missing[inside];
  // A repeat or a fork: tax decides and flags it.
  if (range === undefined) return till;
  return [next, [...missing.slice(0, inside), ...without(range, seq), ...missing.slice(inside + 1)]];
}

function without([from, to]: Range, seq: number): Range[] {
  const left: Range[] = seq > from ? [[from, seq - 1]] : [];
  return seq < to ? [...left, [seq + 1, to]] : left;
}
