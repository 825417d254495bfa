import { decodeEvent } from '../../../libs/adapters/codec/event-codec.ts';
import type { RuleSets } from '../../../libs/adapters/rules/rule-sets.ts';
import { toHex } from '../../../libs/core/encoding/hex.ts';
import { assert } from '../../../libs/core/errors/assert.ts';
import { TallyError } from '../../../libs/core/errors/tally-error.ts';
import type { PayeEvent, PaymentMade } from '../../../libs/core/events/paye-events.ts';
import { uuidOf } from '../../../libs/core/identity/event-id.ts';
import { parseBlockHeader } from '../../../libs/core/ledger/block/block-header.ts';
import { decodeEntry } from '../../../libs/core/ledger/entry/entry-codec.ts';
import type { LedgerEntry } from '../../../libs/core/ledger/entry/ledger-entry.ts';
import type { EmploymentState } from '../../../libs/core/paye/employment/employment-state.ts';
import { jobsOfPerson, personJobsKey } from '../../../libs/core/paye/employment/person-jobs.ts';
import type { StatedDifference } from '../../../libs/core/paye/payment/compare-stated.ts';
import type { ToDateDifference } from '../../../libs/core/paye/payment/compare-to-date.ts';
import {
  type AcceptedPayment,
  type FollowedPayment,
  followEmployment,
} from '../../../libs/core/paye/payment/follow-employment.ts';
import type { WorkingLine } from '../../../libs/core/paye/payment/payslip-working.ts';
import { type IndexedEntry, paymentsOfEmployment } from '../follow/paye-index.ts';
import { OwnState } from '../store/own-state.ts';
import { blockKey, eventKey } from '../store/payer-keys.ts';
import type { EntryPosition, FollowedAccount } from '../store/payer-records.ts';
import type { PayerStore } from '../store/payer-store.ts';
import { readBlock } from '../store/payer-values.ts';

/** A payment with every step of its working: what a payroll clerk can follow by hand. */
export interface Payslip {
  readonly eventId: string;
  readonly worksNumber: string;
  readonly paymentDate: string;
  readonly payFrequency: string;
  readonly period: number;
  /** The tax month that the payment is charged in. */
  readonly taxPeriod: string;
  readonly taxCode: string;
  readonly week1Month1: boolean;
  readonly niCategory: string;
  readonly taxablePayPence: number;
  readonly nicableEarningsPence: number;
  readonly amounts: readonly { readonly head: string; readonly pence: number }[];
  readonly working: readonly WorkingLine[];
  readonly stated: readonly StatedDifference[];
  /** Figures to date that were stated with the payment and are not our own. */
  readonly toDate: readonly ToDateDifference[];
  readonly flags: readonly string[];
  /** Where its entry stands in the payer's copy. */
  readonly entry: EntryPosition;
}

export interface EmploymentView {
  readonly account: string;
  readonly worksNumber: string;
  readonly taxYear: string;
  /** Works numbers that this one continues, the first one first. */
  readonly oldWorksNumbers: readonly string[];
  readonly toDate: FiguresToDate;
  /** In the order of their decisions. */
  readonly payments: readonly Payslip[];
}

/** Figures of the employment in the tax year, pence. Pay and tax hold the P45's, as the code works on them. */
export interface FiguresToDate {
  readonly taxablePayPence: number;
  readonly incomeTaxPence: number;
  readonly p45PayPence: number;
  readonly p45TaxPence: number;
  readonly nicableEarningsPence: number;
  readonly employeeNicsPence: number;
  readonly employerNicsPence: number;
  readonly studentLoanPence: number;
  readonly postgraduateLoanPence: number;
  readonly class1aNicsPence: number;
}

/** Continuations of a works number by another in one year that are followed back. */
const CONTINUATIONS_MAX = 100;

/** What the payer knows of one employment in a tax year, from its own verified copy; null where it has no payment. */
export function employmentView(
  store: PayerStore,
  rules: RuleSets,
  followed: FollowedAccount,
  taxYear: string,
  worksNumber: string,
): EmploymentView | null {
  const rows = new Map<string, IndexedEntry>();
  const names = collectRows(store, followed, taxYear, worksNumber, rows);
  for (const job of otherJobsOf(store, followed, taxYear, rows)) {
    if (!names.includes(job)) collectRows(store, followed, taxYear, job, rows);
  }
  const reader = new EntryReader(store, rules, followed);
  const placed = [...rows.values()]
    .map((row) => ({ row, ...reader.read(row) }))
    .sort((a, b) => a.entry.number - b.entry.number);
  const accepted = placed.flatMap(({ event, hash, paye }): AcceptedPayment[] =>
    event.type === 'PaymentMade' ? [{ event, hash, rules: paye }] : [],
  );
  if (accepted.length === 0) return null;
  const payments = followEmployment(accepted);
  const own = payments.filter(({ event }) => names.includes(event.worksNumber));
  const places = new Map(placed.map(({ event, row }) => [event.eventId, row.place]));
  const last = payments.findLast(({ event }) => event.worksNumber === worksNumber)?.after ?? null;
  return {
    account: followed.account,
    worksNumber,
    taxYear,
    oldWorksNumbers: names.slice(1).reverse(),
    toDate: figuresOf(last),
    payments: own.map((payment) => payslipOf(payment, places.get(payment.event.eventId))),
  };
}

