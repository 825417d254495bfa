import type { Decision } from './decision.ts';

/** A decision with the input record it settles. `topic` is one of the stage's inputs; the partition is the message's own. */
export interface DecisionOfRecord extends Decision {
  readonly topic: string;
  readonly offset: number;
}

/** Body of a message of liabilities.v1: the decisions of one partition's input batch, in order. */
export interface LiabilityBody {
  /** When tax decided, milliseconds since 1970; information, nothing depends on it. */
  readonly decidedAtMs: number;
  /** SHA-256 (64 hex) of the canonical JSON of the rule sets that decided. */
  readonly payeRulesHash: string;
  readonly vatRulesHash: string;
  readonly decisions: readonly DecisionOfRecord[];
}
