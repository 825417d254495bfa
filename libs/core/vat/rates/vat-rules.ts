import { dateOfDayNumber, dayNumber, type LocalDate } from '../../calendar/local-date.ts';
import { TallyError } from '../../errors/tally-error.ts';
import type { VatRegion } from '../../events/vat-events.ts';
import { type VatRateValue, vatRateCardOf } from './rate-card.ts';
import { type VatRate, vatRate } from './vat-rate.ts';

/** Values in order of date: the one in force is the last whose day is not after the day asked for. */
interface Timeline<Value> {
  readonly days: readonly number[];
  readonly values: readonly Value[];
}

/** A category of the table and the rate that it has on a day; one object for each of its rates, whoever asks. */
export interface CategoryRate {
  readonly category: string;
  readonly rate: VatRate;
}

/** Every dated rate of VAT. Made by vatRulesOf; every look-up takes a day. */
export interface VatRules {
  /** SHA-256 (64 hex) of the canonical JSON of the cards: each decision records it. */
  readonly hash: string;
  readonly categories: Readonly<Record<VatRegion, ReadonlyMap<string, Timeline<CategoryRate>>>>;
  readonly parameters: ReadonlyMap<string, Timeline<number>>;
  /**
   * How events are decided: cards of before 1 December 2026 name no revision, and are of the first. A block names its cards by their hash,
   * so what an older revision decided is checked as it was decided.
   */
  readonly revision: number;
  /** The first day on which there is VAT, days since 1970-01-01. */
  readonly firstDay: number;
}

/** The first revision that holds stated VAT to its rate, events to the registration, and late outputs to the limit of errors. */
export const BOUNDED_REVISION = 2;

const CATEGORY_PREFIX = 'category.';

/** Reads the rate cards of a folder, in any order, into look-ups by day. Throws RATE_CARD_INVALID. */
export function vatRulesOf(cards: readonly unknown[], hash: string): VatRules {
  const values = cards.flatMap((card) => vatRateCardOf(card));
  const parameters = new Map<string, Timeline<number>>();
  for (const [name, series] of seriesOf(values.filter((value) => value.unit !== 'treatment'))) {
    parameters.set(name, {
      days: series.map((value) => dayNumber(value.from)),
      values: series.map((value) => value.amount),
    });
  }
  return {
    hash,
    parameters,
    revision: parameters.get('decision.revision')?.values.at(-1) ?? 1,
    firstDay: parameters.get('standardRate')?.days[0] ?? Number.NEGATIVE_INFINITY,
    categories: { GB: categoriesOf(values, 'GB', parameters), NI: categoriesOf(values, 'NI', parameters) },
  };
}

/**
 * Treatment and rate of a category at a tax point (vat.md section 2). `day` is days since 1970-01-01.
 * undefined: the category is unknown; null: it has no treatment on that day.
 */
export function findVatRate(
  rules: VatRules,
  category: string,
  day: number,
  region: VatRegion,
): VatRate | null | undefined {
  const found = findCategoryRate(rules, category, day, region);
  return found === undefined || found === null ? found : found.rate;
}

/** As findVatRate, with the category's own text: many sales remember one text. */
export function findCategoryRate(
  rules: VatRules,
  category: string,
  day: number,
  region: VatRegion,
): CategoryRate | null | undefined {
  const timeline = rules.categories[region].get(category);
  return timeline === undefined ? undefined : valueAt(timeline, day);
}

/** As findVatRate. Throws E_RATE_UNKNOWN or E_RATE_NOT_IN_FORCE. */
export function vatRateOn(rules: VatRules, category: string, date: LocalDate, region: VatRegion): VatRate {
  const rate = findVatRate(rules, category, dayNumber(date), region);
  if (rate === undefined) {
    throw new TallyError('E_RATE_UNKNOWN', `"${category.slice(0, 64)}" is not a category of the table`, {});
  }
  if (rate === null) {
    throw new TallyError('E_RATE_NOT_IN_FORCE', `"${category}" has no treatment on ${date}`, { category, date });
  }
  return rate;
}

/** A dated figure that is no category: basis points, pence or a count as its card says; null where none holds on that day. */
export function findVatParameter(rules: VatRules, name: string, date: LocalDate): number | null {
  const timeline = rules.parameters.get(name);
  return timeline === undefined ? null : valueAt(timeline, dayNumber(date));
}

/** As findVatParameter. Throws RATE_NOT_IN_FORCE. */
export function vatParameterOn(rules: VatRules, name: string, date: LocalDate): number {
  const value = findVatParameter(rules, name, date);
  if (value === null) throw new TallyError('RATE_NOT_IN_FORCE', `${name} has no value on ${date}`, { name, date });
  return value;
}

/**
 * Every rate above nothing that some supply has on a day, basis points, in rising order: the standard and the reduced rate, and those that a
 * category has for a time.
 */
export function positiveRatesOn(rules: VatRules, date: LocalDate): readonly number[] {
  const rates = new Set<number>();
  for (const name of ['standardRate', 'reducedRate']) rates.add(findVatParameter(rules, name, date) ?? 0);
  const day = dayNumber(date);
  for (const region of ['GB', 'NI'] as const) {
    for (const timeline of rules.categories[region].values()) rates.add(valueAt(timeline, day)?.rate.basisPoints ?? 0);
  }
  rates.delete(0);
  return [...rates].sort((a, b) => a - b);
}

