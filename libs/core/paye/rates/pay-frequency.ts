import type { PayFrequency } from '../../events/paye-events.ts';
import { PAY_FREQUENCIES } from '../../events/paye-events.ts';

/** Weeks or months: which family of tables a pay frequency uses, and how many of them one payment is for (paye.md 1.4). */
export type Family = 'week' | 'month';

export interface FrequencyTerms {
  readonly family: Family;
  /** Periods per payment, n of a non-cumulative calculation and of the earnings period. */
  readonly periods: number;
  /** The week number that stands for a payment in week 53: 53, 54 or 56 (paye.md 1.5); 0 for months. */
  readonly extraWeek: number;
  /** Payments of one-off and irregular pay share the weekly earnings period. */
  readonly earningsPeriod: string;
}

export const PERIODS_IN_YEAR: Readonly<Record<Family, number>> = { week: 52, month: 12 };

export const FREQUENCY_TERMS: Readonly<Record<PayFrequency, FrequencyTerms>> = {
  W1: { family: 'week', periods: 1, extraWeek: 53, earningsPeriod: 'W1' },
  W2: { family: 'week', periods: 2, extraWeek: 54, earningsPeriod: 'W2' },
  W4: { family: 'week', periods: 4, extraWeek: 56, earningsPeriod: 'W4' },
  M1: { family: 'month', periods: 1, extraWeek: 0, earningsPeriod: 'M1' },
  M3: { family: 'month', periods: 3, extraWeek: 0, earningsPeriod: 'M3' },
  M6: { family: 'month', periods: 6, extraWeek: 0, earningsPeriod: 'M6' },
  MA: { family: 'month', periods: 12, extraWeek: 0, earningsPeriod: 'MA' },
  IO: { family: 'week', periods: 1, extraWeek: 53, earningsPeriod: 'W1' },
  IR: { family: 'week', periods: 1, extraWeek: 53, earningsPeriod: 'W1' },
};

const KNOWN: ReadonlySet<unknown> = new Set(PAY_FREQUENCIES);

export function isPayFrequency(value: unknown): value is PayFrequency {
  return KNOWN.has(value);
}

/** Months 1 to 12; weeks 1 to 52 and the week of the odd day: 53, 54 for two-weekly, 56 for four-weekly pay (paye.md 1.5). */
export function isPeriodOf(frequency: PayFrequency, period: unknown): period is number {
  if (typeof period !== 'number' || !Number.isInteger(period) || period < 1) return false;
  const { family, extraWeek } = FREQUENCY_TERMS[frequency];
  return period <= PERIODS_IN_YEAR[family] || period === extraWeek;
}

/** The period number of a pay day, of its tax week and month (paye.md 1.3, 1.5). */
export function periodOf(terms: FrequencyTerms, taxWeek: number, taxMonth: number): number {
  if (terms.family === 'month') return taxMonth;
  return taxWeek > PERIODS_IN_YEAR.week ? terms.extraWeek : taxWeek;
}
