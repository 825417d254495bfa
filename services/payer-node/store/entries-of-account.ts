import { parseBlockHeader } from '../../../libs/core/ledger/block/block-header.ts';
import { decodeEntry } from '../../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import { blockKey } from './payer-keys.ts';
import type { EntryPosition, FollowedAccount } from './payer-records.ts';
import type { PayerStore } from './payer-store.ts';
import { readBlock } from './payer-values.ts';

/** An entry of the verified copy and where it stands. */
export interface PlacedEntry {
  readonly place: EntryPosition;
  readonly closedAtMs: number;
  readonly entry: LedgerEntry;
}

/** Entries of an account's verified copy from a place on, in the order of the chain. */
export function* entriesFrom(
  store: PayerStore,
  followed: FollowedAccount,
  from: EntryPosition,
): Generator<PlacedEntry> {
  const last = followed.head?.seq ?? -1;
  for (let seq = from.seq; seq <= last; seq += 1) {
    const bytes = store.blocks.get(blockKey(followed.number, seq));
    if (bytes === undefined) return;
    const block = readBlock(bytes);
    const { closedAtMs } = parseBlockHeader(block.header);
    for (let position = seq === from.seq ? from.position : 0; position < block.entries.length; position += 1) {
      const bytesOfEntry = block.entries[position];
      if (bytesOfEntry === undefined) continue;
      yield { place: { seq, position }, closedAtMs, entry: decodeEntry(bytesOfEntry) };
    }
  }
}
