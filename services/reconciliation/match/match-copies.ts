import { type Account, type Tax, taxOf } from '../../../libs/core/identity/account.ts';
import type { DisputeRaised } from '../../../libs/core/ledger/block/acknowledgement-events.ts';
import type { AcknowledgedHead } from '../../../libs/core/ledger/block/blocks-message.ts';
import { blockKey } from '../count/keys.ts';
import { type ReconciliationState, recordException } from '../count/reconciliation-state.ts';
import type { ChainItem, DivergentItem } from '../count/tables.ts';
import { addTally } from '../count/tally.ts';

/**
 * A payer countersigned a head: up to it its copy is HMRC's if the hash is. Every block before it follows through `prev`, so one equal
 * hash vouches for all of them.
 */
export function takeAcknowledged(books: ReconciliationState, acknowledged: AcknowledgedHead, atMs: number): void {
  const { account, chain, seq, blockHash } = acknowledged;
  const item = books.tables.chains.get(chain);
  if (item === undefined || item.head.account !== account || seq > item.head.seq) {
    diverges(books, account, { chain, seq, code: 'HEAD_UNKNOWN', atMs });
    return;
  }
  if (seq <= item.acknowledgedSeq) {
    const differs = seq === item.acknowledgedSeq && blockHash !== item.acknowledgedHash;
    if (differs) diverges(books, account, { chain, seq, code: 'HEAD_DIFFERS', atMs });
    return;
  }
  if (books.tables.blocks.get(blockKey(chain, seq))?.[0] !== blockHash) {
    diverges(books, account, { chain, seq, code: 'HEAD_DIFFERS', atMs });
    return;
  }
  copyBlocks(books, taxOf(account), chain, item, seq, atMs);
  books.tables.chains.put(chain, { ...item, acknowledgedSeq: seq, acknowledgedHash: blockHash });
  agrees(books, account, seq);
}

/** A payer disputes a block: its copy diverges until it countersigns that block or a later one. */
export function takeDispute(books: ReconciliationState, dispute: DisputeRaised): void {
  const { account, chain, seq, code, eventId, receivedAtMs: atMs } = dispute;
  diverges(books, account, { chain, seq, code, atMs });
  const detail = `block ${seq} of chain ${chain}${dispute.entryIndex === null ? '' : `, entry ${dispute.entryIndex}`}`;
  recordException(books, 'dispute', { account, eventId, code, stage: 'payerCopy', detail, atMs });
}

function copyBlocks(
  books: ReconciliationState,
  tax: Tax,
  chain: string,
  item: ChainItem,
  upToSeq: number,
  atMs: number,
): void {
  const figures = books.figures.taxes[tax];
  for (let seq = item.acknowledgedSeq + 1; seq <= upToSeq; seq++) {
    const key = blockKey(chain, seq);
    const block = books.tables.blocks.get(key);
    if (block === undefined) continue;
    const [, closedAtMs, groups, received] = block;
    for (const [second, tally] of groups) {
      addTally(figures.payerCopy, tally);
      figures.unmatched.payerCopy.remove(second * 1000, tally);
    }
    for (const receivedAtMs of received) {
      const durationMs = Math.max(0, atMs - receivedAtMs);
      books.recent.toCopy.add(atMs, durationMs);
      books.observeCopied(tax, durationMs / 1000);
    }
    figures.unacknowledged.remove(closedAtMs, [1]);
    books.figures.acknowledgedBlocks++;
    books.tables.blocks.remove(key);
  }
}

function diverges(books: ReconciliationState, account: Account, found: DivergentItem): void {
  if (books.tables.divergent.get(account) === undefined) books.figures.divergentCopies++;
  books.tables.divergent.put(account, found);
}

function agrees(books: ReconciliationState, account: Account, seq: number): void {
  const found = books.tables.divergent.get(account);
  if (found === undefined || found.seq > seq) return;
  books.tables.divergent.remove(account);
  books.figures.divergentCopies--;
}
