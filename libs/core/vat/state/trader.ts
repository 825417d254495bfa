import { addDays, addMonths, dateOfDayNumber, dayNumber, type LocalDate, partsOf } from '../../calendar/local-date.ts';
import type { StateValue, StateView } from '../../decisions/decision.ts';
import type { TraderRegistered, VatCadence } from '../../events/vat-events.ts';
import type { Account } from '../../identity/account.ts';
import { halfUpShare } from '../../money/half-up.ts';
import { basisPointsOfPercent, vatRate } from '../rates/vat-rate.ts';
import { findVatParameter, type VatRules, vatParameterOn } from '../rates/vat-rules.ts';
import { EMPTY_PERIOD, type PeriodAccount, type PeriodScheme } from './period-account.ts';
import { majorityOfSegment, rateSegmentOn } from './rate-segment.ts';
import { traderKey } from './state-keys.ts';
import type { CashStage, Unpaid } from './unpaid-invoices.ts';
import { cadencePeriodOfDay, DEFAULT_STAGGER, type VatPeriod, vatPeriodOfDay } from './vat-period.ts';

/** What holds for a trader from a day on. */
export type Registration = Omit<TraderRegistered, 'type' | 'eventId' | 'account' | 'receivedAtMs'>;

/** A period that has an account and is not closed hard; 1: closed softly. */
export type OpenPeriod = readonly [start: LocalDate, end: LocalDate, soft: 0 | 1];

/** What tax keeps of a trader across its periods, under `trader|<account>`. It changes with its periods, not with its events. */
export interface TraderState {
  /** In order of their first day. */
  readonly r: readonly Registration[];
  /** In order of time. */
  readonly o: readonly OpenPeriod[];
  /** Last day of what is closed hard; null: nothing is. */
  readonly h: LocalDate | null;
  /** Closed periods whose events are still remembered, oldest first: last day, id of the event counted last. */
  readonly d: readonly (readonly [end: LocalDate, lastEventId: string])[];
  /** Ids that are being forgotten: the newest of each list (forget-events.ts). */
  readonly x: readonly string[];
  /** Last day of the periods whose events are forgotten; null: none is. */
  readonly k: LocalDate | null;
  /** Cash accounting: what periods closed hard left unpaid; absent: nothing. */
  readonly b?: Unpaid;
  /** Effective date of deregistration, the last day in the registration; absent: it has not ended. */
  readonly e?: LocalDate;
  /** The civil day on which the first event of the trader was received; absent where that was before it was kept. */
  readonly w?: LocalDate;
}

/** What applies to a trader that said nothing: stagger 1, point of sale, on invoices. */
export const NEW_TRADER: TraderState = { r: [], o: [], h: null, d: [], x: [], k: null };

export function traderOf(account: Account, view: StateView): TraderState {
  const value = view.get(traderKey(account));
  return value === undefined ? NEW_TRADER : (value as unknown as TraderState);
}

export function traderValue(trader: TraderState): StateValue {
  return trader as unknown as StateValue;
}

/** The trader to whom more is left unpaid, or nothing any more. */
export function traderLeaving(trader: TraderState, unpaid: Unpaid | null): TraderState {
  const { b: _before, ...rest } = trader;
  return unpaid === null ? rest : { ...rest, b: unpaid };
}

/** What holds on a day, or null where the trader said nothing of it. */
export function registrationOn(trader: TraderState, date: LocalDate): Registration | null {
  return trader.r.findLast((registration) => registration.validFrom <= date) ?? null;
}

/**
 * The trader's period of a tax point (vat.md 7.2), `day` in days since 1970-01-01. Where a registration changes the cadence, or is the
 * first, the period before ends the day before it and a period begins with it.
 */
export function traderPeriodOfDay(trader: TraderState, day: number): VatPeriod {
  if (trader.e !== undefined) return withinRegistration(trader, day, trader.e);
  return periodBeforeEnd(trader, day);
}

/** The period that holds the end of the registration is cut at it; no event counts in a later one. */
function withinRegistration(trader: TraderState, day: number, last: LocalDate): VatPeriod {
  const period = periodBeforeEnd(trader, day);
  if (period.start > last || period.end <= last) return period;
  return { start: period.start, end: last, text: `${period.start}/${last}` };
}

