import { assert } from '../errors/assert.ts';
import { TallyError } from '../errors/tally-error.ts';
import { dateOfDayNumber, dayNumber, isLocalDate } from './local-date.ts';

export type TimeUnit = 'seconds' | 'milliseconds';

const DAY_MS = 86_400_000;
const SECONDS_PATTERN = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})Z$/;
const MILLISECONDS_PATTERN = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})\.(\d{3})Z$/;

/** RFC 3339 UTC of milliseconds since 1970, `2026-11-21T09:45:00Z` or `2026-11-21T09:45:00.123Z`; seconds are cut, not rounded. */
export function printUtc(timeMs: number, unit: TimeUnit): string {
  assert(Number.isSafeInteger(timeMs), 'a time is whole milliseconds', { timeMs });
  const days = Math.floor(timeMs / DAY_MS);
  const ofDayMs = timeMs - days * DAY_MS;
  const seconds = Math.floor(ofDayMs / 1000);
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const fraction = unit === 'seconds' ? '' : `.${String(ofDayMs % 1000).padStart(3, '0')}`;
  return `${dateOfDayNumber(days)}T${time}${fraction}Z`;
}

/** Milliseconds since 1970 of exactly what printUtc prints; no leap seconds. Throws TIME_INVALID. */
export function parseUtc(text: string, unit: TimeUnit): number {
  const match = (unit === 'seconds' ? SECONDS_PATTERN : MILLISECONDS_PATTERN).exec(text);
  const date = match?.[1] ?? '';
  const [hour, minute, second] = [Number(match?.[2]), Number(match?.[3]), Number(match?.[4])];
  if (match === null || !isLocalDate(date) || hour > 23 || minute > 59 || second > 59) {
    throw new TallyError('TIME_INVALID', `expected an RFC 3339 UTC time in ${unit}`, { unit });
  }
  const fractionMs = unit === 'seconds' ? 0 : Number(match[5]);
  return dayNumber(date) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + fractionMs;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}
