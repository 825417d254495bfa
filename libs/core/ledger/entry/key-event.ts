import type { EntryKind } from '../../decisions/entry-kinds.ts';
import { hashInput } from '../../encoding/hash-input.ts';
import { toHex } from '../../encoding/hex.ts';
import { type Sha256, sha256 } from '../../encoding/sha256.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { Account } from '../../identity/account.ts';
import type { EventId } from '../../identity/event-id.ts';
import { ZERO_PENCE } from '../../money/pence.ts';
import { assertSafePublicKey } from '../note/ed25519-public-key.ts';
import { parseVerifierKey, type VerifierKey } from '../note/verifier-key.ts';
import type { LedgerEntry } from './ledger-entry.ts';

/** Id of an entry that no event made: first 16 bytes of `H(account ‖ period ‖ kind)`. */
export function derivedEventId(account: Account, taxPeriod: string, kind: EntryKind, hash: Sha256 = sha256): EventId {
  return toHex(hash(hashInput(account, taxPeriod, kind)).subarray(0, 16)) as EventId;
}

/** The one entry of block 0: the ledger's verifier key. */
export function ledgerKeyEntry(account: Account, verifierKey: string, salt: Uint8Array, hash?: Sha256): LedgerEntry {
  return keyEntry(derivedEventId(account, '', 'key event', hash), verifierKey, salt);
}

/** The key event entry of a payer that registered its verifier key; the event id is that of the registration. */
export function payerKeyEntry(eventId: EventId, verifierKey: string, salt: Uint8Array): LedgerEntry {
  return keyEntry(eventId, verifierKey, salt);
}

/**
 * What the door asks of a verifier key before it takes it: its form, its key id, and a public key about which no library can disagree.
 * Throws VERIFIER_KEY_INVALID or PUBLIC_KEY_REFUSED. Takes some milliseconds.
 */
export function assertRegistrableKey(verifierKey: string): VerifierKey {
  const key = parseVerifierKey(verifierKey);
  if (key.type !== 0x01) throw new TallyError('VERIFIER_KEY_INVALID', 'a payer signs notes: key type 0x01', {});
  assertSafePublicKey(key.publicKey);
  return key;
}

function keyEntry(eventId: EventId, verifierKey: string, salt: Uint8Array): LedgerEntry {
  return {
    version: 1,
    eventId,
    kind: 'key event',
    taxPeriod: '',
    basePence: ZERO_PENCE,
    amounts: [],
    number: 0,
    person: null,
    salt,
    links: [],
    commitments: [],
    detail: verifierKey,
  };
}
