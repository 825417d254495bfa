import { taxYearOf } from '../../../libs/core/calendar/tax-calendar.ts';
import type { Assessment } from '../../../libs/core/decisions/decision.ts';
import type { Head } from '../../../libs/core/decisions/heads.ts';
import type { EventId } from '../../../libs/core/identity/event-id.ts';
import type { MadeOfEvent } from '../../../libs/core/ledger/verify/recompute-block.ts';
import { addSums, type PenceSum } from '../../../libs/core/money/pence-sum.ts';
import { type DifferenceCause, flaggedDifferences } from '../../../libs/core/paye/payment/compare-stated.ts';
import { stateKey } from '../store/payer-keys.ts';
import type { EntryPosition } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readPlace, writePlace } from '../store/payer-values.ts';
import { writeUint64 } from '../store/uint64-bytes.ts';

/** What a tax month's entries come to: written with the blocks themselves, so that a month is shown without reading them. */
export interface MonthSums {
  readonly heads: Readonly<Partial<Record<Head, PenceSum>>>;
  readonly basePence: PenceSum;
  readonly payments: number;
  readonly claims: number;
  /** What was stated less what was assessed, by head and cause. */
  readonly differences: readonly DifferenceSum[];
}

export interface DifferenceSum {
  readonly head: Head;
  readonly cause: DifferenceCause;
  readonly payments: number;
  readonly pence: PenceSum;
}

export const NO_SUMS: MonthSums = { heads: {}, basePence: 0, payments: 0, claims: 0, differences: [] };

/** A row of the index: which event, and where its entry stands. */
export interface IndexedEntry {
  readonly eventId: EventId;
  readonly place: EntryPosition;
}

/** An entry that came of an event of the payer's, ready to be indexed. */
export interface NewEntry extends MadeOfEvent {
  readonly place: EntryPosition;
}

const PLACE_BYTES = 12;
const ID_BYTES = 16;
const NUMBER_BYTES = 8;

/** Payments of one employment in a tax year, in the order of their decisions. */
export function paymentsOfEmployment(
  store: PayerStore,
  accountNumber: number,
  taxYear: string,
  worksNumber: string,
): readonly IndexedEntry[] {
  return rowsFrom(store, accountNumber, employmentPrefix(taxYear, worksNumber), 0, Number.MAX_SAFE_INTEGER);
}

/** Payments that count in a tax month (`2026-27/M08`) after a decision number, at most `limit`. */
export function paymentsOfMonth(
  store: PayerStore,
  accountNumber: number,
  taxPeriod: string,
  page: { readonly after: number; readonly limit: number },
): readonly IndexedEntry[] {
  return rowsFrom(store, accountNumber, monthPrefix(taxPeriod), page.after + 1, page.limit);
}

/** Claims and closes of a tax year, in the order of their decisions. */
export function claimsOfYear(store: PayerStore, accountNumber: number, taxYear: string): readonly IndexedEntry[] {
  return rowsFrom(store, accountNumber, claimsPrefix(taxYear), 0, Number.MAX_SAFE_INTEGER);
}

/** What the entries of a tax month come to. */
export function sumsOfMonth(store: PayerStore, accountNumber: number, taxPeriod: string): MonthSums {
  const text = store.payeMonths.get(stateKey(accountNumber, taxPeriod));
  return text === undefined ? NO_SUMS : (JSON.parse(text) as MonthSums);
}

/** Sums of the months that these entries stand in, as they are after them. */
export function sumsAfter(
  store: PayerStore,
  accountNumber: number,
  entries: readonly NewEntry[],
): ReadonlyMap<string, MonthSums> {
  const months = new Map<string, MonthSums>();
  for (const { event, assessment } of entries) {
    const { taxPeriod } = assessment;
    const before = months.get(taxPeriod) ?? sumsOfMonth(store, accountNumber, taxPeriod);
    months.set(taxPeriod, withAssessment(before, assessment, event.type === 'PaymentMade'));
  }
  return months;
}

/** Writes rows and sums, inside commit. */
export function saveIndex(
  store: PayerStore,
  accountNumber: number,
  entries: readonly NewEntry[],
  sums: ReadonlyMap<string, MonthSums>,
): void {
  for (const { event, assessment, place } of entries) {
    const value = Buffer.allocUnsafe(PLACE_BYTES + ID_BYTES);
    value.set(writePlace(place));
    value.write(assessment.eventId, PLACE_BYTES, 'hex');
    for (const prefix of prefixesOf(event, assessment)) {
      void store.payeEntries.put(rowKey(accountNumber, prefix, assessment.number), value);
    }
  }
  for (const [taxPeriod, months] of sums) {
    void store.payeMonths.put(stateKey(accountNumber, taxPeriod), JSON.stringify(months));
  }
}

function prefixesOf(event: MadeOfEvent['event'], { taxPeriod }: Assessment): readonly string[] {
  switch (event.type) {
    case 'PaymentMade':
      return [employmentPrefix(taxYearOf(event.paymentDate), event.worksNumber), monthPrefix(taxPeriod)];
    case 'EmployerClaimsMade':
    case 'PayePeriodClosed':
      return [claimsPrefix(event.taxYear)];
    case 'PayeSchemeCeased':
      return [claimsPrefix(taxYearOf(event.ceasedOn))];
    default:
      return [];
  }
}

function withAssessment(before: MonthSums, assessment: Assessment, isPayment: boolean): MonthSums {
  const heads = { ...before.heads };
  for (const { head, pence } of assessment.amounts) heads[head] = addSums(heads[head] ?? 0, pence);
  let { differences } = before;
  for (const { head, cause, differencePence } of flaggedDifferences(assessment)) {
    const same = differences.find((sum) => sum.head === head && sum.cause === cause);
    const sum = { head, cause, payments: (same?.payments ?? 0) + 1, pence: addSums(same?.pence ?? 0, differencePence) };
    differences = [...differences.filter((other) => other !== same), sum];
  }
  return {
    heads,
    basePence: addSums(before.basePence, assessment.basePence),
    payments: before.payments + (isPayment ? 1 : 0),
    claims: before.claims + (isPayment ? 0 : 1),
    differences,
  };
}

function rowsFrom(
  store: PayerStore,
  accountNumber: number,
  prefix: string,
  fromNumber: number,
  limit: number,
): readonly IndexedEntry[] {
  const range = store.payeEntries.getRange({
    start: rowKey(accountNumber, prefix, fromNumber),
    end: rowKey(accountNumber, prefix, Number.MAX_SAFE_INTEGER),
    limit,
  });
  return [...range].map(({ value }) => ({
    place: readPlace(value),
    eventId: value.toString('hex', PLACE_BYTES) as EventId,
  }));
}

/** A works number may hold any printable character: its length in bytes before it keeps one from being the start of another. */
function employmentPrefix(taxYear: string, worksNumber: string): string {
  return `e|${taxYear}|${Buffer.byteLength(worksNumber)}|${worksNumber}|`;
}

function monthPrefix(taxPeriod: string): string {
  return `m|${taxPeriod}|`;
}

function claimsPrefix(taxYear: string): string {
  return `c|${taxYear}|`;
}

function rowKey(accountNumber: number, prefix: string, number: number): Buffer {
  const start = stateKey(accountNumber, prefix);
  const key = Buffer.allocUnsafe(start.length + NUMBER_BYTES);
  key.set(start);
  writeUint64(key, number, start.length);
  return key;
}
