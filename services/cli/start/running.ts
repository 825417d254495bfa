import type { LoadedRules } from '../../../libs/adapters/rules/load-rules.ts';
import type { FeedTarget } from '../demo/run-feed.ts';

/** A started Tallystick, in one process or in several. */
export interface Running {
  /** Lines for the one who started it: what answers where. */
  readonly places: readonly string[];
  readonly rules: LoadedRules;
  readonly feedTarget: FeedTarget;
  /** Waits until what was received stands in both copies, or the deadline passes: nothing is lost by it either way. */
  drain(deadlineMs: number): Promise<void>;
  /** Ordered: nothing new is taken, what is under way is finished, each store is closed after its last writer. */
  stop(): Promise<void>;
}
