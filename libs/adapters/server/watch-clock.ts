import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics-registry.ts';
import { type Clock, systemUptimeMs } from '../time/clock.ts';
import { ClockJumps } from '../time/clock-jumps.ts';

export interface WatchClockDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly uptimeMs?: () => number;
}

const LOOK_EVERY_MS = 1_000;

/** Looks at the clock of the process once a second; says each jump once, in the log and in two metrics. Gives the way to stop. */
export function watchClock({ clock, logger, metrics, uptimeMs = systemUptimeMs }: WatchClockDependencies): () => void {
  const jumps = new ClockJumps({ clock, uptimeMs });
  const jumped = metrics.counter({
    name: 'tally_clock_jump_seconds_total',
    help: 'Seconds by which the clock of this machine was set while the process ran, forward and back.',
    labels: ['direction'],
  });
  const ahead = metrics.gauge({
    name: 'tally_clock_ahead_seconds',
    help: 'How far the clock of this machine was set in all since the process began; 0 where it was not, or was put right again.',
    labels: [],
  });
  ahead.set({}, 0);
  const timer = setInterval(() => {
    const jumpMs = jumps.look();
    if (jumpMs === 0) return;
    const seconds = Math.round(Math.abs(jumpMs) / 1_000);
    jumped.add({ direction: jumpMs > 0 ? 'forward' : 'back' }, seconds);
    ahead.set({}, Math.round(jumps.sumMs / 1_000));
    const how = jumpMs > 0 ? 'forward' : 'back';
    logger.warn(
      { code: 'CLOCK_JUMPED', seconds: Math.round(jumpMs / 1_000) },
      `the clock of this machine went ${seconds} s ${how}: times of receipt follow it, so put it right and keep it by a time server`,
    );
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
