import type { Assessment } from '../../decisions/decision.ts';
import { type HmacSha256, hmacSha256 } from '../../encoding/sha256.ts';
import { pseudonymOf } from './chain-keys.ts';
import { ENTRY_VERSION, type FieldCommitment, type LedgerEntry } from './ledger-entry.ts';

export interface EntryMaking {
  /** The chain's (chain-keys.ts). */
  readonly personKey: Uint8Array;
  /** 16 random bytes of this entry alone. */
  readonly salt: Uint8Array;
  /** Personal fields, committed to at the gateway; none by default. */
  readonly commitments?: readonly FieldCommitment[];
}

/** The ledger entry of an accepted event's assessment: one event, one entry. What the payer stated and the flags stay in the decision. */
export function entryOf(assessment: Assessment, making: EntryMaking, hmac: HmacSha256 = hmacSha256): LedgerEntry {
  const { person } = assessment;
  return {
    version: ENTRY_VERSION,
    eventId: assessment.eventId,
    kind: assessment.kind,
    taxPeriod: assessment.taxPeriod,
    basePence: assessment.basePence,
    amounts: assessment.amounts,
    number: assessment.number,
    person: person === null ? null : pseudonymOf(making.personKey, person, hmac),
    salt: making.salt,
    links: assessment.links,
    commitments: making.commitments ?? [],
    detail: '',
  };
}
