import { encodeAcknowledgement } from '../../libs/adapters/codec/acknowledgement-codec.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { ACKNOWLEDGEMENTS } from '../../libs/adapters/event-log/topics.ts';
import { HttpProblem } from '../../libs/adapters/http/problem.ts';
import { hasCode } from '../../libs/core/errors/tally-error.ts';
import type { AcknowledgementEvent } from '../../libs/core/events/acknowledgement-events.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import type { EventId } from '../../libs/core/identity/event-id.ts';
import type { AcknowledgedHead } from '../../libs/core/ledger/blocks-message.ts';
import { type HashPart, hashInput } from '../../libs/core/ledger/hash-input.ts';
import { toHex } from '../../libs/core/ledger/hex.ts';
import { assertRegistrableKey } from '../../libs/core/ledger/key-event.ts';
import { checkAcknowledgement } from './check-acknowledgement.ts';
import { chainKeysFor, type LedgerCrypto, type LedgerIdentity } from './ledger-identity.ts';
import type { LedgerStore } from './ledger-store.ts';

export interface AcknowledgementDoorDependencies {
  readonly log: EventLog;
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
  readonly nowMs: () => number;
}

/** Id and key of an account's chain, whether it has begun or not. */
export interface ChainOfAccount {
  readonly chain: string;
  readonly chainKey: Uint8Array;
}

/** What payers send the ledger: checked, then durable in acknowledgements.v1 before it is answered. The stage takes it from there. */
export class AcknowledgementDoor {
  readonly #of: AcknowledgementDoorDependencies;
  #partitions: number | null = null;

  constructor(dependencies: AcknowledgementDoorDependencies) {
    this.#of = dependencies;
  }

  chainOf(account: Account): ChainOfAccount {
    const { store, identity, crypto } = this.#of;
    return store.committedChain(account)?.keys ?? chainKeysFor(identity, crypto, account);
  }

  /**
   * Registers the payer's verifier key; the same again changes nothing. Problems: VERIFIER_KEY_INVALID and PUBLIC_KEY_REFUSED (422),
   * PAYER_KEY_DIFFERS (409: another key is registered).
   */
  async registerKey(account: Account, verifierKey: string): Promise<void> {
    const { store, nowMs } = this.#of;
    const chain = store.committedChain(account);
    const known = chain === undefined ? undefined : store.committedPayerKey(chain);
    if (known === verifierKey) return;
    if (known !== undefined) throw new HttpProblem(409, 'PAYER_KEY_DIFFERS', 'another key is registered for the chain');
    inputFault('/verifierKey', ['VERIFIER_KEY_INVALID', 'PUBLIC_KEY_REFUSED'], () => assertRegistrableKey(verifierKey));
    await this.#append(account, {
      type: 'KeyRegistered',
      eventId: this.#idOf('key registered', account, verifierKey),
      account,
      receivedAtMs: nowMs(),
      chain: this.chainOf(account).chain,
      verifierKey,
    });
  }

  /** Takes a countersignature of heads of chains; one that is already recorded changes nothing. Problems as checkAcknowledgement's errors (422). */
  async acknowledge(note: string, heads: readonly AcknowledgedHead[]): Promise<void> {
    const { store, nowMs } = this.#of;
    inputFault('', ACKNOWLEDGEMENT_FAULTS, () =>
      checkAcknowledgement(note, heads, {
        ...this.#of,
        chainOf: (head) => store.committedChain(head.account),
        payerKeyOf: (chain) => store.committedPayerKey(chain),
      }),
    );
    if (heads.every((head) => head.seq <= (store.committedAcknowledgement(head.account)?.seq ?? -1))) return;
    const eventId = this.#idOf('heads acknowledged', note);
    const first = heads[0];
    if (first === undefined) return;
    await this.#append(first.account, { type: 'HeadsAcknowledged', eventId, receivedAtMs: nowMs(), note, heads });
  }

  async #append(key: Account, event: AcknowledgementEvent): Promise<void> {
    const { log } = this.#of;
    this.#partitions ??= await log.partitionCount(ACKNOWLEDGEMENTS);
    const partition = partitionOf(key, this.#partitions);
    const records = [{ key, value: encodeAcknowledgement(event) }];
    const [outcome] = await log.append([{ topic: ACKNOWLEDGEMENTS, partition, records }]);
    if (outcome?.status === 'appended') return;
    // Unknown is no loss: the payer sends it again and the stage knows a repeat.
    const more = { retryAfterSeconds: 1, cause: outcome?.error };
    throw new HttpProblem(503, 'LOG_UNAVAILABLE', 'the event log does not take it now', more);
  }

  /** The same request has the same id however often it is sent. */
  #idOf(...parts: readonly HashPart[]): EventId {
    return toHex(this.#of.crypto.hashes.sha256(hashInput(...parts)).subarray(0, 16)) as EventId;
  }
}

const ACKNOWLEDGEMENT_FAULTS = [
  'ACKNOWLEDGEMENT_INVALID',
  'ACKNOWLEDGEMENT_MALFORMED',
  'NOTE_MALFORMED',
  'NOTE_SIGNATURE_INVALID',
  'NOTE_UNSIGNED',
  'HEAD_UNKNOWN',
  'PAYER_KEY_UNKNOWN',
  'PAYER_KEY_DIFFERS',
] as const;

/** What core refuses with one of these codes is a fault of the request. */
function inputFault(pointer: string, codes: readonly string[], check: () => void): void {
  try {
    check();
  } catch (error) {
    const code = codes.find((one) => hasCode(error, one));
    if (code === undefined || !(error instanceof Error)) throw error;
    throw new HttpProblem(422, code, error.message, { faults: [{ code, pointer, detail: error.message }] });
  }
}
