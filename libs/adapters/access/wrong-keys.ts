import { WRONG_KEY_HOLDERS_MAX, WRONG_KEY_WINDOW_MS, WRONG_KEYS_PER_WINDOW_MAX } from '../http/limits.ts';
import { networkOf } from '../http/network-of.ts';
import { HttpProblem } from '../http/problem.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CountMetric } from '../telemetry/metrics-registry.ts';
import type { ElapsedClock } from '../time/clock.ts';

export interface WrongKeysDependencies {
  readonly logger: Logger;
  /** Wrong keys, by whether they were answered at once (`refused`) or told to wait (`slowed`). */
  readonly wrongKeys?: CountMetric<'answer'> | undefined;
  /** Milliseconds that only grow, whatever becomes of the civil clock. */
  readonly clock: ElapsedClock;
}

interface Failures {
  count: number;
  sinceMs: number;
  /** Whether the burst that goes on was told in the log. */
  isTold: boolean;
}

/**
 * Counts wrong keys by the address that they come from, and expired ones by their client too. Whoever sends many in a minute is told to wait
 * (429 with Retry-After). A right key never comes here, so nobody is locked out by others behind the same address. The table holds at most
 * WRONG_KEY_HOLDERS_MAX entries; the oldest makes room.
 */
export class WrongKeys {
  readonly #of: WrongKeysDependencies;
  readonly #failures = new Map<string, Failures>();

  constructor(dependencies: WrongKeysDependencies) {
    this.#of = dependencies;
  }

  /** Notes a wrong key. Throws TOO_MANY_WRONG_KEYS (429) beyond the limit of the address, or of the client where the key has expired. */
  count(address: string, client: string | null): void {
    const elapsedMs = this.#of.clock.elapsedMs();
    const holders = [`address ${networkOf(address)}`];
    if (client !== null) holders.push(`client ${client}`);
    const waits = holders.map((holder) => this.#waitMsOf(holder, elapsedMs));
    const waitMs = Math.max(...waits);
    this.#of.wrongKeys?.add({ answer: waitMs > 0 ? 'slowed' : 'refused' });
    if (waitMs === 0) return;
    throw new HttpProblem(
      429,
      'TOO_MANY_WRONG_KEYS',
      `more than ${WRONG_KEYS_PER_WINDOW_MAX} wrong keys came in a minute: correct the client key, then send again`,
      { retryAfterSeconds: Math.ceil(waitMs / 1_000) },
    );
  }

  /** How many addresses and clients are in the table. */
  get size(): number {
    return this.#failures.size;
  }

  /** Milliseconds to wait: 0 within the limit. */
  #waitMsOf(holder: string, elapsedMs: number): number {
    const known = this.#failures.get(holder);
    if (known === undefined) {
      if (this.#failures.size >= WRONG_KEY_HOLDERS_MAX) this.#forgetOldest();
      this.#failures.set(holder, { count: 1, sinceMs: elapsedMs, isTold: false });
      return 0;
    }
    if (elapsedMs - known.sinceMs >= WRONG_KEY_WINDOW_MS) this.#beginWindow(holder, known, elapsedMs);
    known.count += 1;
    if (known.count <= WRONG_KEYS_PER_WINDOW_MAX) return 0;
    if (!known.isTold) {
      known.isTold = true;
      const said = `more than ${WRONG_KEYS_PER_WINDOW_MAX} wrong client keys in a minute: further ones are told to wait`;
      this.#of.logger.warn({ code: 'TOO_MANY_WRONG_KEYS', from: holder }, said);
    }
    return Math.max(1, known.sinceMs + WRONG_KEY_WINDOW_MS - elapsedMs);
  }

  /** A burst that goes on from one minute to the next is told once. */
  #beginWindow(holder: string, known: Failures, elapsedMs: number): void {
    const goesOn = known.count > WRONG_KEYS_PER_WINDOW_MAX && elapsedMs - known.sinceMs < 2 * WRONG_KEY_WINDOW_MS;
    known.isTold &&= goesOn;
    known.count = 0;
    known.sinceMs = elapsedMs;
    // The map forgets in the order of insertion: the one seen now goes last.
    this.#failures.delete(holder);
    this.#failures.set(holder, known);
  }

  #forgetOldest(): void {
    for (const holder of this.#failures.keys()) {
      this.#failures.delete(holder);
      return;
    }
  }
}
