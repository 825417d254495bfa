import { setImmediate as nextTurn } from 'node:timers/promises';
import { encodeAcknowledgement } from '../../../libs/adapters/codec/acknowledgement-codec.ts';
import type { EventLog } from '../../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../../libs/adapters/event-log/partition-of.ts';
import { ACKNOWLEDGEMENTS } from '../../../libs/adapters/event-log/topics.ts';
import { HttpProblem } from '../../../libs/adapters/http/problem.ts';
import type { Clock } from '../../../libs/adapters/time/clock.ts';
import { type HashPart, hashInput } from '../../../libs/core/encoding/hash-input.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import { hasCode } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import type { AcknowledgedHead } from '../../../libs/core/ledger/block/blocks-message.ts';
import { checkAcknowledgement } from '../check/check-acknowledgement.ts';
import type { RegistrationCheck } from '../check/check-registration.ts';
import type { CheckedRecords } from '../check/checked-records.ts';
import { chainKeysFor, type LedgerCrypto, type LedgerIdentity } from '../store/ledger-identity.ts';
import type { StoredChain } from '../store/ledger-records.ts';
import type { LedgerStore } from '../store/ledger-store.ts';

export interface AcknowledgementDoorDependencies {
  readonly log: EventLog;
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
  /** What is appended here the stage need not check again. */
  readonly checked: CheckedRecords;
  readonly registrations: RegistrationCheck;
  readonly clock: Clock;
}

/** Id and key of an account's chain, whether it has begun or not. */
export interface ChainOfAccount {
  readonly chain: string;
  readonly chainKey: Uint8Array;
}

/** What payers send the ledger: checked, then durable in acknowledgements.v1 before it is answered. The stage takes it from there. */
export class AcknowledgementDoor {
  readonly #dependencies: AcknowledgementDoorDependencies;
  #partitions: number | null = null;

  constructor(dependencies: AcknowledgementDoorDependencies) {
    this.#dependencies = dependencies;
  }

  chainOf(account: Account): ChainOfAccount {
    const { store, identity, crypto } = this.#dependencies;
    return store.committedChain(account)?.keys ?? chainKeysFor(identity, crypto, account);
  }

  /**
   * Registers the payer's verifier key, which the proof shows to be its own; the same again changes nothing. Problems: VERIFIER_KEY_INVALID,
   * PUBLIC_KEY_REFUSED, KEY_NAME_REFUSED, KEY_PROOF_MISSING and KEY_PROOF_INVALID (422), PAYER_KEY_DIFFERS (409: another key is registered).
   */
  async registerKey(account: Account, verifierKey: string, proof: string | null): Promise<void> {
    const refused = (await this.registerKeys(new Map([[account, proof]]), verifierKey)).get(account);
    if (refused !== undefined) throw refused;
  }

