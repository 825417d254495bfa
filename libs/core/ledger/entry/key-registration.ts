import { TallyError } from '../../errors/tally-error.ts';
import type { Account } from '../../identity/account.ts';
import type { Ed25519Verify } from '../note/ed25519.ts';
import { type NoteSigner, openNote, parseNote, signNote } from '../note/signed-note.ts';
import { printVerifierKey, type VerifierKey } from '../note/verifier-key.ts';
import { assertRegistrableKey } from './key-event.ts';

/** Which key is to countersign which chain of which ledger. */
export interface KeyRegistration {
  readonly ledgerName: string;
  /** 32 lower-case hex. */
  readonly chain: string;
  readonly account: Account;
  /** `<name>+<key id>+<base64>` (ledger.md section 3). */
  readonly verifierKey: string;
}

/** Characters of a payer's key name. */
export const PAYER_KEY_NAME_CHARACTERS_MAX = 100;
/** Characters of a proof: its text, and one signature line. */
export const KEY_PROOF_CHARACTERS_MAX = 1_000;
const PRINTABLE_ASCII = /^[!-~]+$/;

/**
 * The text by which a payer proves that it has the private half of the key that it registers, for this chain and no other:
 *
 *     <ledger name>/key-registration/v1
 *     chain <32 lower-case hex>
 *     account <account>
 *     key <verifier key>
 */
export function printKeyRegistration({ ledgerName, chain, account, verifierKey }: KeyRegistration): string {
  return `${ledgerName}/key-registration/v1\nchain ${chain}\naccount ${account}\nkey ${verifierKey}\n`;
}

/** The proof: a signed note of that text by the key itself (ledger.md section 3, signed note). */
export function proveKey(registration: Omit<KeyRegistration, 'verifierKey'>, signer: NoteSigner): string {
  const verifierKey = printVerifierKey(signer.key);
  return signNote(printKeyRegistration({ ...registration, verifierKey }), [signer]);
}

/**
 * Checks a proof of possession: the note holds exactly the text of this registration and is signed by the key that it registers.
 * Throws KEY_PROOF_INVALID, with fact `why`.
 */
export function assertKeyProven(
  proof: string,
  registration: KeyRegistration,
  key: VerifierKey,
  verify: Ed25519Verify,
): void {
  try {
    if (proof.length > KEY_PROOF_CHARACTERS_MAX) throw proofInvalid('it is too long');
    if (parseNote(proof).text !== printKeyRegistration(registration)) {
      throw proofInvalid('its text is not that of this ledger, chain, account and key');
    }
    openNote(proof, [key], verify);
  } catch (cause) {
    if (cause instanceof TallyError && cause.code !== 'KEY_PROOF_INVALID') throw proofInvalid(cause.message, cause);
    throw cause;
  }
}

/**
 * The key that a payer may register with a ledger: one that signs notes, about which no library can disagree, under a name of printable
 * ASCII that could not be taken for the ledger's, its gateway's or a witness's. Throws VERIFIER_KEY_INVALID, PUBLIC_KEY_REFUSED,
 * KEY_NAME_REFUSED. Takes some milliseconds.
 */
export function assertPayerKey(verifierKey: string, ledgerName: string): VerifierKey {
  const key = assertRegistrableKey(verifierKey);
  if (!PRINTABLE_ASCII.test(key.name)) throw nameRefused('it holds other characters than printable ASCII');
  if (key.name.length > PAYER_KEY_NAME_CHARACTERS_MAX) {
    throw nameRefused(`it has more than ${PAYER_KEY_NAME_CHARACTERS_MAX} characters`);
  }
  const lowerCase = key.name.toLowerCase();
  if (lowerCase.startsWith(ledgerName.toLowerCase())) throw nameRefused("it begins with the ledger's own name");
  if (lowerCase.startsWith('witness')) throw nameRefused('names that begin with "witness" are kept for witnesses');
  return key;
}

function nameRefused(why: string): TallyError {
  const message = `a key of this name is not registered: ${why}; give the key another name (NODE_NAME)`;
  return new TallyError('KEY_NAME_REFUSED', message, { why });
}

function proofInvalid(why: string, cause?: unknown): TallyError {
  const message = `the proof does not show that the key is yours: ${why} (docs/http-api.md says what to sign)`;
  return new TallyError('KEY_PROOF_INVALID', message, { why }, { cause });
}
