/**
 * Of the time between two answers so much counts at most, as a part of the time allowed: a node that slept in between saw nothing of what
 * the ledger did, which may have slept on the same machine.
 */
const GAP_PART_MAX = 0.5;
const PULLS_KEPT_MAX = 4_000;

/** A pull that was answered under a valid checkpoint. */
export interface AnsweredPull {
  readonly startedAtMs: number;
  /** How long the node has been looking by then, from any beginning, ms. */
  readonly watchedMs: number;
  /** As watchedMs, of the time in which the public log grew. */
  readonly grownMs: number;
}

/** What this node has seen of the ledger: when it was answered, and while the public log grew. Oldest first. */
export class AnsweredPulls {
  readonly #gapMsMax: number;
  #pulls: AnsweredPull[] = [];
  #size: number | null = null;
  #grewAtMs: number | null = null;

  constructor(withheldAfterMs: number) {
    this.#gapMsMax = withheldAfterMs * GAP_PART_MAX;
  }

  /** When the public log was seen to grow last; null where this node has not seen it grow since its start. */
  get grewAtMs(): number | null {
    return this.#grewAtMs;
  }

  note(startedAtMs: number, logSize: number): void {
    const last = this.#pulls.at(-1);
    const seenMs = (sinceMs: number): number => Math.min(Math.max(0, startedAtMs - sinceMs), this.#gapMsMax);
    const hasGrown = this.#size !== null && logSize > this.#size;
    const grewMs = hasGrown ? seenMs(this.#grewAtMs ?? last?.startedAtMs ?? startedAtMs) : 0;
    if (hasGrown) this.#grewAtMs = startedAtMs;
    this.#size = logSize;
    this.#pulls.push({
      startedAtMs,
      watchedMs: (last?.watchedMs ?? 0) + (last === undefined ? 0 : seenMs(last.startedAtMs)),
      grownMs: (last?.grownMs ?? 0) + grewMs,
    });
    if (this.#pulls.length > PULLS_KEPT_MAX) this.#thinOut();
  }

  /** Between the first pull after an event's receipt and the last that left nothing of its chain behind; null where there are none such. */
  between(
    receiptedAtMs: number,
    completeAtMs: number,
  ): { readonly watchedMs: number; readonly grownMs: number } | null {
    const later = this.#pulls[this.#countUntil(receiptedAtMs)];
    const complete = this.#pulls[this.#countUntil(completeAtMs) - 1];
    if (later === undefined || complete === undefined) return null;
    return { watchedMs: complete.watchedMs - later.watchedMs, grownMs: complete.grownMs - later.grownMs };
  }

  /** How many of them began at that time or before. */
  #countUntil(atMs: number): number {
    let from = 0;
    let to = this.#pulls.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#pulls[middle]?.startedAtMs ?? 0) <= atMs) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  /** Every second one of the older half goes: the times asked for become shorter by it, never longer. */
  #thinOut(): void {
    const half = PULLS_KEPT_MAX / 2;
    this.#pulls = this.#pulls.filter((_, index) => index >= half || index % 2 === 0);
  }
}
