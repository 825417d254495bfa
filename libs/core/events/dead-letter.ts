import type { Rejection } from './decision.ts';

/** Where a record stands. */
interface RecordPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** A refused record as rejections.v1 holds it, for people and redrive. The record itself stays where it stands and is not copied. */
export interface DeadLetter extends Rejection {
  /** The refused record. */
  readonly origin: RecordPosition;
  /** The rejection in liabilities.v1: message, decision within it, rejection within that. Null for a fault at the door (ingress). */
  readonly decision: {
    readonly partition: number;
    readonly offset: number;
    readonly index: number;
    readonly rejection: number;
  } | null;
  readonly recordedAtMs: number;
}

/** The key of a dead letter: the position of its decision, or of its origin; so a letter written twice is seen to be one. */
export function deadLetterKey(letter: DeadLetter): string {
  const { origin, decision } = letter;
  if (decision === null) return `${origin.topic}/${origin.partition}/${origin.offset}`;
  return `liabilities.v1/${decision.partition}/${decision.offset}/${decision.index}/${decision.rejection}`;
}
