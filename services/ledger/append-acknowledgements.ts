import { encodeAcknowledgement } from '../../libs/adapters/codec/acknowledgement-codec.ts';
import type { EventLog } from '../../libs/adapters/event-log/event-log.ts';
import { partitionOf } from '../../libs/adapters/event-log/partition-of.ts';
import { ACKNOWLEDGEMENTS } from '../../libs/adapters/event-log/topics.ts';
import { HttpProblem } from '../../libs/adapters/http/problem.ts';
import { hasCode } from '../../libs/core/errors/tally-error.ts';
import type { Account } from '../../libs/core/identity/account.ts';
import type { EventId } from '../../libs/core/identity/event-id.ts';
import type { AcknowledgedHead } from '../../libs/core/ledger/blocks-message.ts';
import { type HashPart, hashInput } from '../../libs/core/ledger/hash-input.ts';
import { toHex } from '../../libs/core/ledger/hex.ts';
import { assertRegistrableKey } from '../../libs/core/ledger/key-event.ts';
import { checkAcknowledgement } from './check-acknowledgement.ts';
import type { CheckedRecords } from './checked-records.ts';
import { chainKeysFor, type LedgerCrypto, type LedgerIdentity } from './ledger-identity.ts';
import type { LedgerStore, StoredChain } from './ledger-store.ts';

export interface AcknowledgementDoorDependencies {
  readonly log: EventLog;
  readonly identity: LedgerIdentity;
  readonly crypto: LedgerCrypto;
  readonly store: LedgerStore;
  /** What is appended here the stage need not check again. */
  readonly checked: CheckedRecords;
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
  /** Verifier keys that passed the check of a key. */
  readonly #registrable = new Set<string>();

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
    const refused = (await this.registerKeys([account], verifierKey)).get(account);
    if (refused !== undefined) throw refused;
  }

  /** The same for many accounts in one append to the log: gives the problem of each that is refused, and throws for a key that is none. */
  async registerKeys(accounts: readonly Account[], verifierKey: string): Promise<ReadonlyMap<Account, HttpProblem>> {
    const { store } = this.#of;
    const refused = new Map<Account, HttpProblem>();
    const events: AddressedValue[] = [];
    for (const account of new Set(accounts)) {
      const chain = store.committedChain(account);
      const known = chain === undefined ? undefined : store.committedPayerKey(chain);
      if (known === verifierKey) continue;
      if (known === undefined) events.push({ key: account, value: this.#registration(account, verifierKey) });
      else refused.set(account, new HttpProblem(409, 'PAYER_KEY_DIFFERS', 'another key is registered for the chain'));
    }
    if (events.length === 0) return refused;
    this.#assertRegistrable(verifierKey);
    for (const [account, problem] of await this.#append(events)) refused.set(account, problem);
    return refused;
  }

  #registration(account: Account, verifierKey: string): Buffer {
    return encodeAcknowledgement({
      type: 'KeyRegistered',
      eventId: this.#idOf('key registered', account, verifierKey),
      account,
      receivedAtMs: this.#of.nowMs(),
      chain: this.chainOf(account).chain,
      verifierKey,
    });
  }

  /**
   * Takes a countersignature of heads of chains, each with its chain as committed; one that is already recorded changes nothing. Problems
   * as checkAcknowledgement's errors (422).
   */
  async acknowledge(note: string, heads: readonly AcknowledgedHead[], chains: readonly StoredChain[]): Promise<void> {
    const { store, nowMs, checked } = this.#of;
    inputFault('', ACKNOWLEDGEMENT_FAULTS, () =>
      checkAcknowledgement(note, heads, {
        ...this.#of,
        chainOf: (_head, index) => chains[index],
        payerKeyOf: (chain) => store.committedPayerKey(chain),
      }),
    );
    if (heads.every((head) => head.seq <= (store.committedAcknowledgement(head.account)?.seq ?? -1))) return;
    const eventId = this.#idOf('heads acknowledged', note);
    const first = heads[0];
    if (first === undefined) return;
    const key = first.account;
    const value = encodeAcknowledgement({ type: 'HeadsAcknowledged', eventId, receivedAtMs: nowMs(), note, heads });
    checked.add(value);
    const refused = (await this.#append([{ key, value }])).get(key);
    if (refused !== undefined) throw refused;
  }

  /** A node registers one key for all of its chains: the check, which takes most of a registration's time, is made once. */
  #assertRegistrable(verifierKey: string): void {
    if (this.#registrable.has(verifierKey)) return;
    inputFault('/verifierKey', ['VERIFIER_KEY_INVALID', 'PUBLIC_KEY_REFUSED'], () => assertRegistrableKey(verifierKey));
    if (this.#registrable.size >= REGISTRABLE_KEPT_MAX) this.#registrable.clear();
    this.#registrable.add(verifierKey);
  }

  /** Appends to all partitions at once. Gives the problem of each key whose event is not known to be in the log. */
  async #append(events: readonly AddressedValue[]): Promise<ReadonlyMap<Account, HttpProblem>> {
    const { log } = this.#of;
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
    return toHex(this.#of.crypto.hashes.sha256(hashInput(...parts)).subarray(0, 16)) as EventId;
  }
}

interface AddressedValue {
  readonly key: Account;
  /** An event, encoded. */
  readonly value: Buffer;
}

const REGISTRABLE_KEPT_MAX = 10_000;

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
