import type { LocalDate } from '../core/calendar/local-date.ts';
import { TallyError } from '../core/errors/tally-error.ts';
import type { VatRegion } from '../core/events/vat-events.ts';
import { halfUpQuotient, halfUpShare } from '../core/money/half-up.ts';
import { type Pence, pence } from '../core/money/pence.ts';
import { basisPointsOfPercent, compareVatRates, type VatRate } from '../core/vat/rates/vat-rate.ts';
import { type VatRules, vatRateOn } from '../core/vat/rates/vat-rules.ts';
import { shareByLargestRemainder } from './largest-remainder.ts';
import { ONE_UNIT, type Quantity } from './quantity.ts';
import { type LineTax, type Rounding, vatByRounding } from './round-vat.ts';

export type Pricing = 'inclusive' | 'exclusive';

/** A line of a basket before discounts. */
export interface SaleLine {
  readonly id: string;
  readonly category: string;
  readonly quantity: Quantity;
  readonly unitPence: number;
  readonly discountPence: number | null;
  /** Decimal text: `10`. */
  readonly discountPct: string | null;
  /** Its own tax point and region where they are not the sale's (a ticket paid for earlier). */
  readonly taxPoint: LocalDate;
  readonly region: VatRegion;
}

/** Lines sold together at one price. */
interface Deal {
  readonly lines: readonly string[];
  readonly pricePence: number;
}

/** A sale as it is priced: order of reductions is line discount, deals, basket discount (vat.md 4.1). */
export interface Sale {
  readonly lines: readonly SaleLine[];
  readonly deals: readonly Deal[];
  readonly basketDiscountPence: number | null;
  readonly basketDiscountPct: string | null;
  /** Categories that a basket discount does not touch; what is outside the scope never is. */
  readonly discountExcludes: readonly string[];
  readonly pricing: Pricing;
  readonly rounding: Rounding;
}

export interface AssessedLine {
  readonly id: string;
  readonly rate: VatRate;
  readonly quantity: Quantity;
  /** What is paid for it after all reductions: with VAT where prices include it, without where they do not. */
  readonly paidPence: Pence;
}

export interface AssessedRate {
  readonly rate: VatRate;
  readonly grossPence: Pence;
  readonly netPence: Pence;
  readonly vatPence: Pence;
}

export interface AssessedSale {
  readonly byRate: readonly AssessedRate[];
  readonly lines: readonly AssessedLine[];
}

/**
 * VAT of a sale by rate (vat.md section 4). Throws E_LINE_ID_DUP, E_ROUNDING_NOT_ALLOWED, E_UNIT_ROUNDING_DISCOUNT, E_DISCOUNT_EXCEEDS_LINE,
 * E_DISCOUNT_EXCEEDS_BASKET, E_APPORTION_ZERO, E_RATE_UNKNOWN, E_RATE_NOT_IN_FORCE.
 */
export function assessSale(sale: Sale, rules: VatRules): AssessedSale {
  checkSale(sale);
  const rates = sale.lines.map((line) => vatRateOn(rules, line.category, line.taxPoint, line.region));
  const discounted = sale.lines.map(discountedLine);
  const paid = afterBasketDiscount(sale, rates, afterDeals(sale, discounted));
  const lines = sale.lines.map((line, index) => ({
    id: line.id,
    rate: valueAt(rates, index),
    quantity: line.quantity,
    paidPence: pence(paid[index] ?? 0),
  }));
  return { lines, byRate: ratesOf(sale, lines) };
}

/** Totals over all rates: what is exempt or outside the scope is in gross and net. */
export function saleTotals(byRate: readonly AssessedRate[]): Omit<AssessedRate, 'rate'> {
  let [gross, net, vat] = [0, 0, 0];
  for (const row of byRate) {
    gross += row.grossPence;
    net += row.netPence;
    vat += row.vatPence;
  }
  return { grossPence: pence(gross), netPence: pence(net), vatPence: pence(vat) };
}

