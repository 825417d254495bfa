import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OPEN_GAPS_MAX, Z_REPORTS_MAX } from '../../../../../../libs/core/vat/rates/limits.ts';
import {
  type ChainLink,
  followChain,
  isZClosed,
  type TillChain,
  tillChainOf,
} from '../../../../../../libs/core/vat/state/till-chain.ts';

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
        const skips = seqs.filter((seq, index) => seq > Math.max(0, ...seqs.slice(0, index)) + 1);
        expect(flags).toEqual(skips.map(() => 'E_SEQ_GAP'));
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

  it('is not closed for what no Z report came after', () => {
    const chain = followChain(follow(NEW, [1, 2]).chain, { ...linkOf(3), isZReport: true }).chain;
    expect(isZClosed(chain, 3, null)).toBe(false);
    expect(isZClosed(chain, 2, 3)).toBe(false);
    expect(isZClosed(NEW, 1, null)).toBe(false);
  });

  it('breaks where the first event of a till names another before it, or a later one none', () => {
    expect(followChain(NEW, { ...linkOf(1), prevHash: hashOf(7) }).flags).toEqual([]);
    const one = follow(NEW, [1]).chain;
    expect(followChain(one, { ...linkOf(2), prevHash: null }).flags).toEqual(['E_CHAIN_BROKEN']);
    const z = { ...linkOf(2), isZReport: true, takenPence: 0 };
    expect(followChain(one, { ...z, prevHash: null }).flags).toEqual(['E_CHAIN_BROKEN']);
    expect(followChain(one, z).flags).toEqual([]);
    // The first of all, come late: there is none before it.
    expect(followChain(follow(NEW, [3]).chain, { ...linkOf(1), prevHash: hashOf(7) }).flags).toEqual([]);
  });

  it('whose clock goes back by more than 300 s is flagged, whatever the event', () => {
    const chain = followChain(NEW, { ...linkOf(1), occurredAtMs: 1_000_000 }).chain;
    for (const isZReport of [false, true]) {
      const flagsAt = (occurredAtMs: number, prevHash = hashOf(1)) =>
        followChain(chain, { ...linkOf(2), isZReport, takenPence: 0, occurredAtMs, prevHash }).flags;
      expect(flagsAt(700_000)).toEqual([]);
      expect(flagsAt(699_999)).toEqual(['CLOCK_BACK']);
      expect(flagsAt(699_999, hashOf(8))).toEqual(['E_CHAIN_BROKEN', 'CLOCK_BACK']);
    }
  });

  it('remembers so many Z reports, the newest', () => {
    let chain = NEW;
    for (let seq = 1; seq <= Z_REPORTS_MAX + 2; seq += 1) {
      chain = followChain(chain, { ...linkOf(seq), isZReport: true, takenPence: 0 }).chain;
    }
    expect(chain.z).toEqual([3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

/** An event of a day: takings of so many pence, or a Z report that states a total (null: none). */
type Happened = { readonly pence: number } | { readonly z: number | null };

function linkTo(seq: number, one: Happened): ChainLink {
  const isZReport = 'z' in one;
  return {
    ...linkOf(seq),
    isZReport,
    takenPence: isZReport ? 0 : one.pence,
    statedPence: isZReport ? one.z : null,
  };
}

/**
 * The numbers whose arrival shows that a Z report's total differs, told from the whole list each time. A Z report is compared once all
 * events between it and the one before are there. One that comes after events of higher numbers is not compared, nor is the next after it.
 */
function arrivalsThatDiffer(day: readonly Happened[], order: readonly number[]): readonly number[] {
  const differ: number[] = [];
  const here = new Set<number>();
  const settled = new Set<number>();
  const divided = new Set<number>();
  const isZ = (seq: number) => 'z' in (day[seq - 1] ?? { pence: 0 });
  let dividesNext = false;
  for (const seq of order) {
    const head = Math.max(0, ...here);
    here.add(seq);
    const reports = [...here].filter(isZ).sort((a, b) => a - b);
    if (isZ(seq) && seq < head) {
      settled.add(seq);
      const next = reports.find((report) => report > seq);
      if (next === undefined) dividesNext = true;
      else divided.add(next);
    } else if (isZ(seq) && dividesNext) {
      divided.add(seq);
      dividesNext = false;
    }
    for (const report of reports) {
      const before = Math.max(0, ...reports.filter((other) => other < report));
      const between = Array.from({ length: report - before - 1 }, (_, index) => before + 1 + index);
      if (settled.has(report) || !between.every((other) => here.has(other))) continue;
      settled.add(report);
      const stated = (day[report - 1] as { readonly z: number | null }).z;
      const taken = between.reduce((sum, other) => sum + (day[other - 1] as { readonly pence: number }).pence, 0);
      if (stated !== null && !divided.has(report) && stated !== taken) differ.push(seq);
    }
  }
  return [...new Set(differ)];
}

function ordersOf(count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return ordersOf(count - 1).flatMap((order) =>
    Array.from({ length: count }, (_, at) => [...order.slice(0, at), count, ...order.slice(at)]),
  );
}

describe('a till’s Z report', () => {
  const sale = (pence: number): Happened => ({ pence });
  const z = (stated: number | null): Happened => ({ z: stated });

  it.each<[string, readonly Happened[]]>([
    ['right, then wrong', [sale(1), z(1), sale(4), sale(8), z(13)]],
    ['wrong, then right', [sale(1), sale(2), z(4), sale(8), z(8)]],
    ['without total, then wrong', [sale(1), z(null), sale(4), z(3), sale(16)]],
    ['three in a row, nothing taken', [z(0), z(1), z(0), sale(8), z(8)]],
    ['of refunds, wrong', [sale(5), sale(-7), sale(0), z(2), z(0), sale(1)]],
    ['two wrong, with nothing between', [sale(1), z(2), z(2), sale(8), z(9), sale(2)]],
  ])('%s: is compared once all before it is there, in whatever order it comes', (_what, day) => {
    for (const order of ordersOf(day.length)) {
      let chain = NEW;
      const differ: number[] = [];
      for (const seq of order) {
        const step = followChain(chain, linkTo(seq, day[seq - 1] ?? sale(0)));
        chain = step.chain;
        if (step.flags.includes('Z_DIFFERS')) differ.push(seq);
      }
      expect(differ, order.join(' ')).toEqual(arrivalsThatDiffer(day, order));
      expect(chain.w, order.join(' ')).toBeUndefined();
      expect(chain.z).toEqual(day.flatMap((one, index) => ('z' in one ? [index + 1] : [])));
    }
  });

  it('waits with so many others at most: the oldest is then no longer compared', () => {
    let chain = followChain(NEW, linkTo(2, sale(1))).chain;
    // Numbers 1, 4, 7, … are missing, one before each of ten reports.
    for (let index = 0; index < Z_REPORTS_MAX + 2; index += 1)
      chain = followChain(chain, linkTo(3 * index + 3, z(1))).chain;
    expect(chain.w?.map(([seq]) => seq)).toEqual([9, 12, 15, 18, 21, 24, 27, 30]);
    expect(followChain(chain, linkTo(1, sale(5))).flags).toEqual([]);
    // Of 7 it is no longer known whether a report lay between it and 9; of 10 it is.
    const late = followChain(followChain(chain, linkTo(7, sale(5))).chain, linkTo(10, sale(6))).chain;
    expect(late.w?.slice(0, 3)).toEqual([
      [9, 1, null],
      [12, 1, 6],
      [15, 1, 0],
    ]);
  });
});
