import { printUtc } from '../../../libs/core/calendar/utc-time.ts';
import { uuidOf } from '../../../libs/core/identity/event-id.ts';
import { type BlockHeader, parseBlockHeader } from '../../../libs/core/ledger/block/block-header.ts';
import { decodeEntry } from '../../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import type { EntryBasis } from '../../../libs/core/ledger/verify/recompute-block.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { flagsOf } from '../store/event-flags.ts';
import { blockKey, eventKey } from '../store/payer-keys.ts';
import type { FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readBlock } from '../store/payer-values.ts';

export interface StatementEntry {
  readonly seq: number;
  /** Position within the block, from 0. */
  readonly entry: number;
  readonly closed: string;
  readonly eventId: string;
  readonly kind: string;
  readonly number: number;
  readonly taxPeriod: string;
  readonly basePence: number;
  readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  /** The payer's own event worked out again, money at HMRC's bank of which it has no record, or a key event or the like. */
  readonly ground: EntryBasis;
  /** What was odd about the event, which was accepted all the same. */
  readonly flags: readonly string[];
}

export interface Statement {
  readonly account: string;
  readonly chain: string | null;
  readonly head: { readonly seq: number; readonly blockHash: string; readonly closed: string } | null;
  readonly acknowledgedSeq: number | null;
  readonly entriesSince0: number;
  /** Pence by head, all entries. */
  readonly heads: Readonly<Record<string, PenceSum>>;
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
  readonly balancePence: PenceSum;
  /** Of the payments: those without an event of the payer's behind them. */
  readonly unconfirmedPence: PenceSum;
  readonly haltedBy: number | null;
  /** The newest first. */
  readonly entries: readonly StatementEntry[];
  /** Give it as `before` to go on with older entries; null at the end. */
  readonly olderBefore: number | null;
}

export const STATEMENT_ENTRIES_MAX = 1_000;

/**
 * Statement of an account from the verified copy: totals of the whole chain, and the newest entries of blocks before `beforeSeq` (whole
 * blocks, until `limit` entries are reached).
 */
export function statementOf(
  store: PayerStore,
  followed: FollowedAccount,
  page: { readonly limit: number; readonly beforeSeq: number | null },
): Statement {
  const { head } = followed;
  const entries: StatementEntry[] = [];
  let seq = Math.min(head?.seq ?? -1, (page.beforeSeq ?? Number.MAX_SAFE_INTEGER) - 1);
  for (; seq >= 0 && entries.length < Math.min(page.limit, STATEMENT_ENTRIES_MAX); seq -= 1) {
    entries.push(...entriesOfBlock(store, followed, seq));
  }
  return {
    account: followed.account,
    chain: followed.chain,
    head:
      head === null ? null : { seq: head.seq, blockHash: head.blockHash, closed: printUtc(head.closedAtMs, 'seconds') },
    acknowledgedSeq: followed.acknowledgedSeq,
    entriesSince0: head?.entriesSince0 ?? 0,
    heads: followed.penceByHead,
    chargesPence: head?.chargesSince0Pence ?? 0,
    paymentsPence: head?.paymentsSince0Pence ?? 0,
    balancePence: head?.balancePence ?? 0,
    unconfirmedPence: followed.unconfirmedPence,
    haltedBy: followed.haltedBy,
    entries,
    olderBefore: seq >= 0 ? seq + 1 : null,
  };
}

/** The newest entry of the block first. */
function entriesOfBlock(store: PayerStore, followed: FollowedAccount, seq: number): readonly StatementEntry[] {
  const bytes = store.blocks.get(blockKey(followed.number, seq));
  if (bytes === undefined) return [];
  const block = readBlock(bytes);
  const header = parseBlockHeader(block.header);
  return block.entries
    .map((entry, position) => lineOf(store, followed, header, decodeEntry(entry), position))
    .reverse();
}

function lineOf(
  store: PayerStore,
  followed: FollowedAccount,
  header: BlockHeader,
  entry: LedgerEntry,
  position: number,
): StatementEntry {
  return {
    seq: header.seq,
    entry: position,
    closed: printUtc(header.closedAtMs, 'seconds'),
    eventId: uuidOf(entry.eventId),
    kind: entry.kind,
    number: entry.number,
    taxPeriod: entry.taxPeriod,
    basePence: entry.basePence,
    amounts: entry.amounts,
    ground: groundOf(store, followed, entry),
    flags: flagsOf(store, eventKey(followed.number, entry.eventId)),
  };
}

function groundOf(store: PayerStore, followed: FollowedAccount, entry: LedgerEntry): EntryBasis {
  if (entry.number === 0) return 'formal';
  return store.entries.doesExist(eventKey(followed.number, entry.eventId)) ? 'recomputed' : 'unconfirmed';
}
