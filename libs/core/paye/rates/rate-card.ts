import { isLocalDate, type LocalDate } from '../../calendar/local-date.ts';
import { isTaxYear, type TaxYear, taxYearEnd, taxYearStart } from '../../calendar/tax-calendar.ts';
import { isJsonObject } from '../../encoding/json-object.ts';
import { TallyError } from '../../errors/tally-error.ts';

/** How a letter of Class 1 works: which employee rate it has, and from which threshold the employer pays. */
export interface LetterValue {
  readonly employee: string;
  readonly employerFrom: string;
}

export type RateUnit = 'pounds' | 'basisPoints' | 'index' | 'letter' | 'list' | 'taxCode';

/** One value of a rate card: what it is, from which day it holds, its unit and where it is written. */
export interface RateValue {
  readonly name: string;
  readonly from: LocalDate;
  readonly unit: RateUnit;
  /** Pence for pounds, a whole number for basis points and indexes. */
  readonly value: number | string | LetterValue | readonly string[];
  readonly citation: { readonly title: string; readonly url: string };
}

/** A tax year's card: every value that holds on a day within it. Each year's file is complete in itself. */
export interface RateCard {
  readonly taxYear: TaxYear;
  readonly values: ReadonlyMap<string, readonly RateValue[]>;
}

const POUNDS = /^\d{1,9}(?:\.\d{2})?$/;
const UNITS: ReadonlySet<string> = new Set(['pounds', 'basisPoints', 'index', 'letter', 'list', 'taxCode']);

/** Reads one card as parsed from its JSON file (schemas/paye-rate-card.schema.json). Throws RATE_CARD_INVALID, naming the value. */
export function rateCardOf(json: unknown): RateCard {
  if (!isJsonObject(json) || json.tax !== 'paye' || typeof json.taxYear !== 'string' || !isTaxYear(json.taxYear)) {
    throw invalid('a PAYE rate card has "tax": "paye" and a "taxYear" such as "2026-27"', '');
  }
  if (!Array.isArray(json.values)) throw invalid('a rate card has a list "values"', json.taxYear);
  const taxYear = json.taxYear;
  const values = new Map<string, RateValue[]>();
  for (const item of json.values) {
    const value = rateValueOf(item, taxYear);
    const dated = values.get(value.name) ?? [];
    const last = dated.at(-1);
    if (last !== undefined && value.from <= last.from)
      throw invalid('values of one name stand in order of date', value.name);
    dated.push(value);
    values.set(value.name, dated);
  }
  return { taxYear, values };
}

/** The value of a name that holds on a day, or undefined where none does yet. */
export function valueOn(card: RateCard, name: string, date: LocalDate): RateValue | undefined {
  let found: RateValue | undefined;
  for (const value of card.values.get(name) ?? []) {
    if (value.from <= date) found = value;
  }
  return found;
}

/** The days within the year on which some value changes, its first day included, in order. */
export function changeDatesOf(card: RateCard): readonly LocalDate[] {
  const start = taxYearStart(card.taxYear);
  const dates = new Set<LocalDate>([start]);
  for (const dated of card.values.values()) {
    for (const value of dated) if (value.from > start) dates.add(value.from);
  }
  return [...dates].sort();
}

function rateValueOf(item: unknown, taxYear: TaxYear): RateValue {
  if (!isJsonObject(item) || typeof item.name !== 'string') throw invalid('a value has a name', taxYear);
  const { name, from, unit, value, citation } = item;
  if (typeof from !== 'string' || !isLocalDate(from)) throw invalid('"from" is a date', name);
  if (from > taxYearEnd(taxYear)) throw invalid('"from" is after the end of the tax year', name);
  if (typeof unit !== 'string' || !UNITS.has(unit)) throw invalid('"unit" is not known', name);
  if (!isJsonObject(citation) || typeof citation.title !== 'string' || typeof citation.url !== 'string') {
    throw invalid('a value has a citation {title, url}', name);
  }
  return {
    name,
    from,
    unit: unit as RateUnit,
    value: amountOf(name, unit as RateUnit, value),
    citation: { title: citation.title, url: citation.url },
  };
}

function amountOf(name: string, unit: RateUnit, value: unknown): RateValue['value'] {
  switch (unit) {
    case 'pounds':
      if (typeof value === 'string' && POUNDS.test(value)) {
        const [pounds, pennies] = value.split('.');
        return Number(pounds) * 100 + Number(pennies ?? 0);
      }
      break;
    case 'basisPoints':
    case 'index':
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
      break;
    case 'taxCode':
      if (typeof value === 'string') return value;
      break;
    case 'list':
      if (Array.isArray(value) && value.every((entry) => typeof entry === 'string')) return value;
      break;
    case 'letter':
      if (isJsonObject(value) && typeof value.employee === 'string' && typeof value.employerFrom === 'string') {
        return { employee: value.employee, employerFrom: value.employerFrom };
      }
      break;
  }
  throw invalid(`the value is not in its unit, ${unit}`, name);
}

function invalid(what: string, name: string): TallyError {
  return new TallyError('RATE_CARD_INVALID', `rate card: ${name}: ${what}`, { name, what });
}