/** The day from which the figure holds that findVatParameter gives; null where it gives none. */
export function vatParameterSince(rules: VatRules, name: string, date: LocalDate): LocalDate | null {
  const days = rules.parameters.get(name)?.days ?? [];
  const day = days.findLast((candidate) => candidate <= dayNumber(date));
  return day === undefined ? null : dateOfDayNumber(day);
}

/** A figure over the days [from, to), in as many stretches as it has values; days before its first value are left out. */
export function vatParameterStretches(
  rules: VatRules,
  name: string,
  from: LocalDate,
  to: LocalDate,
): readonly { readonly days: number; readonly value: number }[] {
  const timeline = rules.parameters.get(name) ?? { days: [], values: [] };
  const [first, last] = [dayNumber(from), dayNumber(to)];
  return timeline.days.flatMap((since, index) => {
    const until = timeline.days[index + 1] ?? Number.POSITIVE_INFINITY;
    const days = Math.min(last, until) - Math.max(first, since);
    const value = timeline.values[index];
    return days > 0 && value !== undefined ? [{ days, value }] : [];
  });
}

function valueAt<Value>(timeline: Timeline<Value>, day: number): Value | null {
  const { days } = timeline;
  // From the end: nearly every event is of these days.
  for (let index = days.length - 1; index >= 0; index -= 1) {
    if ((days[index] ?? 0) <= day) return timeline.values[index] ?? null;
  }
  return null;
}

function seriesOf(values: readonly VatRateValue[]): ReadonlyMap<string, readonly VatRateValue[]> {
  const series = new Map<string, VatRateValue[]>();
  for (const value of values) {
    const dated = series.get(value.name);
    if (dated === undefined) series.set(value.name, [value]);
    else dated.push(value);
  }
  for (const [name, dated] of series) {
    dated.sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    const twice = dated.find((value, index) => index > 0 && value.from === dated[index - 1]?.from);
    if (twice !== undefined) {
      throw new TallyError('RATE_CARD_INVALID', `${name} has two values from ${twice.from}`, { name });
    }
  }
  return series;
}

function categoriesOf(
  values: readonly VatRateValue[],
  region: VatRegion,
  parameters: ReadonlyMap<string, Timeline<number>>,
): ReadonlyMap<string, Timeline<CategoryRate>> {
  const interned = new Map<string, VatRate>();
  const intern = (rate: VatRate): VatRate => {
    const known = interned.get(rate.key);
    if (known === undefined) interned.set(rate.key, rate);
    return known ?? rate;
  };
  const categories = new Map<string, Timeline<CategoryRate>>();
  const here = values.filter((value) => value.treatment !== null && (value.region ?? region) === region);
  for (const [name, series] of seriesOf(here)) {
    if (!name.startsWith(CATEGORY_PREFIX)) {
      throw new TallyError('RATE_CARD_INVALID', `"${name}" has a treatment but is no category`, { name });
    }
    const category = name.slice(CATEGORY_PREFIX.length);
    const { days, values } = timelineOf(series, parameters, intern);
    categories.set(category, { days, values: values.map((rate) => ({ category, rate })) });
  }
  return categories;
}

/** A category's own days and, where it follows the standard or reduced rate, those on which that rate changed. */
function timelineOf(
  series: readonly VatRateValue[],
  parameters: ReadonlyMap<string, Timeline<number>>,
  intern: (rate: VatRate) => VatRate,
): Timeline<VatRate> {
  const first = series[0] === undefined ? 0 : dayNumber(series[0].from);
  const days = new Set<number>(series.map((value) => dayNumber(value.from)));
  for (const name of ['standardRate', 'reducedRate']) {
    for (const day of parameters.get(name)?.days ?? []) if (day > first) days.add(day);
  }
  const sorted = [...days].sort((a, b) => a - b);
  const rates = sorted.map((day) => {
    const value = series.findLast((candidate) => dayNumber(candidate.from) <= day);
    return value === undefined ? null : intern(rateOfValue(value, day, parameters));
  });
  return { days: sorted, values: rates.filter((rate) => rate !== null) };
}

function rateOfValue(value: VatRateValue, day: number, parameters: ReadonlyMap<string, Timeline<number>>): VatRate {
  const treatment = value.treatment ?? 'S';
  if (value.rateBasisPoints !== null) return vatRate(treatment, value.rateBasisPoints, value.dispatch);
  if (treatment !== 'S' && treatment !== 'R') return vatRate(treatment, 0, value.dispatch);
  const name = treatment === 'S' ? 'standardRate' : 'reducedRate';
  const timeline = parameters.get(name);
  const basisPoints = timeline === undefined ? null : valueAt(timeline, day);
  if (basisPoints === null) {
    throw new TallyError('RATE_CARD_INVALID', `${value.name} follows ${name}, which has no value on ${value.from}`, {
      name: value.name,
    });
  }
  return vatRate(treatment, basisPoints);
}
