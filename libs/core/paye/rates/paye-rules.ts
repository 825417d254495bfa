import { dayNumber, type LocalDate, localDate } from '../../calendar/local-date.ts';
import { type TaxYear, taxMonthOf, taxWeekOf, taxYearEnd, taxYearOf } from '../../calendar/tax-calendar.ts';
import { TallyError } from '../../errors/tally-error.ts';
import { PAY_FREQUENCIES, type PayFrequency } from '../../events/paye-events.ts';
import { type PoolKeys, periodCode, poolKeysOf } from '../employment/period-pools.ts';
import { monthOpenUntil, taxPeriodOf } from './charge-month.ts';
import { type DatedPayeRules, datedPayeRulesOf } from './dated-paye-rules.ts';
import { FREQUENCY_TERMS, periodOf } from './pay-frequency.ts';
import { changeDatesOf, rateCardOf } from './rate-card.ts';
import { parseTaxCode, type TaxCode } from './tax-code.ts';

/** A pay day: its place in the tax calendar and the rules that hold on it. */
export interface PayDay {
  readonly taxYear: TaxYear;
  readonly taxMonth: number;
  readonly taxWeek: number;
  /** `2026-27/M08`. */
  readonly taxPeriod: string;
  /** Day number of the 19th after its month: a payment received by then belongs to the month (paye.md 7.8). */
  readonly openUntilDay: number;
  readonly rules: DatedPayeRules;
  /** Its number among the weeks or months of each pay frequency, and the key of its earnings period: `M1:8`. */
  readonly periods: Readonly<Record<PayFrequency, PayPeriod>>;
}

export interface PayPeriod extends EarningsPeriod {
  readonly number: number;
  /** The periods of payments for which the employer states the number before, or after, that of the pay day. */
  readonly statedBefore: EarningsPeriod;
  readonly statedAfter: EarningsPeriod;
}

/** A period in which earnings are added up for NICs: a week or month and the number that the employer states for it. */
export interface EarningsPeriod {
  readonly key: string;
  /** Of the period's pools, by letter: `AM1:8`. */
  readonly poolKeys: PoolKeys;
  /** Stands for the key among earnings periods set aside. */
  readonly code: number;
}

/** Every PAYE rate of the cards in force, under the hash that decisions record. Made once; what it remembers is derived from the cards. */
export interface PayeRules {
  /** 64 hex: SHA-256 of the canonical JSON of the cards. */
  readonly hash: string;
  readonly taxYears: readonly TaxYear[];
  readonly years: ReadonlyMap<TaxYear, readonly DatedPayeRules[]>;
  /** Bounded memories of what was read: pay days by date, tax codes by text. */
  readonly payDays: Map<string, PayDay>;
  readonly taxCodes: Map<string, TaxCode>;
}

const PAY_DAYS_MAX = 4_000;
const TAX_CODES_MAX = 20_000;

/**
 * The rules of a set of rate cards, each as parsed from its JSON file (libs/core/paye/rates). Adding a tax year is adding a card.
 * Throws RATE_CARD_INVALID, also where two cards are of one year.
 */
export function payeRulesOf(cards: readonly unknown[], hash: string): PayeRules {
  const years = new Map<TaxYear, readonly DatedPayeRules[]>();
  for (const json of cards) {
    const card = rateCardOf(json);
    if (years.has(card.taxYear)) {
      throw new TallyError('RATE_CARD_INVALID', `two PAYE rate cards of ${card.taxYear}`, { name: card.taxYear });
    }
    years.set(
      card.taxYear,
      changeDatesOf(card).map((from) => datedPayeRulesOf(card, from)),
    );
  }
  return { hash, taxYears: [...years.keys()].sort(), years, payDays: new Map(), taxCodes: new Map() };
}

/** The rules of a tax year by the day each set begins to hold. Throws UNSUPPORTED_TAX_YEAR. */
export function rulesOfYear(rules: PayeRules, year: string): readonly DatedPayeRules[] {
  const dated = rules.years.get(year as TaxYear);
  if (dated === undefined) {
    throw new TallyError('UNSUPPORTED_TAX_YEAR', `no rates for the tax year ${year}`, { taxYear: year });
  }
  return dated;
}

/** The rules on the last day of a tax year. Throws UNSUPPORTED_TAX_YEAR. */
export function rulesAtYearEnd(rules: PayeRules, year: string): DatedPayeRules {
  return rulesOn(rulesOfYear(rules, year), taxYearEnd(year as TaxYear));
}

/** The pay day of a date. Throws DATE_INVALID, UNSUPPORTED_TAX_YEAR. */
export function payDayOf(rules: PayeRules, date: string): PayDay {
  return rules.payDays.get(date) ?? makePayDay(rules, localDate(date));
}

/** True for a date of a tax year that has a card. */
export function isDateSupported(rules: PayeRules, date: LocalDate): boolean {
  return rules.payDays.has(date) || rules.years.has(taxYearOf(date));
}

/** A tax code, read once. Throws BAD_TAX_CODE or K_CODE_OUT_OF_RANGE. */
export function taxCodeOf(rules: PayeRules, text: string): TaxCode {
  const known = rules.taxCodes.get(text);
  if (known !== undefined) return known;
  const code = parseTaxCode(text);
  if (rules.taxCodes.size >= TAX_CODES_MAX) rules.taxCodes.clear();
  rules.taxCodes.set(text, code);
  return code;
}

function makePayDay(rules: PayeRules, date: LocalDate): PayDay {
  const taxYear = taxYearOf(date);
  const taxMonth = taxMonthOf(date);
  const taxWeek = taxWeekOf(date);
  const day: PayDay = {
    taxYear,
    taxMonth,
    taxWeek,
    periods: periodsOf(taxWeek, taxMonth),
    taxPeriod: taxPeriodOf(taxYear, taxMonth),
    openUntilDay: dayNumber(monthOpenUntil(taxYear, taxMonth)),
    rules: rulesOn(rulesOfYear(rules, taxYear), date),
  };
  if (rules.payDays.size >= PAY_DAYS_MAX) rules.payDays.clear();
  rules.payDays.set(date, day);
  return day;
}

function periodsOf(taxWeek: number, taxMonth: number): Readonly<Record<PayFrequency, PayPeriod>> {
  const periods = PAY_FREQUENCIES.map((frequency) => {
    const terms = FREQUENCY_TERMS[frequency];
    const number = periodOf(terms, taxWeek, taxMonth);
    const key = `${terms.earningsPeriod}:${number}`;
    const [statedBefore, statedAfter] = [earningsPeriod(`${key}-`), earningsPeriod(`${key}+`)];
    return [frequency, { number, ...earningsPeriod(key), statedBefore, statedAfter }];
  });
  return Object.fromEntries(periods) as Record<PayFrequency, PayPeriod>;
}

function earningsPeriod(key: string): EarningsPeriod {
  return { key, poolKeys: poolKeysOf(key), code: periodCode(key) };
}

function rulesOn(dated: readonly DatedPayeRules[], date: LocalDate): DatedPayeRules {
  const found = dated.findLast((rules) => rules.from <= date);
  if (found === undefined) throw new TallyError('UNSUPPORTED_TAX_YEAR', 'no rates on this date', { date });
  return found;
}
