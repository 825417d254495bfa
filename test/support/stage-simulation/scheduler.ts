import type { StageClock } from '../../../libs/adapters/stage/program.ts';

interface Operation {
  readonly owner: string | null;
  readonly dueMs: number;
  readonly run: () => void;
}

/** Mulberry32: small, seeded, good enough to choose with. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Everything that takes time in a simulated world is an operation that waits here until the seed picks it: one interleaving per seed.
 * An owner that is frozen gets no answers until it thaws; one that is dead never does. What they sent may still arrive.
 */
export class Scheduler {
  readonly frozen = new Set<string>();
  readonly dead = new Set<string>();
  steps = 0;
  readonly #random: () => number;
  #nowMs = 1_000_000;
  #operations: Operation[] = [];

  constructor(seed: number) {
    this.#random = randomOf(seed);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  chance(probability: number): boolean {
    return this.#random() < probability;
  }

  below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.below(256));
  }

  /** A call of an owner: takes effect and is answered when it is picked. */
  call<T>(owner: string, effect: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#operations.push({
        owner,
        dueMs: 0,
        run: () => {
          try {
            resolve(effect());
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  /** Something on its way, of no owner: happens sooner or later. */
  later(run: () => void, delayMs = 0): void {
    this.#operations.push({ owner: null, dueMs: delayMs === 0 ? 0 : this.#nowMs + delayMs, run });
  }

  clockOf(owner: string): StageClock {
    return {
      elapsedMs: () => this.#nowMs,
      sleep: (durationMs, signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => resolve(), { once: true });
          this.#operations.push({ owner, dueMs: this.#nowMs + durationMs, run: resolve });
        }),
    };
  }

  /** Runs one operation, then everything that follows from it without waiting. False where nothing can run. */
  async step(): Promise<boolean> {
    this.#operations = this.#operations.filter(({ owner }) => owner === null || !this.dead.has(owner));
    const runnable = this.#operations.filter(({ owner }) => owner === null || !this.frozen.has(owner));
    const ready = runnable.filter(({ dueMs }) => dueMs <= this.#nowMs);
    const timers = runnable.filter(({ dueMs }) => dueMs > this.#nowMs);
    const takesTimer = timers.length > 0 && (ready.length === 0 || this.chance(0.1));
    const picked = takesTimer ? earliest(timers) : ready[this.below(ready.length)];
    if (picked === undefined) {
      return false;
    }
    this.steps += 1;
    this.#nowMs = Math.max(this.#nowMs, picked.dueMs);
    this.#operations.splice(this.#operations.indexOf(picked), 1);
    picked.run();
    await new Promise((resolve) => setImmediate(resolve));
    return true;
  }
}

function earliest(timers: readonly Operation[]): Operation | undefined {
  return timers.reduce<Operation | undefined>(
    (first, timer) => (first === undefined || timer.dueMs < first.dueMs ? timer : first),
    undefined,
  );
}
