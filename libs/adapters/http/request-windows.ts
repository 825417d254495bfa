import type { ClientRateLimitInfo, Store } from 'express-rate-limit';
import type { ElapsedClock } from '../time/clock.ts';

interface Window {
  beganMs: number;
  hits: number;
}

/**
 * The requests of each client in the window that runs, for express-rate-limit. Its own store goes by the civil clock: where that is set back,
 * a busy client would be turned away until the clock has come to where it was. Holds one entry for each client that was let in.
 */
export class RequestWindows implements Store {
  readonly localKeys = true;
  readonly #windowMs: number;
  readonly #clock: ElapsedClock;
  readonly #windows = new Map<string, Window>();

  /** @param windowMs how long a window is, by elapsed time. */
  constructor(windowMs: number, clock: ElapsedClock) {
    this.#windowMs = windowMs;
    this.#clock = clock;
  }

  increment(client: string): ClientRateLimitInfo {
    const elapsedMs = this.#clock.elapsedMs();
    let window = this.#windows.get(client);
    if (window === undefined || elapsedMs - window.beganMs >= this.#windowMs) {
      window = { beganMs: elapsedMs, hits: 0 };
      this.#windows.set(client, window);
    }
    window.hits += 1;
    return { totalHits: window.hits, resetTime: undefined };
  }

  decrement(client: string): void {
    const window = this.#windows.get(client);
    if (window !== undefined && window.hits > 0) window.hits -= 1;
  }

  resetKey(client: string): void {
    this.#windows.delete(client);
  }
}