function periodBeforeEnd(trader: TraderState, day: number): VatPeriod {
  if (trader.r.length === 0) return vatPeriodOfDay(day, DEFAULT_STAGGER);
  const date = dateOfDayNumber(day);
  const at = trader.r.findLastIndex((registration) => registration.validFrom <= date);
  const own = trader.r[at];
  const natural = naturalPeriodOfDay(own ?? null, day);
  const next = trader.r[at + 1];
  const begins = own !== undefined && breaksPeriod(trader, at) && own.validFrom > natural.start;
  const ends = next !== undefined && breaksPeriod(trader, at + 1) && next.validFrom <= natural.end;
  if (!begins && !ends) return natural;
  const start = begins ? own.validFrom : natural.start;
  const end = ends ? addDays(next.validFrom, -1) : natural.end;
  return { start, end, text: `${start}/${end}` };
}

/** The period after another. */
export function traderPeriodAfter(trader: TraderState, end: LocalDate): VatPeriod {
  return traderPeriodOfDay(trader, dayNumber(end) + 1);
}

/**
 * The period of a tax point, and that in which an event of it counts: its own, or, where that is closed hard, the one of the day of receipt,
 * or the next one open where that is closed too (vat.md 8.2).
 *
 * @param receivedDay days since 1970-01-01; null: late events count in the next period open, as rules of the first revision have it.
 */
export function countingPeriod(
  trader: TraderState,
  day: number,
  receivedDay: number | null,
): { readonly own: VatPeriod; readonly counted: VatPeriod } {
  const own = traderPeriodOfDay(trader, day);
  if (trader.h === null || own.end > trader.h) return { own, counted: own };
  const next = dayNumber(trader.h) + 1;
  const last = trader.e === undefined ? Number.POSITIVE_INFINITY : dayNumber(trader.e);
  return { own, counted: traderPeriodOfDay(trader, Math.max(next, Math.min(receivedDay ?? next, last))) };
}

/** The account of a period before its first event: under the scheme that holds on its first day. */
export function openedAccount(trader: TraderState, period: VatPeriod, rules: VatRules): PeriodAccount {
  const registration = registrationOn(trader, period.start);
  const scheme = registration === null ? undefined : schemeOf(registration, period, cashOf(trader, period), rules);
  return scheme === undefined ? EMPTY_PERIOD : { ...EMPTY_PERIOD, s: scheme };
}

/** True where registration `at` begins a period of its own: the first, or one of another cadence than before. */
function breaksPeriod({ r }: TraderState, at: number): boolean {
  const [before, own] = [r[at - 1], r[at]];
  return before === undefined || own === undefined || !isSameCadence(before, own);
}

export function isSameCadence(a: Registration, b: Registration): boolean {
  return a.cadence === b.cadence && (a.cadence !== 'annual' || a.annualEndMonth === b.annualEndMonth);
}

/** By the calendar alone. Null: a trader that said nothing. */
export function naturalPeriodOfDay(registration: Registration | null, day: number): VatPeriod {
  if (registration === null) return vatPeriodOfDay(day, DEFAULT_STAGGER);
  return cadencePeriodOfDay(day, registration.cadence, registration.annualEndMonth);
}

/**
 * Where a period stands to cash accounting (`c` of its scheme): by what was registered for it, for the day after it, and before it. With the
 * registration the scheme ends too: all that is unpaid is due with the last period (VAT Regulations 1995, regulation 63).
 */
export function cashOf(trader: TraderState, { start, end }: VatPeriod): CashStage | undefined {
  const isLast = trader.e !== undefined && end >= trader.e;
  if (registrationOn(trader, start)?.cashAccounting === true) {
    if (isLast) return 2;
    const next = registrationOn(trader, addDays(end, 1));
    return next?.cashAccounting === true || next?.unpaidOverSixMonths === true ? 1 : 2;
  }
  const before = trader.r.findLastIndex(({ validFrom, cashAccounting }) => validFrom <= start && cashAccounting);
  const ended = before < 0 ? undefined : trader.r[before + 1];
  if (ended?.unpaidOverSixMonths !== true) return undefined;
  const lastDay = addDays(addMonths(ended.validFrom, MONTHS_TO_SETTLE), -1);
  if (start > lastDay) return undefined;
  return end < lastDay && !isLast ? 3 : 4;
}

