import { type Account, taxOf } from '../../../libs/core/identity/account.ts';
import type { BlocksBody, SealedBlock } from '../../../libs/core/ledger/block/blocks-message.ts';
import { type ChainHead, headAfterBlock } from '../../../libs/core/ledger/block/chain-head.ts';
import type { LedgerHashes } from '../../../libs/core/ledger/block/seal-block.ts';
import { decodeEntry } from '../../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import { examineBlock } from '../../../libs/core/ledger/verify/verify-block.ts';
import { accountItem, blockKey, decisionKey, periodItem, periodKey } from '../count/keys.ts';
import { type ReconciliationState, recordException } from '../count/reconciliation-state.ts';
import { addTally, newTally, sameTally, type Tally, tallyOf } from '../count/tally.ts';

/** A block of HMRC's copy as read: its entries, the head it leaves, and what is wrong with it. */
export interface ExaminedBlock {
  readonly account: Account;
  readonly chain: string;
  readonly head: ChainHead;
  readonly entries: readonly LedgerEntry[];
  /** Codes of findings; empty for a good block. */
  readonly findings: readonly string[];
}

/**
 * Reads blocks and checks each against the one before it in its chain: hash, root, totals, numbers. Changes no row. `breathe` is awaited between
 * blocks, so that a large message holds nobody up.
 */
export async function examineBlocks(
  books: ReconciliationState,
  body: BlocksBody,
  hashes: LedgerHashes<string>,
  breathe: () => Promise<void> | null,
): Promise<readonly ExaminedBlock[]> {
  const heads = new Map<string, ChainHead>();
  const examined: ExaminedBlock[] = [];
  for (const block of body.blocks) {
    const previous = heads.get(block.chain) ?? books.tables.chains.get(block.chain)?.head ?? null;
    const one = examine(books, previous, block, hashes);
    heads.set(block.chain, one.head);
    examined.push(one);
    const pause = breathe();
    if (pause !== null) await pause;
  }
  return examined;
}

/** True while an entry's decision has not been read yet, as far as one can tell: its number is beyond the last one read. */
export function waitsForDecisions(books: ReconciliationState, blocks: readonly ExaminedBlock[]): boolean {
  return blocks.some(({ account, entries }) => {
    const [decided] = accountItem(books, account);
    return entries.some(({ number }) => number > decided);
  });
}

/** Matches a block's entries with their decisions, and lets the block wait for its payer. */
export function countBlock(books: ReconciliationState, examined: ExaminedBlock, atMs: number): void {
  const { account, chain, head, entries } = examined;
  const figures = books.figures.taxes[taxOf(account)];
  const groups = new Map<number, Tally>();
  const received: number[] = [];
  for (const entry of entries) {
    // Key events and disputes rest on no decision.
    if (entry.number === 0) continue;
    const tally = tallyOf(entry.basePence, entry.amounts);
    const receivedAtMs = matchEntry(books, account, entry, tally, head.closedAtMs);
    const second = Math.floor(receivedAtMs / 1000);
    const group = groups.get(second) ?? newTally();
    addTally(group, tally);
    groups.set(second, group);
    received.push(receivedAtMs);
    addTally(figures.hmrcCopy, tally);
    figures.unmatched.payerCopy.add(receivedAtMs, tally);
    addToPeriod(books, account, entry, tally);
  }
  for (const code of examined.findings) {
    figures.differs.hmrcCopy++;
    const detail = `block ${head.seq} of chain ${chain}`;
    recordException(books, 'differs', { account, eventId: null, code, stage: 'hmrcCopy', detail, atMs });
  }
  const isNew = enterChain(books, examined);
  // `closed` stands still where the ledger's clock was ahead once (docs/operations.md, Clocks): the log's own time then says when it was sealed.
  const sealedAtMs = Math.min(head.closedAtMs, atMs);
  const item = [head.blockHash, sealedAtMs, [...groups], received] as const;
  if (isNew) books.tables.blocks.insert(blockKey(chain, head.seq), item);
  else books.tables.blocks.put(blockKey(chain, head.seq), item);
  figures.unacknowledged.add(sealedAtMs, [1]);
  books.figures.blocks++;
  books.recent.blocks.add(atMs);
  books.recent.entries.add(atMs, received.length);
}

/** Gives when the entry's event was received. */
function matchEntry(
  books: ReconciliationState,
  account: Account,
  entry: LedgerEntry,
  tally: Tally,
  closedAtMs: number,
): number {
  const figures = books.figures.taxes[taxOf(account)];
  const key = decisionKey(account, entry.number);
  const item = books.tables.decisions.get(key);
  const report = (code: string, detail: string): void => {
    figures.differs.hmrcCopy++;
    const { eventId } = entry;
    recordException(books, 'differs', { account, eventId, code, stage: 'hmrcCopy', detail, atMs: closedAtMs });
  };
  if (item === undefined) {
    report('ENTRY_UNEXPECTED', `entry ${entry.number} has no decision that waits for it`);
    return closedAtMs;
  }
  const [eventId, receivedAtMs, decided] = item;
  books.tables.decisions.remove(key);
  figures.unmatched.hmrcCopy.remove(receivedAtMs, decided);
  if (eventId !== entry.eventId) report('EVENT_DIFFERS', `entry ${entry.number} is of another event than decided`);
  else if (!sameTally(decided, tally)) report('AMOUNTS_DIFFER', `entry ${entry.number} has other figures than decided`);
  return receivedAtMs;
}

function addToPeriod(books: ReconciliationState, account: Account, entry: LedgerEntry, tally: Tally): void {
  const [decided, inCopy] = periodItem(books, account, entry.taxPeriod);
  const sum = [...inCopy];
  addTally(sum, tally);
  books.tables.periods.put(periodKey(account, entry.taxPeriod), [decided, sum]);
}

/** False for a block whose place in its chain was taken already. */
function enterChain(books: ReconciliationState, { account, chain, head }: ExaminedBlock): boolean {
  const before = books.tables.chains.get(chain);
  books.tables.chains.put(chain, {
    head,
    acknowledgedSeq: before?.acknowledgedSeq ?? -1,
    acknowledgedHash: before?.acknowledgedHash ?? '',
  });
  if (before !== undefined) return head.seq > before.head.seq;
  const [decided] = accountItem(books, account);
  books.tables.accounts.put(account, [decided, chain]);
  books.figures.chains++;
  return true;
}

function examine(
  books: ReconciliationState,
  previous: ChainHead | null,
  block: SealedBlock,
  hashes: LedgerHashes<string>,
): ExaminedBlock {
  const { account, chain } = block;
  const ledgerName = ledgerNameOf(books, block);
  const verdict = examineBlock(previous, block, { ledgerName, account, chain }, hashes);
  if (verdict.ok) {
    const { head, entries } = verdict.verified;
    return { account, chain, head, entries, findings: [] };
  }
  // Counted as it stands: its amounts are in HMRC's copy whatever is wrong with it. Throws where it cannot be read at all.
  const head = headAfterBlock(previous, block, hashes.sha256);
  const codes = new Set<string>(verdict.findings.map(({ code }) => code));
  return { account, chain, head, entries: block.entries.map(decodeEntry), findings: [...codes] };
}

/** One ledger, one name: that of the first block ever read. */
function ledgerNameOf(books: ReconciliationState, block: SealedBlock): string {
  const [title = ''] = block.header.split('\n', 1);
  books.figures.ledgerName ??= title.replace(/\/block\/v1$/, '');
  return books.figures.ledgerName;
}
