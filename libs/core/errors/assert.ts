import { TallyError } from './tally-error.ts';

/** Asserts what must be true at the place that relies on it; a failure is a bug of ours, never of an input. */
export function assert(
  condition: boolean,
  what: string,
  facts: Readonly<Record<string, unknown>> = {},
): asserts condition {
  if (!condition) {
    throw new TallyError('ASSERTION_FAILED', `assertion failed: ${what}`, facts);
  }
}
