import type { Checkpoint as StageCheckpoint } from '../../../libs/adapters/state-store/state-store.ts';
import { headText, identityText } from './chain-texts.ts';
import type { AcknowledgedSeq, RejectionsPosition, StoredChain, StoredRejection } from './ledger-records.ts';
import type { LedgerTables } from './ledger-tables.ts';

/** What was folded since the last commit. */
export interface PendingChanges {
  readonly begun: StoredChain[];
  readonly heads: Set<StoredChain>;
  readonly blocks: [number, Buffer][];
  readonly pages: [number[], readonly number[]][];
  readonly payerKeys: Map<number, string>;
  readonly acknowledged: Map<number, AcknowledgedSeq>;
  readonly rejections: [[string, number], StoredRejection][];
  readonly rejectionCounts: Map<string, number>;
  readonly rejectionPositions: Map<number, RejectionsPosition>;
  servedNote: string | null;
}

/** Nothing gathered yet. */
export function noPending(): PendingChanges {
  return {
    begun: [],
    heads: new Set(),
    blocks: [],
    pages: [],
    payerKeys: new Map(),
    acknowledged: new Map(),
    rejections: [],
    rejectionCounts: new Map(),
    rejectionPositions: new Map(),
    servedNote: null,
  };
}

/** Writes what was gathered, within a transaction, with the checkpoint of the stage where one is given. */
export function writePending(
  tables: LedgerTables,
  pending: PendingChanges,
  checkpoint: StageCheckpoint | undefined,
): void {
  for (const chain of pending.begun) writeChain(tables, chain);
  for (const [index, frame] of pending.blocks) tables.put(tables.blocks, index, frame);
  for (const chain of pending.heads) tables.putText(tables.heads, chain.number, headText(chain));
  for (const [key, page] of pending.pages) tables.putText(tables.pages, key, JSON.stringify(page));
  for (const [number, key] of pending.payerKeys) tables.putText(tables.payerKeys, number, key);
  for (const [number, seq] of pending.acknowledged) tables.putText(tables.acknowledged, number, JSON.stringify(seq));
  for (const [key, rejection] of pending.rejections) tables.putText(tables.rejections, key, JSON.stringify(rejection));
  for (const [account, count] of pending.rejectionCounts) tables.put(tables.rejectionCounts, account, count);
  for (const [partition, position] of pending.rejectionPositions) {
    tables.putText(tables.rejectionPositions, partition, JSON.stringify(position));
  }
  if (pending.servedNote !== null) tables.putText(tables.meta, 'served', pending.servedNote);
  if (checkpoint !== undefined) tables.putText(tables.meta, 'stage', JSON.stringify(checkpoint));
}

function writeChain(tables: LedgerTables, chain: StoredChain): void {
  const { account, keys } = chain;
  tables.putText(tables.chains, chain.number, identityText(chain));
  tables.put(tables.accounts, account, chain.number);
  tables.put(tables.chainIds, keys.chain, chain.number);
}
