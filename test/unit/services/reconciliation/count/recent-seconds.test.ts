import { describe, expect, it } from 'vitest';
import { RecentCounts, RecentDurations } from '../../../../../services/reconciliation/count/recent-seconds.ts';

describe('RecentCounts', () => {
  it('gives the rate over the whole seconds before now', () => {
    const counts = new RecentCounts();
    for (let second = 0; second < 10; second++) counts.add(second * 1000, 4);
    counts.add(10_500, 1_000);
    expect(counts.perSecond(10_900, 10)).toBe(4);
  });

  it('forgets what is long past', () => {
    const counts = new RecentCounts();
    counts.add(1_000, 50);
    counts.add(500_000, 1);
    expect(counts.perSecond(501_000, 10)).toBe(0.1);
    expect(counts.perSecond(900_000, 10)).toBe(0);
  });

  it('lets an old record leave the present as it is', () => {
    const counts = new RecentCounts();
    counts.add(1_000_000, 10);
    counts.add(1_000_000 - 120_000, 99);
    expect(counts.perSecond(1_001_000, 10)).toBe(1);
  });
});

describe('RecentDurations', () => {
  it('gives percentiles to within a tenth', () => {
    const durations = new RecentDurations();
    for (let each = 1; each <= 1_000; each++) durations.add(60_000, each * 10);
    const [p50, p99] = durations.percentilesMs(61_000, [0.5, 0.99]);
    expect(p50).toBeGreaterThanOrEqual(5_000);
    expect(p50).toBeLessThanOrEqual(5_500);
    expect(p99).toBeGreaterThanOrEqual(9_900);
    expect(p99).toBeLessThanOrEqual(10_900);
  });

  it('has none where nothing came in the last minute', () => {
    const durations = new RecentDurations();
    expect(durations.percentilesMs(0, [0.5])).toEqual([null]);
    durations.add(1_000, 5);
    expect(durations.percentilesMs(1_500, [0.5])).toEqual([5]);
    expect(durations.percentilesMs(100_000, [0.5])).toEqual([null]);
  });

  it('takes a duration beyond its longest as its longest', () => {
    const durations = new RecentDurations();
    durations.add(1_000, Number.MAX_SAFE_INTEGER);
    const [longest] = durations.percentilesMs(1_500, [0.5]);
    expect(longest).toBeGreaterThan(3_600_000);
  });
});

describe('figures of the last minutes, where the clock was 40 days ahead and is put right', () => {
  const NOW_MS = Date.UTC(2026, 10, 30);
  const AHEAD_MS = 40 * 86_400_000;

  it('count again what comes a second', () => {
    const counts = new RecentCounts();
    for (let second = 0; second < 120; second++) counts.add(NOW_MS + AHEAD_MS + second * 1_000);
    expect(counts.perSecond(NOW_MS, 10)).toBe(0);
    for (let second = 0; second < 10; second++) counts.add(NOW_MS + second * 1_000, 5);
    expect(counts.perSecond(NOW_MS + 10_000, 10)).toBe(5);
  });

  it('give percentiles of what came since', () => {
    const durations = new RecentDurations();
    for (let slot = 0; slot < 10; slot++) durations.add(NOW_MS + AHEAD_MS + slot * 6_000, 60_000);
    expect(durations.percentilesMs(NOW_MS, [0.5])).toEqual([null]);
    durations.add(NOW_MS, 5);
    expect(durations.percentilesMs(NOW_MS + 1_000, [0.5])).toEqual([5]);
  });
});