/** How long what is unpaid at the end of cash accounting may go on to count as it is paid (regulation 61(2); Notice 731, 6.4). */
const MONTHS_TO_SETTLE = 6;

function schemeOf(
  registration: Registration,
  period: VatPeriod,
  c: PeriodScheme['c'],
  rules: VatRules,
): PeriodScheme | undefined {
  const cash = c === undefined ? {} : { c };
  const yearEnd = isRetailYearEnd(registration.cadence, period.end) ? { e: 1 as const } : {};
  switch (registration.scheme) {
    case 'pointOfSale':
      return c === undefined ? undefined : cash;
    case 'apportionment1':
      return { k: 'A1', ...cash, ...yearEnd, ...segmentOf(registration, period, rules) };
    case 'apportionment2':
      return { k: 'A2', ...cash };
    case 'directCalculation1':
      return { k: 'D1', u: majorityKeyOf(registration), ...cash, ...segmentOf(registration, period, rules) };
    case 'directCalculation2':
      return {
        k: 'D2',
        u: majorityKeyOf(registration),
        ...cash,
        ...yearEnd,
        ...segmentOf(registration, period, rules),
      };
    case 'flatRate':
      return { k: 'FRS', ...cash, ...limitedCostTestOf(registration, period, rules) };
  }
}

/** The segment of a period's first day, with the rate of the majority of the goods on it. */
function segmentOf(registration: Registration, period: VatPeriod, rules: VatRules): Pick<PeriodScheme, 'x' | 'u'> {
  const x = rateSegmentOn(registration, period.start, rules);
  if (x === undefined) return {};
  const u = majorityOfSegment(x, undefined);
  return u === undefined ? { x } : { x, u };
}

function majorityKeyOf({ majorityRatePct }: Registration): string {
  return goodsRateKey(majorityRatePct ?? '20');
}

/** The rate key of goods that name their rate as decimal text. */
export function goodsRateKey(ratePct: string): string {
  const basisPoints = basisPointsOfPercent(ratePct);
  return vatRate(basisPoints === 0 ? 'Z' : 'S', basisPoints).key;
}

/** The limited cost trader test of a period: a year's minimum for annual returns, a quarter's, or a twelfth (Notice 733). */
function limitedCostTestOf(registration: Registration, period: VatPeriod, rules: VatRules): Pick<PeriodScheme, 'w'> {
  if (!registration.limitedCostTest) return {};
  const share = findVatParameter(rules, 'limitedCostTrader.shareOfTurnover', period.start);
  if (share === null) return {};
  const yearPence = vatParameterOn(rules, 'limitedCostTrader.minimumAYear', period.start);
  switch (registration.cadence) {
    case 'annual':
      return { w: [yearPence, share] };
    case 'monthly':
      return { w: [halfUpShare(yearPence, 1, 12), share] };
    default:
      return { w: [vatParameterOn(rules, 'limitedCostTrader.minimumAQuarter', period.start), share] };
  }
}

const RETAIL_YEAR_END_MONTHS: Readonly<Record<Exclude<VatCadence, 'annual'>, number>> = {
  stagger1: 3,
  monthly: 3,
  stagger2: 4,
  stagger3: 5,
};

/** The retail year ends with March, April or May, as the periods do (Notice 727/4 and 727/5); with annual periods, with each. */
function isRetailYearEnd(cadence: VatCadence, end: LocalDate): boolean {
  return cadence === 'annual' || partsOf(end).month === RETAIL_YEAR_END_MONTHS[cadence];
}

/**
 * The rate of a margin pool, basis points: the standard rate at the end of the period, whichever of its events came first (a change of rate
 * within the period does not divide the pool).
 */
export function poolRateOf({ end }: VatPeriod, rules: VatRules): number {
  return marginRateOn(end, rules);
}

/** The standard rate of a day, basis points; 0 before there was one (1 April 1973). */
export function marginRateOn(date: LocalDate, rules: VatRules): number {
  return findVatParameter(rules, 'standardRate', date) ?? 0;
}
