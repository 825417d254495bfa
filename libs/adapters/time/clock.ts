import { uptime } from 'node:os';

/**
 * The two times that a service knows, which must not be mixed up. Civil time is what people and the law mean (the time of a receipt, a
 * block's `closed`, the end of a period, the expiry of a key); somebody may set it at any moment. Elapsed time is for ages, deadlines and
 * pauses; it never goes back.
 */
export interface Clock {
  /** Milliseconds since 1970 in UTC, as the machine's clock has them now. */
  civilMs(): number;
  /** Milliseconds since some moment before the process began, by a clock that nobody can set. */
  elapsedMs(): number;
}

export type CivilClock = Pick<Clock, 'civilMs'>;
export type ElapsedClock = Pick<Clock, 'elapsedMs'>;

/** The clocks of this machine. It is the only place that reads them (a house test holds it). */
export const systemClock: Clock = {
  civilMs: () => Date.now(),
  elapsedMs: () => performance.now(),
};

/** Milliseconds since the machine was started, with the time that it slept: tells a clock that was set from a machine that slept. */
export function systemUptimeMs(): number {
  return uptime() * 1_000;
}

/** One moment by both clocks. */
export interface Moment {
  readonly civilMs: number;
  readonly elapsedMs: number;
}

/** Reads both clocks. */
export function momentOf(clock: Clock): Moment {
  return { civilMs: clock.civilMs(), elapsedMs: clock.elapsedMs() };
}

/**
 * The elapsed time at which a civil time lay, as seen now: how a time that was stored or sent becomes an age. A time that lies in the future
 * of the clock is taken for now, so that nothing waits until the clock gets there.
 */
export function elapsedOf(civilMs: number, now: Moment): number {
  return now.elapsedMs - Math.max(0, now.civilMs - civilMs);
}

/**
 * The civil time at which it was made, carried on by elapsed time: for times that are stored, compared with one another and sorted. Within
 * a process it never goes back and never jumps.
 */
export function steadyTime(clock: Clock): () => number {
  const shiftMs = clock.civilMs() - clock.elapsedMs();
  return () => Math.floor(shiftMs + clock.elapsedMs());
}
