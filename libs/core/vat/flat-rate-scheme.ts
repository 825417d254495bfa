import { addMonths, type LocalDate } from '../calendar/local-date.ts';
import { TallyError } from '../errors/tally-error.ts';
import { halfUpShare } from '../money/half-up.ts';
import { type Pence, pence } from '../money/pence.ts';
import { findVatParameter, type VatRules, vatParameterOn } from './vat-rules.ts';

/** Turnover of one stretch of a period in which sector and percentage are the same. */
export interface FlatRateSegment {
  readonly start: LocalDate;
  readonly end: LocalDate;
  /** VAT-inclusive, zero-rated and exempt included. */
  readonly turnoverPence: number;
  readonly sector: string;
}

export interface FlatRatePeriod {
  readonly segments: readonly FlatRateSegment[];
  /** In the first year of registration the percentage is one point less; null where not known. */
  readonly registeredOn: LocalDate | null;
  /** The minimum of the limited cost trader test is that of a year, not of a quarter. */
  readonly annual: boolean;
  /** Relevant goods bought, VAT included; null: the limited cost trader test is not made. */
  readonly relevantGoodsPence: number | null;
  readonly capitalGoods: readonly {
    readonly grossPence: number;
    readonly vatPence: number;
    readonly service: boolean;
  }[];
}

export interface FlatRateResult {
  readonly limitedCost: boolean;
  readonly parts: readonly { readonly basisPoints: number; readonly turnoverPence: Pence }[];
  readonly flatRateVatPence: Pence;
  /** VAT of capital goods of 2,000.00 and more, given back in box 4. */
  readonly capitalGoodsVatPence: Pence;
}

/**
 * VAT under the flat rate scheme (Notice 733; vat.md section 5), half up once for each percentage's stretch. Throws E_FRS_SECTOR and
 * E_FRS_SEGMENT_SPANS_ANNIVERSARY where a stretch would need two percentages.
 */
export function flatRateVat(period: FlatRatePeriod, rules: VatRules): FlatRateResult {
  const limitedCost = isLimitedCost(period, rules);
  const parts = period.segments.map((segment) => ({
    basisPoints: percentageOf(segment, period.registeredOn, limitedCost, rules),
    turnoverPence: pence(segment.turnoverPence),
  }));
  let vat = 0;
  for (const part of parts) vat += halfUpShare(part.turnoverPence, part.basisPoints, 10_000);
  return {
    limitedCost,
    parts,
    flatRateVatPence: pence(vat),
    capitalGoodsVatPence: capitalGoodsVat(period, rules),
  };
}

/**
 * Percentages of a trader on a day, of its sector and as a limited cost trader, basis points: one point less in its first year.
 * Throws E_FRS_SECTOR.
 */
export function flatRatePercentages(
  sector: string,
  registeredOn: LocalDate | null,
  date: LocalDate,
  rules: VatRules,
): { readonly ofSector: number; readonly ofLimitedCost: number } {
  const segment: FlatRateSegment = { start: date, end: date, turnoverPence: 0, sector };
  const hasLimitedCost = findVatParameter(rules, 'limitedCostTrader.rate', date) !== null;
  const ofSector = percentageOf(segment, registeredOn, false, rules);
  return { ofSector, ofLimitedCost: hasLimitedCost ? percentageOf(segment, registeredOn, true, rules) : ofSector };
}

function percentageOf(
  segment: FlatRateSegment,
  registeredOn: LocalDate | null,
  limitedCost: boolean,
  rules: VatRules,
): number {
  const ofSector = findVatParameter(rules, `flatRate.${segment.sector}`, segment.start);
  if (ofSector === null) {
    throw new TallyError('E_FRS_SECTOR', 'not a sector of the flat rate scheme on that date', { start: segment.start });
  }
  const full = limitedCost ? vatParameterOn(rules, 'limitedCostTrader.rate', segment.start) : ofSector;
  if (registeredOn === null) return full;
  const anniversary = addMonths(registeredOn, 12);
  if (segment.start >= anniversary) return full;
  if (segment.end >= anniversary) {
    throw new TallyError('E_FRS_SEGMENT_SPANS_ANNIVERSARY', `split the turnover at ${anniversary}`, { anniversary });
  }
  return Math.max(0, full - vatParameterOn(rules, 'flatRateScheme.firstYearDiscount', segment.start));
}

/** Relevant goods below 2% of turnover, or below 1,000 a year (250 a quarter); both comparisons strict, from 1 April 2017. */
function isLimitedCost(period: FlatRatePeriod, rules: VatRules): boolean {
  const start = period.segments[0]?.start;
  if (period.relevantGoodsPence === null || start === undefined) return false;
  const share = findVatParameter(rules, 'limitedCostTrader.shareOfTurnover', start);
  if (share === null) return false;
  const minimum = vatParameterOn(
    rules,
    period.annual ? 'limitedCostTrader.minimumAYear' : 'limitedCostTrader.minimumAQuarter',
    start,
  );
  let turnover = 0;
  for (const segment of period.segments) turnover += segment.turnoverPence;
  const goods = period.relevantGoodsPence;
  return goods < minimum || BigInt(goods) * 10_000n < BigInt(turnover) * BigInt(share);
}

function capitalGoodsVat(period: FlatRatePeriod, rules: VatRules): Pence {
  const end = period.segments.at(-1)?.end;
  if (end === undefined) return pence(0);
  const minimum = vatParameterOn(rules, 'flatRateScheme.capitalGoodsMinimum', end);
  let sum = 0;
  for (const item of period.capitalGoods) if (!item.service && item.grossPence >= minimum) sum += item.vatPence;
  return pence(sum);
}
