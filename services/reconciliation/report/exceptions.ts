import type { Account } from '../../../libs/core/identity/account.ts';
import { EXCEPTIONS_KEPT, RECORDED_KINDS, type ReconciliationState } from '../count/reconciliation-state.ts';
import { afterPrefix, type EventItem, type ExceptionItem, type Stage } from '../count/tables.ts';
import { basePenceOf } from '../count/tally.ts';
import { EVENT_TOPICS } from '../match/match-events.ts';
import { type Counted, counted } from './summary.ts';

/** One thing that does not agree, or that people should see. */
export interface Exception {
  readonly kind:
    | 'overdue'
    | 'divergent'
    | 'tillGap'
    | 'differs'
    | 'stated'
    | 'rejected'
    | 'dispute'
    | 'unreadable'
    | 'flagged';
  readonly stage: Stage | null;
  readonly account: string | null;
  readonly eventId: string | null;
  readonly code: string;
  readonly detail: string;
  /** When it was received, found or said, RFC 3339. */
  readonly at: string | null;
}

export interface ExceptionsAnswer {
  readonly exceptions: readonly Exception[];
  /** True where there are more than were asked for, or more than were looked through. */
  readonly truncated: boolean;
  /** Older ones that are counted and no longer kept. */
  readonly dropped: number;
  /** Where one account was asked for: its standing by tax period. */
  readonly periods: readonly { readonly taxPeriod: string; readonly decided: Counted; readonly hmrcCopy: Counted }[];
}

export interface ExceptionsQuery {
  readonly account: Account | null;
  readonly limit: number;
  readonly cutoffs: Readonly<Record<Stage, number | null>>;
}

/** Rows that one answer looks through at most. */
const ROWS_MAX = 200_000;

/** Lists what does not agree as of the last commit, the gravest kinds first. */
export function listExceptions(books: ReconciliationState, query: ExceptionsQuery): ExceptionsAnswer {
  const found: Exception[] = [];
  const budget = { rows: ROWS_MAX };
  const sources = [divergentCopies, overdueEvents, overdueEntries, overdueCopies, tillGaps, recorded];
  let complete = true;
  for (const source of sources) {
    for (const exception of source(books, query, budget)) {
      if (found.length >= query.limit) {
        complete = false;
        break;
      }
      found.push(exception);
    }
  }
  return {
    exceptions: found,
    truncated: !complete || budget.rows <= 0,
    dropped: Object.values(books.figures.exceptions).reduce(
      (sum, count) => sum + Math.max(0, count - EXCEPTIONS_KEPT),
      0,
    ),
    periods: periodsOf(books, query.account),
  };
}

interface Budget {
  rows: number;
}
type Source = (books: ReconciliationState, query: ExceptionsQuery, budget: Budget) => Generator<Exception>;

const divergentCopies: Source = function* (books, { account }, budget) {
  for (const [key, item] of books.tables.divergent.scan(
    account ?? '',
    account === null ? '\u007f' : `${account}\u0000`,
  )) {
    if (--budget.rows <= 0) return;
    const detail = `block ${item.seq} of chain ${item.chain}`;
    yield {
      kind: 'divergent',
      stage: 'payerCopy',
      account: key,
      eventId: null,
      code: item.code,
      detail,
      at: at(item.atMs),
    };
  }
};

const overdueEvents: Source = function* (books, { account, cutoffs }, budget) {
  const cutoffMs = cutoffs.decision;
  if (cutoffMs === null) return;
  for (const topic of EVENT_TOPICS) {
    for (const [key, item] of books.tables.events.scan(`${topic}/`, afterPrefix(`${topic}/`))) {
      if (--budget.rows <= 0) return;
      if (
        !books.figures.taxes[item[0]].unmatched.decision.isOverdue(item[4], cutoffMs) ||
        (account !== null && item[1] !== account)
      )
        continue;
      yield overdueEvent(key, item);
    }
  }
};