function checkSale(sale: Sale): void {
  const ids = new Set(sale.lines.map((line) => line.id));
  if (ids.size !== sale.lines.length) throw refused('E_LINE_ID_DUP', 'each line has an id of its own');
  // Only who builds prices from a net whole-penny figure may round down (VATREC12010, 12020).
  const roundsDown = sale.rounding === 'invoice_down' || sale.rounding === 'line_tenth_down';
  if (roundsDown && sale.pricing === 'inclusive') {
    throw refused('E_ROUNDING_NOT_ALLOWED', `${sale.rounding} is for prices without VAT`);
  }
  const isReduced =
    sale.deals.length > 0 ||
    sale.basketDiscountPence !== null ||
    sale.basketDiscountPct !== null ||
    sale.lines.some((line) => line.discountPence !== null || line.discountPct !== null);
  if (sale.rounding === 'unit' && isReduced) {
    throw refused('E_UNIT_ROUNDING_DISCOUNT', 'VAT rounded by unit needs unit prices without discounts');
  }
}

/** Price of a line after its own discount. Weighed goods are rounded to the penny before VAT. */
function discountedLine(line: SaleLine): number {
  const extended = halfUpQuotient(BigInt(line.unitPence) * line.quantity, ONE_UNIT);
  const percent = line.discountPct === null ? 0 : percentOf(extended, line.discountPct);
  const discount = (line.discountPence ?? 0) + percent;
  if (discount > extended) throw refused('E_DISCOUNT_EXCEEDS_LINE', `line ${line.id}: the discount is above the price`);
  return extended - discount;
}

/** An offer over several rates is apportioned by normal selling price (VATVAL03800). */
function afterDeals(sale: Sale, prices: readonly number[]): readonly number[] {
  const after = [...prices];
  for (const deal of sale.deals) {
    const positions = deal.lines
      .map((id) => sale.lines.findIndex((line) => line.id === id))
      .filter((position) => position >= 0);
    const weights = positions.map((position) => after[position] ?? 0);
    const shares = shareByLargestRemainder(deal.pricePence, weights);
    positions.forEach((position, index) => {
      after[position] = shares[index] ?? 0;
    });
  }
  return after;
}

function afterBasketDiscount(sale: Sale, rates: readonly VatRate[], prices: readonly number[]): readonly number[] {
  const isIn = prices.map(
    (_, index) =>
      rates[index]?.treatment !== 'O' && !sale.discountExcludes.includes(valueAt(sale.lines, index).category),
  );
  const weights = prices.map((price, index) => (isIn[index] === true ? price : 0));
  const base = weights.reduce((sum, weight) => sum + weight, 0);
  const percent = sale.basketDiscountPct === null ? 0 : percentOf(base, sale.basketDiscountPct);
  const discount = (sale.basketDiscountPence ?? 0) + percent;
  if (discount > base) throw refused('E_DISCOUNT_EXCEEDS_BASKET', 'the discount is above what it may be taken from');
  if (discount === 0) return prices;
  const shares = shareByLargestRemainder(discount, weights);
  return prices.map((price, index) => price - (shares[index] ?? 0));
}

function ratesOf(sale: Sale, lines: readonly AssessedLine[]): readonly AssessedRate[] {
  const groups = new Map<string, { rate: VatRate; paidPence: number; lines: LineTax[] }>();
  lines.forEach((line, index) => {
    const group = groups.get(line.rate.key) ?? { rate: line.rate, paidPence: 0, lines: [] };
    group.paidPence += line.paidPence;
    const { unitPence } = valueAt(sale.lines, index);
    group.lines.push({ paidPence: line.paidPence, unitPence, quantity: line.quantity });
    groups.set(line.rate.key, group);
  });
  const sorted = [...groups.values()].sort((a, b) => compareVatRates(a.rate, b.rate));
  const vat = vatByRounding(sorted, sale.pricing, sale.rounding);
  return sorted.map(({ rate, paidPence }, index) => {
    const vatPence = vat[index] ?? pence(0);
    return sale.pricing === 'inclusive'
      ? { rate, grossPence: pence(paidPence), netPence: pence(paidPence - vatPence), vatPence }
      : { rate, grossPence: pence(paidPence + vatPence), netPence: pence(paidPence), vatPence };
  });
}

function percentOf(amountPence: number, percent: string): number {
  const basisPoints = basisPointsOfPercent(percent);
  if (Number.isNaN(basisPoints)) throw refused('E_DISCOUNT_PCT', 'a percentage as decimal text, such as "12.5"');
  return halfUpShare(amountPence, basisPoints, 10_000);
}

function valueAt<Value>(values: readonly Value[], index: number): Value {
  const value = values[index];
  if (value === undefined) throw new RangeError(`no value at ${index}`);
  return value;
}

function refused(code: string, message: string): TallyError {
  return new TallyError(code, message, {});
}
