import type { StageLimits } from './program.ts';

/** What a stage does unless its options say otherwise (performance.md: few and large messages, bounded groups). */
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
