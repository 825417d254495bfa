import type { Moment } from '../../../libs/adapters/time/clock.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { type Account, type Tax, taxOf } from '../../../libs/core/identity/account.ts';
import type { CloseReason } from '../../../libs/core/ledger/block/block-header.ts';
import type { ChainHead } from '../../../libs/core/ledger/block/chain-head.ts';
import {
  type LedgerHashes,
  type OpenEntry,
  type Sealed,
  sealBlock,
} from '../../../libs/core/ledger/block/seal-block.ts';
import type { ChainKeys } from '../../../libs/core/ledger/entry/chain-keys.ts';
import { restsOnRules } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import type { ReadMessage } from './input-progress.ts';

/** When a block is full (ledger.md section 3, batching). */
export interface BlockLimits {
  readonly entriesMax: number;
  /** Bytes of all entries. */
  readonly bytesMax: number;
}

export const BLOCK_LIMITS: BlockLimits = { entriesMax: 512, bytesMax: 256 * 1024 };

export interface SealLimits extends BlockLimits {
  /** Age of its oldest entry at which a block of a PAYE or VAT account is closed. */
  readonly payeAgeMs: number;
  readonly vatAgeMs: number;
  /** Entries of all open blocks together, bytes: beyond it the oldest are closed. */
  readonly openBytesMax: number;
  /** At most one signature in so much time. */
  readonly checkpointMs: number;
  /** How long settled input may stay uncovered where no block is closed. */
  readonly coverMs: number;
  /** Chains whose working state is kept between messages. */
  readonly chainsKeptMax: number;
}

/** The embedded default; production sets 5 s and 30 s (ledger.md section 3). */
export const SEAL_LIMITS: SealLimits = {
  ...BLOCK_LIMITS,
  payeAgeMs: 2_000,
  vatAgeMs: 2_000,
  openBytesMax: 64 * 1024 * 1024,
  checkpointMs: 1_000,
  coverMs: 10_000,
  chainsKeptMax: 10_000,
};

/** What an entry brings beside its bytes that can close a block. */
export interface EntryContext {
  /** `2026-27/M08` or `2026-10-01/2026-12-31`; '' where none applies. */
  readonly taxPeriod: string;
  /** 64 hex; of the account's tax. */
  readonly rulesHash: string;
  /** The input message that it came in. */
  readonly source: ReadMessage;
  /** When it was read: the age of a block goes by elapsed time, its `closed` by civil time. */
  readonly now: Moment;
}

/**
 * A chain with the block that is open on it: decisions that are read and not yet sealed. Its head runs ahead of the folded one by the
 * blocks that are on their way to the log.
 */
export class OpenChain {
  readonly account: Account;
  readonly tax: Tax;
  readonly keys: ChainKeys;
  #head: ChainHead | null;
  #lastNumber: number;
  #entries: OpenEntry[] = [];
  #bytes = 0;
  #openedElapsedMs = 0;
  #rulesHash: string | null = null;
  #taxPeriod = '';
  #pins: ReadMessage[] = [];

  constructor(account: Account, keys: ChainKeys, head: ChainHead | null) {
    this.account = account;
    this.tax = taxOf(account);
    this.keys = keys;
    this.#head = head;
    this.#lastNumber = head?.lastDecision ?? 0;
  }

  get head(): ChainHead | null {
    return this.#head;
  }

  /** The number of the account's next decision. */
  get nextNumber(): number {
    return this.#lastNumber + 1;
  }

  get isOpen(): boolean {
    return this.#entries.length > 0;
  }

  /** The messages that the open block pins, the first of each input. */
  get pinned(): readonly ReadMessage[] {
    return this.#pins;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Elapsed time at which the oldest entry of the open block was read. */
  get openedElapsedMs(): number {
    return this.#openedElapsedMs;
  }

  /**
   * Why the open block must close before it could take this entry: it would be too large, rests on other rules, or the entry begins a
   * later tax period or year (a late entry of an earlier period closes nothing).
   */
  closesBefore(entry: OpenEntry, context: EntryContext, limits: BlockLimits): CloseReason | null {
    if (!this.isOpen) return null;
    if (this.#bytes + entry.bytes.length > limits.bytesMax) return 'size';
    if (restsOnRules(entry.kind) && this.#rulesHash !== null && this.#rulesHash !== context.rulesHash) return 'rules';
    const { taxPeriod } = context;
    if (taxPeriod === '' || this.#taxPeriod === '' || taxPeriod <= this.#taxPeriod) return null;
    return yearOfPeriod(taxPeriod) === yearOfPeriod(this.#taxPeriod) ? 'period' : 'year';
  }

  /** Takes the entry into the open block, which must have room for it. */
  take(entry: OpenEntry, context: EntryContext): void {
    if (!this.isOpen) this.#openedElapsedMs = context.now.elapsedMs;
    assert(entry.number === 0 || entry.number === this.nextNumber, 'decisions of an account come without gap', {
      account: this.account,
      expected: this.nextNumber,
      number: entry.number,
    });
    this.#entries.push(entry);
    this.#bytes += entry.bytes.length;
    if (entry.number > 0) this.#lastNumber = entry.number;
    if (restsOnRules(entry.kind)) this.#rulesHash = context.rulesHash;
    if (context.taxPeriod > this.#taxPeriod) this.#taxPeriod = context.taxPeriod;
    this.#pin(context.source);
  }

  isFull(limits: BlockLimits): boolean {
    return this.#entries.length >= limits.entriesMax || this.#bytes >= limits.bytesMax;
  }

  /** Seals the open block and lets go of the messages that it pinned. */
  seal(options: {
    readonly ledgerName: string;
    readonly reason: CloseReason;
    readonly civilMs: number;
    readonly blind: Uint8Array;
    readonly hashes: LedgerHashes<string>;
  }): Sealed {
    const { ledgerName, reason, civilMs, blind, hashes } = options;
    // A clock that was ahead and is put right must not make a block look older than the one before it: `closed` stands still until then.
    const closedAtMs = Math.max(civilMs, this.#head?.closedAtMs ?? 0);
    const sealed = sealBlock(
      {
        ledgerName,
        account: this.account,
        chain: this.keys.chain,
        previous: this.#head,
        entries: this.#entries,
        closedAtMs,
        reason,
        rulesHash: this.#rulesHash,
        blind,
      },
      hashes,
    );
    this.#head = sealed.head;
    for (const message of this.#pins) message.pins -= 1;
    this.#entries = [];
    this.#bytes = 0;
    this.#rulesHash = null;
    this.#taxPeriod = '';
    this.#pins = [];
    return sealed;
  }

  /** The first message of each input that an open block needs holds the low position back; those behind it are held by it. */
  #pin(source: ReadMessage): void {
    for (const pinned of this.#pins) if (pinned.track === source.track) return;
    source.pins += 1;
    this.#pins.push(source);
  }
}

/** `2026-27` of `2026-27/M08`; `2026` of `2026-10-01/2026-12-31`. */
function yearOfPeriod(taxPeriod: string): string {
  const first = taxPeriod.slice(0, taxPeriod.indexOf('/'));
  return first.length === '2026-27'.length ? first : first.slice(0, 4);
}
