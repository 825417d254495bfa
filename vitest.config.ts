import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    // Most end-to-end tests wait for time to pass: two at once use two cores, more would starve one another.
    maxWorkers: 2,
    // Limits are for what hangs, not for what is slow: a machine where ten others work gives a test a tenth of a core, or stops for seconds.
    testTimeout: 120_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
