/**
 * Cash accounting: invoices less what was paid of them, pence: sales and their VAT, purchases and their recoverable VAT, which has
 * ten-thousandths of a penny 0..9999 above its whole pence, as box 4 has.
 */
export type Unpaid = readonly [
  salesPence: number,
  salesVatPence: number,
  purchasesPence: number,
  inputVatPence: number,
  inputVatParts: number,
];

/** The part of a period's account that tells of it. */
interface AccountOfUnpaid {
  readonly s?: { readonly c?: 1 | 2 };
  readonly u?: Unpaid;
  readonly b?: Unpaid;
}

export const NOTHING_UNPAID: Unpaid = [0, 0, 0, 0, 0];
const PARTS = 10_000;

/** What a period's account (takings.ts) counts although nobody paid it. Null: nothing. */
export function unpaidDueIn({ s, u, b }: AccountOfUnpaid): Unpaid | null {
  const own = s?.c === 2 ? u : undefined;
  if (own === undefined) return b ?? null;
  return b === undefined ? own : addUnpaid(own, b);
}

/** Two sums, the parts of a penny carried. */
export function addUnpaid(a: Unpaid, b: Unpaid): Unpaid {
  const parts = a[4] + b[4];
  const fraction = ((parts % PARTS) + PARTS) % PARTS;
  return [a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3] + (parts - fraction) / PARTS, fraction];
}

/** An invoice sent (a payment received: negated). */
export function unpaidSale(netPence: number, vatPence: number): Unpaid {
  return [netPence, vatPence, 0, 0, 0];
}

/** An invoice got (a payment made: negated), of whose VAT a share in basis points is recoverable. */
export function unpaidPurchase(netPence: number, vatPence: number, recoverableBasisPoints: number): Unpaid {
  return addUnpaid([0, 0, netPence, 0, vatPence * recoverableBasisPoints], NOTHING_UNPAID);
}
