import { describe, expect, it } from 'vitest';
import { elapsedOf, steadyTime } from '../../../../../libs/adapters/time/clock.ts';
import { ClockJumps } from '../../../../../libs/adapters/time/clock-jumps.ts';
import { SetClock } from '../../../../support/set-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 30);

describe('ClockJumps', () => {
  it.each([
    ['3 hours forward', 3 * HOUR_MS],
    ['40 days forward', 40 * DAY_MS],
    ['a year back', -365 * DAY_MS],
    ['six seconds back', -6_000],
  ])('finds a clock that was set %s, and that it was put right', (_how, byMs) => {
    const clock = new SetClock(START_MS);
    const jumps = new ClockJumps({ clock, uptimeMs: clock.elapsedMs });
    clock.pass(1_000);
    expect(jumps.look()).toBe(0);
    clock.set(byMs);
    clock.pass(1_000);
    expect(jumps.look()).toBe(byMs);
    expect(jumps.look()).toBe(0);
    expect(jumps.sumMs).toBe(byMs);
    clock.set(-byMs);
    expect(jumps.look()).toBe(-byMs);
    expect(jumps.sumMs).toBe(0);
  });

  it('takes the drift that a time server puts right for none, however long it goes on', () => {
    const clock = new SetClock(START_MS);
    const jumps = new ClockJumps({ clock, uptimeMs: clock.elapsedMs });
    for (let looks = 0; looks < 100; looks += 1) {
      clock.pass(60_000);
      clock.set(300);
      expect(jumps.look()).toBe(0);
    }
    expect(jumps.sumMs).toBe(0);
  });

  it('takes a machine that slept for none: civil time and the time since it was started go on alike, elapsed time stands still', () => {
    const clock = new SetClock(START_MS);
    let sleptMs = 0;
    const jumps = new ClockJumps({ clock, uptimeMs: () => clock.elapsedMs() + sleptMs });
    clock.set(10 * HOUR_MS);
    sleptMs += 10 * HOUR_MS;
    expect(jumps.look()).toBe(0);
    clock.set(2 * HOUR_MS);
    expect(jumps.look()).toBe(2 * HOUR_MS);
  });
});

describe('a stored time', () => {
  it('becomes an age by the civil clock, and none where it lies in the future', () => {
    const now = { civilMs: START_MS, elapsedMs: 5_000 };
    expect(elapsedOf(START_MS - 2_000, now)).toBe(3_000);
    expect(elapsedOf(START_MS - DAY_MS, now)).toBe(5_000 - DAY_MS);
    expect(elapsedOf(START_MS + DAY_MS, now)).toBe(5_000);
  });

  it('of a process goes on by elapsed time, whatever becomes of the clock', () => {
    const clock = new SetClock(START_MS);
    const steadyMs = steadyTime(clock);
    clock.set(-365 * DAY_MS);
    clock.pass(1_500);
    expect(steadyMs()).toBe(START_MS + 1_500);
  });
});
