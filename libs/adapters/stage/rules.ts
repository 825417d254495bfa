import type { AppendOutcome, RecordBatch } from '../event-log/event-log.ts';
import { isNextLink, type LinkRule } from './linked-output.ts';

/**
 * The rules that make a stage safe, in one place. They are not settings: they can be replaced only so that the simulation can switch
 * one off and see that it is missed (test/property/stage-simulation.test.ts).
 */
export interface StageRules {
  /** The link is the fence: valid is what names the tip. */
  readonly isNextLink: LinkRule;
  /** An own message may be folded from its acknowledgement only if it stands at the offset expected; everything else is read back. */
  readonly standsAsExpected: (outcome: AppendOutcome, expectedOffset: number) => boolean;
  /** Input is decided only by the owner that it was read for and only from its position. */
  readonly isForThisTake: (
    batch: RecordBatch,
    readNext: number,
    ownedTake: number | undefined,
    take: number,
  ) => boolean;
  /** A lost message's input is decided again; nothing that stood behind it is sent. */
  readonly isLost: (tip: string, previous: string) => boolean;
}

export const STAGE_RULES: StageRules = {
  isNextLink,
  standsAsExpected: (outcome, expectedOffset) => outcome.status === 'appended' && outcome.baseOffset === expectedOffset,
  isForThisTake: (batch, readNext, ownedTake, take) => ownedTake === take && batch.fromOffset === readNext,
  isLost: (tip, previous) => tip !== previous,
};
