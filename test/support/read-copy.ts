import { readFileSync } from 'node:fs';
import { decodeEntry } from '../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../libs/core/ledger/entry/ledger-entry.ts';

/** Every entry of a payer's copy file, in order; key events are left out. */
export function entriesOfCopy(file: string): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    if (text === '') continue;
    const line = JSON.parse(text) as { readonly kind: string; readonly entries?: readonly string[] };
    if (line.kind !== 'block') continue;
    for (const bytes of line.entries ?? []) {
      const entry = decodeEntry(Buffer.from(bytes, 'base64'));
      if (entry.kind !== 'key event') entries.push(entry);
    }
  }
  return entries;
}
