/** The longest gap between two failures that counts in full, as a part of the time that retries are allowed. */
const GAP_PART_MAX = 0.5;

/**
 * Measures how long retries have been failing. Sums the gaps between failures instead of reading a clock, because a suspended
 * process has not been retrying.
 */
export class RetryDuration {
  readonly #gapMaxMs: number;
  #failingMs = 0;
  #failedAtMs: number | null = null;

  /** @param allowedMs how long retries may fail before the caller gives up. */
  constructor(allowedMs: number) {
    this.#gapMaxMs = allowedMs * GAP_PART_MAX;
  }

  /** Ends the run of failures: an answer came. */
  heard(): void {
    this.#failingMs = 0;
    this.#failedAtMs = null;
  }

  /** How long retries have been failing, milliseconds; 0 at the first failure. */
  failed(elapsedMs: number): number {
    if (this.#failedAtMs !== null) this.#failingMs += Math.min(elapsedMs - this.#failedAtMs, this.#gapMaxMs);
    this.#failedAtMs = elapsedMs;
    return this.#failingMs;
  }
}
