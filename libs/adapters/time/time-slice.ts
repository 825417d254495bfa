import { systemClock } from './clock.ts';

/** How long one piece of work may hold the event loop before others get their turn. */
const SLICE_MS = 10;

/** Shares the event loop: long work asks between its steps, and gives way once its slice is used up. */
export class TimeSlice {
  #startMs = systemClock.elapsedMs();

  /** Whether it is time to give way: asked first by work of which there are thousands of steps in a slice. */
  get isUsedUp(): boolean {
    return systemClock.elapsedMs() - this.#startMs >= SLICE_MS;
  }

  /** Resolves at once, or after others had their turn. */
  async giveWay(): Promise<void> {
    if (!this.isUsedUp) return;
    await nextTurn();
    this.#startMs = systemClock.elapsedMs();
  }
}

/** Resolves once everything that waits for the event loop now has run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
