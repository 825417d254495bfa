import { addDays, addMonths, dateOf, type LocalDate, partsOf } from '../../calendar/local-date.ts';
import { type Pence, pence } from '../../money/pence.ts';
import { findVatParameter, type VatRules, vatParameterOn } from '../rates/vat-rules.ts';
import type { ReturnFrequency } from './vat-penalties.ts';

/** A return that a trader owes or owed. */
export interface ReturnDue {
  readonly start: LocalDate;
  readonly end: LocalDate;
  readonly due: LocalDate;
  readonly frequency: ReturnFrequency;
  /** The civil date on which it came in; null while it has not. */
  readonly received: LocalDate | null;
  /** False: late or not, it bears no point (the first return of a new registration, and one of a period of no regular length). */
  readonly bearsPoints: boolean;
}

/** A return that was late, and what it brought. */
export interface LateReturn {
  readonly due: ReturnDue;
  /** The day after it was due. */
  readonly failedOn: LocalDate;
  /** point: below the threshold; threshold: the point that reaches it, with money; charge: money alone, the points being at the threshold. */
  readonly category: 'point' | 'threshold' | 'charge';
  readonly penaltyPence: Pence;
  /** The first day on which a point no longer counts by the lapse of time; at the threshold it counts on. */
  readonly lapsesOn: LocalDate;
  /** Since when and why its point no longer counts; null where it does. A charge has no point, and goes with the points. */
  readonly ended: { readonly on: LocalDate; readonly why: PointEnd } | null;
}

/** In HMRC's words (`expiryReason` of the MTD VAT API). */
export type PointEnd = 'natural-expiry' | 'expiry-conditions-met' | 'submission-frequency-change';

/** What the late returns of a trader come to on a day. */
export interface LateReturnStanding {
  readonly points: number;
  readonly threshold: number;
  /** Of all late returns. */
  readonly penaltiesPence: Pence;
  /** Oldest first. */
  readonly late: readonly LateReturn[];
  /** At the threshold: the first day on which all points go if every return comes in time until then; null below it. */
  readonly complianceBy: LocalDate | null;
}

/** A point that counts; it may be of no return, where a change of frequency added it. */
interface Point {
  readonly of: Draft | null;
  readonly lapsesOn: LocalDate;
}

type Draft = { -readonly [Name in keyof LateReturn]: LateReturn[Name] };

/** Months after which a point lapses, counted from the first of the month after the failure, and within which every return must be in. */
const LAPSE_MONTHS = 24;
/** The compliance period by which all points go. */
const COMPLIANCE_MONTHS: Readonly<Record<ReturnFrequency, number>> = { annual: 24, quarterly: 12, monthly: 6 };
/** By how many points a balance changes with the frequency (CH192240). */
const TRANSFERS: Readonly<Record<ReturnFrequency, Readonly<Record<ReturnFrequency, number>>>> = {
  annual: { annual: 0, quarterly: 2, monthly: 3 },
  quarterly: { annual: -2, quarterly: 0, monthly: 1 },
  monthly: { annual: -3, quarterly: -1, monthly: 0 },
};

/**
 * Points for late returns on a day, live (FA 2021 Sch 24; vat.md 7.2, collection.md 5.3). A return that is not in the day after it was due
 * bears a point; at the threshold of its frequency 200.00, and for each late one after. Below the threshold a point lapses 24 months after
 * the month of the failure. At the threshold all go at once, when a compliance period passed without a late return and every return of
 * 24 months is in. A change of frequency changes the balance, taking the oldest.
 *
 * @param returns of periods from 1 January 2023, in any order; earlier ones have no points.
 */
export function lateReturnStanding(
  returns: readonly ReturnDue[],
  today: LocalDate,
  rules: VatRules,
): LateReturnStanding {
  const known = returns
    .filter(({ start, due }) => due < today && findVatParameter(rules, 'lateSubmission.penalty', start) !== null)
    .sort((a, b) => (a.due < b.due ? -1 : 1));
  const balance = new PointBalance(known, rules);
  for (const one of known) balance.pass(one);
  return balance.standingOn(today);
}

/** First of the month after the day on which a return failed: from it lapse and compliance count. */
export function countsFrom(failedOn: LocalDate): LocalDate {
  const { year, month } = partsOf(failedOn);
  return addMonths(dateOf(year, month, 1), 1);
}

