import type { Clock } from './clock.ts';

/** Less than this between two looks is drift that a time server puts right. */
export const JUMP_MS_MIN = 5_000;

export interface ClockJumpsDependencies {
  readonly clock: Clock;
  /** Milliseconds since the machine was started, the time that it slept included: a machine that slept is no clock that was set. */
  readonly uptimeMs: () => number;
}

/** Finds out that somebody set the clock: civil time passed otherwise than elapsed time, and the machine did not sleep. */
export class ClockJumps {
  readonly #of: ClockJumpsDependencies;
  #lastMs: { readonly civil: number; readonly elapsed: number; readonly uptime: number };
  #sumMs = 0;

  constructor(dependencies: ClockJumpsDependencies) {
    this.#of = dependencies;
    this.#lastMs = this.#read();
  }

  /** By how much the clock was set since the last look, milliseconds: positive where it went forward, 0 where it was not set. */
  look(): number {
    const before = this.#lastMs;
    const now = this.#read();
    this.#lastMs = now;
    const passedMs = now.civil - before.civil;
    const byElapsedMs = passedMs - (now.elapsed - before.elapsed);
    const byUptimeMs = passedMs - (now.uptime - before.uptime);
    const jumpMs = Math.abs(byUptimeMs) < Math.abs(byElapsedMs) ? byUptimeMs : byElapsedMs;
    if (Math.abs(jumpMs) < JUMP_MS_MIN) return 0;
    this.#sumMs += jumpMs;
    return jumpMs;
  }

  /** How far the clock was set in all since the first look: about 0 again where it was put right. */
  get sumMs(): number {
    return this.#sumMs;
  }

  #read() {
    const { clock, uptimeMs } = this.#of;
    return { civil: clock.civilMs(), elapsed: clock.elapsedMs(), uptime: uptimeMs() };
  }
}
