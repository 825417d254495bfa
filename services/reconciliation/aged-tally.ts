import { addTally, countOf, newTally, type Tally } from './tally.ts';

/** What is unmatched, split by whether it was received before a time. */
export interface Aged {
  readonly inFlight: Tally;
  readonly overdue: Tally;
  /** When the oldest was received, to the second (to ten minutes once it is an hour overdue); null where nothing is unmatched. */
  readonly oldestMs: number | null;
}

export interface AgedTallySnapshot {
  readonly fineFromSecond: number;
  readonly buckets: readonly (readonly [second: number, tally: readonly number[]])[];
}

const COARSE_SECONDS = 600;
const FINE_BEHIND_SECONDS = 3_600;

/**
 * A tally of what is unmatched by the second in which it was received, so that what is overdue is known without looking at every item.
 * Seconds long past are kept by ten minutes: a payer that is away for a month costs some thousands of rows, not millions.
 */
export class AgedTally {
  readonly #buckets = new Map<number, Tally>();
  #fineFromSecond: number;

  constructor(snapshot: AgedTallySnapshot = { fineFromSecond: 0, buckets: [] }) {
    this.#fineFromSecond = snapshot.fineFromSecond;
    for (const [second, tally] of snapshot.buckets) this.#buckets.set(second, [...tally]);
  }

  add(receivedAtMs: number, tally: readonly number[]): void {
    const bucket = this.#bucketOf(Math.floor(receivedAtMs / 1000));
    const held = this.#buckets.get(bucket) ?? newTally();
    addTally(held, tally);
    this.#buckets.set(bucket, held);
  }

  /** Takes out what was added for the same time. */
  remove(receivedAtMs: number, tally: readonly number[]): void {
    const bucket = this.#bucketOf(Math.floor(receivedAtMs / 1000));
    const held = this.#buckets.get(bucket) ?? newTally();
    addTally(held, tally, -1);
    if (held.every((value) => value === 0)) this.#buckets.delete(bucket);
    else this.#buckets.set(bucket, held);
  }

  /** What was received before `cutoffMs` is overdue; with null (nothing is known yet) nothing is. */
  split(cutoffMs: number | null): Aged {
    const cutoffSecond = cutoffMs === null ? Number.NEGATIVE_INFINITY : Math.floor(cutoffMs / 1000);
    if (cutoffMs !== null) this.#coarsen(cutoffSecond - FINE_BEHIND_SECONDS);
    const inFlight = newTally();
    const overdue = newTally();
    let oldest: number | null = null;
    for (const [second, tally] of this.#buckets) {
      addTally(second < cutoffSecond ? overdue : inFlight, tally);
      if (countOf(tally) > 0 && (oldest === null || second < oldest)) oldest = second;
    }
    return { inFlight, overdue, oldestMs: oldest === null ? null : oldest * 1000 };
  }

  snapshot(): AgedTallySnapshot {
    return { fineFromSecond: this.#fineFromSecond, buckets: [...this.#buckets] };
  }

  /** Number of rows, for the test that it stays bounded. */
  get size(): number {
    return this.#buckets.size;
  }

  #bucketOf(second: number): number {
    return second >= this.#fineFromSecond ? second : Math.floor(second / COARSE_SECONDS) * COARSE_SECONDS;
  }

  #coarsen(beforeSecond: number): void {
    const fineFrom = Math.floor(beforeSecond / COARSE_SECONDS) * COARSE_SECONDS;
    if (fineFrom <= this.#fineFromSecond) return;
    this.#fineFromSecond = fineFrom;
    for (const [second, tally] of [...this.#buckets]) {
      const bucket = this.#bucketOf(second);
      if (bucket === second) continue;
      this.#buckets.delete(second);
      const coarse = this.#buckets.get(bucket) ?? newTally();
      addTally(coarse, tally);
      this.#buckets.set(bucket, coarse);
    }
  }
}
