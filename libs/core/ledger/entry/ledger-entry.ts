import type { HeadAmount } from '../../decisions/decision.ts';
import { ENTRY_KINDS, type EntryKind } from '../../decisions/entry-kinds.ts';
import { HEADS } from '../../decisions/heads.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { EventId } from '../../identity/event-id.ts';
import type { Pence } from '../../money/pence.ts';
import { addSums, type PenceSum } from '../../money/pence-sum.ts';

/** A person within one chain, 32 lower-case hex digits: `HMAC(personKey of the chain, token)[0..16]`. */
export type Pseudonym = string & { readonly __brand: 'Pseudonym' };

/** A personal field of which the entry shows only `H("field" ‖ fieldSalt ‖ name ‖ value)` (field-commitment.ts). */
export interface FieldCommitment {
  readonly name: string;
  /** 32 bytes. */
  readonly commitment: Uint8Array;
}

/** One event, one entry (ledger.md section 2; schemas/ledger-entry.v1.avsc). Never mutated. */
export interface LedgerEntry {
  readonly version: 1;
  readonly eventId: EventId;
  readonly kind: EntryKind;
  /** `2026-27/M08` for PAYE, `2026-10-01/2026-12-31` for VAT, '' where none applies. */
  readonly taxPeriod: string;
  readonly basePence: Pence;
  /** Heads in the order of their numbers, each once, none zero. */
  readonly amounts: readonly HeadAmount[];
  /** Number of the decision within the account, from 1 without gap; 0 where no decision of tax stands behind the entry. */
  readonly number: number;
  readonly person: Pseudonym | null;
  /** 16 random bytes: nobody can guess amounts from hashes. */
  readonly salt: Uint8Array;
  /** Event ids of earlier entries that this one refers to. */
  readonly links: readonly EventId[];
  /** Names ascending, each once. */
  readonly commitments: readonly FieldCommitment[];
  /** Key event: the verifier key; dispute: what is disputed; else ''. */
  readonly detail: string;
}

export const ENTRY_VERSION = 1;
export const ENTRY_SALT_BYTES = 16;
/** Limits of one entry; what exceeds them is refused as ENTRY_INVALID. */
export const ENTRY_LIMITS = {
  amounts: Object.keys(HEADS).length,
  links: 256,
  commitments: 32,
  taxPeriodCharacters: 64,
  commitmentNameCharacters: 64,
  detailCharacters: 1024,
} as const;

/** Kinds that rest on no rule set: key, payment and acknowledgement entries (ledger.md section 3). */
const RULELESS_KINDS: ReadonlySet<EntryKind> = new Set([
  'payment',
  'allocation',
  'repayment',
  'payment return',
  'dispute',
  'erasure notice',
  'key event',
]);

/** True where an entry of this kind was worked out under a rule set, whose hash its block names. */
export function restsOnRules(kind: EntryKind): boolean {
  return !RULELESS_KINDS.has(kind);
}

/** Sum of all amounts that are not payments. */
export function chargesOf(entry: { readonly amounts: readonly HeadAmount[] }): PenceSum {
  let total: PenceSum = 0;
  for (const amount of entry.amounts) if (amount.head !== 'payment') total = addSums(total, amount.pence);
  return total;
}

/** Received less paid back, positive where received. */
export function paymentsOf(entry: { readonly amounts: readonly HeadAmount[] }): PenceSum {
  let total: PenceSum = 0;
  for (const amount of entry.amounts) if (amount.head === 'payment') total = addSums(total, amount.pence);
  return total;
}

/** What an entry must be beyond its types; the codec holds both ways to it. Throws ENTRY_INVALID with the field at fault. */
export function assertEntry(entry: LedgerEntry): void {
  if (entry.version !== ENTRY_VERSION) throw invalid('version');
  if (ENTRY_KINDS[entry.kind] === undefined) throw invalid('kind');
  if (entry.taxPeriod.length > ENTRY_LIMITS.taxPeriodCharacters) throw invalid('taxPeriod');
  if (!Number.isSafeInteger(entry.basePence)) throw invalid('basePence');
  if (!Number.isSafeInteger(entry.number) || entry.number < 0) throw invalid('number');
  if (entry.salt.length !== ENTRY_SALT_BYTES) throw invalid('salt');
  if (entry.links.length > ENTRY_LIMITS.links) throw invalid('links');
  if (entry.detail.length > ENTRY_LIMITS.detailCharacters) throw invalid('detail');
  let lastHead = 0;
  for (const { head, pence: amountPence } of entry.amounts) {
    const number = HEADS[head];
    // Ascending order also refuses an unknown head (undefined) and a head that stands twice.
    if (!(number > lastHead) || !Number.isSafeInteger(amountPence) || amountPence === 0) throw invalid('amounts');
    lastHead = number;
  }
  if (entry.commitments.length > 0) assertCommitments(entry.commitments);
}

function assertCommitments(commitments: readonly FieldCommitment[]): void {
  if (commitments.length > ENTRY_LIMITS.commitments) throw invalid('commitments');
  let lastName = '';
  for (const { name, commitment } of commitments) {
    const named = name > lastName && name.length <= ENTRY_LIMITS.commitmentNameCharacters;
    if (!named || commitment.length !== 32) throw invalid('commitments');
    lastName = name;
  }
}

function invalid(field: keyof LedgerEntry): TallyError {
  return new TallyError('ENTRY_INVALID', `a ledger entry's ${field} is not what the ledger takes`, { field });
}
