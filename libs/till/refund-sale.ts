import { TallyError } from '../core/errors/tally-error.ts';
import { halfUpQuotient } from '../core/money/half-up.ts';
import { negatePence, type Pence, pence } from '../core/money/pence.ts';
import { vatOnTop, vatWithin } from '../core/vat/rates/vat-rate.ts';
import type { AssessedLine, AssessedRate, AssessedSale, Pricing } from './assess-sale.ts';
import type { Quantity } from './quantity.ts';
import type { Rounding } from './round-vat.ts';

/** A line given back: how much of it; null is all that remains. */
export interface ReturnedLine {
  readonly id: string;
  readonly quantity: Quantity | null;
}

/** How the sale was priced: its VAT, and so what is given back, follows it. */
export interface SoldAs {
  readonly pricing: Pricing;
  readonly rounding: Rounding;
}

/** Negative amounts: what a refund takes back. */
export interface AssessedRefund {
  readonly lines: readonly { readonly id: string; readonly ratePct: string; readonly paidPence: Pence }[];
  readonly byRate: readonly AssessedRate[];
}

/**
 * A refund at the original's rates and prices (VATREC13070, reg 38(5)). Parts use cumulative rounding, half_up(P q1/Q) - half_up(P q0/Q), for
 * the price of a line and for the VAT of a rate, so that the parts sum exactly to what was paid. `history` are earlier refunds in order.
 * Throws E_REFUND_UNKNOWN_LINE, E_REFUND_EXCEEDS.
 */
export function refundSale(
  sale: AssessedSale,
  soldAs: SoldAs,
  history: readonly (readonly ReturnedLine[])[],
  returned: readonly ReturnedLine[],
): AssessedRefund {
  const before = new Map<string, bigint>();
  for (const refund of history) for (const line of refund) giveBack(sale, before, line);
  const after = new Map(before);
  for (const line of returned) giveBack(sale, after, line);
  const ids = new Set(returned.map((line) => line.id));
  const lines = sale.lines
    .filter((line) => ids.has(line.id))
    .map((line) => ({
      id: line.id,
      ratePct: line.rate.ratePct,
      paidPence: negatePence(pence(returnedPence(line, after) - returnedPence(line, before))),
    }));
  const keys = new Set(sale.lines.filter((line) => ids.has(line.id)).map((line) => line.rate.key));
  const byRate = sale.byRate
    .filter((row) => keys.has(row.rate.key))
    .map((row) => difference(returnedOfRate(sale, soldAs, row, after), returnedOfRate(sale, soldAs, row, before)));
  return { lines, byRate };
}

/** The exact negation of a sale: a void after completion. */
export function voidSale(sale: AssessedSale): readonly AssessedRate[] {
  return sale.byRate.map((row) => ({
    rate: row.rate,
    grossPence: negatePence(row.grossPence),
    netPence: negatePence(row.netPence),
    vatPence: negatePence(row.vatPence),
  }));
}

function giveBack(sale: AssessedSale, returned: Map<string, bigint>, { id, quantity }: ReturnedLine): void {
  const line = sale.lines.find((candidate) => candidate.id === id);
  if (line === undefined) throw new TallyError('E_REFUND_UNKNOWN_LINE', 'the sale has no such line', { id });
  const before = returned.get(id) ?? 0n;
  const after = quantity === null ? line.quantity : before + quantity;
  if (after > line.quantity) throw new TallyError('E_REFUND_EXCEEDS', 'more than what remains of the line', { id });
  returned.set(id, after);
}

function returnedPence(line: AssessedLine, returned: ReadonlyMap<string, bigint>): number {
  return halfUpQuotient(BigInt(line.paidPence) * (returned.get(line.id) ?? 0n), line.quantity);
}

/** Everything of one rate that was given back, as positive amounts. */
function returnedOfRate(
  sale: AssessedSale,
  { pricing, rounding }: SoldAs,
  row: AssessedRate,
  returned: ReadonlyMap<string, bigint>,
): AssessedRate {
  let paid = 0;
  for (const line of sale.lines) if (line.rate.key === row.rate.key) paid += returnedPence(line, returned);
  const whole = pricing === 'inclusive' ? row.grossPence : row.netPence;
  const vat = rounding === 'receipt' ? vatByFraction(paid, row, pricing) : vatByShare(paid, whole, row);
  return pricing === 'inclusive'
    ? { rate: row.rate, grossPence: pence(paid), netPence: pence(paid - vat), vatPence: vat }
    : { rate: row.rate, grossPence: pence(paid + vat), netPence: pence(paid), vatPence: vat };
}

function vatByFraction(paidPence: number, row: AssessedRate, pricing: Pricing): Pence {
  return pricing === 'inclusive' ? vatWithin(paidPence, row.rate) : vatOnTop(paidPence, row.rate);
}

/** Where the sale's VAT was rounded otherwise, its share by price: all of it comes back with the last part. */
function vatByShare(paidPence: number, wholePence: number, row: AssessedRate): Pence {
  if (wholePence === 0) return pence(0);
  return halfUpQuotient(BigInt(row.vatPence) * BigInt(paidPence), BigInt(wholePence));
}

function difference(a: AssessedRate, b: AssessedRate): AssessedRate {
  return {
    rate: a.rate,
    grossPence: negatePence(pence(a.grossPence - b.grossPence)),
    netPence: negatePence(pence(a.netPence - b.netPence)),
    vatPence: negatePence(pence(a.vatPence - b.vatPence)),
  };
}
