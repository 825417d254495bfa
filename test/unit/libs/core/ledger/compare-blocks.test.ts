import { describe, expect, it } from 'vitest';
import { compareBlocks } from '../../../../../libs/core/ledger/compare-blocks.ts';
import { pence } from '../../../../../libs/core/money/pence.ts';
import { entry, FOLLOWED, sealChain } from '../../../../support/ledger-chain.ts';

const ours = sealChain([[entry(1), entry(2), entry(3)]]).blocks[1];
const theirs = sealChain([[entry(1), entry(2, { basePence: pence(1) }), entry(3)]]).blocks[1];
if (ours === undefined || theirs === undefined) throw new Error('two versions');

describe('two versions of one block', () => {
  it('that are the same have no difference', () => {
    expect(compareBlocks(FOLLOWED, 1, ours, { ...ours, entries: ours.entries.map((bytes) => bytes.slice()) })).toEqual(
      [],
    );
  });

  it('differ in the entry and in the line that names its root', () => {
    const findings = compareBlocks(FOLLOWED, 1, ours, theirs);
    expect(findings.map(({ field, entryIndex }) => ({ field, entryIndex }))).toEqual([
      { field: 'header line 5', entryIndex: null },
      { field: 'entry', entryIndex: 1 },
    ]);
    expect(findings[1]).toMatchObject({
      code: 'BLOCK_DIFFERS',
      seq: 1,
      chain: FOLLOWED.chain,
      eventId: entry(2).eventId,
    });
  });

  it('differ where one has an entry more, and where an entry is no entry', () => {
    const shorter = { ...ours, entries: ours.entries.slice(0, 2) };
    expect(compareBlocks(FOLLOWED, 1, ours, shorter)).toMatchObject([
      { entryIndex: 2, found: 'no entry', eventId: entry(3).eventId },
    ]);
    const broken = { ...ours, entries: [new Uint8Array(3), ...ours.entries.slice(1)] };
    expect(compareBlocks(FOLLOWED, 1, broken, ours)).toMatchObject([
      { entryIndex: 0, expected: '000000', eventId: null },
    ]);
  });
});