class PointBalance {
  readonly #known: readonly ReturnDue[];
  readonly #rules: VatRules;
  readonly #late: Draft[] = [];
  #points: Point[] = [];
  #frequency: ReturnFrequency;
  #lastFailure: LocalDate | null = null;

  constructor(known: readonly ReturnDue[], rules: VatRules) {
    this.#known = known;
    this.#rules = rules;
    this.#frequency = known[0]?.frequency ?? 'quarterly';
  }

  /** Goes to the day after a return was due. Returns come in the order in which they are due. */
  pass(one: ReturnDue): void {
    const failedOn = addDays(one.due, 1);
    this.#lapse(failedOn);
    this.#changeTo(one.frequency, failedOn);
    if (one.bearsPoints && (one.received === null || one.received > one.due)) this.#fail(one, failedOn);
  }

  standingOn(today: LocalDate): LateReturnStanding {
    this.#lapse(today);
    const threshold = this.#threshold(today);
    const isAt = this.#points.length >= threshold;
    return {
      points: this.#points.length,
      threshold,
      penaltiesPence: pence(this.#late.reduce((sum, { penaltyPence }) => sum + penaltyPence, 0)),
      late: this.#late,
      complianceBy: isAt ? this.#complianceEnd() : null,
    };
  }

  #fail(due: ReturnDue, failedOn: LocalDate): void {
    const threshold = this.#threshold(failedOn);
    const isAbove = this.#points.length >= threshold;
    const reaches = !isAbove && this.#points.length + 1 === threshold;
    const penalty = vatParameterOn(this.#rules, 'lateSubmission.penalty', failedOn);
    const lapsesOn = addMonths(countsFrom(failedOn), LAPSE_MONTHS);
    const late: Draft = {
      due,
      failedOn,
      category: isAbove ? 'charge' : reaches ? 'threshold' : 'point',
      penaltyPence: pence(isAbove || reaches ? penalty : 0),
      lapsesOn,
      ended: null,
    };
    this.#late.push(late);
    if (!isAbove) this.#points.push({ of: late, lapsesOn });
    this.#lastFailure = failedOn;
  }

  /** Lets points go that no longer count on a day. They stand in the order in which they came, and so in that in which they lapse. */
  #lapse(day: LocalDate): void {
    if (this.#points.length >= this.#threshold(day)) {
      const on = this.#compliedOn(day);
      if (on !== null) this.#end(this.#points.length, on, 'expiry-conditions-met');
      return;
    }
    for (let next = this.#points[0]; next !== undefined && next.lapsesOn <= day; next = this.#points[0]) {
      this.#end(1, next.lapsesOn, 'natural-expiry');
    }
  }

  #changeTo(frequency: ReturnFrequency, on: LocalDate): void {
    const change = TRANSFERS[this.#frequency][frequency];
    this.#frequency = frequency;
    if (change < 0) this.#end(Math.min(-change, this.#points.length), on, 'submission-frequency-change');
    if (change <= 0 || this.#points.length === 0) return;
    const lapsesOn = addMonths(countsFrom(on), LAPSE_MONTHS);
    this.#points.push(...Array.from({ length: change }, (): Point => ({ of: null, lapsesOn })));
  }

  /** The oldest points go. With the last of them every charge goes that came at the threshold. */
  #end(count: number, on: LocalDate, why: PointEnd): void {
    for (const { of } of this.#points.splice(0, count)) if (of !== null) of.ended = { on, why };
    if (this.#points.length > 0) return;
    for (const late of this.#late) late.ended ??= { on, why };
  }

  /** The day by which all points go at the threshold, where that is not after `day`: compliance kept, and the returns of 24 months in. */
  #compliedOn(day: LocalDate): LocalDate | null {
    let on = this.#complianceEnd();
    for (let moved = true; moved && on <= day; ) {
      moved = false;
      const from = addMonths(on, -LAPSE_MONTHS);
      for (const { due, received } of this.#known) {
        if (due < from || due >= on) continue;
        if (received === null) return null;
        if (received > on) {
          on = received;
          moved = true;
        }
      }
    }
    return on <= day ? on : null;
  }

  #complianceEnd(): LocalDate {
    const failedOn = this.#lastFailure ?? ('1970-01-01' as LocalDate);
    return addMonths(countsFrom(failedOn), COMPLIANCE_MONTHS[this.#frequency]);
  }

  #threshold(day: LocalDate): number {
    return vatParameterOn(this.#rules, `lateSubmission.threshold.${this.#frequency}`, day);
  }
}
