import { describe, expect, it } from 'vitest';
import { NODE_HASHES } from '../../../../../../libs/adapters/crypto/node-crypto.ts';
import type { BlockHeader } from '../../../../../../libs/core/ledger/block/block-header.ts';
import {
  parseBlockHeader,
  printBlockHeader,
  ZERO_HASH,
} from '../../../../../../libs/core/ledger/block/block-header.ts';
import {
  type BlockTotals,
  parseBlockTotals,
  printBlockTotals,
  totalsHashOf,
} from '../../../../../../libs/core/ledger/block/block-totals.ts';
import type { SealedBlock } from '../../../../../../libs/core/ledger/block/blocks-message.ts';
import type { ChainHead } from '../../../../../../libs/core/ledger/block/chain-head.ts';
import { openEntryOf, sealBlock } from '../../../../../../libs/core/ledger/block/seal-block.ts';
import { encodeEntry } from '../../../../../../libs/core/ledger/entry/entry-codec.ts';
import { rootOfLeaves } from '../../../../../../libs/core/ledger/tree/compact-range.ts';
import { treeHasher } from '../../../../../../libs/core/ledger/tree/tree-hash.ts';
import { examineBlock } from '../../../../../../libs/core/ledger/verify/verify-block.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { entry, FOLLOWED, LEDGER_NAME, sealChain, seededBytes } from '../../../../../support/ledger-chain.ts';

const CHAIN = sealChain([
  [entry(1), entry(2)],
  [entry(3), entry(4), entry(5)],
]);
const [first, second, third] = CHAIN.blocks;
const [headOf0, headOf1, headOf2] = CHAIN.heads;
if (first === undefined || second === undefined || third === undefined) throw new Error('three blocks');
if (headOf0 === undefined || headOf1 === undefined || headOf2 === undefined) throw new Error('three heads');

const examine = (block: Pick<SealedBlock, 'header' | 'totals' | 'entries'>, previous: ChainHead | null = headOf1) =>
  examineBlock(previous, block, FOLLOWED, NODE_HASHES);
const codesOf = (block: Pick<SealedBlock, 'header' | 'totals' | 'entries'>, previous: ChainHead | null = headOf1) => {
  const verdict = examine(block, previous);
  return verdict.ok ? [] : verdict.findings.map(({ code, field }) => `${code} ${field}`);
};

/** What a block that is right comes to. */
function verified(previous: ChainHead | null, block: SealedBlock) {
  const verdict = examine(block, previous);
  if (!verdict.ok) throw new Error(`refused: ${codesOf(block, previous)}`);
  return verdict.verified;
}

/** The third block as a liar would seal it: its hashes right, something within wrong. */
function lie(change: {
  readonly header?: Partial<BlockHeader>;
  readonly totals?: Partial<BlockTotals>;
  readonly entries?: readonly Uint8Array[];
}): SealedBlock {
  const entries = change.entries ?? third?.entries ?? [];
  const totals = printBlockTotals({ ...parseBlockTotals(third?.totals ?? ''), ...change.totals });
  const header = printBlockHeader({
    ...parseBlockHeader(third?.header ?? ''),
    entryCount: entries.length,
    entriesRoot: rootOfLeaves(entries, treeHasher),
    totalsHash: totalsHashOf(totals),
    ...change.header,
  });
  return { account: FOLLOWED.account, chain: FOLLOWED.chain, header, totals, entries };
}

/** The third block with any text for its totals, whose hash its header names. */
function withTotals(totals: string): SealedBlock {
  return { ...lie({ header: { totalsHash: totalsHashOf(totals) } }), totals };
}

