import type { Moment } from '../../../libs/adapters/time/clock.ts';
import { londonDate } from '../../../libs/core/calendar/london-time.ts';
import type { Tax } from '../../../libs/core/identity/account.ts';
import { type PenceSum, subtractSums, totalOf } from '../../../libs/core/money/pence-sum.ts';
import { TAXES, type TaxFigures } from '../count/figures.ts';
import type { ReconciliationState } from '../count/reconciliation-state.ts';
import { STAGES, type Stage } from '../count/tables.ts';
import { amountsOf, basePenceOf, countOf, type HeadSum, newTally, penceOf, type Tally } from '../count/tally.ts';
import type { Evidence } from '../match/reconcile.ts';

/** A number of events with their taxable base and what they come to under each head. */
export interface Counted {
  readonly events: number;
  readonly basePence: PenceSum;
  readonly amounts: readonly HeadSum[];
}

export interface Difference {
  readonly stage: Stage;
  /** In flight: unmatched for less than a minute; overdue: longer. */
  readonly inFlight: Counted;
  readonly overdue: Counted;
  readonly oldestUnmatchedSeconds: number;
  /** Matched but not the same, ever. */
  readonly differs: number;
}

export interface TaxSummary {
  /** Every event in the log, repeats and unreadable records included; taxable base as the events state it. */
  readonly received: Counted;
  readonly unreadable: number;
  readonly repeats: number;
  readonly rejected: number;
  /** Held until another event comes (a refund before its sale). */
  readonly waiting: Counted;
  readonly decided: Counted;
  readonly hmrcCopy: Counted;
  readonly payerCopy: Counted;
  readonly differences: readonly Difference[];
  /** What payers stated less what was assessed. */
  readonly stated: Counted;
  /** In HMRC's copy: charges, what was paid on them, and what is left. */
  readonly chargesPence: PenceSum;
  readonly paymentsPence: PenceSum;
  readonly balancePence: PenceSum;
  readonly rejections: readonly CodeCount[];
  readonly flags: readonly CodeCount[];
}

export interface CodeCount {
  readonly code: string;
  readonly count: number;
}

export interface Summary {
  readonly asOf: string;
  /**
   * behind: the log is read from further back than a minute, so nothing is said yet of what is overdue. halted: reading ended with an error,
   * and the figures stand still.
   */
  readonly state: 'agreed' | 'differs' | 'behind' | 'halted';
  readonly liabilityToday: {
    /** The civil day in London on which the events were received. */
    readonly day: string;
    readonly basis: 'gross until inputs are in';
    readonly taxes: Readonly<Record<Tax, Counted>>;
  };
  readonly rates: {
    readonly eventsPerSecond: number;
    readonly entriesPerSecond: number;
    readonly blocksPerSecond: number;
  };
  /** From receipt to the payer's copy, over the last minute. */
  readonly receiptToCopy: { readonly p50Ms: number | null; readonly p99Ms: number | null };
  readonly taxes: Readonly<Record<Tax, TaxSummary>>;
  readonly blocks: {
    readonly sealed: number;
    readonly acknowledged: number;
    readonly unacknowledgedInFlight: number;
    readonly unacknowledgedOverdue: number;
    readonly chains: number;
    readonly divergentCopies: number;
  };
  readonly tillGaps: number;
  readonly exceptions: readonly CodeCount[];
  readonly unread: Readonly<Record<string, number>>;
}

export interface SummaryOptions {
  readonly overdueAfterMs: number;
  readonly halted?: boolean;
}

/** Behind by more than this, nothing is said of what is overdue. */
const BEHIND_AFTER_MS = 60_000;
const RATE_SECONDS = 10;

