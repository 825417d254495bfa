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
  /** Credit notes that gave some of it back. */
  readonly givenBy: readonly string[];
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

/** What a customer gives back. */
export interface GivenBack {
  /** Names the credit note: what it took once it does not take again. */
  readonly by: string;
  readonly customer: string;
  readonly code: string;
  /** Thousandths of a unit, positive. */
  readonly quantity: number;
  /** Positive. */
  readonly pence: number;
}

/** Lines sold in earlier files, by customer and item code. */
export interface EarlierSales {
  readonly linesOf: (customer: string, code: string) => SoldLine[];
}

const NO_EARLIER_SALES: EarlierSales = { linesOf: () => [] };

/** The lines of one item that one customer bought, oldest first. */
export interface CustomersLines {
  readonly customer: string;
  readonly code: string;
  lines: SoldLine[];
}

/**
 * Matches credit notes to sales first in, first out, by customer and item code, in this file and in earlier ones. A blank customer matches
 * nothing: two strangers who bought the same item are not one customer.
 */
export class CreditMatcher {
  readonly #earlier: EarlierSales;
  readonly #sold = new Map<string, CustomersLines>();
  readonly #changed = new Set<CustomersLines>();

  constructor(earlier: EarlierSales = NO_EARLIER_SALES) {
    this.#earlier = earlier;
  }

  /** Takes a line into what may be given back, once. */
  remember(customer: string, code: string, line: SoldLine): void {
    if (customer === '' || line.remainingQuantity <= 0) return;
    const of = this.#of(customer, code);
    if (of.lines.some(({ eventId, lineId }) => eventId === line.eventId && lineId === line.lineId)) return;
    const at = of.lines.findIndex(({ soldAt }) => soldAt > line.soldAt);
    of.lines.splice(at === -1 ? of.lines.length : at, 0, line);
    this.#changed.add(of);
  }

  /** Takes back a sale that was undone. */
  forget(customer: string, code: string, eventId: string): void {
    if (customer === '') return;
    const of = this.#of(customer, code);
    of.lines = of.lines.filter((line) => line.eventId !== eventId);
    this.#changed.add(of);
  }

  /** True where the credit note has taken of this item before. */
  hasTaken({ by, customer, code }: GivenBack): boolean {
    return customer !== '' && this.#of(customer, code).lines.some((line) => line.givenBy.includes(by));
  }

  /**
   * Spreads what is given back over the oldest sales, by quantity with cumulative half-up rounding, so that the parts sum to the whole.
   * What exceeds the price of a line, and a quantity that no sale covers, become parts without a sale.
   */
  split({ by, customer, code, quantity, pence }: GivenBack): CreditPart[] {
    if (customer === '') return pence > 0 ? [{ sold: null, pence }] : [];
    const parts: CreditPart[] = [];
    const of = this.#of(customer, code);
    let taken = 0;
    let given = 0;
    let unmatched = 0;
    for (const [index, before] of of.lines.entries()) {
      if (taken >= quantity) break;
      const step = Math.min(before.remainingQuantity, quantity - taken);
      if (step <= 0) continue;
      const share = shareOf(pence, taken + step, quantity) - given;
      const linked = Math.min(share, before.remainingPence);
      const sold: SoldLine = {
        ...before,
        remainingQuantity: before.remainingQuantity - step,
        remainingPence: before.remainingPence - linked,
        givenBy: [...before.givenBy, by],
      };
      of.lines[index] = sold;
      this.#changed.add(of);
      if (linked > 0) parts.push({ sold, pence: linked, givenBeforePence: before.pricedPence - before.remainingPence });
      unmatched += share - linked;
      taken += step;
      given += share;
    }
    unmatched += pence - given;
    if (unmatched > 0) parts.push({ sold: null, pence: unmatched });
    return parts;
  }

  /** What changed since this was asked last: to be kept for later files. */
  takeChanged(): readonly CustomersLines[] {
    const changed = [...this.#changed];
    this.#changed.clear();
    return changed;
  }

  #of(customer: string, code: string): CustomersLines {
    const key = `${customer}\n${code}`;
    let of = this.#sold.get(key);
    if (of === undefined) {
      of = { customer, code, lines: this.#earlier.linesOf(customer, code) };
      this.#sold.set(key, of);
    }
    return of;
  }
}

/** pence * part / whole, half up; the product can pass 2^53. */
function shareOf(pence: number, part: number, whole: number): number {
  if (part === whole) return pence;
  const product = BigInt(pence) * BigInt(part) * 2n + BigInt(whole);
  return Number(product / (BigInt(whole) * 2n));
}