describe('a block that is right', () => {
  it('gives its entries and the head that the sealer had', () => {
    const { head, entries, header } = verified(headOf1, third);
    expect(head).toEqual(headOf2);
    expect(entries).toEqual([entry(3), entry(4), entry(5)]);
    expect(header.seq).toBe(2);
    expect(verified(null, first).head).toEqual(headOf0);
  });

  it('is found so by noble as by node', () => {
    expect(codesOf(lie({}))).toEqual([]);
  });

  it('of payments beyond the safe integers has exact sums, in the block and since block 0', () => {
    // 100 payments of 10^14 pence are 10^16, more than 2^53 - 1; the same again in the next block.
    const paid = (number: number) =>
      entry(number, { kind: 'payment', basePence: pence(0), amounts: [{ head: 'payment', pence: pence(10 ** 14) }] });
    const payments = Array.from({ length: 200 }, (_, index) => paid(index + 1));
    const chain = sealChain([payments.slice(0, 100), payments.slice(100)]);
    expect(chain.blocks[1]?.totals).toContain(
      'payments 10000000000000000 10000000000000000\nbalance -10000000000000000',
    );
    expect(chain.blocks[2]?.totals).toContain(
      'payments 10000000000000000 20000000000000000\nbalance -20000000000000000',
    );
    chain.blocks.forEach((block, index) => {
      const verdict = examine(block, chain.heads[index - 1] ?? null);
      expect(verdict).toMatchObject({ ok: true, verified: { head: chain.heads[index] } });
    });
    const off = {
      ...chain.blocks[2],
      totals: chain.blocks[2]?.totals.replace('-20000000000000000', '-20000000000000001'),
    };
    expect(codesOf(off as SealedBlock, chain.heads[1])).toContain('TOTALS_DIFFER balance');
  });

  it('of payments alone names no decisions and no rules, and its numbers count all the same', () => {
    const payment = entry(6, {
      kind: 'payment',
      amounts: [{ head: 'payment', pence: pence(40_656) }],
      basePence: pence(0),
    });
    const { block, head } = sealBlock(
      {
        ledgerName: LEDGER_NAME,
        account: FOLLOWED.account,
        chain: FOLLOWED.chain,
        previous: headOf2,
        entries: [openEntryOf(payment)],
        closedAtMs: headOf2.closedAtMs,
        reason: 'age',
        rulesHash: null,
        blind: seededBytes('blind', 32),
      },
      NODE_HASHES,
    );
    expect(block.totals).toContain('\ndecisions -\n');
    expect(parseBlockHeader(block.header).rules).toEqual(ZERO_HASH);
    expect(verified(headOf2, block).head).toEqual(head);
    expect(head).toMatchObject({ lastDecision: 6, paymentsSince0Pence: 40_656, balancePence: 5 * 40_656 - 40_656 });
  });
});

