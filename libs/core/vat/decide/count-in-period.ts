import { dateOfDayNumber, type LocalDate } from '../../calendar/local-date.ts';
import { londonDate, londonDayNumber } from '../../calendar/london-time.ts';
import type { HeadAmount, StateValue } from '../../decisions/decision.ts';
import type { StateDraft } from '../../decisions/state-draft.ts';
import type { Fault } from '../../errors/fault.ts';
import type { Account } from '../../identity/account.ts';
import type { EventId } from '../../identity/event-id.ts';
import { negatePence, type Pence, pence } from '../../money/pence.ts';
import { LATE_PERIODS_MAX, OPEN_PERIODS_MAX } from '../rates/limits.ts';
import { BOUNDED_REVISION, type VatRules } from '../rates/vat-rules.ts';
import type { PeriodDue } from '../return/counted-boxes.ts';
import { errorsFoundIn, withError } from '../return/error-limit.ts';
import { dueOf } from '../return/period-boxes.ts';
import { withUnpaidBefore } from '../schemes/unpaid-of-period.ts';
import { isForgotten } from '../state/forget-events.ts';
import { EMPTY_PERIOD, inWholePeriod, type PeriodAccount } from '../state/period-account.ts';
import { rateSegmentOn } from '../state/rate-segment.ts';
import { isClosedForGood, type OutsideRegistration, outsideRegistration } from '../state/registration-bounds.ts';
import { periodKey, traderKey } from '../state/state-keys.ts';
import {
  countingPeriod,
  NEW_TRADER,
  type OpenPeriod,
  openedAccount,
  registrationOn,
  type TraderState,
  traderLeaving,
  traderOf,
  traderValue,
} from '../state/trader.ts';
import { leavesUnpaid } from '../state/unpaid-invoices.ts';
import type { VatPeriod } from '../state/vat-period.ts';

/** Where an event counts, before it does. */
export interface Place {
  readonly trader: TraderState;
  /** Of the event's tax point. */
  readonly own: VatPeriod;
  /** In which it counts: the next one open where its own is closed hard. */
  readonly counted: VatPeriod;
  /** That period among the trader's open ones; null where this is its first event. */
  readonly open: OpenPeriod | null;
  readonly date: LocalDate;
  readonly account: PeriodAccount;
  /** Why the event counts in no period; null where it counts. */
  readonly outside: OutsideRegistration | null;
}

/** Whose event it is, and when it was received. */
interface Received {
  readonly account: Account;
  readonly receivedAtMs: number;
}

/** What counting an event came to. */
export interface CountedEvent {
  /** As entries name it; '' for an event that counts in none. */
  readonly taxPeriod: string;
  /** By how much the period's boxes 3 and 4 moved. */
  readonly amounts: readonly HeadAmount[];
  readonly flags: readonly string[];
  /** The event counted before it in the period: what is remembered of this one names it. */
  readonly before: string | undefined;
}

const NO_FLAGS: readonly string[] = [];
const LATE: readonly string[] = ['LATE_PERIOD'];
const SOFTLY_CLOSED: readonly string[] = ['PERIOD_SOFT_CLOSED'];
const NO_AMOUNTS: readonly HeadAmount[] = [];

/** The period of a tax point (`day` in days since 1970-01-01) and its account so far. */
export function placeOf({ account, receivedAtMs }: Received, day: number, draft: StateDraft, rules: VatRules): Place {
  const trader = traderOf(account, draft);
  const date = dateOfDayNumber(day);
  const isBounded = rules.revision >= BOUNDED_REVISION;
  const outside = isBounded ? outsideRegistration(trader, date) : null;
  const receivedDay = isBounded && trader.h !== null ? londonDayNumber(receivedAtMs) : null;
  const { own, counted } = countingPeriod(trader, day, receivedDay);
  if (outside !== null) return { trader, own, counted, open: null, date, account: EMPTY_PERIOD, outside };
  const value = draft.get(periodKey(account, counted.start));
  const before = value === undefined ? openedAccount(trader, counted, rules) : (value as unknown as PeriodAccount);
  return { trader, own, counted, open: openPeriod(trader, counted), date, account: before, outside };
}

/** Why nothing can be counted there, or null where it can. */
export function placeFault({ trader, open, date, outside }: Place, pointer: string): Fault | null {
  if (outside !== null) return null;
  if (isClosedForGood(trader)) {
    const detail = `the return of the last period, to ${trader.e}, is filed: tell HMRC on form VAT652, or VAT427 for input VAT`;
    return { code: 'E_REGISTRATION_ENDED', pointer, detail };
  }
  if (isForgotten(trader, date)) {
    return { code: 'E_EVENT_TOO_OLD', pointer, detail: 'of a period whose events are no longer told apart' };
  }
  if (open === null && trader.o.length >= OPEN_PERIODS_MAX) {
    return { code: 'E_PERIODS_OPEN', pointer, detail: 'too many periods have events and are not closed' };
  }
  return null;
}

/** The rate segment of an event's day under the scheme of the period in which it counts (rate-segment.ts). */
export function segmentOfPlace({ trader, counted, date }: Place, rules: VatRules): string | undefined {
  const registration = registrationOn(trader, counted.start);
  return registration === null ? undefined : rateSegmentOn(registration, date, rules);
}

