import type { StateView } from '../../decisions/decision.ts';
import type { Account } from '../../identity/account.ts';
import { tillKey } from '../state/state-keys.ts';
import { type TillChain, tillChainOf } from '../state/till-chain.ts';
import { tillsOf } from '../state/till-list.ts';

/** Up to when a till's events are known without gap. */
export interface TillCompleteness {
  readonly tillId: string;
  /** Time of its last event before the first gap, milliseconds since 1970; null where its first events are missing. */
  readonly gapFreeMs: number | null;
  /** Time of its newest event. */
  readonly lastMs: number;
  /** Events known to be missing; at least so many where gaps are no longer told apart. */
  readonly missing: number;
  readonly forks: number;
  readonly isSilent: boolean;
}

/** How complete an account's takings are (vat.md 8.1): a total without it misleads. */
export interface Completeness {
  readonly asOfMs: number;
  /** All takings up to here are counted, as far as sequence numbers tell: the least of the tills' gap-free times; null where none is known. */
  readonly watermarkMs: number | null;
  readonly tills: readonly TillCompleteness[];
  readonly silentTills: readonly string[];
  readonly missingEvents: number;
  /** True while a till misses events or is silent. */
  readonly provisional: boolean;
}

/** Completeness of an account from its tills' chains in the state. As completenessOfTills. */
export function completenessOf(
  account: Account,
  view: StateView,
  asOf: { readonly asOfMs: number; readonly silentAfterMs: number },
): Completeness {
  const chains = tillsOf(account, view).map((tillId) => ({
    tillId,
    chain: tillChainOf(view.get(tillKey(account, tillId))),
  }));
  return completenessOfTills(chains, asOf);
}

/**
 * Completeness of some tills' chains at a time. A silent till does not hold the watermark back: it may be switched off, and nothing says
 * that it sold; it is named instead.
 *
 * @param silentAfterMs a till without an event for so long is silent.
 */
export function completenessOfTills(
  chains: readonly { readonly tillId: string; readonly chain: TillChain }[],
  { asOfMs, silentAfterMs }: { readonly asOfMs: number; readonly silentAfterMs: number },
): Completeness {
  const tills = chains.map(({ tillId, chain }) => tillCompleteness(tillId, chain, asOfMs - silentAfterMs));
  const heard = tills.filter((till) => !till.isSilent || till.missing > 0);
  const missingEvents = tills.reduce((sum, { missing }) => sum + missing, 0);
  const silentTills = tills.filter(({ isSilent }) => isSilent).map(({ tillId }) => tillId);
  return {
    asOfMs,
    watermarkMs: watermarkOf(heard.length > 0 ? heard : tills),
    tills,
    silentTills,
    missingEvents,
    provisional: missingEvents > 0 || silentTills.length > 0,
  };
}

function tillCompleteness(tillId: string, chain: TillChain, silentBeforeMs: number): TillCompleteness {
  const [lowest] = chain.g;
  // Numbers up to `u` are not told apart any more: what was missing there is missing still, for all that is known.
  const isBlurred = chain.u > 0;
  const missing = chain.g.reduce((sum, [from, to]) => sum + to - from + 1, isBlurred ? 1 : 0);
  const beforeGap = lowest === undefined ? chain.t : lowest[0] === 1 ? null : lowest[4];
  return {
    tillId,
    gapFreeMs: isBlurred ? null : beforeGap,
    lastMs: chain.t,
    missing,
    forks: chain.f,
    isSilent: chain.t < silentBeforeMs,
  };
}

/** A till whose first events are missing has no gap-free time: then nothing is known to be complete. */
function watermarkOf(tills: readonly TillCompleteness[]): number | null {
  let watermark: number | null = null;
  for (const { gapFreeMs } of tills) {
    if (gapFreeMs === null) return null;
    watermark = watermark === null ? gapFreeMs : Math.min(watermark, gapFreeMs);
  }
  return watermark;
}
