import { TallyError } from '../../errors/tally-error.ts';
import type { EventId } from '../../identity/event-id.ts';
import { negatePence } from '../../money/pence.ts';
import type { LedgerEntry } from './ledger-entry.ts';

/** What a correcting entry has of its own. */
export interface CorrectionIdentity {
  readonly eventId: EventId;
  readonly number: number;
  readonly salt: Uint8Array;
}

/** The exact negation of an entry, linked to it (ledger.md section 2: never mutate). */
export function reversalOf(entry: LedgerEntry, own: CorrectionIdentity): LedgerEntry {
  return {
    ...entry,
    ...own,
    kind: 'reversal',
    basePence: negatePence(entry.basePence),
    amounts: entry.amounts.map((amount) => ({ head: amount.head, pence: negatePence(amount.pence) })),
    links: [entry.eventId],
  };
}

/** What should have stood in place of a reversed entry: of the same period and person, linked to the entry and to its reversal. */
export function replacementOf(
  entry: LedgerEntry,
  reversal: LedgerEntry,
  own: CorrectionIdentity & Pick<LedgerEntry, 'basePence' | 'amounts'>,
): LedgerEntry {
  if (!isReversalOf(reversal, entry)) {
    throw new TallyError('REVERSAL_DIFFERS', 'the reversal is not the exact negation of the entry', {
      eventId: entry.eventId,
    });
  }
  return { ...entry, ...own, kind: 'replacement', links: [entry.eventId, reversal.eventId] };
}

/** True where one entry is exactly the reversal of the other: linked, each amount negated, nothing else moved. */
export function isReversalOf(reversal: LedgerEntry, entry: LedgerEntry): boolean {
  return (
    reversal.kind === 'reversal' &&
    reversal.links.length === 1 &&
    reversal.links[0] === entry.eventId &&
    reversal.taxPeriod === entry.taxPeriod &&
    reversal.person === entry.person &&
    reversal.basePence === negatePence(entry.basePence) &&
    reversal.amounts.length === entry.amounts.length &&
    reversal.amounts.every((amount, index) => {
      const original = entry.amounts[index];
      return original?.head === amount.head && negatePence(original.pence) === amount.pence;
    })
  );
}
