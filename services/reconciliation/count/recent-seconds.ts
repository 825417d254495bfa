const KEPT_SECONDS = 120;
/** The clock of the log may be so far ahead of ours. */
const AHEAD_SECONDS_MAX = 10;

/** Counts by second of the last two minutes: how many a second lately. */
export class RecentCounts {
  readonly #seconds = new Int32Array(KEPT_SECONDS).fill(-1);
  readonly #counts = new Float64Array(KEPT_SECONDS);

  add(atMs: number, count = 1): void {
    const second = Math.floor(atMs / 1000);
    const slot = second % KEPT_SECONDS;
    const held = this.#seconds[slot] ?? -1;
    if (held > second) return;
    if (held < second) {
      this.#seconds[slot] = second;
      this.#counts[slot] = 0;
    }
    this.#counts[slot] = (this.#counts[slot] ?? 0) + count;
  }

  /** A second, over the whole seconds before this one. What lies far ahead of the clock was counted before the clock was put back: it is forgotten. */
  perSecond(civilMs: number, overSeconds: number): number {
    const until = Math.floor(civilMs / 1000);
    let total = 0;
    for (let slot = 0; slot < KEPT_SECONDS; slot++) {
      const second = this.#seconds[slot] ?? -1;
      if (second > until + AHEAD_SECONDS_MAX) this.#seconds[slot] = -1;
      else if (second >= until - overSeconds && second < until) total += this.#counts[slot] ?? 0;
    }
    return total / overSeconds;
  }
}

/** Bounds grow by a tenth: a percentile is right to within five hundredths of itself. From 1 ms to some 3.9 hours. */
const GROWTH = 1.1;
const BINS = 173;

/** Durations of the last minute, for percentiles, by ten slots of six seconds. */
export class RecentDurations {
  #slots: { startedMs: number; bins: Uint32Array }[] = [];

  add(atMs: number, durationMs: number): void {
    const startedMs = Math.floor(atMs / SLOT_MS) * SLOT_MS;
    let slot = this.#slots.find((each) => each.startedMs === startedMs);
    if (slot === undefined) {
      slot = { startedMs, bins: new Uint32Array(BINS) };
      this.#slots.push(slot);
      if (this.#slots.length > SLOTS + 1) this.#slots.shift();
    }
    const bin = Math.min(BINS - 1, Math.max(0, Math.ceil(Math.log(Math.max(durationMs, 1)) / Math.log(GROWTH))));
    slot.bins[bin] = (slot.bins[bin] ?? 0) + 1;
  }

  /** Upper bounds of the percentiles (0..1) in the last minute, milliseconds; null where there was nothing. */
  percentilesMs(civilMs: number, percentiles: readonly number[]): readonly (number | null)[] {
    this.#slots = this.#slots.filter(({ startedMs }) => startedMs <= civilMs + AHEAD_SECONDS_MAX * 1000);
    const merged = new Float64Array(BINS);
    let total = 0;
    for (const { startedMs, bins } of this.#slots) {
      if (startedMs <= civilMs - SLOTS * SLOT_MS || startedMs > civilMs) continue;
      bins.forEach((count, bin) => {
        merged[bin] = (merged[bin] ?? 0) + count;
        total += count;
      });
    }
    return percentiles.map((percentile) => {
      let left = percentile * total;
      for (let bin = 0; bin < BINS && total > 0; bin++) {
        left -= merged[bin] ?? 0;
        if (left <= 0 && (merged[bin] ?? 0) > 0) return Math.round(GROWTH ** bin);
      }
      return null;
    });
  }
}

const SLOT_MS = 6_000;
const SLOTS = 10;
