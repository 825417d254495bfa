import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import type { LogRecord } from '../../../libs/adapters/event-log/event-log.ts';
import { PAYE_EVENTS, PAYMENTS, VAT_EVENTS } from '../../../libs/adapters/event-log/topics.ts';
import { isEventDay } from '../../../libs/core/calendar/event-date.ts';
import { londonDate, londonDayNumber } from '../../../libs/core/calendar/london-time.ts';
import type { Assessment, Rejection } from '../../../libs/core/decisions/decision.ts';
import type { DecisionOfRecord } from '../../../libs/core/decisions/liability-message.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { TaxEvent } from '../../../libs/core/events/tax-event.ts';
import { isAccount, type Tax, taxOf } from '../../../libs/core/identity/account.ts';
import { pence } from '../../../libs/core/money/pence.ts';
import type { PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { flaggedDifferences, isStatedFlag } from '../../../libs/core/paye/payment/compare-stated.ts';
import type { TaxFigures } from '../count/figures.ts';
import { accountItem, decisionKey, eventKey, heldKey, periodItem, periodKey } from '../count/keys.ts';
import { type ReconciliationState, recordException } from '../count/reconciliation-state.ts';
import type { EventItem } from '../count/tables.ts';
import { addTally, newTally, type Tally, tallyOf } from '../count/tally.ts';
import { taxableBaseOf } from './taxable-base.ts';
import { takeTillNumber } from './till-gaps.ts';

/** Days of assessed liability that are kept, today included. */
const DAYS_KEPT = 8;
/** Codes and flags are a closed vocabulary; beyond this many, others are counted together. */
const CODES_MAX = 100;

/** Counts one record of an event topic: from now on it waits for its decision. */
export function countEvent(books: ReconciliationState, topic: string, partition: number, record: LogRecord): void {
  const item = readEvent(books, topic, record);
  const [tax, , , basePence, receivedAtMs] = item;
  const figures = books.figures.taxes[tax];
  const tally = tallyOf(basePence);
  addTally(figures.received, tally);
  figures.unmatched.decision.add(receivedAtMs, tally);
  books.tables.events.insert(eventKey(topic, partition, record.offset), item);
  books.recent.events.add(record.timestampMs);
}

/** Matches one decision with its event, and lets what it results in wait for its entries. */
export function countDecision(
  books: ReconciliationState,
  partition: number,
  decision: DecisionOfRecord,
  decidedAtMs: number,
): void {
  const key = eventKey(decision.topic, partition, decision.offset);
  const item = books.tables.events.get(key);
  if (item === undefined) {
    reportUnexpected(books, decision, partition, decidedAtMs);
  } else {
    books.tables.events.remove(key);
    books.figures.taxes[item[0]].unmatched.decision.remove(item[4], tallyOf(item[3]));
    settleEvent(books, item, decision, decidedAtMs);
  }
  const ownId = item?.[2] ?? null;
  for (const result of decision.results) {
    if (result.eventId !== ownId) releaseHeld(books, result.account, result.eventId, result.basePence, decidedAtMs);
    acceptResult(books, result);
  }
  for (const rejection of decision.rejections) {
    const { account, eventId } = rejection;
    if (account !== null && eventId !== null && eventId !== ownId) {
      releaseHeld(books, account, eventId, null, decidedAtMs);
    }
    countRejection(books, rejection, item?.[0] ?? taxOfTopic(decision.topic), decidedAtMs);
  }
}

/** What became of the event itself. */
function settleEvent(books: ReconciliationState, item: EventItem, decision: DecisionOfRecord, atMs: number): void {
  const [tax, account, eventId, basePence, receivedAtMs] = item;
  const figures = books.figures.taxes[tax];
  switch (decision.outcome) {
    case 'accepted': {
      const own = decision.results.find((result) => result.eventId === eventId);
      if (own === undefined || own.account !== account || own.basePence !== basePence) {
        reportDiffers(books, figures, item, own, atMs);
      }
      return;
    }
    case 'rejected':
      if (decision.rejections.length === 0) reportDiffers(books, figures, item, undefined, atMs);
      return;
    case 'repeat':
      figures.repeats++;
      return;
    case 'held':
      addTally(figures.held, tallyOf(basePence));
      books.tables.held.put(heldKey(account, eventId), [basePence, receivedAtMs]);
      return;
  }
}

function acceptResult(books: ReconciliationState, result: Assessment): void {
  const { account, number, taxPeriod, receivedAtMs } = result;
  const figures = books.figures.taxes[taxOf(account)];
  const tally = tallyOf(result.basePence, result.amounts);
  addTally(figures.accepted, tally);
  figures.unmatched.hmrcCopy.add(receivedAtMs, tally);
  addToDay(books, result, tally);
  const [decided, chain] = accountItem(books, account);
  if (number !== decided + 1) {
    figures.differs.decision++;
    const detail = `decision ${number} after ${decided}`;
    recordException(books, 'differs', { ...named(result), code: 'DECISION_NOT_NEXT', stage: 'decision', detail });
  }
  books.tables.accounts.put(account, [Math.max(decided, number), chain]);
  const [ofPeriod, inCopy] = periodItem(books, account, taxPeriod);
  const sum = [...ofPeriod];
  addTally(sum, tally);
  books.tables.periods.put(periodKey(account, taxPeriod), [sum, inCopy]);
  const { decisions } = books.tables;
  const item = [result.eventId, receivedAtMs, tally] as const;
  if (number > decided) decisions.insert(decisionKey(account, number), item);
  else decisions.put(decisionKey(account, number), item);
  for (const flag of result.flags) {
    count(figures.flags, flag);
    // A difference to what was stated is an exception of its own kind, with its sum.
    if (isStatedFlag(flag)) continue;
    const detail = `accepted as entry ${number} of the account, with this flag`;
    recordException(books, 'flagged', { ...named(result), code: flag, stage: 'decision', detail });
  }
  compareStated(books, figures, result);
}

/** What the payer stated against what was assessed: an item for people, never a refusal (design section 5). */
function compareStated(books: ReconciliationState, figures: TaxFigures, result: Assessment): void {
  const differences = flaggedDifferences(result).map(({ differencePence, ...one }) => ({
    ...one,
    pence: pence(differencePence),
  }));
  if (differences.length === 0) return;
  addTally(figures.stated, tallyOf(0, differences));
  const isPaye = taxOf(result.account) === 'paye';
  const detail = differences
    .map(({ head, pence: off, cause }) => `${head} ${off > 0 ? '+' : ''}${off}${isPaye ? ` (${cause})` : ''}`)
    .join(', ');
  recordException(books, 'stated', { ...named(result), code: 'STATED_DIFFERS', stage: 'decision', detail });
}

function addToDay(books: ReconciliationState, result: Assessment, tally: readonly PenceSum[]): void {
  const { days } = books.figures;
  // A time of receipt that no clock has is of no day.
  if (!isEventDay(londonDayNumber(result.receivedAtMs))) return;
  const day = londonDate(result.receivedAtMs);
  days[day] ??= openDay(days);
  addTally(days[day][taxOf(result.account)], tally);
}

/** Makes room for a day among those that are kept. */
function openDay(days: ReconciliationState['figures']['days']): Record<Tax, Tally> {
  const known = Object.keys(days).sort();
  for (const gone of known.slice(0, Math.max(0, known.length + 1 - DAYS_KEPT))) delete days[gone];
  return { paye: newTally(), vat: newTally() };
}

/** A held event found its end in the decision on another record. */
function releaseHeld(
  books: ReconciliationState,
  account: string,
  eventId: string,
  basePence: number | null,
  atMs: number,
): void {
  const key = heldKey(account, eventId);
  const held = books.tables.held.get(key);
  const figures = books.figures.taxes[account.startsWith('paye:') ? 'paye' : 'vat'];
  if (held === undefined) {
    figures.differs.decision++;
    const detail = 'a result for an event that is not in the log or was decided before';
    recordException(books, 'differs', { account, eventId, code: 'RESULT_UNEXPECTED', stage: 'decision', detail, atMs });
    return;
  }
  books.tables.held.remove(key);
  addTally(figures.held, tallyOf(held[0]), -1);
  if (basePence !== null && basePence !== held[0]) {
    figures.differs.decision++;
    const detail = `base ${held[0]} in the event, ${basePence} as decided`;
    recordException(books, 'differs', { account, eventId, code: 'BASE_DIFFERS', stage: 'decision', detail, atMs });
  }
}

function countRejection(books: ReconciliationState, rejection: Rejection, topicTax: Tax, atMs: number): void {
  const { account, eventId, code } = rejection;
  const figures = books.figures.taxes[account === null ? topicTax : taxOf(account)];
  figures.rejected++;
  count(figures.rejectedByCode, code);
  recordException(books, 'rejected', { account, eventId, code, stage: 'decision', detail: '', atMs });
}

function reportDiffers(
  books: ReconciliationState,
  figures: TaxFigures,
  [, account, eventId, basePence]: EventItem,
  own: Assessment | undefined,
  atMs: number,
): void {
  figures.differs.decision++;
  const sameEvent = own !== undefined && own.account === account;
  const detail = sameEvent
    ? `base ${basePence} in the event, ${own.basePence} as decided`
    : 'decided without its result';
  const code = sameEvent ? 'BASE_DIFFERS' : 'RESULT_MISSING';
  recordException(books, 'differs', { account, eventId, code, stage: 'decision', detail, atMs });
}

/** A decision on a record that is not there, or was decided before. */
function reportUnexpected(
  books: ReconciliationState,
  decision: DecisionOfRecord,
  partition: number,
  atMs: number,
): void {
  const account = decision.results[0]?.account ?? decision.rejections[0]?.account ?? null;
  const eventId = decision.results[0]?.eventId ?? decision.rejections[0]?.eventId ?? null;
  books.figures.taxes[account === null ? taxOfTopic(decision.topic) : taxOf(account)].differs.decision++;
  const detail = `no undecided event at ${decision.topic}/${partition} offset ${decision.offset}`;
  recordException(books, 'differs', { account, eventId, code: 'DECISION_UNEXPECTED', stage: 'decision', detail, atMs });
}

function named(result: Assessment): { account: string; eventId: string; atMs: number } {
  return { account: result.account, eventId: result.eventId, atMs: result.receivedAtMs };
}

function readEvent(books: ReconciliationState, topic: string, record: LogRecord): EventItem {
  try {
    if (record.value === null) throw new TallyError('RECORD_UNREADABLE', 'the record has no value');
    const event = decodeEvent(record.value);
    if (event.type === 'TillEvent') takeTillNumber(books, event);
    return [taxOf(event.account), event.account, event.eventId, taxableBaseOf(event), receivedAt(event, record)];
  } catch (error) {
    // Whatever reading it throws: that record is an exception of its own, and reading goes on.
    const code = error instanceof TallyError ? error.code : 'RULES_FAILED';
    const account = record.key !== null && isAccount(record.key) ? record.key : null;
    const tax = account === null ? taxOfTopic(topic) : taxOf(account);
    books.figures.taxes[tax].unreadable++;
    const detail = `${topic} offset ${record.offset}`;
    const atMs = record.timestampMs;
    recordException(books, 'unreadable', { account, eventId: null, code, stage: 'decision', detail, atMs });
    return [tax, account, null, 0, record.timestampMs];
  }
}

/** Receipt as the gateway wrote it; a record that claims another time than the log's day is taken at the log's. */
function receivedAt(event: TaxEvent, record: LogRecord): number {
  return event.receivedAtMs > 0 && event.receivedAtMs <= record.timestampMs + 86_400_000
    ? event.receivedAtMs
    : record.timestampMs;
}

/** The tax of a record whose account cannot be read; payments of nobody known are counted with PAYE. */
function taxOfTopic(topic: string): Tax {
  return topic === VAT_EVENTS ? 'vat' : 'paye';
}

function count(counts: Record<string, number>, code: string): void {
  const known = code in counts || Object.keys(counts).length < CODES_MAX;
  const name = known ? code : 'OTHER';
  counts[name] = (counts[name] ?? 0) + 1;
}

export const EVENT_TOPICS = [PAYE_EVENTS, VAT_EVENTS, PAYMENTS] as const;
