import type { Decision, Rejection } from '../../libs/core/decisions/decision.ts';
import { TallyError } from '../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../libs/core/events/tax-event.ts';

/** Where the rules threw: while the keys of an event were named, while it was decided, or while its decision was printed. */
export type RulesStep = 'keys' | 'deciding' | 'printing';

/** The rules threw on one record that a door accepted: a fault of ours, to be seen and mended. It holds nothing that the event says. */
export interface RulesFailure {
  readonly step: RulesStep;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Name of the error, its code where it has one, and the places in the code that it came from. */
  readonly error: string;
  readonly frames: readonly string[];
}

/** The code of an event on which the rules threw what is no refusal: a fault of ours. The event can be redriven once that is mended. */
export const RULES_FAILED = 'RULES_FAILED';

const FRAMES_MAX = 8;

/**
 * Tells whether an error that the rules threw on an event is a refusal of that event (an amount that they cannot carry), which it then bears as its
 * code; false for an assertion that failed and for whatever is no error of this house: that is RULES_FAILED.
 */
export function isRefusal(error: unknown): boolean {
  return error instanceof TallyError && error.code !== 'ASSERTION_FAILED';
}

/** The rejection of one event that the rules cannot carry, or threw on. It leaves no trace in the state. */
export function quarantined(event: TaxEvent, error: unknown, step: RulesStep): Decision {
  const { account, eventId, receivedAtMs } = event;
  // A decision that was made and cannot be printed is no refusal, whatever the printer calls it.
  const isRefused = step !== 'printing' && isRefusal(error);
  const own =
    isRefused && error instanceof TallyError
      ? codeAndFacts(error)
      : { code: RULES_FAILED, facts: { step, error: nameOf(error) } };
  return rejected({ account, eventId, receivedAtMs, ...own });
}

/** Describes a failure of the rules for log and metric, without the error's message: that may quote what a sender wrote. */
export function rulesFailure(
  place: Omit<RulesFailure, 'step' | 'error' | 'frames'>,
  step: RulesStep,
  error: unknown,
): RulesFailure {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return { ...place, step, error: nameOf(error), frames: frames.slice(0, FRAMES_MAX).map((line) => line.trim()) };
}

/** The rejection of a record that could not be read so far as to know whose it is. */
export function unreadableRecord(error: unknown): Rejection {
  const own = error instanceof TallyError ? codeAndFacts(error) : { code: 'RECORD_UNREADABLE', facts: {} };
  return { account: null, eventId: null, receivedAtMs: null, ...own };
}

export function rejected(rejection: Rejection): Decision {
  return { outcome: 'rejected', results: [], rejections: [rejection], changes: [] };
}

const FACT_CHARACTERS_MAX = 120;
const NAMES_OF_OURS: ReadonlySet<string> = new Set(['schema', 'fingerprint', 'type']);

/** Of the facts only numbers and names that are ours: the values of a record may be anything. */
function codeAndFacts({ code, facts }: TallyError): Pick<Rejection, 'code' | 'facts'> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (typeof value === 'number' || NAMES_OF_OURS.has(name)) kept[name] = String(value).slice(0, FACT_CHARACTERS_MAX);
  }
  return { code, facts: kept };
}

function nameOf(error: unknown): string {
  if (error instanceof TallyError) return `TallyError ${error.code}`;
  return error instanceof Error ? error.name : typeof error;
}