function overdueEvent(key: string, [, account, eventId, basePence, receivedAtMs]: EventItem): Exception {
  const detail = `no decision on the record ${key}, taxable base ${basePence} pence`;
  return {
    kind: 'overdue',
    stage: 'decision',
    account,
    eventId,
    code: 'DECISION_MISSING',
    detail,
    at: at(receivedAtMs),
  };
}

const overdueEntries: Source = function* (books, { account, cutoffs }, budget) {
  const cutoffMs = cutoffs.hmrcCopy;
  if (cutoffMs === null) return;
  const prefix = account === null ? '' : `${account}|`;
  for (const [key, [eventId, receivedAtMs, tally]] of books.tables.decisions.scan(prefix, afterPrefix(prefix))) {
    if (--budget.rows <= 0) return;
    const [owner = null, number] = key.split('|');
    const tax = owner?.startsWith('paye:') ? 'paye' : 'vat';
    if (!books.figures.taxes[tax].unmatched.hmrcCopy.isOverdue(receivedAtMs, cutoffMs)) continue;
    const detail = `decision ${Number(number)} has no entry, taxable base ${basePenceOf(tally)} pence`;
    yield {
      kind: 'overdue',
      stage: 'hmrcCopy',
      account: owner,
      eventId,
      code: 'ENTRY_MISSING',
      detail,
      at: at(receivedAtMs),
    };
  }
};

const overdueCopies: Source = function* (books, { account, cutoffs }, budget) {
  const cutoffMs = cutoffs.payerCopy;
  if (cutoffMs === null) return;
  const chain = account === null ? null : books.tables.accounts.get(account)?.[1];
  if (chain === undefined || (account !== null && chain === null)) return;
  const prefix = chain === null ? '' : `${chain}|`;
  for (const [key, [, closedAtMs]] of books.tables.blocks.scan(prefix, afterPrefix(prefix))) {
    if (--budget.rows <= 0) return;
    const [ofChain = '', seq] = key.split('|');
    const owner = books.tables.chains.get(ofChain)?.head.account ?? null;
    const tax = owner?.startsWith('paye:') ? 'paye' : 'vat';
    if (!books.figures.taxes[tax].unacknowledged.isOverdue(closedAtMs, cutoffMs)) continue;
    const detail = `block ${Number(seq)} of chain ${ofChain} is not acknowledged by its payer`;
    const code = 'BLOCK_UNACKNOWLEDGED';
    yield { kind: 'overdue', stage: 'payerCopy', account: owner, eventId: null, code, detail, at: at(closedAtMs) };
  }
};

const tillGaps: Source = function* (books, { account }, budget) {
  const prefix = account === null ? '' : `${account}|`;
  for (const [key, [, missing]] of books.tables.tills.scan(prefix, afterPrefix(prefix))) {
    if (--budget.rows <= 0) return;
    if (missing.length === 0) continue;
    const [owner = null, tillId] = key.split('|');
    const ranges = missing.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
    const detail = `till ${tillId} has not sent ${ranges}`;
    yield { kind: 'tillGap', stage: null, account: owner, eventId: null, code: 'TILL_GAP', detail, at: null };
  }
};

/** The newest first: their slots are taken in turn. */
const recorded: Source = function* (books, { account }, budget) {
  for (const kind of RECORDED_KINDS) {
    const items: ExceptionItem[] = [];
    for (const [, item] of books.tables.exceptions.scan(`${kind}/`, afterPrefix(`${kind}/`))) {
      if (--budget.rows <= 0) return;
      if (account === null || item.account === account) items.push(item);
    }
    items.sort((a, b) => b.atMs - a.atMs);
    for (const { stage, eventId, code, detail, atMs, account: owner } of items) {
      yield { kind, stage, account: owner, eventId, code, detail, at: at(atMs) };
    }
  }
};

function periodsOf(books: ReconciliationState, account: Account | null): ExceptionsAnswer['periods'] {
  if (account === null) return [];
  const prefix = `${account}|`;
  return [...books.tables.periods.scan(prefix, afterPrefix(prefix))].map(([key, [decided, hmrcCopy]]) => ({
    taxPeriod: key.slice(prefix.length),
    decided: counted([...decided]),
    hmrcCopy: counted([...hmrcCopy]),
  }));
}

function at(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
