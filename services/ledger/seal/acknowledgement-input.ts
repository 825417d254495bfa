import { decodeAcknowledgement } from '../../../libs/adapters/codec/acknowledgement-codec.ts';
import type { LogRecord, RecordBatch } from '../../../libs/adapters/event-log/event-log.ts';
import type { Moment } from '../../../libs/adapters/time/clock.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { Account } from '../../../libs/core/identity/account.ts';
import type {
  AcknowledgementEvent,
  HeadsAcknowledged,
  KeyRegistered,
} from '../../../libs/core/ledger/block/acknowledgement-events.ts';
import type { AcknowledgedHead } from '../../../libs/core/ledger/block/blocks-message.ts';
import { type OpenEntry, openEntryOf } from '../../../libs/core/ledger/block/seal-block.ts';
import { payerKeyEntry } from '../../../libs/core/ledger/entry/key-event.ts';
import { ENTRY_SALT_BYTES } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import { checkAcknowledgement } from '../check/check-acknowledgement.ts';
import type { InputProgress, ReadMessage } from './input-progress.ts';
import type { EntryContext, OpenChain } from './open-chain.ts';
import type { RandomPool } from './random-pool.ts';
import type { BlockSealerDependencies } from './seal-events.ts';

export interface AcknowledgementInputDependencies
  extends Pick<BlockSealerDependencies, 'store' | 'crypto' | 'identity' | 'checked' | 'registrations' | 'observe'> {
  readonly random: RandomPool;
  /** The chain of an account; the first time anything is heard of it, with its block 0. */
  readonly chainOf: (account: Account, source: ReadMessage, now: Moment) => OpenChain;
  readonly isHeld: (account: Account) => boolean;
  readonly addKeyEvent: (chain: OpenChain, entry: OpenEntry, context: EntryContext) => void;
}

/** The registrations and countersignatures of acknowledgements.v1: keys become entries, heads go into the next message. */
export class AcknowledgementInput {
  readonly #dependencies: AcknowledgementInputDependencies;
  /** End of each partition when the reading of it began. */
  #provenFrom = new Map<InputProgress, number>();
  /** Keys whose entries are on their way to the log. */
  #payerKeys = new Map<Account, string>();
  #acknowledged: AcknowledgedHead[] = [];

  constructor(dependencies: AcknowledgementInputDependencies) {
    this.#dependencies = dependencies;
  }

  /** No partition is read until `begin`. */
  reset(): void {
    this.#provenFrom = new Map();
  }

  /** A partition is read from now on; records from `end` on came after the reading began. */
  begin(track: InputProgress, end: number): void {
    this.#provenFrom.set(track, end);
  }

  /** The heads that were countersigned since the last call. */
  takeHeads(): readonly AcknowledgedHead[] {
    return this.#acknowledged.splice(0);
  }

  /** Everything sealed is folded now: the store has the keys. */
  forgetKeys(): void {
    this.#payerKeys.clear();
  }

  /** Forgets what was read and not folded. */
  drop(): void {
    this.#acknowledged = [];
    this.#payerKeys = new Map();
  }

  /** Reads a batch of a partition that was begun; what is refused is reported and left out. */
  read(batch: RecordBatch, now: Moment): void {
    const track = [...this.#provenFrom.keys()].find(({ partition }) => partition === batch.partition);
    if (track === undefined) return;
    for (const record of batch.records) {
      const source = track.read(record.offset);
      const event = readAcknowledgement(record);
      try {
        this.#takeAcknowledgement(event, record, source, now);
      } catch (error) {
        if (!(error instanceof TallyError)) throw error;
        this.#dependencies.observe({ type: 'acknowledgementRefused', code: error.code, offset: record.offset });
      }
    }
  }

  #takeAcknowledgement(
    event: AcknowledgementEvent | TallyError,
    { value }: LogRecord,
    source: ReadMessage,
    now: Moment,
  ): void {
    if (event instanceof TallyError) throw event;
    switch (event.type) {
      case 'KeyRegistered':
        this.#takeKey(event, source, now, () => value !== null && this.#dependencies.checked.take(value));
        return;
      case 'HeadsAcknowledged':
        if (value === null || !this.#dependencies.checked.take(value)) this.#checkHeads(event);
        this.#addHeads(event);
        return;
      case 'DisputeRaised':
        throw new TallyError('DISPUTE_NOT_BUILT', 'disputes are not entries yet', { chain: event.chain });
    }
  }

  /** The payer's key is an entry of its own and closes its block. A chain's first key stands; the same again is a repeat. */
  #takeKey(event: KeyRegistered, source: ReadMessage, now: Moment, isChecked: () => boolean): void {
    const chain = this.#dependencies.chainOf(event.account, source, now);
    if (event.chain !== chain.keys.chain) {
      throw new TallyError('CHAIN_UNKNOWN', "the chain is not the account's", { chain: event.chain });
    }
    const known = this.#payerKeys.get(event.account) ?? this.#dependencies.store.payerKeyOf(event.account);
    if (known === event.verifierKey) return;
    if (known !== undefined)
      throw new TallyError('PAYER_KEY_DIFFERS', 'another key is registered', { chain: event.chain });
    if (!isChecked()) this.#checkRegistration(event, source);
    if (this.#dependencies.isHeld(event.account)) {
      throw new TallyError('ACCOUNT_HELD', "the account's chain waits for a release that can go on with it", {
        chain: event.chain,
      });
    }
    const salt = this.#dependencies.random.take(ENTRY_SALT_BYTES);
    const entry = openEntryOf(payerKeyEntry(event.eventId, event.verifierKey, salt));
    this.#dependencies.addKeyEvent(chain, entry, { taxPeriod: '', rulesHash: '', source, now });
    this.#payerKeys.set(event.account, event.verifierKey);
  }

  /**
   * What the door of another process appended, or of this one before its start, is checked as the door checks it. A registration without a
   * proof counts only where it was in the log already when the reading of it began: an earlier release, which knew no proofs, answered for it.
   */
  #checkRegistration(event: KeyRegistered, { track, offset }: ReadMessage): void {
    const { registrations } = this.#dependencies;
    if (event.proof !== null || offset >= (this.#provenFrom.get(track) ?? 0))
      registrations.assertProven(event, event.proof);
    else registrations.assertReadable(event.verifierKey);
  }

  #checkHeads(event: HeadsAcknowledged): void {
    const { store, crypto, identity } = this.#dependencies;
    checkAcknowledgement(event.note, event.heads, {
      store,
      crypto,
      identity,
      chainOf: (head) => store.chainOf(head.account),
      payerKeyOf: (chain) => store.payerKeyOf(chain.account),
    });
  }

  #addHeads(event: HeadsAcknowledged): void {
    const { store } = this.#dependencies;
    const newer = event.heads.filter(({ account, seq }) => seq > (store.acknowledgedOf(account)?.seq ?? -1));
    this.#acknowledged.push(...newer);
    this.#dependencies.observe({ type: 'acknowledgementTaken', heads: newer.length });
  }
}

function readAcknowledgement(record: LogRecord): AcknowledgementEvent | TallyError {
  if (record.value === null) return new TallyError('RECORD_UNREADABLE', 'the record has no value', {});
  try {
    return decodeAcknowledgement(record.value);
  } catch (error) {
    if (error instanceof TallyError) return error;
    throw error;
  }
}
