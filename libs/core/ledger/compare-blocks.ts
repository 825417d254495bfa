import { hasCode } from '../errors/tally-error.ts';
import type { Account } from '../identity/account.ts';
import type { EventId } from '../identity/event-id.ts';
import { compareBytes } from './compare-bytes.ts';
import type { Divergence } from './divergence.ts';
import { decodeEntry } from './entry-codec.ts';
import { toHex } from './hex.ts';
import type { BlockTexts } from './verify-block.ts';

/** In what two versions of one block differ, line by line and entry by entry: for a payer that holds one and was given another. */
export function compareBlocks(
  identity: { readonly account: Account; readonly chain: string },
  seq: number,
  ours: BlockTexts,
  theirs: BlockTexts,
): readonly Divergence[] {
  const { account, chain } = identity;
  const place = { code: 'BLOCK_DIFFERS', account, chain, seq, entryIndex: null, eventId: null } as const;
  const findings: Divergence[] = [
    ...differentLines('header', ours.header, theirs.header),
    ...differentLines('totals', ours.totals, theirs.totals),
  ].map((difference) => ({ ...place, ...difference }));
  for (let entryIndex = 0; entryIndex < Math.max(ours.entries.length, theirs.entries.length); entryIndex++) {
    const [mine, other] = [ours.entries[entryIndex], theirs.entries[entryIndex]];
    if (mine !== undefined && other !== undefined && compareBytes(mine, other) === 0) continue;
    const eventId = eventIdOf(mine ?? other);
    findings.push({ ...place, entryIndex, eventId, field: 'entry', expected: shown(mine), found: shown(other) });
  }
  return findings;
}

function* differentLines(
  text: string,
  ours: string,
  theirs: string,
): Generator<Pick<Divergence, 'field' | 'expected' | 'found'>> {
  const [mine, other] = [ours.split('\n'), theirs.split('\n')];
  for (let index = 0; index < Math.max(mine.length, other.length); index++) {
    const [expected = '', found = ''] = [mine[index], other[index]];
    if (expected !== found) yield { field: `${text} line ${index + 1}`, expected, found };
  }
}

function shown(entry: Uint8Array | undefined): string {
  return entry === undefined ? 'no entry' : toHex(entry);
}

function eventIdOf(entry: Uint8Array | undefined): EventId | null {
  try {
    return entry === undefined ? null : decodeEntry(entry).eventId;
  } catch (error) {
    if (hasCode(error, 'ENTRY_NOT_CANONICAL')) return null;
    throw error;
  }
}
