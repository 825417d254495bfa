import type { Tax } from '../../../libs/core/identity/account.ts';
import { type Figures, figuresOf, newFigures } from './figures.ts';
import { RecentCounts, RecentDurations } from './recent-seconds.ts';
import type { ReconciliationStore } from './reconciliation-store.ts';
import { type ExceptionItem, inOrder, type Tables } from './tables.ts';

/** Everything that the reconciliation has counted: what it keeps (tables, figures) and what it saw lately. */
export interface ReconciliationState {
  readonly tables: Tables;
  readonly figures: Figures;
  readonly recent: {
    readonly events: RecentCounts;
    readonly entries: RecentCounts;
    readonly blocks: RecentCounts;
    /** Receipt to the payer's copy. */
    readonly toCopy: RecentDurations;
  };
  /** Called for each entry that reached its payer's copy. */
  readonly observeCopied: (tax: Tax, seconds: number) => void;
}

/** The state that the store kept last, without the recent seconds, which are not stored. */
export function openReconciliationState(
  store: ReconciliationStore,
  observeCopied: ReconciliationState['observeCopied'],
): ReconciliationState {
  return {
    tables: store.tables,
    figures: store.stored === null ? newFigures() : figuresOf(store.stored.figures),
    recent: {
      events: new RecentCounts(),
      entries: new RecentCounts(),
      blocks: new RecentCounts(),
      toCopy: new RecentDurations(),
    },
    observeCopied,
  };
}

/** Kinds of exception that are recorded when they happen; what is overdue or divergent is looked up when it is asked for. */
export const RECORDED_KINDS = ['differs', 'stated', 'rejected', 'dispute', 'unreadable', 'flagged'] as const;
export type RecordedKind = (typeof RECORDED_KINDS)[number];

/** Exceptions of each kind that are kept, the newest; all of them are counted. */
export const EXCEPTIONS_KEPT = 10_000;

export function recordException(books: ReconciliationState, kind: RecordedKind, item: ExceptionItem): void {
  const before = books.figures.exceptions[kind] ?? 0;
  books.figures.exceptions[kind] = before + 1;
  books.tables.exceptions.put(`${kind}/${inOrder(before % EXCEPTIONS_KEPT)}`, item);
}
