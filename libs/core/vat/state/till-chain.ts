import type { StateValue } from '../../decisions/decision.ts';
import { CLOCK_BACK_MAX_MS, OPEN_GAPS_MAX, Z_REPORTS_MAX } from '../rates/limits.ts';

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
  /** Takings since the last Z report, signed pence; null: a Z report came late and they cannot be told. */
  readonly k: number | null;
  /** Z reports that cannot be compared yet, since events before them are missing. */
  readonly w?: readonly PendingZ[];
}

/** A Z report's number, the total that it states, the takings known between it and the Z report before. */
type PendingZ = readonly [seq: number, statedPence: number | null, takenPence: number | null];

/** A till's event as its chain sees it. */
export interface ChainLink {
  readonly seq: number;
  readonly hash: string;
  readonly prevHash: string | null;
  readonly occurredAtMs: number;
  readonly isZReport: boolean;
  /** What a sale, refund or void takes; 0 for all else. */
  readonly takenPence: number;
  /** The total that a Z report states; null where it states none. */
  readonly statedPence: number | null;
}

export type ChainFlag = 'E_SEQ_GAP' | 'E_CHAIN_BROKEN' | 'E_SEQ_REPLAY' | 'CLOCK_BACK' | 'Z_DIFFERS';

/** What following an event comes to. */
interface ChainStep {
  readonly chain: TillChain;
  readonly flags: readonly ChainFlag[];
}

const NEW_TILL: TillChain = { s: 0, h: null, t: 0, g: [], u: 0, z: [], f: 0, k: 0 };
const NONE: readonly ChainFlag[] = [];
const BROKEN: readonly ChainFlag[] = ['E_CHAIN_BROKEN'];
const BACK: readonly ChainFlag[] = ['CLOCK_BACK'];

export function tillChainOf(value: StateValue | undefined): TillChain {
  return value === undefined ? NEW_TILL : (value as unknown as TillChain);
}

/**
 * Takes an accepted event into its till's chain. Gaps, forks and broken links are flags: they never stop a sale (vat.md 8.2). An event
 * that fills a gap is fine if its links fit its neighbours.
 */
export function followChain(chain: TillChain, link: ChainLink): ChainStep {
  if (link.seq === chain.s + 1 && !link.isZReport && chain.w === undefined) return goStraightOn(chain, link);
  const lastZ = chain.z.at(-1) ?? 0;
  const step = place(chain, link);
  const counted = link.isZReport ? takeZReport(step.chain, link, lastZ, chain.s) : takeTakings(step.chain, link, lastZ);
  const { chain: compared, differs } = compareZReports(counted);
  return { chain: compared, flags: differs ? [...step.flags, 'Z_DIFFERS'] : step.flags };
}

/** What nearly every event does: the next number. The chain that it gives has no Z reports that wait. */
function goStraightOn(chain: TillChain, link: ChainLink): ChainStep {
  const { seq, hash, occurredAtMs } = link;
  const fits = seq === 1 || link.prevHash === chain.h;
  const isBack = occurredAtMs < chain.t - CLOCK_BACK_MAX_MS;
  const { g, u, z, f, k } = chain;
  const next = { s: seq, h: hash, t: occurredAtMs, g, u, z, f, k: k === null ? null : k + link.takenPence };
  if (isBack) return { chain: next, flags: fits ? BACK : [...BROKEN, ...BACK] };
  return { chain: next, flags: fits ? NONE : BROKEN };
}

/** Its number and its links. */
function place(chain: TillChain, link: ChainLink): ChainStep {
  const z = link.isZReport ? [...chain.z, link.seq].sort((a, b) => a - b).slice(-Z_REPORTS_MAX) : chain.z;
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

function goOn(chain: TillChain, link: ChainLink, z: readonly number[]): ChainStep {
  const { seq, hash, occurredAtMs } = link;
  if (seq === chain.s + 1) {
    const { chain: next, flags } = goStraightOn(chain, { ...link, takenPence: 0 });
    return { chain: { ...chain, ...next, z }, flags };
  }
  const gaps: OpenGap[] = [...chain.g, [chain.s + 1, seq - 1, chain.h, link.prevHash, chain.t]];
  const { g, u } = bounded(gaps, chain.u);
  return { chain: { ...chain, s: seq, h: hash, t: occurredAtMs, g, u, z }, flags: ['E_SEQ_GAP'] };
}

function fillGap(chain: TillChain, index: number, gap: OpenGap, link: ChainLink): ChainStep {
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

/**
 * Takings belong to the Z report next after them: one that waits, or the one to come. Where a report between may be forgotten, the one
 * that waits is not compared.
 */
function takeTakings(chain: TillChain, link: ChainLink, lastZ: number): TillChain {
  if (link.takenPence === 0) return chain;
  if (link.seq > lastZ) return chain.k === null ? chain : { ...chain, k: chain.k + link.takenPence };
  const at = chain.w?.findIndex(([seq]) => seq > link.seq) ?? -1;
  const pending = chain.w?.[at];
  if (chain.w === undefined || pending === undefined || pending[2] === null) return chain;
  // A Z report that came late lies between: they are of that one, which is not compared.
  if (chain.z.some((z) => link.seq < z && z < pending[0])) return chain;
  const isSure = chain.z.length < Z_REPORTS_MAX || link.seq > (chain.z[0] ?? 0);
  const more: PendingZ = [pending[0], pending[1], isSure ? pending[2] + link.takenPence : null];
  return { ...chain, w: [...chain.w.slice(0, at), more, ...chain.w.slice(at + 1)] };
}

/** A Z report closes what was taken since the one before. One that comes late divides sums that are already made: they are not compared. */
function takeZReport(chain: TillChain, link: ChainLink, lastZ: number, headBefore: number): TillChain {
  if (link.seq > headBefore) {
    const pending: PendingZ = [link.seq, link.statedPence, chain.k];
    return { ...chain, k: 0, w: [...(chain.w ?? []), pending].slice(-Z_REPORTS_MAX) };
  }
  if (link.seq > lastZ) return { ...chain, k: null };
  const at = chain.w?.findIndex(([seq]) => seq > link.seq) ?? -1;
  const divided = chain.w?.map((pending, index): PendingZ => (index === at ? [pending[0], pending[1], null] : pending));
  return divided === undefined ? chain : { ...chain, w: divided };
}

/** Compares the Z reports before which nothing is missing any more, and forgets them. */
function compareZReports(chain: TillChain): { readonly chain: TillChain; readonly differs: boolean } {
  if (chain.w === undefined) return { chain, differs: false };
  const isWhole = ([seq]: PendingZ): boolean => {
    const before = chain.z.findLast((z) => z < seq) ?? 0;
    return !chain.g.some(([from, to]) => from < seq && to > before);
  };
  const whole = chain.w.filter(isWhole);
  if (whole.length === 0) return { chain, differs: false };
  const { w: _, ...rest } = chain;
  const waiting = chain.w.filter((pending) => !isWhole(pending));
  const differs = whole.some(([, stated, taken]) => stated !== null && taken !== null && stated !== taken);
  return { chain: waiting.length === 0 ? rest : { ...rest, w: waiting }, differs };
}
