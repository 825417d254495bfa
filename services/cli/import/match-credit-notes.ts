/** A line of a sale that a later credit note may give back. Quantities in thousandths of a unit, money in pence as the file's prices are: with VAT or without. */
export interface SoldLine {
  readonly eventId: string;
  readonly lineId: string;
  readonly category: string;
  remainingQuantity: number;
  remainingPence: number;
  /** What the line was priced at. */
  readonly pricedPence: number;
  /** When it was sold, RFC 3339: its rate of VAT is of that day. */
  readonly soldAt: string;
}

/** Part of a credit line that is given back on a line of a sale. */
export interface LinkedPart {
  readonly sold: SoldLine;
  readonly pence: number;
  /** What was given back of that line before. */
  readonly givenBeforePence: number;
}

/** Part of a credit line: given back on a known line of a sale, or on none. Pence are positive. */
export type CreditPart = LinkedPart | { readonly sold: null; readonly pence: number };

/**
 * Matches credit notes to sales first in, first out, by customer and item code. A customer that the file does not name matches nothing:
 * two strangers who bought the same item are not one customer.
 */
export class CreditMatcher {
  readonly #sold = new Map<string, SoldLine[]>();

  remember(customer: string, code: string, line: SoldLine): void {
    if (customer === '' || line.remainingQuantity <= 0) return;
    const key = `${customer}\n${code}`;
    const lines = this.#sold.get(key);
    if (lines === undefined) this.#sold.set(key, [line]);
    else lines.push(line);
  }

  /**
   * Splits a credit of `quantity` (thousandths, positive) and `pence` (positive) over the oldest sales that still have something to give
   * back. The pence are spread by quantity with cumulative half-up rounding, so that the parts sum to the whole; what exceeds what was paid
   * for a line, and the quantity that no sale covers, become parts without a sale.
   */
  split(customer: string, code: string, quantity: number, pence: number): CreditPart[] {
    const parts: CreditPart[] = [];
    const key = `${customer}\n${code}`;
    const lines = this.#sold.get(key) ?? [];
    let taken = 0;
    let given = 0;
    let unmatched = 0;
    while (taken < quantity) {
      const sold = lines[0];
      if (sold === undefined) break;
      const step = Math.min(sold.remainingQuantity, quantity - taken);
      const share = shareOf(pence, taken + step, quantity) - given;
      const linked = Math.min(share, sold.remainingPence);
      if (linked > 0) {
        parts.push({ sold, pence: linked, givenBeforePence: sold.pricedPence - sold.remainingPence });
      }
      unmatched += share - linked;
      sold.remainingQuantity -= step;
      sold.remainingPence -= linked;
      taken += step;
      given += share;
      if (sold.remainingQuantity === 0) lines.shift();
    }
    if (lines.length === 0) this.#sold.delete(key);
    unmatched += pence - given;
    if (unmatched > 0) parts.push({ sold: null, pence: unmatched });
    return parts;
  }
}

/** pence * part / whole, half up; the product can pass 2^53. */
function shareOf(pence: number, part: number, whole: number): number {
  if (part === whole) return pence;
  const product = BigInt(pence) * BigInt(part) * 2n + BigInt(whole);
  return Number(product / (BigInt(whole) * 2n));
}
