import { type Clock, systemUptimeMs } from '../../../libs/adapters/time/clock.ts';
import { ClockJumps, JUMP_MS_MIN } from '../../../libs/adapters/time/clock-jumps.ts';
import type { PayerStore } from './payer-store.ts';

export interface CloseHoldOptions {
  /** How long closes wait after the start and after the clock was set, milliseconds of elapsed time. */
  readonly holdLeastMs: number;
  /** How long they wait at most, after the clock went far forward. */
  readonly holdMostMs: number;
}

export interface CloseHoldDependencies {
  readonly clock: Clock;
  readonly store: PayerStore;
  readonly uptimeMs?: () => number;
}

/** A node that was away for longer than this may as well have a clock that is wrong: what it closes by the calendar waits longest. */
const AWAY_MS_MAX = 7 * 86_400_000;
const NOTE_EVERY_MS = 60_000;

/**
 * Keeps a clock that is ahead from closing what cannot be opened again. Closes by the calendar are never urgent (a VAT period has a grace of
 * seven days, a tax month is closed on the 20th), so they wait: for the least time after the start and after the clock was set; after it
 * went forward for as long as it went, at most the most, so that somebody can put it right; and for the most where the clock at the start is
 * more than seven days after the last time that this node ran. Where the clock is put right, what was held by it is held no longer.
 */
export class CloseHold {
  readonly #options: CloseHoldOptions;
  readonly #of: CloseHoldDependencies;
  readonly #jumps: ClockJumps;
  #untilMs: number;
  #notedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: CloseHoldOptions, dependencies: CloseHoldDependencies) {
    const { clock, store, uptimeMs = systemUptimeMs } = dependencies;
    this.#options = options;
    this.#of = dependencies;
    this.#jumps = new ClockJumps({ clock, uptimeMs });
    const ranMs = store.node('ran')?.civilMs ?? clock.civilMs();
    const isLong = clock.civilMs() - ranMs > AWAY_MS_MAX;
    this.#untilMs = clock.elapsedMs() + (isLong ? options.holdMostMs : options.holdLeastMs);
  }

  /** How much longer closes by the calendar wait, milliseconds; 0 where they may be sent. */
  async leftMs(): Promise<number> {
    const { clock } = this.#of;
    const { holdLeastMs, holdMostMs } = this.#options;
    const jumpMs = this.#jumps.look();
    const elapsedMs = clock.elapsedMs();
    if (jumpMs !== 0) {
      const aheadMs = Math.abs(this.#jumps.sumMs) < JUMP_MS_MIN ? 0 : Math.max(0, jumpMs);
      this.#untilMs = elapsedMs + Math.min(holdMostMs, Math.max(holdLeastMs, aheadMs));
    }
    const leftMs = Math.max(0, this.#untilMs - elapsedMs);
    if (leftMs === 0) await this.#noteThatItRuns(elapsedMs);
    return leftMs;
  }

  /** Only a time that is believed is noted. */
  async #noteThatItRuns(elapsedMs: number): Promise<void> {
    if (elapsedMs - this.#notedAtMs < NOTE_EVERY_MS) return;
    this.#notedAtMs = elapsedMs;
    const { clock, store } = this.#of;
    await store.commit(() => store.putNode('ran', { civilMs: clock.civilMs() }));
  }
}