describe('a block that is wrong', () => {
  const other = entry(4, { basePence: pence(1) });
  it.each([
    ['a header that is no header', { ...third, header: `${third.header}more\n` }, ['HEADER_MALFORMED header']],
    [
      'an entry changed',
      { ...third, entries: [third.entries[0], encodeEntry(other), third.entries[2]] as Uint8Array[] },
      ['ENTRIES_ROOT_DIFFERS entries'],
    ],
    [
      'two entries swapped',
      { ...third, entries: [...third.entries].reverse() },
      [
        'ENTRIES_ROOT_DIFFERS entries',
        'DECISION_NOT_NEXT number',
        'DECISION_NOT_NEXT number',
        'DECISION_NOT_NEXT number',
        'TOTALS_DIFFER decisions',
      ],
    ],
    [
      'totals changed',
      { ...third, totals: third.totals.replace(/blind .{4}/, 'blind AAAA') },
      ['TOTALS_HASH_DIFFERS totals'],
    ],
    ['totals that are no totals', withTotals(`${third.totals}more\n`), ['TOTALS_MALFORMED totals']],
    ['another ledger', lie({ header: { ledgerName: 'other' } }), ['LEDGER_DIFFERS ledger']],
    ['another chain', lie({ header: { chain: 'f'.repeat(32) } }), ['CHAIN_DIFFERS chain']],
    ['a seq left out', lie({ header: { seq: 3 } }), ['SEQ_NOT_NEXT seq']],
    ['another block before it', lie({ header: { prev: seededBytes('other', 32) } }), ['PREV_DIFFERS prev']],
    ['a count that is not that of the entries', lie({ header: { entryCount: 4 } }), ['ENTRY_COUNT_DIFFERS entries']],
    ['charges that are not the sum', lie({ totals: { chargesPence: pence(1) } }), ['TOTALS_DIFFER charges']],
    [
      'a running sum that is not',
      lie({ totals: { chargesSince0Pence: pence(1) } }),
      ['TOTALS_DIFFER charges since block 0'],
    ],
    ['payments that nobody made', lie({ totals: { paymentsPence: pence(1) } }), ['TOTALS_DIFFER payments']],
    ['a balance that is not', lie({ totals: { balancePence: pence(1) } }), ['TOTALS_DIFFER balance']],
    [
      'another number of entries since block 0',
      lie({ totals: { entriesSince0: 7 } }),
      ['TOTALS_DIFFER entries since block 0'],
    ],
    [
      'decisions that are not those of the entries',
      lie({ totals: { decisions: { first: 3, last: 6 } } }),
      ['TOTALS_DIFFER decisions'],
    ],
    ['no rules named', lie({ header: { rules: ZERO_HASH } }), ['RULES_DIFFER rules']],
    [
      'an entry withheld with all sums made to fit',
      lie({
        entries: [third.entries[0], third.entries[2]] as Uint8Array[],
        totals: {
          entries: 2,
          entriesSince0: 5,
          chargesPence: pence(81_312),
          chargesSince0Pence: pence(162_624),
          balancePence: pence(162_624),
        },
      }),
      ['DECISION_NOT_NEXT number'],
    ],
  ])('%s', (_, block, codes) => expect(codesOf(block)).toEqual(codes));

  it('names the entry that is not canonical', () => {
    const [one, two, three] = third.entries as [Uint8Array, Uint8Array, Uint8Array];
    const verdict = examine(lie({ entries: [one, Buffer.concat([two, Buffer.of(0)]), three] }));
    expect(verdict).toMatchObject({ ok: false, findings: [{ code: 'ENTRY_NOT_CANONICAL', seq: 2, entryIndex: 1 }] });
  });

  it('names the entry whose number is out of order, with its event', () => {
    const verdict = examine(lie({ entries: [third.entries[0], third.entries[0], third.entries[2]] as Uint8Array[] }));
    const [finding] = verdict.ok ? [] : verdict.findings;
    expect(finding).toMatchObject({
      code: 'DECISION_NOT_NEXT',
      seq: 2,
      entryIndex: 1,
      eventId: entry(3).eventId,
      expected: '4',
      found: '3',
    });
  });

  it('block 0 with another key than the ledger has is refused', () => {
    const identity = { ...FOLLOWED, ledgerVerifierKey: 'another' };
    expect(examineBlock(null, first, identity, NODE_HASHES)).toMatchObject({
      ok: false,
      findings: [{ code: 'LEDGER_KEY_DIFFERS', seq: 0, entryIndex: 0 }],
    });
  });

  it('block 0 is one key event, nothing else', () => {
    const codes = codesOf(lie({ header: { seq: 0, prev: ZERO_HASH } }), null);
    expect(codes).toContain('ENTRY_COUNT_DIFFERS entries of block 0');
    expect(codes).toContain('LEDGER_KEY_DIFFERS kind');
  });

  it('has every finding said, not only the first', () => {
    const wrong = lie({ totals: { chargesPence: pence(1), balancePence: pence(2) } });
    expect(examine(wrong)).toMatchObject({
      ok: false,
      findings: [
        { code: 'TOTALS_DIFFER', seq: 2, field: 'charges' },
        { code: 'TOTALS_DIFFER', seq: 2 },
      ],
    });
  });

  it('a flipped bit in any byte of its texts and entries is found', () => {
    const flipped = (text: string, at: number) =>
      `${text.slice(0, at)}${String.fromCharCode(text.charCodeAt(at) ^ 1)}${text.slice(at + 1)}`;
    for (let at = 0; at < third.totals.length; at++) {
      expect(codesOf({ ...third, totals: flipped(third.totals, at) }), `totals ${at}`).not.toEqual([]);
    }
    for (let at = 0; at < third.header.length; at++) {
      const verdict = examine({ ...third, header: flipped(third.header, at) });
      // A header that is still well formed is another block hash: it can only be in the log if HMRC sealed it.
      if (verdict.ok) expect(verdict.verified.head.blockHash).not.toBe(headOf2.blockHash);
    }
    for (const [index, bytes] of third.entries.entries()) {
      for (let at = 0; at < bytes.length; at++) {
        const entries = third.entries.map((one) => Uint8Array.from(one));
        const changed = entries[index];
        if (changed !== undefined) changed[at] = (changed[at] ?? 0) ^ 1;
        expect(codesOf({ ...third, entries }), `entry ${index}, byte ${at}`).toContain('ENTRIES_ROOT_DIFFERS entries');
      }
    }
  });
});
