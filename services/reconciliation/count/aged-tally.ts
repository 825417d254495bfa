import { elapsedOf, type Moment } from '../../../libs/adapters/time/clock.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { addTally, countOf, newTally, type Tally } from './tally.ts';

/** What is unmatched, split by whether it was received before a time. */
export interface Aged {
  readonly inFlight: Tally;
  readonly overdue: Tally;
  /** How long the oldest has been unmatched, ms, to the second (to ten minutes once it is an hour overdue); null where nothing is unmatched. */
  readonly oldestAgeMs: number | null;
}

export interface AgedTallySnapshot {
  /** Written by earlier versions in place of `coarse`: everything before it is kept by ten minutes. */
  readonly fineFromSecond?: number;
  /** First seconds of the ten minutes that are one row. */
  readonly coarse?: readonly number[];
  readonly buckets: readonly (readonly [second: number, tally: readonly PenceSum[]])[];
}

const SECOND_MS = 1_000;
const COARSE_SECONDS = 600;
const FINE_OVERDUE_MS = 3_600_000;

/**
 * A tally of what is unmatched by the second in which it was received, so that what is overdue is known without looking at every item.
 * Seconds long past are kept by ten minutes: a payer that is away for a month costs some thousands of rows, not millions.
 *
 * The second of receipt names the row; how old the row is goes by elapsed time from the moment that it was first seen, so that a clock that
 * is set makes nothing overdue and hides nothing. What was received before this process saw it has the age that the civil times give it.
 */
export class AgedTally {
  readonly #buckets = new Map<number, Tally>();
  /** Elapsed time at which each row that was seen began. */
  readonly #begunMs = new Map<number, number>();
  readonly #unseen = new Set<number>();
  readonly #coarse: Set<number>;

  constructor(snapshot: AgedTallySnapshot = { coarse: [], buckets: [] }) {
    const { fineFromSecond = 0, buckets } = snapshot;
    const before = buckets.map(([second]) => second).filter((second) => second < fineFromSecond);
    this.#coarse = new Set(snapshot.coarse ?? before);
    for (const [second, tally] of buckets) this.#put(second, [...tally]);
  }

  add(receivedAtMs: number, tally: readonly PenceSum[]): void {
    const bucket = this.#bucketOf(receivedAtMs);
    const held = this.#buckets.get(bucket);
    if (held !== undefined) addTally(held, tally);
    else {
      const begun = newTally();
      addTally(begun, tally);
      this.#put(bucket, begun);
    }
  }

  /** Takes out what was added for the same time. */
  remove(receivedAtMs: number, tally: readonly PenceSum[]): void {
    const bucket = this.#bucketOf(receivedAtMs);
    const held = this.#buckets.get(bucket) ?? newTally();
    addTally(held, tally, -1);
    if (held.every((value) => value === 0)) this.#drop(bucket);
    else if (!this.#buckets.has(bucket)) this.#put(bucket, held);
  }

  /** Gives rows that are new their age. To be called about once a second, so that a clock that is set meanwhile changes little. */
  see(now: Moment): void {
    for (const second of this.#unseen) this.#begunMs.set(second, elapsedOf(second * SECOND_MS, now));
    this.#unseen.clear();
  }

  /** What was received before the elapsed time `cutoffMs` is overdue; with null (nothing is known yet) nothing is. */
  split(cutoffMs: number | null, now: Moment): Aged {
    this.see(now);
    if (cutoffMs !== null) this.#coarsen(cutoffMs - FINE_OVERDUE_MS);
    const inFlight = newTally();
    const overdue = newTally();
    let oldestMs: number | null = null;
    for (const [second, tally] of this.#buckets) {
      const begunMs = this.#begunMs.get(second) ?? now.elapsedMs;
      addTally(isBefore(begunMs, cutoffMs) ? overdue : inFlight, tally);
      if (countOf(tally) > 0 && (oldestMs === null || begunMs < oldestMs)) oldestMs = begunMs;
    }
    return { inFlight, overdue, oldestAgeMs: oldestMs === null ? null : now.elapsedMs - oldestMs };
  }

  /** Whether what was received at a time and is unmatched counts as overdue; false for what has not been seen yet. */
  isOverdue(receivedAtMs: number, cutoffMs: number | null): boolean {
    const begunMs = this.#begunMs.get(this.#bucketOf(receivedAtMs));
    return begunMs !== undefined && isBefore(begunMs, cutoffMs);
  }

  snapshot(): AgedTallySnapshot {
    return { coarse: [...this.#coarse], buckets: [...this.#buckets] };
  }

  /** Number of rows, for the test that it stays bounded. */
  get size(): number {
    return this.#buckets.size;
  }

  #bucketOf(receivedAtMs: number): number {
    const second = Math.floor(receivedAtMs / SECOND_MS);
    const coarse = coarseOf(second);
    return this.#coarse.has(coarse) ? coarse : second;
  }

  #put(bucket: number, tally: Tally): void {
    this.#buckets.set(bucket, tally);
    this.#unseen.add(bucket);
  }

  #drop(bucket: number): void {
    this.#buckets.delete(bucket);
    this.#begunMs.delete(bucket);
    this.#unseen.delete(bucket);
    this.#coarse.delete(bucket);
  }

  /** Ten minutes of which every row began before the time become one row, as old as the oldest of them. */
  #coarsen(beforeMs: number): void {
    const windows = new Map<number, { rows: number[]; firstMs: number; lastMs: number }>();
    for (const [second, begunMs] of this.#begunMs) {
      const coarse = coarseOf(second);
      if (this.#coarse.has(coarse)) continue;
      const window = windows.get(coarse) ?? { rows: [], firstMs: begunMs, lastMs: begunMs };
      window.rows.push(second);
      window.firstMs = Math.min(window.firstMs, begunMs);
      window.lastMs = Math.max(window.lastMs, begunMs);
      windows.set(coarse, window);
    }
    for (const [coarse, { rows, firstMs, lastMs }] of windows) {
      if (lastMs >= beforeMs) continue;
      const sum = newTally();
      for (const second of rows) {
        addTally(sum, this.#buckets.get(second) ?? []);
        this.#drop(second);
      }
      this.#coarse.add(coarse);
      this.#buckets.set(coarse, sum);
      this.#begunMs.set(coarse, firstMs);
    }
  }
}

function coarseOf(second: number): number {
  return Math.floor(second / COARSE_SECONDS) * COARSE_SECONDS;
}

/** A row is before a time once the whole of its second is. */
function isBefore(begunMs: number, cutoffMs: number | null): boolean {
  return cutoffMs !== null && begunMs + SECOND_MS <= cutoffMs;
}
