import { expect, it } from 'vitest';
import { RetryDuration } from '../../../../../libs/adapters/time/retry-duration.ts';

it('adds up the time from failure to failure, and forgets it at an answer', () => {
  const meter = new RetryDuration(60_000);
  expect([1_000, 11_000, 31_000].map((elapsedMs) => meter.failed(elapsedMs))).toEqual([0, 10_000, 30_000]);
  meter.heard();
  expect([40_000, 45_000].map((elapsedMs) => meter.failed(elapsedMs))).toEqual([0, 5_000]);
});

it('takes a stop of an hour for half of what is allowed at most: the next failure is the first or one of many', () => {
  const meter = new RetryDuration(60_000);
  expect(meter.failed(3_600_000)).toBe(0);
  expect(meter.failed(7_200_000)).toBe(30_000);
  expect(meter.failed(7_202_000)).toBe(32_000);
});
