import type { StateValue } from '../events/decision.ts';
import { OPEN_GAPS_MAX, Z_REPORTS_MAX } from './vat-limits.ts';

/** Sequence numbers not seen yet: from, to, hash of the event before `from`, prevHash of the event after `to`, time of the former. */
type OpenGap = readonly [from: number, to: number, left: string | null, right: string | null, leftMs: number];

/** What is remembered of one till, under `till|<account>|<tillId>`. */
export interface TillChain {
  /** Highest sequence number accepted, its hash and the time it bears. */
  readonly s: number;
  readonly h: string | null;
  readonly t: number;
  /** Open gaps below it, lowest first. */
  readonly g: readonly OpenGap[];
  /** Sequence numbers up to here are no longer told apart (their gaps were forgotten). */
  readonly u: number;
  /** Sequence numbers of its last Z reports. */
  readonly z: readonly number[];
  /** Forks: numbers that were used twice. */
  readonly f: number;
}

/** A till's event as its chain sees it. */
export interface ChainLink {
  readonly seq: number;
  readonly hash: string;
  readonly prevHash: string | null;
  readonly occurredAtMs: number;
  readonly isZReport: boolean;
}

export type ChainFlag = 'E_SEQ_GAP' | 'E_CHAIN_BROKEN' | 'E_SEQ_REPLAY';

const NEW_TILL: TillChain = { s: 0, h: null, t: 0, g: [], u: 0, z: [], f: 0 };
const NONE: readonly ChainFlag[] = [];
const BROKEN: readonly ChainFlag[] = ['E_CHAIN_BROKEN'];

export function tillKey(account: string, tillId: string): string {
  return `till|${account}|${tillId}`;
}

export function tillChainOf(value: StateValue | undefined): TillChain {
  return value === undefined ? NEW_TILL : (value as unknown as TillChain);
}

/**
 * Takes an accepted event into its till's chain. Gaps, forks and broken links are flags: they never stop a sale (vat.md 8.2). An event
 * that fills a gap is fine if its links fit its neighbours.
 */
export function followChain(
  chain: TillChain,
  link: ChainLink,
): { readonly chain: TillChain; readonly flags: readonly ChainFlag[] } {
  const z = link.isZReport ? [...chain.z, link.seq].slice(-Z_REPORTS_MAX) : chain.z;
  if (link.seq > chain.s) return goOn(chain, link, z);
  const index = chain.g.findIndex(([from, to]) => from <= link.seq && link.seq <= to);
  const gap = chain.g[index];
  if (gap !== undefined) return fillGap({ ...chain, z }, index, gap, link);
  // Below what is remembered nothing can be called a fork; it is late, and that is said.
  if (link.seq <= chain.u) return { chain: { ...chain, z }, flags: ['E_SEQ_GAP'] };
  return { chain: { ...chain, z, f: chain.f + 1 }, flags: ['E_SEQ_REPLAY'] };
}

/** True where a Z report of the sale's till closed it before a void: one after the sale and, on the same till, before the void. */
export function isZClosed(saleTill: TillChain, saleSeq: number, voidSeqOnSameTill: number | null): boolean {
  return saleTill.z.some((z) => z > saleSeq && (voidSeqOnSameTill === null || z < voidSeqOnSameTill));
}

function goOn(
  chain: TillChain,
  link: ChainLink,
  z: readonly number[],
): { readonly chain: TillChain; readonly flags: readonly ChainFlag[] } {
  const { seq, hash, occurredAtMs } = link;
  if (seq === chain.s + 1) {
    const fits = seq === 1 || link.prevHash === chain.h;
    const next = { s: seq, h: hash, t: occurredAtMs, g: chain.g, u: chain.u, z, f: chain.f };
    return { chain: next, flags: fits ? NONE : BROKEN };
  }
  const gaps: OpenGap[] = [...chain.g, [chain.s + 1, seq - 1, chain.h, link.prevHash, chain.t]];
  const { g, u } = bounded(gaps, chain.u);
  return { chain: { s: seq, h: hash, t: occurredAtMs, g, u, z, f: chain.f }, flags: ['E_SEQ_GAP'] };
}

function fillGap(
  chain: TillChain,
  index: number,
  gap: OpenGap,
  link: ChainLink,
): { readonly chain: TillChain; readonly flags: readonly ChainFlag[] } {
  const [from, to, left, right, leftMs] = gap;
  const fitsLeft = link.seq !== from || from === 1 || link.prevHash === left;
  const fitsRight = link.seq !== to || link.hash === right;
  const parts: OpenGap[] = [];
  if (link.seq > from) parts.push([from, link.seq - 1, left, link.prevHash, leftMs]);
  if (link.seq < to) parts.push([link.seq + 1, to, link.hash, right, link.occurredAtMs]);
  const gaps = [...chain.g.slice(0, index), ...parts, ...chain.g.slice(index + 1)];
  const flags = fitsLeft && fitsRight ? NONE : BROKEN;
  return { chain: { ...chain, ...bounded(gaps, chain.u) }, flags };
}

/** Forgets the lowest gaps beyond the limit. */
function bounded(
  gaps: readonly OpenGap[],
  forgottenTo: number,
): { readonly g: readonly OpenGap[]; readonly u: number } {
  const excess = gaps.length - OPEN_GAPS_MAX;
  const dropped = excess > 0 ? gaps[excess - 1] : undefined;
  return dropped === undefined ? { g: gaps, u: forgottenTo } : { g: gaps.slice(excess), u: dropped[1] };
}
