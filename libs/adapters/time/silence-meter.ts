/** Of the time between two failures so much counts at most, as a part of what is allowed. */
const GAP_PART_MAX = 0.5;

/**
 * For how long it was tried in vain. Counted from failure to failure and not by a clock from the last answer on: a process that was stopped,
 * or whose machine slept, has heard nothing for long and has not tried for long.
 */
export class SilenceMeter {
  readonly #gapMaxMs: number;
  #silentMs = 0;
  #failedAtMs: number | null = null;

  /** @param allowedMs what the silence is held against. */
  constructor(allowedMs: number) {
    this.#gapMaxMs = allowedMs * GAP_PART_MAX;
  }

  heard(): void {
    this.#silentMs = 0;
    this.#failedAtMs = null;
  }

  /** Gives how long it has been silent by now; 0 at the first failure. */
  failed(elapsedMs: number): number {
    if (this.#failedAtMs !== null) this.#silentMs += Math.min(elapsedMs - this.#failedAtMs, this.#gapMaxMs);
    this.#failedAtMs = elapsedMs;
    return this.#silentMs;
  }
}
