import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../time/clock.ts';
import type { StageClock, StageLimits } from './program.ts';

/** The machine's clock; a sleep that is aborted ends early and does not throw. */
export const systemStageClock: StageClock = {
  elapsedMs: systemClock.elapsedMs,
  sleep: async (durationMs, signal) => {
    try {
      await sleep(durationMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted !== true) {
        throw error;
      }
    }
  },
};

/** The limits of a stage whose options name no others: few and large messages, bounded groups (docs/performance.md#batching). */
export const STAGE_LIMITS: StageLimits = {
  pollMaxBytes: 4 * 1024 ** 2,
  pollMaxRecords: 10_000,
  pollWaitMs: 100,
  lookMs: 1_000,
  tickMs: 100,
  lingerMs: 50,
  retryMs: 250,
  monitorMs: 5_000,
  foldReadBytes: 4 * 1024 ** 2,
  foldCommitBytes: 16 * 1024 ** 2,
};
