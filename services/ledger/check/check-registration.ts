import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import {
  assertKeyProven,
  assertPayerKey,
  type KeyRegistration,
} from '../../../libs/core/ledger/entry/key-registration.ts';
import { parseVerifierKey, type VerifierKey } from '../../../libs/core/ledger/note/verifier-key.ts';
import type { LedgerCrypto, LedgerIdentity } from '../store/ledger-identity.ts';

export interface CheckRegistrationDependencies {
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
}

/** Keys that passed, kept at most; the check of a key takes milliseconds and a node has one key for all of its chains. */
const PASSED_MAX = 10_000;

/** Whether a payer may register a key for a chain: the door asks it before it appends, the stage before it seals what no door of its process checked. */
export class RegistrationCheck {
  readonly #dependencies: CheckRegistrationDependencies;
  readonly #passed = new Map<string, VerifierKey>();

  constructor(dependencies: CheckRegistrationDependencies) {
    this.#dependencies = dependencies;
  }

  /** Throws VERIFIER_KEY_INVALID, PUBLIC_KEY_REFUSED, KEY_NAME_REFUSED. */
  keyOf(verifierKey: string): VerifierKey {
    const known = this.#passed.get(verifierKey);
    if (known !== undefined) return known;
    const key = assertPayerKey(verifierKey, this.#dependencies.identity.name);
    if (this.#passed.size >= PASSED_MAX) this.#passed.clear();
    this.#passed.set(verifierKey, key);
    return key;
  }

  /** Throws what keyOf throws, KEY_PROOF_MISSING and KEY_PROOF_INVALID. */
  assertProven(registration: Omit<KeyRegistration, 'ledgerName'>, proof: string | null): void {
    const key = this.keyOf(registration.verifierKey);
    if (proof === null) {
      const message = 'a key is registered with a proof that it is yours: sign the text of docs/http-api.md with it';
      throw new TallyError('KEY_PROOF_MISSING', message, {});
    }
    const { identity, crypto } = this.#dependencies;
    assertKeyProven(proof, { ...registration, ledgerName: identity.name }, key, crypto.verify);
  }

  /** Checks the key of a record that an earlier release left in the log without a proof. Throws VERIFIER_KEY_INVALID. */
  assertReadable(verifierKey: string): void {
    parseVerifierKey(verifierKey);
  }
}
