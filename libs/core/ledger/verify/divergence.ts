import type { Account } from '../../identity/account.ts';
import type { EventId } from '../../identity/event-id.ts';

/** Everything in which a copy, a block or a checkpoint can fail to be what it should be. Adding a code is fine, reusing one is not. */
export const DIVERGENCE_CODES = [
  // A block by itself and upon the one before it (verify-block.ts).
  'HEADER_MALFORMED',
  'LEDGER_DIFFERS',
  'CHAIN_DIFFERS',
  'SEQ_NOT_NEXT',
  'PREV_DIFFERS',
  'ENTRY_COUNT_DIFFERS',
  'ENTRIES_ROOT_DIFFERS',
  'ENTRY_NOT_CANONICAL',
  'TOTALS_HASH_DIFFERS',
  'TOTALS_MALFORMED',
  'TOTALS_DIFFER',
  'DECISION_NOT_NEXT',
  'RULES_DIFFER',
  'LEDGER_KEY_DIFFERS',
  'EVENT_REPEATED',
  // The public log (verify-checkpoint.ts).
  'CHECKPOINT_REFUSED',
  'CHECKPOINT_BEHIND',
  'CHECKPOINT_SPLIT',
  'CHECKPOINT_NOT_CONSISTENT',
  'BLOCK_NOT_IN_LOG',
  // Against the payer's own record.
  'BLOCK_DIFFERS',
  'LIABILITY_DIFFERS',
  'EVENT_UNKNOWN',
  'EVENT_WITHHELD',
  'EVENT_REFUSED',
  'RULES_UNKNOWN',
  'KEY_UNKNOWN',
  'OWN_RECORD_DIFFERS',
  'RECEIPT_DIFFERS',
  'REJECTIONS_REFUSED',
  'ACKNOWLEDGEMENT_DIFFERS',
  // A payer's copy as a file.
  'COPY_MALFORMED',
] as const;
export type DivergenceCode = (typeof DIVERGENCE_CODES)[number];

/** One finding: where it is, what was expected and what came. */
export interface Divergence {
  readonly code: DivergenceCode;
  /** Null where a checkpoint is at fault. */
  readonly account: Account | null;
  readonly chain: string | null;
  /** The block; null where no block is at fault. */
  readonly seq: number | null;
  /** The entry within the block, from 0; null where the block as a whole is at fault. */
  readonly entryIndex: number | null;
  readonly eventId: EventId | null;
  /** What differs: a line of a text, a head, a place. */
  readonly field: string;
  readonly expected: string;
  readonly found: string;
}

/** One line for people: `block 7, entry 3 of 0f…: TOTALS_DIFFER charges: expected 100, found 99`. */
export function describeDivergence(divergence: Divergence): string {
  const entry = divergence.entryIndex === null ? '' : `, entry ${divergence.entryIndex}`;
  const block = divergence.seq === null ? '' : `block ${divergence.seq}${entry} of `;
  const where = divergence.chain === null ? 'public log' : `${block}chain ${divergence.chain}`;
  const { code, field, expected, found } = divergence;
  return `${where}: ${code} ${field}: expected ${expected}, found ${found}`;
}
