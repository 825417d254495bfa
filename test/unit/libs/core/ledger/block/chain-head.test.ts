import { describe, expect, it } from 'vitest';
import {
  type ChainHead,
  headAfterBlock,
  nextSeqOf,
  prevHashOf,
} from '../../../../../../libs/core/ledger/block/chain-head.ts';
import { pence } from '../../../../../../libs/core/money/pence.ts';
import { entry, sealChain } from '../../../../../support/ledger-chain.ts';

const payment = entry(3, { kind: 'payment', basePence: pence(0), amounts: [{ head: 'payment', pence: pence(500) }] });
const CHAIN = sealChain([[entry(1), entry(2)], [payment], [entry(4)]]);

describe('the head of a chain', () => {
  it('folded from the blocks alone is what the sealer had, payments alone included', () => {
    let head: ChainHead | null = null;
    for (const [seq, block] of CHAIN.blocks.entries()) {
      head = headAfterBlock(head, block);
      expect(head).toEqual(CHAIN.heads[seq]);
    }
    expect(head?.lastDecision).toBe(4);
  });

  it('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(CHAIN.heads))).toEqual(CHAIN.heads);
  });

  it('before block 0 there is none: seq 0 upon 32 zero bytes', () => {
    expect([nextSeqOf(null), prevHashOf(null)]).toEqual([0, '0'.repeat(64)]);
    const head = CHAIN.heads[1] ?? null;
    expect([nextSeqOf(head), prevHashOf(head)]).toEqual([2, head?.blockHash]);
  });
});
