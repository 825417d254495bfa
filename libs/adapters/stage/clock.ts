import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../time/clock.ts';
import type { StageClock } from './program.ts';

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