/** What an event that counts in no period comes to: nothing, and the flag that says why. */
export function countOutside(outside: OutsideRegistration): CountedEvent {
  return { taxPeriod: '', amounts: NO_AMOUNTS, flags: [outside], before: undefined };
}

/**
 * Writes a period's account with one event more and says what that moved; null where it can no longer be counted.
 *
 * @param change gives an account with the event in it, or null where a sum would pass PERIOD_SUM_PENCE_MAX.
 * @param isError true for what corrects a return that is filed (error-limit.ts).
 */
export function countEvent(
  event: Received & { readonly eventId: EventId },
  place: Place,
  { change, isError }: { readonly change: (account: PeriodAccount) => PeriodAccount | null; readonly isError: boolean },
  draft: StateDraft,
  rules: VatRules,
): CountedEvent | null {
  const { trader, own, counted, open, account } = place;
  const after = changed(place, change, isError, rules);
  if (after === null) return null;
  // A period that opens without cash accounting counts what the periods before left unpaid.
  const unpaid = open === null && !leavesUnpaid(after.s?.c) ? trader.b : undefined;
  const whole = unpaid === undefined ? after : inWholePeriod(after, (one) => withUnpaidBefore(one, unpaid));
  const moved = difference(dueOf(account), dueOf(whole));
  const isLate = own.start !== counted.start;
  const marked: PeriodAccount = { ...whole, e: event.eventId };
  const value = isLate ? withLate(marked, own.start, moved) : marked;
  draft.put(periodKey(event.account, counted.start), value as unknown as StateValue);
  if (open === null) {
    const left = unpaid === undefined ? knownSince(trader, event, rules) : traderLeaving(trader, null);
    draft.put(
      traderKey(event.account),
      traderValue({ ...left, o: withPeriod(trader.o, [counted.start, counted.end, 0]) }),
    );
  }
  const soft = open !== null && open[2] === 1;
  const flags = isLate ? LATE : soft ? SOFTLY_CLOSED : NO_FLAGS;
  const crosses = whole.x !== undefined && passesErrorLimit(account, whole);
  return {
    taxPeriod: counted.text,
    amounts: amountsOf(moved),
    flags: crosses ? [...flags, 'ERROR_ABOVE_LIMIT'] : flags,
    before: account.e,
  };
}

/** The account with the event; an error of a filed return is kept apart, and what is none is counted beside the errors too. */
function changed(
  { account, date }: Place,
  change: (account: PeriodAccount) => PeriodAccount | null,
  isError: boolean,
  rules: VatRules,
): PeriodAccount | null {
  const after = change(account);
  if (after === null || rules.revision < BOUNDED_REVISION) return after;
  if (isError) return withError(after, account, date, rules);
  if (account.x === undefined) return after;
  const without = change(account.x.w);
  return without === null ? null : { ...after, x: { ...account.x, w: without } };
}

function passesErrorLimit(before: PeriodAccount, after: PeriodAccount): boolean {
  return errorsFoundIn(after).method === 'notify' && errorsFoundIn(before).method !== 'notify';
}

/** A trader of whom nothing was known: the day on which this first event was received is kept. */
export function knownSince(trader: TraderState, { receivedAtMs }: Received, rules: VatRules): TraderState {
  if (trader !== NEW_TRADER || rules.revision < BOUNDED_REVISION) return trader;
  return { ...trader, w: londonDate(receivedAtMs) };
}

function openPeriod(trader: TraderState, counted: VatPeriod): OpenPeriod | null {
  for (const period of trader.o) if (period[0] === counted.start) return period;
  return null;
}

/** What is owed is positive under its head, recoverable input VAT negative; heads in the order of their numbers. */
export function amountsOf({ outputVatPence, inputVatPence }: PeriodDue): readonly HeadAmount[] {
  if (outputVatPence === 0 && inputVatPence === 0) return NO_AMOUNTS;
  const amounts: HeadAmount[] = [];
  if (outputVatPence !== 0) amounts.push({ head: 'outputVat', pence: outputVatPence });
  if (inputVatPence !== 0) amounts.push({ head: 'inputVat', pence: negatePence(inputVatPence) });
  return amounts;
}

export function difference(before: PeriodDue, after: PeriodDue): PeriodDue {
  return {
    outputVatPence: pence(after.outputVatPence - before.outputVatPence),
    inputVatPence: pence(after.inputVatPence - before.inputVatPence),
  };
}

/** Open periods in order of time, this one among them. */
export function withPeriod(open: readonly OpenPeriod[], period: OpenPeriod): readonly OpenPeriod[] {
  const others = open.filter(([start]) => start !== period[0]);
  return [...others, period].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** Late events are tagged with their original period; beyond the limit the rest stand together under ''. */
function withLate(account: PeriodAccount, original: LocalDate, moved: PeriodDue): PeriodAccount {
  const late = account.l ?? {};
  const isNew = late[original] === undefined;
  const key = isNew && Object.keys(late).length >= LATE_PERIODS_MAX ? '' : original;
  const [events, output, input] = late[key] ?? [0, 0, 0];
  const step: readonly [number, Pence, Pence] = [
    events + 1,
    pence(output + moved.outputVatPence),
    pence(input + moved.inputVatPence),
  ];
  return { ...account, l: { ...late, [key]: step } };
}