  /**
   * The same for many accounts, each with its proof, in one append to the log: gives the problem of each that is refused, and throws for a
   * key that is none.
   */
  async registerKeys(
    proofs: ReadonlyMap<Account, string | null>,
    verifierKey: string,
  ): Promise<ReadonlyMap<Account, HttpProblem>> {
    const { store } = this.#dependencies;
    const refused = new Map<Account, HttpProblem>();
    const events: AddressedValue[] = [];
    let turnStartedMs = this.#dependencies.clock.elapsedMs();
    for (const [account, proof] of proofs) {
      const chain = store.committedChain(account);
      const known = chain === undefined ? undefined : store.committedPayerKey(chain);
      if (known === verifierKey) continue;
      if (known !== undefined) {
        refused.set(account, new HttpProblem(409, 'PAYER_KEY_DIFFERS', 'another key is registered for the chain'));
        continue;
      }
      if (this.#dependencies.clock.elapsedMs() - turnStartedMs > TURN_MS) {
        await nextTurn();
        turnStartedMs = this.#dependencies.clock.elapsedMs();
      }
      const problem = this.#refusal(account, verifierKey, proof);
      if (problem !== null) refused.set(account, problem);
      else events.push({ key: account, value: this.#registration(account, verifierKey, proof) });
    }
    if (events.length === 0) return refused;
    for (const [account, problem] of await this.#append(events)) refused.set(account, problem);
    return refused;
  }

  /** Throws for a key that is none; gives the problem of a proof that is none, which is of this account alone. */
  #refusal(account: Account, verifierKey: string, proof: string | null): HttpProblem | null {
    const { registrations } = this.#dependencies;
    inputFault('/verifierKey', KEY_FAULTS, () => void registrations.keyOf(verifierKey));
    const registration = { account, chain: this.chainOf(account).chain, verifierKey };
    try {
      inputFault('/proof', PROOF_FAULTS, () => registrations.assertProven(registration, proof));
      return null;
    } catch (error) {
      if (error instanceof HttpProblem) return error;
      throw error;
    }
  }

  #registration(account: Account, verifierKey: string, proof: string | null): Buffer {
    const value = encodeAcknowledgement({
      type: 'KeyRegistered',
      eventId: this.#idOf('key registered', account, verifierKey),
      account,
      receivedAtMs: this.#dependencies.clock.civilMs(),
      chain: this.chainOf(account).chain,
      verifierKey,
      proof,
    });
    this.#dependencies.checked.add(value);
    return value;
  }

  /**
   * Takes a countersignature of heads of chains, each with its chain as committed; one that is already recorded changes nothing. Problems
   * as checkAcknowledgement's errors (422).
   */
  async acknowledge(note: string, heads: readonly AcknowledgedHead[], chains: readonly StoredChain[]): Promise<void> {
    const { store, clock, checked } = this.#dependencies;
    inputFault('', ACKNOWLEDGEMENT_FAULTS, () =>
      checkAcknowledgement(note, heads, {
        ...this.#dependencies,
        chainOf: (_head, index) => chains[index],
        payerKeyOf: (chain) => store.committedPayerKey(chain),
      }),
    );
    if (heads.every((head) => head.seq <= (store.committedAcknowledgement(head.account)?.seq ?? -1))) return;
    const eventId = this.#idOf('heads acknowledged', note);
    const first = heads[0];
    if (first === undefined) return;
    const key = first.account;
    const value = encodeAcknowledgement({
      type: 'HeadsAcknowledged',
      eventId,
      receivedAtMs: clock.civilMs(),
      note,
      heads,
    });
    checked.add(value);
    const refused = (await this.#append([{ key, value }])).get(key);
    if (refused !== undefined) throw refused;
  }

  /** Appends to all partitions at once. Gives the problem of each key whose event is not known to be in the log. */
  async #append(events: readonly AddressedValue[]): Promise<ReadonlyMap<Account, HttpProblem>> {
    const { log } = this.#dependencies;
    this.#partitions ??= await log.partitionCount(ACKNOWLEDGEMENTS);
    const byPartition = new Map<number, { readonly key: Account; readonly value: Buffer }[]>();
    for (const { key, value } of events) {
      const partition = partitionOf(key, this.#partitions);
      const records = byPartition.get(partition) ?? [];
      byPartition.set(partition, records);
      records.push({ key, value });
    }
    const appends = [...byPartition].map(([partition, records]) => ({ topic: ACKNOWLEDGEMENTS, partition, records }));
    const outcomes = await log.append(appends);
    const refused = new Map<Account, HttpProblem>();
    for (const [index, { records }] of appends.entries()) {
      const outcome = outcomes[index];
      if (outcome?.status === 'appended') continue;
      // Unknown is no loss: the payer sends it again and the stage knows a repeat.
      const more = { retryAfterSeconds: 1, cause: outcome?.error };
      const problem = new HttpProblem(503, 'LOG_UNAVAILABLE', 'the event log does not take it now', more);
      for (const { key } of records) refused.set(key, problem);
    }
    return refused;
  }

  /** The same request has the same id however often it is sent. */
  #idOf(...parts: readonly HashPart[]): EventId {
    return toHex(this.#dependencies.crypto.hashes.sha256(hashInput(...parts)).subarray(0, 16)) as EventId;
  }
}

interface AddressedValue {
  readonly key: Account;
  /** An event, encoded. */
  readonly value: Buffer;
}

/** How long the check of many proofs may hold the event loop before others get their turn. */
const TURN_MS = 20;

const KEY_FAULTS = ['VERIFIER_KEY_INVALID', 'KEY_NAME_INVALID', 'PUBLIC_KEY_REFUSED', 'KEY_NAME_REFUSED'] as const;
const PROOF_FAULTS = ['KEY_PROOF_MISSING', 'KEY_PROOF_INVALID'] as const;

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