/** What the reconciliation knows at a time. */
export function summaryOf(
  books: ReconciliationState,
  evidence: Evidence,
  now: Moment,
  options: SummaryOptions,
): Summary {
  const { figures, recent } = books;
  const cutoffs = cutoffsOf(evidence, options);
  const taxes = {
    paye: taxSummary(figures.taxes.paye, cutoffs, now),
    vat: taxSummary(figures.taxes.vat, cutoffs, now),
  };
  const [p50Ms = null, p99Ms = null] = recent.toCopy.percentilesMs(now.civilMs, [0.5, 0.99]);
  const unacknowledged = TAXES.map((tax) => figures.taxes[tax].unacknowledged.split(cutoffs.payerCopy, now));
  const agreed = figures.divergentCopies === 0 && TAXES.every((tax) => agrees(taxes[tax]));
  return {
    asOf: new Date(now.civilMs).toISOString(),
    state: stateOf(agreed, isBehind(evidence, now.elapsedMs), options.halted === true),
    liabilityToday: liabilityToday(books, now.civilMs),
    rates: {
      eventsPerSecond: recent.events.perSecond(now.civilMs, RATE_SECONDS),
      entriesPerSecond: recent.entries.perSecond(now.civilMs, RATE_SECONDS),
      blocksPerSecond: recent.blocks.perSecond(now.civilMs, RATE_SECONDS),
    },
    receiptToCopy: { p50Ms, p99Ms },
    taxes,
    blocks: {
      sealed: figures.blocks,
      acknowledged: figures.acknowledgedBlocks,
      unacknowledgedInFlight: sum(unacknowledged.map(({ inFlight }) => countOf(inFlight))),
      unacknowledgedOverdue: sum(unacknowledged.map(({ overdue }) => countOf(overdue))),
      chains: figures.chains,
      divergentCopies: figures.divergentCopies,
    },
    tillGaps: figures.tillGaps,
    exceptions: codeCounts(figures.exceptions),
    unread: evidence.unread,
  };
}

/** What was received before these elapsed times and is unmatched is overdue; null where the log is not known far enough. */
export function cutoffsOf(evidence: Evidence, options: SummaryOptions): Readonly<Record<Stage, number | null>> {
  const before = (knownMs: number | null): number | null =>
    knownMs === null ? null : knownMs - options.overdueAfterMs;
  const blocks = before(evidence.blocksElapsedMs);
  return { decision: before(evidence.decisionsElapsedMs), hmrcCopy: blocks, payerCopy: blocks };
}

export function counted(tally: Tally): Counted {
  return { events: countOf(tally), basePence: basePenceOf(tally), amounts: amountsOf(tally) };
}

function taxSummary(figures: TaxFigures, cutoffs: Readonly<Record<Stage, number | null>>, now: Moment): TaxSummary {
  const inCopy = amountsOf(figures.hmrcCopy);
  const paymentsPence = penceOf(figures.hmrcCopy, 'payment');
  const chargesPence = totalOf(inCopy.filter(({ head }) => head !== 'payment').map(({ pence }) => pence));
  return {
    received: counted(figures.received),
    unreadable: figures.unreadable,
    repeats: figures.repeats,
    rejected: figures.rejected,
    waiting: counted(figures.held),
    decided: counted(figures.accepted),
    hmrcCopy: counted(figures.hmrcCopy),
    payerCopy: counted(figures.payerCopy),
    differences: STAGES.map((stage) => differenceOf(figures, stage, cutoffs[stage], now)),
    stated: counted(figures.stated),
    chargesPence,
    paymentsPence,
    balancePence: subtractSums(chargesPence, paymentsPence),
    rejections: codeCounts(figures.rejectedByCode),
    flags: codeCounts(figures.flags),
  };
}

function differenceOf(figures: TaxFigures, stage: Stage, cutoffMs: number | null, now: Moment): Difference {
  const { inFlight, overdue, oldestAgeMs } = figures.unmatched[stage].split(cutoffMs, now);
  return {
    stage,
    inFlight: counted(inFlight),
    overdue: counted(overdue),
    oldestUnmatchedSeconds: Math.max(0, Math.round((oldestAgeMs ?? 0) / 1000)),
    differs: figures.differs[stage],
  };
}

function stateOf(agreed: boolean, behind: boolean, halted: boolean): Summary['state'] {
  if (halted) return 'halted';
  if (!agreed) return 'differs';
  return behind ? 'behind' : 'agreed';
}

function agrees(tax: TaxSummary): boolean {
  return tax.differences.every(({ overdue, differs }) => overdue.events === 0 && differs === 0);
}

function isBehind(evidence: Evidence, elapsedMs: number): boolean {
  const knownMs = [evidence.decisionsElapsedMs, evidence.blocksElapsedMs];
  return knownMs.some((known) => known === null || elapsedMs - known > BEHIND_AFTER_MS);
}

function liabilityToday(books: ReconciliationState, civilMs: number): Summary['liabilityToday'] {
  const day = londonDate(civilMs);
  const ofDay = books.figures.days[day] ?? { paye: newTally(), vat: newTally() };
  const liabilities = (tally: Tally): Counted => {
    const all = counted(tally);
    return { ...all, amounts: all.amounts.filter(({ head }) => head !== 'payment') };
  };
  return {
    day,
    basis: 'gross until inputs are in',
    taxes: { paye: liabilities(ofDay.paye), vat: liabilities(ofDay.vat) },
  };
}

function codeCounts(counts: Readonly<Record<string, number>>): CodeCount[] {
  return Object.entries(counts)
    .map(([code, count]) => ({ code, count }))
    .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
