import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { watchClock } from '../../../../../libs/adapters/server/watch-clock.ts';
import { createLogger } from '../../../../../libs/adapters/telemetry/logger.ts';
import { createMetrics } from '../../../../../libs/adapters/telemetry/metrics-registry.ts';
import { SetClock } from '../../../../support/set-clock.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
afterEach(() => void vi.useRealTimers());

it('says a clock that was set once for each time, and shows by how much it is off and how much it was moved in all', async () => {
  const clock = new SetClock(Date.UTC(2026, 10, 30));
  const lines: { readonly code?: string; readonly seconds?: number; readonly msg: string }[] = [];
  const logger = createLogger(
    { service: 'test', level: 'warn' },
    { write: (line) => void lines.push(JSON.parse(line)) },
  );
  const metrics = createMetrics();
  const stop = watchClock({ clock, logger, metrics, uptimeMs: clock.elapsedMs });
  const seconds = (count: number): void => {
    for (let second = 0; second < count; second += 1) {
      clock.pass(1_000);
      vi.advanceTimersByTime(1_000);
    }
  };
  seconds(3);
  expect(lines).toEqual([]);
  clock.set(10_800_000);
  seconds(3);
  expect(await metrics.registry.metrics()).toContain('tally_clock_ahead_seconds 10800');
  clock.set(-10_800_000);
  seconds(3);
  expect(lines.map(({ code, seconds: by }) => [code, by])).toEqual([
    ['CLOCK_JUMPED', 10_800],
    ['CLOCK_JUMPED', -10_800],
  ]);
  expect(lines[0]?.msg).toContain('went 10800 s forward');
  const text = await metrics.registry.metrics();
  expect(text).toContain('tally_clock_ahead_seconds 0');
  expect(text).toContain('tally_clock_jump_seconds_total{direction="forward"} 10800');
  expect(text).toContain('tally_clock_jump_seconds_total{direction="back"} 10800');
  stop();
  clock.set(60_000);
  seconds(2);
  expect(lines).toHaveLength(2);
});
