import type { Clock } from '../../libs/adapters/time/clock.ts';

/** A clock that stands where the test puts it: time passes for both, and its civil time can be set as a person would. */
export class SetClock implements Clock {
  #civilMs: number;
  #elapsedMs = 1_000;

  constructor(civilMs: number) {
    this.#civilMs = civilMs;
  }

  readonly civilMs = (): number => this.#civilMs;
  readonly elapsedMs = (): number => this.#elapsedMs;

  /** Time passes, as long as told. */
  pass(durationMs: number): void {
    this.#civilMs += durationMs;
    this.#elapsedMs += durationMs;
  }

  /** Somebody sets the clock forward, or back where it is negative: no time passes. */
  set(byMs: number): void {
    this.#civilMs += byMs;
  }
}
