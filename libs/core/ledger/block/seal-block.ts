import type { EntryKind } from '../../decisions/entry-kinds.ts';
import { fromHex, toHex } from '../../encoding/hex.ts';
import type { Sha256 } from '../../encoding/sha256.ts';
import { assert } from '../../errors/assert.ts';
import type { Account } from '../../identity/account.ts';
import { addSums, type PenceSum, subtractSums, totalOf } from '../../money/pence-sum.ts';
import { encodeEntry } from '../entry/entry-codec.ts';
import { chargesOf, type LedgerEntry, paymentsOf, restsOnRules } from '../entry/ledger-entry.ts';
import { rootOfLeaves } from '../tree/compact-range.ts';
import type { TreeHasher } from '../tree/tree-hash.ts';
import { type BlockHeader, blockHashOf, type CloseReason, printBlockHeader, ZERO_HASH } from './block-header.ts';
import { BLIND_BYTES, type BlockTotals, type DecisionRange, printBlockTotals, totalsHashOf } from './block-totals.ts';
import type { SealedBlock } from './blocks-message.ts';
import { type ChainHead, headOf, nextSeqOf, prevHashOf, type RunningSums, sumsOf } from './chain-head.ts';

/** An entry that waits for its block: its bytes, and what the totals need of it. */
export interface OpenEntry {
  readonly bytes: Uint8Array;
  readonly kind: EntryKind;
  readonly number: number;
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
}

/** Hash functions for whoever seals or checks many blocks: node's on a server, noble's by default. */
export interface LedgerHashes<Hash> {
  readonly sha256: Sha256;
  readonly tree: TreeHasher<Hash>;
}

export interface SealOptions {
  readonly ledgerName: string;
  readonly account: Account;
  /** 32 lower-case hex. */
  readonly chain: string;
  /** Null before block 0. */
  readonly previous: ChainHead | null;
  /** In the order of their decisions; at least one. */
  readonly entries: readonly OpenEntry[];
  readonly closedAtMs: number;
  readonly reason: CloseReason;
  /** 64 hex: the rule set of all entries that rest on one; null only where none does. */
  readonly rulesHash: string | null;
  /** 32 random bytes. */
  readonly blind: Uint8Array;
}

export interface Sealed {
  readonly block: SealedBlock;
  readonly head: ChainHead;
  /** 32 bytes; with the slot tag it is the leaf data of the public log. */
  readonly blockHash: Uint8Array;
}

/** The entry's canonical bytes and what its block's totals need. Throws ENTRY_INVALID. */
export function openEntryOf(entry: LedgerEntry): OpenEntry {
  return {
    bytes: encodeEntry(entry),
    kind: entry.kind,
    number: entry.number,
    chargesPence: chargesOf(entry),
    paymentsPence: paymentsOf(entry),
  };
}

/** Seals entries as the next block of a chain: totals, header, hash, and the head that the block after it builds on. Pure. */
export function sealBlock<Hash>(options: SealOptions, hashes: LedgerHashes<Hash>): Sealed {
  const { entries, previous } = options;
  assert(entries.length > 0, 'no empty blocks', { chain: options.chain });
  assert(options.blind.length === BLIND_BYTES, 'a blind is 32 bytes');
  assert(previous === null || previous.chain === options.chain, 'a head is of the chain', { chain: options.chain });
  const sums = sumsOf(previous);
  const totals = totalsOf(options, sums);
  const totalsText = printBlockTotals(totals);
  const header: BlockHeader = {
    ledgerName: options.ledgerName,
    chain: options.chain,
    seq: nextSeqOf(previous),
    prev: fromHex(prevHashOf(previous), 32),
    entryCount: entries.length,
    entriesRoot: hashes.tree.toBytes(rootOfLeaves(bytesOf(entries), hashes.tree)),
    totalsHash: totalsHashOf(totalsText, hashes.sha256),
    closedAtMs: Math.floor(options.closedAtMs / 1000) * 1000,
    reason: options.reason,
    rules: rulesOf(options),
  };
  const headerText = printBlockHeader(header);
  const blockHash = blockHashOf(headerText, hashes.sha256);
  const { account, chain } = options;
  return {
    block: { account, chain, header: headerText, totals: totalsText, entries: bytesOf(entries) },
    head: headOf(account, header, totals, toHex(blockHash), Math.max(sums.lastDecision, lastNumber(entries))),
    blockHash,
  };
}

/** The totals that entries make on top of the sums before them. */
function totalsOf(options: SealOptions, sums: RunningSums): BlockTotals {
  const chargesPence = totalOf(options.entries.map((entry) => entry.chargesPence));
  const paymentsPence = totalOf(options.entries.map((entry) => entry.paymentsPence));
  return {
    ledgerName: options.ledgerName,
    entries: options.entries.length,
    entriesSince0: sums.entriesSince0 + options.entries.length,
    chargesPence,
    chargesSince0Pence: addSums(sums.chargesSince0Pence, chargesPence),
    paymentsPence,
    paymentsSince0Pence: addSums(sums.paymentsSince0Pence, paymentsPence),
    balancePence: subtractSums(addSums(sums.balancePence, chargesPence), paymentsPence),
    decisions: decisionsOf(options.entries, sums.lastDecision),
    blind: options.blind,
  };
}

/**
 * First and last number of the decisions in a block, contiguous upon the last one before it; null for key, payment and acknowledgement
 * entries alone (ledger.md section 3: `decisions` reads `-`; a payment's number still stands in its entry).
 */
function decisionsOf(entries: readonly OpenEntry[], lastDecision: number): DecisionRange | null {
  let last = lastDecision;
  for (const { number } of entries) {
    if (number === 0) continue;
    assert(number === last + 1, 'decisions of an account follow one another without gap', {
      expected: last + 1,
      number,
    });
    last = number;
  }
  if (last === lastDecision || !entries.some((entry) => restsOnRules(entry.kind))) return null;
  return { first: lastDecision + 1, last };
}

function rulesOf(options: SealOptions): Uint8Array {
  if (!options.entries.some((entry) => restsOnRules(entry.kind))) return ZERO_HASH;
  assert(options.rulesHash !== null, 'a block of assessed entries names its rule set', { chain: options.chain });
  return fromHex(options.rulesHash, 32);
}

function bytesOf(entries: readonly OpenEntry[]): readonly Uint8Array[] {
  return entries.map((entry) => entry.bytes);
}

function lastNumber(entries: readonly OpenEntry[]): number {
  return entries.reduce((last, entry) => Math.max(last, entry.number), 0);
}