/** Rows of a works number and of those that it continues; gives their names, the newest first. */
function collectRows(
  store: PayerStore,
  followed: FollowedAccount,
  taxYear: string,
  worksNumber: string,
  rows: Map<string, IndexedEntry>,
): readonly string[] {
  const names = [worksNumber];
  for (const name of names) {
    for (const row of paymentsOfEmployment(store, followed.number, taxYear, name)) {
      rows.set(row.eventId, row);
      const event = eventOf(store, followed, row);
      const old = event.type === 'PaymentMade' ? event.oldWorksNumber : null;
      if (old !== null && !names.includes(old) && names.length < CONTINUATIONS_MAX) names.push(old);
    }
  }
  return names;
}

/** Works numbers of the same persons: their earnings are added up with these. */
function otherJobsOf(
  store: PayerStore,
  followed: FollowedAccount,
  taxYear: string,
  rows: ReadonlyMap<string, IndexedEntry>,
): readonly string[] {
  const state = new OwnState(store, followed.number);
  const keys = new Set<string>();
  for (const row of rows.values()) {
    const event = eventOf(store, followed, row);
    if (event.type === 'PaymentMade') keys.add(personJobsKey(followed.account, taxYear, event.person));
  }
  return [...keys].flatMap((key) => jobsOfPerson(state, key));
}

function eventOf(store: PayerStore, followed: FollowedAccount, row: IndexedEntry): PayeEvent {
  const appended = store.appendedEvent(eventKey(followed.number, row.eventId));
  assert(appended !== undefined, 'an indexed entry has its event', { account: followed.account });
  return decodeEvent(appended.bytes) as PayeEvent;
}

/** Reads events and entries of one account, keeping the block that was read last: rows of a month stand side by side. */
export class EntryReader {
  readonly #store: PayerStore;
  readonly #rules: RuleSets;
  readonly #followed: FollowedAccount;
  #seq = -1;
  #entries: readonly Uint8Array[] = [];
  #rulesHash = '';

  constructor(store: PayerStore, rules: RuleSets, followed: FollowedAccount) {
    this.#store = store;
    this.#rules = rules;
    this.#followed = followed;
  }

  /** Throws RULES_UNKNOWN where the rule set that the block names is not at hand. */
  read(row: IndexedEntry): {
    readonly event: PayeEvent;
    readonly hash: string;
    readonly entry: LedgerEntry;
    readonly paye: AcceptedPayment['rules'];
  } {
    const { place, eventId } = row;
    const appended = this.#store.appendedEvent(eventKey(this.#followed.number, eventId));
    assert(appended !== undefined, 'an indexed entry has its event', { account: this.#followed.account });
    this.#open(place.seq);
    const bytes = this.#entries[place.position];
    assert(bytes !== undefined, 'an indexed entry stands in its block', { seq: place.seq });
    const paye = this.#rules.of('paye', this.#rulesHash)?.paye;
    if (paye === undefined) {
      throw new TallyError('RULES_UNKNOWN', 'the rate cards of this block are not at hand', { rules: this.#rulesHash });
    }
    const event = decodeEvent(appended.bytes) as PayeEvent;
    return { event, hash: appended.hash.toString('hex'), entry: decodeEntry(bytes), paye };
  }

  #open(seq: number): void {
    if (seq === this.#seq) return;
    const bytes = this.#store.blocks.get(blockKey(this.#followed.number, seq));
    assert(bytes !== undefined, 'the block of an indexed entry is in the store', { seq });
    const block = readBlock(bytes);
    this.#seq = seq;
    this.#entries = block.entries;
    this.#rulesHash = toHex(parseBlockHeader(block.header).rules);
  }
}

function payslipOf(
  { event, result, lines, differences, toDate }: FollowedPayment,
  entry: EntryPosition | undefined,
): Payslip {
  assert(entry !== undefined, 'a payment that is followed has an entry', {});
  return {
    ...paymentFields(event),
    taxPeriod: result.taxPeriod,
    amounts: result.amounts,
    working: lines,
    stated: differences,
    toDate,
    flags: result.flags,
    entry,
  };
}

/** What a payment says of itself, without the person. */
export function paymentFields(
  event: PaymentMade,
): Omit<Payslip, 'taxPeriod' | 'amounts' | 'working' | 'stated' | 'toDate' | 'flags' | 'entry'> {
  return {
    eventId: uuidOf(event.eventId),
    worksNumber: event.worksNumber,
    paymentDate: event.paymentDate,
    payFrequency: event.payFrequency,
    period: event.period,
    taxCode: event.taxCode,
    week1Month1: event.week1Month1,
    niCategory: event.niCategory,
    taxablePayPence: event.taxablePayPence,
    nicableEarningsPence: event.nicableEarningsPence,
  };
}

function figuresOf(state: EmploymentState | null): FiguresToDate {
  return {
    taxablePayPence: state?.taxablePayPence ?? 0,
    incomeTaxPence: state?.taxPence ?? 0,
    p45PayPence: state?.p45?.[0] ?? 0,
    p45TaxPence: state?.p45?.[1] ?? 0,
    nicableEarningsPence: state?.niEarningsPence ?? 0,
    employeeNicsPence: state?.employeeNicsPence ?? 0,
    employerNicsPence: state?.employerNicsPence ?? 0,
    studentLoanPence: state?.studentLoanPence ?? 0,
    postgraduateLoanPence: state?.postgraduateLoanPence ?? 0,
    class1aNicsPence: (state?.awards?.[2] ?? 0) + (state?.benefits?.[1] ?? 0),
  };
}
