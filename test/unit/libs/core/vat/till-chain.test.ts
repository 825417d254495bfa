import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { followChain, isZClosed, type TillChain, tillChainOf } from '../../../../../libs/core/vat/till-chain.ts';
import { OPEN_GAPS_MAX } from '../../../../../libs/core/vat/vat-limits.ts';

const hashOf = (seq: number) => seq.toString(16).padStart(64, '0');
const linkOf = (seq: number) => ({
  seq,
  hash: hashOf(seq),
  prevHash: seq === 1 ? null : hashOf(seq - 1),
  occurredAtMs: seq * 1_000,
  isZReport: false,
  takenPence: 100,
  statedPence: null,
});

function follow(chain: TillChain, seqs: readonly number[]) {
  const flags: string[] = [];
  let next = chain;
  for (const seq of seqs) {
    const step = followChain(next, linkOf(seq));
    next = step.chain;
    flags.push(...step.flags);
  }
  return { chain: next, flags };
}

const NEW = tillChainOf(undefined);

describe('a till’s chain', () => {
  it('in any order of few events ends whole: only gaps are flagged, never a fork or a broken link', () => {
    const order = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { minLength: 12 });
    fc.assert(
      fc.property(order, (seqs) => {
        const { chain, flags } = follow(NEW, seqs);
        expect(chain).toMatchObject({ s: 12, g: [], u: 0, f: 0, h: hashOf(12) });
        expect(flags.every((flag) => flag === 'E_SEQ_GAP')).toBe(true);
      }),
    );
  });

  it('flags every number that comes again as a fork', () => {
    const { chain, flags } = follow(NEW, [1, 2, 3, 2, 1, 3]);
    expect(flags).toEqual(['E_SEQ_REPLAY', 'E_SEQ_REPLAY', 'E_SEQ_REPLAY']);
    expect(chain).toMatchObject({ s: 3, f: 3, h: hashOf(3) });
  });

  it('keeps a bounded number of gaps and calls nothing below them a fork', () => {
    const odd = Array.from({ length: OPEN_GAPS_MAX + 3 }, (_, index) => 2 * index + 2);
    const { chain } = follow(NEW, odd);
    expect(chain.g).toHaveLength(OPEN_GAPS_MAX);
    expect(chain.u).toBe(5);
    expect(follow(chain, [1, 2]).flags).toEqual(['E_SEQ_GAP', 'E_SEQ_GAP']);
    expect(follow(chain, [7]).flags).toEqual([]);
    expect(follow(chain, [8]).flags).toEqual(['E_SEQ_REPLAY']);
  });

  it('sees a broken link on either side of a gap that is filled', () => {
    const gap = follow(NEW, [1, 4]).chain;
    expect(followChain(gap, { ...linkOf(2), prevHash: hashOf(9) }).flags).toEqual(['E_CHAIN_BROKEN']);
    expect(followChain(gap, { ...linkOf(3), hash: hashOf(9) }).flags).toEqual(['E_CHAIN_BROKEN']);
    expect(followChain(NEW, linkOf(1)).flags).toEqual([]);
  });

  it('is closed for a sale by a later Z report, for a void on the same till only by one between them', () => {
    const chain = followChain(follow(NEW, [1, 2]).chain, { ...linkOf(3), isZReport: true }).chain;
    expect(isZClosed(chain, 2, 4)).toBe(true);
    expect(isZClosed(chain, 1, 2)).toBe(false);
    expect(isZClosed(chain, 4, 5)).toBe(false);
    expect(isZClosed(chain, 1, null)).toBe(true);
  });
});
